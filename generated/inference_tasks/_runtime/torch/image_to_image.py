"""image-to-image: any diffusers pipeline that starts from an image, or a transformers model that enlarges images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..binding import TaskBinding
from ..server.handler import Handler, Image, RequestProblem
from .diffusion import FromImage
from .pictures import ImageModel, png
from .pipeline_directory import is_pipeline_directory

MAX_PIXELS = 1_000_000
UNSUPPORTED = ("prompt", "guidance_scale", "negative_prompt", "num_inference_steps")


def image_to_image(binding: TaskBinding, directory: Path, **options: Any) -> Handler[Any, Any, Any]:
    """The handler for what is in `directory`: for a pipeline too if that is still to be built there."""
    kind: Any = FromImage if options.get("build") or is_pipeline_directory(directory) else Enlarging
    handler: Handler[Any, Any, Any] = kind(binding, directory, **options)
    return handler


class Enlarging(ImageModel):
    """Images in, larger ones out, with any model of AutoModelForImageToImage (Swin2SR)."""

    max_batch = 4  # the outputs are several times as large

    def auto_class(self) -> Any:
        from transformers import AutoModelForImageToImage

        return AutoModelForImageToImage

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        for name in UNSUPPORTED:
            if getattr(parameters, name) is not None:
                message = "is not supported by this model, which enlarges images and does nothing else"
                return [RequestProblem(message, field=f"parameters.{name}")] * len(inputs)
        answers: list[Any] = [self._refusal(image, parameters.target_size) for image in inputs]
        fitting = [index for index, problem in enumerate(answers) if problem is None]
        for index, answer in zip(fitting, super().infer([inputs[i] for i in fitting], parameters), strict=True):
            answers[index] = answer
        return answers

    def _refusal(self, image: Image, target: Any) -> RequestProblem | None:
        if image.width * image.height > MAX_PIXELS:
            return RequestProblem(f"has more than {MAX_PIXELS} pixels, the most that is enlarged", field="inputs")
        width, height = self._enlarged(image)
        if target is not None and (target.width, target.height) != (width, height):
            message = f"is not what this model makes of this image, which is {width} x {height}"
            return RequestProblem(message, field="parameters.target_size")
        return None

    def _enlarged(self, image: Image) -> tuple[int, int]:
        factor = self.model.config.upscale
        return image.width * factor, image.height * factor

    def answers(self, outputs: Any, images: Sequence[Image], parameters: Any) -> Sequence[Any]:
        import PIL.Image

        pixels = (outputs.reconstruction.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        answers = []
        for image, made in zip(images, pixels, strict=True):
            width, height = self._enlarged(image)
            # The processor has padded the image to a multiple of the model's windows.
            answers.append({"image": png(PIL.Image.fromarray(made[:height, :width]))})
        return answers
