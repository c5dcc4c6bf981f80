"""One diffusers pipeline, called with what a request asks for, or not called if the pipeline cannot do that.

What a pipeline can do is in the signature of its `__call__`. Sizes and counts of frames that its network cannot make
are rounded up for the network, and what comes out is scaled or cut to what was asked for.
"""

from __future__ import annotations

import inspect
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..server.handler import Image, RequestProblem

MAX_GUIDANCE = 100.0
DEFAULT_TOKENS = 10_000
"""The longest prompt where a pipeline does not say."""
MAX_MESSAGE = 300
DEFAULT_RATE = 16.0
LEAST_MULTIPLE = 8
"""What pipelines check themselves, whatever their networks could do."""
PARAMETERS = "parameters"
SPATIAL = ("vae_spatial_compression_ratio", "vae_scale_factor_spatial", "vae_scale_factor")
"""How pipelines call the pixels a latent has on a side."""
TEMPORAL = ("vae_temporal_compression_ratio", "vae_scale_factor_temporal")
"""How pipelines call the frames a latent has."""


@dataclass
class Plan:
    """What a request asks for: `arguments` of the pipeline, and what is done before and after."""

    arguments: dict[str, Any] = field(default_factory=dict)
    scheduler: Any = None
    seed: int | None = None
    size: tuple[int, int] | None = None
    """Width and height to which the result is scaled."""
    sides: tuple[int | None, int | None] = (None, None)
    """Width and height that the pipeline has to make itself."""
    frames: int | None = None


@dataclass
class Work:
    """One prompt, one image or both, as the pipeline takes them, and the size to which the result is scaled."""

    prompt: str | None
    image: Image | None
    size: tuple[int, int] | None


