"""Images and films by diffusion: any pipeline of diffusers that makes them from texts, from images, or from both."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..server.calls import decode_base64
from ..server.decode import decode_image
from ..server.handler import Image, RequestProblem
from .base import ModelDirectoryError, TorchModel
from .film import mp4
from .pictures import png
from .pipeline_call import PipelineCall, Plan, Work
from .pipeline_directory import check_pipeline_directory, load_pipeline

PROMPT = "parameters.prompt"
NETWORKS = ("transformer", "unet")
"""What pipelines call the network that removes the noise: by far the most of the work."""


class Diffusion(TorchModel):
    """A pipeline in the form that starts from a text, the form that starts from an image, or both.

    The two forms of one pipeline share their networks.
    """

    deterministic = False
    max_batch = 4  # a single image keeps a GPU busy
    video = False
    from_text = False
    """Whether the task has requests without an image."""
    from_image = False
    """Whether the task has requests with an image."""

    def check(self) -> None:
        """Raise ModelDirectoryError if the directory holds no pipeline, or diffusers is missing."""
        check_pipeline_directory(self.directory)
        if find_spec("diffusers") is None:
            message = "holds a pipeline of diffusers, which is missing: install this package with its extra 'diffusion'"
            raise ModelDirectoryError(f"{self.directory}: {message}")

    def load_model(self) -> None:
        """Load the pipeline, and find its form for each kind of request."""
        from diffusers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.model = load_pipeline(self.directory, self.device, self.placement.torch_dtype)
        if self.placement.compile:
            for network in filter(None, (getattr(self.model, name, None) for name in NETWORKS)):
                self.placement.compile_forward(network)
        forms = {image: self._form(image) for image in (False, True)}
        self._calls = {
            image: PipelineCall(form, video=self.video, max_side=self.limits.max_side)
            for image, form in forms.items()
            if form is not None
        }
        needed = [image for image, wanted in ((True, self.from_image), (False, self.from_text)) if wanted]
        # A task that takes both is served by a pipeline that changes images only, too.
        if needed[0] not in self._calls:
            kind = type(self.model).__name__
            raise ModelDirectoryError(f"{self.directory}: {kind} is no pipeline of diffusers for {self.binding.id}")

    def _form(self, image: bool) -> Any:
        """The loaded pipeline in the form that starts from an image or from a text; None if there is none."""
        if self._fits(self.model, image):
            return self.model
        form = self.other_form(image)
        # Some pipelines start from either, and are listed as the other form of themselves.
        return form if form is not None and (self._fits(form, image) or type(form) is type(self.model)) else None

    def other_form(self, image: bool) -> Any:
        """The form of the loaded pipeline, if diffusers knows of one, that starts from an image or from a text."""
        diffusers: Any = import_module("diffusers")
        auto = diffusers.AutoPipelineForImage2Image if image else diffusers.AutoPipelineForText2Image
        try:
            return auto.from_pipe(self.model)
        except ValueError:
            return None

    def _fits(self, pipeline: Any, image: bool) -> bool:
        takes = inspect.signature(type(pipeline).__call__).parameters
        return ("image" in takes) == image and ("num_frames" in takes) == self.video and "mask_image" not in takes

    def make(self, asked: Sequence[tuple[str | None, str, Image | None]], parameters: Any) -> list[Any]:
        """An answer or a RequestProblem for each prompt, its field, and image that is `asked` for.

        They share `parameters`, and whether there is an image.
        """
        call = self._calls.get(asked[0][2] is not None)
        if call is None:
            return [RequestProblem("is required: this model starts from an image", field="inputs")] * len(asked)
        try:
            plan = call.plan(parameters)
        except RequestProblem as problem:
            return [problem] * len(asked)
        answers: list[Any] = [None] * len(asked)
        groups: dict[Any, list[tuple[int, Work]]] = defaultdict(list)
        for index, (prompt, field, image) in enumerate(asked):
            try:
                work = call.work(plan, prompt, field, image, "inputs")
            except RequestProblem as problem:
                answers[index] = problem
                continue
            groups[(work.image and work.image.size) if call.joins else index].append((index, work))
        for group in groups.values():
            for (index, _), made in zip(group, self._made(call, [work for _, work in group], plan), strict=True):
                answers[index] = made if isinstance(made, Exception) else self.answer(made, call)
        return answers

    @staticmethod
    def _made(call: PipelineCall, works: list[Work], plan: Plan) -> list[Any]:
        try:
            return call(works, plan)
        except RequestProblem as problem:
            return [problem] * len(works)

    def answer(self, made: Any, call: PipelineCall) -> dict[str, Any]:
        """The image that was made as JSON values."""
        return {"image": png(made)}


class Films:
    """What turns one of the classes below from images to films."""

    max_batch = 1
    video = True
    model: Any

    def other_form(self, image: bool) -> Any:
        """Like that for images; diffusers has no list of these."""
        diffusers: Any = import_module("diffusers")
        names = ("LTXPipeline", "LTXImageToVideoPipeline")
        return getattr(diffusers, names[image]).from_pipe(self.model) if type(self.model).__name__ in names else None

    def answer(self, made: Any, call: PipelineCall) -> dict[str, Any]:
        """The film that was made as JSON values."""
        return {"video": mp4(made, call.rate)}


class FromText(Diffusion):
    """The prompt is the input."""

    from_text = True

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        return self.make([(prompt, "inputs", None) for prompt in inputs], parameters)


class FromImage(Diffusion):
    """The image is the input; the prompt is a parameter."""

    from_image = True

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        return self.make([(parameters.prompt, PROMPT, image) for image in inputs], parameters)


class FromEither(Diffusion):
    """Whole requests, each with an image, a prompt or both, and parameters of its own."""

    from_text = from_image = True

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        return [self._alone(request) for request in inputs]

    def _alone(self, request: Any) -> Any:
        parameters = request.parameters or self.binding.parameters_class.model_construct()
        image = None
        if request.inputs is not None:
            try:
                image = decode_image(decode_base64(request.inputs, "inputs"), "inputs", self.limits)
            except RequestProblem as problem:
                return problem
        return self.make([(parameters.prompt, PROMPT, image)], parameters)[0]


class FilmFromText(Films, FromText):
    """text-to-video."""


class FilmFromImage(Films, FromImage):
    """image-to-video."""


class FilmFromEither(Films, FromEither):
    """image-text-to-video."""
