"""Loading a transformers model from a local directory, and nothing but that directory."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..binding import TaskBinding
from ..server.handler import Handler
from ..validation import validate_response

if TYPE_CHECKING:
    import torch


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


class LocalModel(Handler[Any, Any, Any]):
    """A handler on one local transformers model.

    The generated classes cannot be imported from here, so each instance is told its binding, and finds the task's
    models through it.
    """

    def __init__(self, binding: TaskBinding, directory: Path, *, name: str = "", threads: int = 1) -> None:
        check_directory(directory)
        self.binding = binding
        self.name = name
        self.directory = directory
        self.threads = max(1, threads)
        self.device: torch.device
        self.model: Any

    def load(self) -> None:
        """Load the model to the GPU if there is one. Raises ModelDirectoryError or what transformers raises."""
        import torch
        from transformers import logging

        verbosity: Any = logging
        # More threads than idle cores make torch spin instead of compute.
        torch.set_num_threads(self.threads)
        verbosity.set_verbosity_error()
        verbosity.disable_progress_bar()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = self._weights(self.auto_class())
        self.load_processors()

    def _weights(self, auto_class: Any) -> Any:
        import torch

        model, report = auto_class.from_pretrained(
            self.directory,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
        missing = sorted(report["missing_keys"])
        if missing:
            # transformers would fill them with random numbers, and answer with them.
            shown = ", ".join(missing[:3])
            raise ModelDirectoryError(f"{self.directory}: lacks weights for {self.binding.id}: {shown}")
        return model.eval().to(self.device)

    def processor(self, auto_class: Any) -> Any:
        """The tokenizer, feature extractor or image processor in the directory."""
        return auto_class.from_pretrained(self.directory, local_files_only=True, trust_remote_code=False)

    @abstractmethod
    def auto_class(self) -> Any:
        """The transformers Auto class of the task."""

    @abstractmethod
    def load_processors(self) -> None:
        """Load what turns inputs into tensors."""

    @abstractmethod
    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        """One answer as JSON values, or a RequestProblem in its place, for each input; called without gradients."""

    def __call__(self, inputs: Any, parameters: Any) -> Any:
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