class PipelineCall:
    """A pipeline that makes images or, if `video`, films; of the size of an image only up to `max_side` pixels."""

    def __init__(self, pipeline: Any, *, video: bool, max_side: int) -> None:
        self._pipeline = pipeline
        self._max_side = max_side
        self._video = video
        self._takes = {**inspect.signature(type(pipeline).__call__).parameters}
        self._scheduler: Any = getattr(pipeline, "scheduler", None)
        pipeline.set_progress_bar_config(disable=True)

    @property
    def joins(self) -> bool:
        """Whether several requests may go together: some pipelines take several images as parts of one request."""
        return not self._video and ("image" not in self._takes or "strength" in self._takes)

    @property
    def rate(self) -> float:
        """Frames a second."""
        for name in ("frame_rate", "fps"):
            default = self._default(name)
            if default:
                return float(default)
        return DEFAULT_RATE

    def plan(self, parameters: Any) -> Plan:
        """What `parameters` ask for. Raises RequestProblem for what this pipeline cannot do."""
        plan = Plan(seed=getattr(parameters, "seed", None))
        if plan.seed is not None:
            self._require("generator", "seed")
        self._plan_steps(plan, getattr(parameters, "num_inference_steps", None))
        self._plan_guidance(plan, parameters.guidance_scale, parameters.negative_prompt)
        self._plan_scheduler(plan, getattr(parameters, "scheduler", None))
        self._plan_frames(plan, getattr(parameters, "num_frames", None))
        target = getattr(parameters, "target_size", None)
        if target is not None:
            self._plan_target(plan, target.width, target.height)
        else:
            self._plan_sides(plan, getattr(parameters, "width", None), getattr(parameters, "height", None))
        return plan

    def _plan_steps(self, plan: Plan, steps: int | None) -> None:
        if steps is None:
            return
        self._require("num_inference_steps")
        # Pipelines that start from a noisy copy of the image skip the steps up to there.
        strength = self._default("strength") or 1.0
        plan.arguments["num_inference_steps"] = math.ceil(steps / strength)

    def _plan_guidance(self, plan: Plan, scale: float | None, negative: str | None) -> None:
        if scale is not None:
            if self._guidance is None:
                raise _unsupported("guidance_scale")
            if scale > MAX_GUIDANCE:
                message = f"must be at most {MAX_GUIDANCE:g} on this server"
                raise RequestProblem(message, field=f"{PARAMETERS}.guidance_scale")
            plan.arguments[self._guidance] = scale
            if self._guidance == "true_cfg_scale" and "negative_prompt" in self._takes:
                plan.arguments["negative_prompt"] = " "  # without one, the scale would have no effect
        if negative is None:
            return
        if "negative_prompt" not in self._takes or self._guidance is None or self._embeds_guidance:
            raise _unsupported("negative_prompt")
        default = self._default(self._guidance)
        if scale is None and default is not None and default <= 1:
            message = f"needs a guidance_scale above 1; without one, this model has {default:g}"
            raise RequestProblem(message, field=f"{PARAMETERS}.negative_prompt")
        plan.arguments["negative_prompt"] = negative

    def _plan_scheduler(self, plan: Plan, name: str | None) -> None:
        plan.scheduler = self._scheduler
        if name is None:
            return
        known = {found.__name__: found for found in getattr(self._scheduler, "compatibles", ())}
        if name not in known:
            fitting = ", ".join(sorted(known)) or "no other one"
            raise RequestProblem(f"must be one that fits this model: {fitting}", field=f"{PARAMETERS}.scheduler")
        try:
            plan.scheduler = known[name].from_config(self._scheduler.config)
        except (ImportError, ValueError) as error:
            why = "a package is missing" if isinstance(error, ImportError) else str(error)
            message = f"cannot be used on this server: {why}"
            raise RequestProblem(message[:MAX_MESSAGE], field=f"{PARAMETERS}.scheduler") from None

    def _plan_frames(self, plan: Plan, frames: int | None) -> None:
        if frames is None:
            return
        self._require("num_frames")
        plan.frames = frames
        stride = self._number(*TEMPORAL)
        plan.arguments["num_frames"] = math.ceil((frames - 1) / stride) * stride + 1

    def _plan_target(self, plan: Plan, width: int, height: int) -> None:
        for name, side in (("width", width), ("height", height)):
            if self._video and side % 2:
                raise RequestProblem("must be even for a video", field=f"{PARAMETERS}.target_size.{name}")
        plan.size = (width, height)
        if self._chooses_size:
            plan.arguments |= {"width": self._rounded(width), "height": self._rounded(height)}

    def _plan_sides(self, plan: Plan, width: int | None, height: int | None) -> None:
        for name, side in (("width", width), ("height", height)):
            if side is None:
                continue
            self._require(name)
            if side % self._multiple:
                raise RequestProblem(f"must be a multiple of {self._multiple}", field=f"{PARAMETERS}.{name}")
            plan.arguments[name] = side
        plan.sides = (width, height)
        if plan.sides.count(None) == 1:
            # Some pipelines ignore one without the other.
            missing = plan.sides.index(None)
            plan.arguments[("width", "height")[missing]] = self._default_side(missing)

    def work(self, plan: Plan, prompt: str | None, prompt_field: str, image: Image | None, image_field: str) -> Work:
        """One request's share of a call. Raises RequestProblem at the fields for what this pipeline cannot take."""
        if prompt is not None:
            if "prompt" not in self._takes:
                raise RequestProblem("is not supported by this model", field=prompt_field)
            count, most = self._length(prompt)
            if count > most:
                message = f"is {count} tokens long; this model reads at most {most}"
                raise RequestProblem(message, field=prompt_field)
        if image is None or self._chooses_size:
            return Work(prompt, image, plan.size)
        # Such a pipeline makes the size of the image that it gets.
        width, height = size = plan.size or image.size
        if max(size) > self._max_side:
            limit = f"this server makes at most {self._max_side} a side"
            raise RequestProblem(f"is {width} x {height} pixels; {limit}: give a target_size", field=image_field)
        return Work(prompt, image.resize((self._rounded(width), self._rounded(height))), size)

    def __call__(self, works: Sequence[Work], plan: Plan) -> list[Any]:
        """An image, a list of frames, or a RequestProblem for each of `works`, whose images are all of one size.

        Each has noise of its own, so that its neighbours do not matter. Raises RequestProblem for what the pipeline
        itself refuses.
        """
        import torch

        arguments: dict[str, Any] = {}
        if "prompt" in self._takes:
            arguments["prompt"] = [work.prompt or "" for work in works]
        if "negative_prompt" in plan.arguments:
            arguments["negative_prompt"] = [plan.arguments["negative_prompt"]] * len(works)
        if works[0].image is not None:
            arguments["image"] = [work.image for work in works]
        if "generator" in self._takes:
            seeds = [plan.seed if plan.seed is not None else secrets.randbits(53) for _ in works]
            arguments["generator"] = [torch.Generator().manual_seed(seed) for seed in seeds]
        if len(works) == 1:
            # Not every pipeline takes lists.
            arguments = {name: values[0] for name, values in arguments.items()}
        if "output_type" in self._takes:
            arguments["output_type"] = "pil"
        if self._scheduler is not None:
            self._pipeline.scheduler = plan.scheduler
        try:
            output = self._pipeline(**(plan.arguments | arguments))
        except ValueError as error:
            raise RequestProblem(f"was refused by the model: {error}"[:MAX_MESSAGE], field=PARAMETERS) from None
        withheld = output.get("nsfw_content_detected") or [False] * len(works)
        made = output.frames if self._video else output.images
        return [
            RequestProblem("the model's safety checker withholds what it made")
            if hidden
            else self._fitted(one, work, plan)
            for one, work, hidden in zip(made, works, withheld, strict=True)
        ]

    def _fitted(self, made: Any, work: Work, plan: Plan) -> Any:
        frames: list[Image] = list(made) if self._video else [made]
        if plan.frames is not None:
            if len(frames) < plan.frames:
                message = f"is more than this model makes, which is {len(frames)}"
                return RequestProblem(message, field=f"{PARAMETERS}.num_frames")
            frames = frames[: plan.frames]
        for name, wanted, got in zip(("width", "height"), plan.sides, frames[0].size, strict=True):
            if wanted not in (None, got):
                return RequestProblem(f"is not possible for this model: it made {got}", field=f"{PARAMETERS}.{name}")
        if work.size is not None and frames[0].size != work.size:
            frames = [frame.resize(work.size) for frame in frames]
        return frames if self._video else frames[0]

    @cached_property
    def _guidance(self) -> str | None:
        """The argument that says how closely the prompt is followed."""
        if "true_cfg_scale" in self._takes and not self._embeds_guidance:
            return "true_cfg_scale"
        if "guidance_scale" in self._takes and not self._pipeline.config.get("is_distilled"):
            return "guidance_scale"
        return None

    @cached_property
    def _embeds_guidance(self) -> bool:
        """Whether the network takes the scale as an input; then it never sees the negative prompt."""
        return bool(self._config.get("guidance_embeds") or self._config.get("time_cond_proj_dim"))

    @cached_property
    def _config(self) -> Any:
        """The configuration of the network that removes the noise."""
        network = getattr(self._pipeline, "transformer", None) or getattr(self._pipeline, "unet", None)
        return getattr(network, "config", {})

    @property
    def _chooses_size(self) -> bool:
        return "width" in self._takes and "height" in self._takes

    @cached_property
    def _multiple(self) -> int:
        """What sides have to be multiples of: pixels for each latent, and latents for each patch."""
        patch = self._config.get("patch_size") or 1
        per_latent = self._number(*SPATIAL)
        processors: list[Any] = [getattr(self._pipeline, name, None) for name in ("image_processor", "video_processor")]
        packed = [
            processor.config.get("vae_scale_factor", 1) for processor in processors if hasattr(processor, "config")
        ]
        return int(max(per_latent * (patch if isinstance(patch, int) else patch[-1]), *packed, LEAST_MULTIPLE))

    def _default_side(self, index: int) -> int | None:
        """The width (0) or height (1) that the pipeline makes of its own accord; None if it does not tell."""
        default: int | None = self._default(("width", "height")[index])
        sample = getattr(self._pipeline, "default_sample_size", None) or self._config.get("sample_size")
        if default is not None or sample is None:
            return default
        latents: int = sample if isinstance(sample, int) else sample[1 - index]
        return latents * self._number(*SPATIAL)

    def _rounded(self, side: int) -> int:
        return math.ceil(side / self._multiple) * self._multiple

    def _number(self, *names: str) -> int:
        """The first attribute of the pipeline that is a number, or 1."""
        values = (getattr(self._pipeline, name, None) for name in names)
        return next((value for value in values if isinstance(value, int)), 1)

    def _length(self, prompt: str) -> tuple[int, int]:
        """How many tokens `prompt` has, and how many the encoder of texts that reads most would read."""
        from transformers import PreTrainedTokenizerBase

        tokenizers = [part for part in self._pipeline.components.values() if isinstance(part, PreTrainedTokenizerBase)]
        if not tokenizers:
            return 0, 0
        tokenizer = max(tokenizers, key=lambda found: found.model_max_length)
        most = min(int(self._default("max_sequence_length") or DEFAULT_TOKENS), tokenizer.model_max_length)
        return len(tokenizer(prompt, verbose=False)["input_ids"]), most

    def _default(self, name: str) -> Any:
        """The number that the pipeline takes if `name` is not given; None if there is none."""
        default = self._takes[name].default if name in self._takes else None
        return default if isinstance(default, int | float) else None

    def _require(self, argument: str, member: str = "") -> None:
        if argument not in self._takes:
            raise _unsupported(member or argument)


def _unsupported(member: str) -> RequestProblem:
    return RequestProblem("is not supported by this model", field=f"{PARAMETERS}.{member}")
