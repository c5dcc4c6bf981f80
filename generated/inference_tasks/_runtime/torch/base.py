"""Loading a transformers model from a local directory, and nothing but that directory."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from ..binding import TaskBinding
from ..server.handler import Handler, modules_of
from ..validation import validate_response
from .placement import ANYWHERE, Placement

if TYPE_CHECKING:
    import torch

_LOADING = Lock()
"""Held while a model is loaded: transformers and accelerate change torch.nn.Module itself meanwhile."""
_ENDED = Event()


def end_loading(seconds: float = 60) -> None:
    """Let no model be loaded any more in this process, once the one that is being loaded is, or after `seconds`.

    A thread in the middle of torch's code while the process ends would make that a crash.
    """
    _ENDED.set()
    _LOADING.acquire(timeout=seconds)


class ModelDirectoryError(ValueError):
    """A directory that does not hold a model this server will load; the message names the directory and says why."""


def check_directory(directory: Path) -> None:
    """Raises ModelDirectoryError unless `directory` holds a config.json and weights as safetensors."""
    if not directory.is_dir():
        raise ModelDirectoryError(f"{directory}: no such directory (models are loaded from local directories only)")
    try:
        config = json.loads((directory / "config.json").read_bytes())
    except (OSError, ValueError):
        raise ModelDirectoryError(f"{directory}: has no readable config.json, so it is no transformers model") from None
    if not any(directory.glob("*.safetensors")):
        raise ModelDirectoryError(
            f"{directory}: has no .safetensors file; pickled weights can run code and are never loaded, "
            "save the model with save_pretrained() to convert it"
        )
    if isinstance(config, dict) and "auto_map" in config and not config.get("model_type"):
        raise ModelDirectoryError(f"{directory}: needs code of its own, which is never run")


def silence_transformers() -> None:
    """Keep transformers from writing warnings and progress bars to the terminal."""
    from transformers import logging

    verbosity: Any = logging
    verbosity.set_verbosity_error()
    verbosity.disable_progress_bar()


class TorchModel(Handler[Any, Any, Any]):
    """A handler on one model in a local directory, made by whatever library.

    The generated classes cannot be imported from here, so each instance is told its binding, and finds the task's
    models through it. A model that is not there yet, `build` writes to the directory when it is first loaded.
    """

    validated = True

    def __init__(
        self,
        binding: TaskBinding,
        directory: Path,
        *,
        name: str = "",
        placement: Placement = ANYWHERE,
        build: Callable[[Path], object] | None = None,
    ) -> None:
        self.binding = binding
        self.name = name
        self.directory = directory
        self.placement = placement
        self.device: torch.device
        self.model: Any
        self._build = build
        if build is None:
            self.check()

    def check(self) -> None:
        """Raise ModelDirectoryError if the directory cannot hold such a model; looks at small files only."""
        check_directory(self.directory)

    def load(self) -> None:
        """Load the model to its device. Raises ModelDirectoryError or what the library raises."""
        import torch

        torch.set_num_threads(self.placement.threads)
        with _LOADING:
            if _ENDED.is_set():
                raise RuntimeError("the process is ending")
            if self._build is not None:
                self._build(self.directory)
                self._build = None
                self.check()
            self._lasting = {*vars(self), "_lasting"}
            self.device = self.placement.torch_device
            self.load_model()
        for module in modules_of(vars(self).values()):
            # Models that write or draw call their networks many times for one answer.
            module.register_forward_pre_hook(self._between)

    def _between(self, *_: object) -> None:
        self.pause()

    def unload(self) -> None:
        """Forget all that `load` and the answers since have put here, on a GPU too."""
        import torch

        for name in vars(self).keys() - self._lasting:
            delattr(self, name)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @abstractmethod
    def load_model(self) -> None:
        """Load all that answering needs, to `device`."""

    @abstractmethod
    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        """One answer as JSON values, or a RequestProblem in its place, for each input; called without gradients."""

    def __call__(self, inputs: Any, parameters: Any = None) -> Any:
        """The answer to one request."""
        answer = self.batch([inputs], parameters)[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def batch(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        """The answers to several requests, computed together."""
        import torch

        with torch.inference_mode():
            answers = self.infer(inputs, parameters)
        return [a if isinstance(a, Exception) else validate_response(self.binding, a) for a in answers]


class LocalModel(TorchModel):
    """A handler on one local transformers model."""

    unused_weights: tuple[str, ...] = ()
    """What the names of weights begin with that may be missing, since no answer comes out of them."""

    def load_model(self) -> None:
        """Load the weights and the processors."""
        silence_transformers()
        self.model = self._weights(self.auto_class())
        self.load_processors()

    def _weights(self, auto_class: Any) -> Any:
        model, report = auto_class.from_pretrained(
            self.directory,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=self.placement.torch_dtype,
            output_loading_info=True,
        )
        missing = sorted(name for name in report["missing_keys"] if not name.startswith(self.unused_weights))
        if missing:
            # transformers would fill them with random numbers, and answer with them.
            shown = ", ".join(missing[:3])
            raise ModelDirectoryError(f"{self.directory}: lacks weights for {self.binding.id}: {shown}")
        model.eval().to(self.device)
        self.placement.prepare(model)
        return model

    def processor(self, auto_class: Any) -> Any:
        """The tokenizer, feature extractor or image processor in the directory."""
        return auto_class.from_pretrained(self.directory, local_files_only=True, trust_remote_code=False)

    @abstractmethod
    def auto_class(self) -> Any:
        """The transformers Auto class of the task."""

    @abstractmethod
    def load_processors(self) -> None:
        """Load what turns inputs into tensors."""
