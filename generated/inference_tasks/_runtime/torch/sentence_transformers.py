"""What a directory saved by sentence-transformers says beside the model: pooling, dense layers, prompts, limits.

A directory without these files holds a plain model, which says one vector for each token.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import ModelDirectoryError

if TYPE_CHECKING:
    import torch

MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""Member of an older pooling configuration → name of the mode in a newer one."""

ACTIVATIONS = ("GELU", "Identity", "ReLU", "Sigmoid", "SiLU", "Tanh")


@dataclass(frozen=True)
class Pooling:
    """How the vectors of tokens become one: `modes`, whose vectors are joined end to end."""

    modes: tuple[str, ...]
    include_prompt: bool = True

    def __call__(self, tokens: torch.Tensor, first: int = 0) -> torch.Tensor:
        """One vector out of `tokens` (tokens x numbers), of which those before `first` only count as places."""
        import torch

        kept = tokens[first:]
        places = torch.arange(first + 1, len(tokens) + 1, device=tokens.device, dtype=tokens.dtype)
        vectors: dict[str, Callable[[], Any]] = {
            "cls": lambda: kept[0],
            "max": lambda: kept.max(0).values,
            "mean": lambda: kept.mean(0),
            "mean_sqrt_len_tokens": lambda: kept.sum(0) / len(kept) ** 0.5,
            "weightedmean": lambda: (kept * places[:, None]).sum(0) / places.sum(),
            "lasttoken": lambda: kept[-1],
        }
        return torch.cat([vectors[mode]() for mode in self.modes])


@dataclass
class Directory:
    """What the files say."""

    pooling: Pooling | None = None
    layers: list[Path] = field(default_factory=list)
    """Directories of dense layers, to be applied to the pooled vector in this order."""
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt: str = ""
    similarity: str = "cosine"
    max_tokens: int | None = None
    lower_case: bool = False


def read_directory(directory: Path) -> Directory:
    """What `directory` says about itself. Raises ModelDirectoryError for parts that this server does not have."""
    found = Directory()
    for module in _json(directory / "modules.json", []):
        kind = str(module.get("type")).rsplit(".", 1)[-1]
        path = directory / Path(str(module.get("path"))).name
        if kind == "Pooling":
            found.pooling = _pooling(path)
        elif kind == "Dense" and found.pooling is not None:
            found.layers.append(path)
        elif kind not in ("Transformer", "Normalize", "Dropout"):
            # Whether vectors get length 1 is for each request to say, so Normalize is nothing to keep.
            raise ModelDirectoryError(f"{directory}: needs a module {kind!r}, which this server does not have")
    texts = _json(directory / "sentence_bert_config.json", {})
    found.max_tokens = texts.get("max_seq_length")
    found.lower_case = bool(texts.get("do_lower_case"))
    settings = _json(directory / "config_sentence_transformers.json", {})
    found.prompts = {str(name): str(prompt) for name, prompt in (settings.get("prompts") or {}).items()}
    found.default_prompt = found.prompts.get(settings.get("default_prompt_name") or "", "")
    found.similarity = settings.get("similarity_fn_name") or "cosine"
    return found


def dense_layer(directory: Path, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    """The dense layer in `directory`, on `device`. Raises ModelDirectoryError."""
    import torch
    from safetensors.torch import load_file

    config = _json(directory / "config.json", {})
    name = str(config.get("activation_function")).rsplit(".", 1)[-1]
    weights = directory / "model.safetensors"
    if name not in ACTIVATIONS or config.get("use_residual"):
        known = ", ".join(ACTIVATIONS)
        raise ModelDirectoryError(f"{directory}: is no dense layer without residual and with one of {known}")
    if not weights.is_file():
        raise ModelDirectoryError(f"{directory}: has no model.safetensors")
    tensors = load_file(weights, device=str(device))
    activation = getattr(torch.nn, name)()

    def layer(vector: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = activation(
            torch.nn.functional.linear(vector, tensors["linear.weight"].float(), tensors.get("linear.bias"))
        )
        return result

    return layer


def _pooling(directory: Path) -> Pooling:
    config = _json(directory / "config.json", {})
    given = config.get("pooling_mode")
    if given is None:
        given = [mode for member, mode in MODES.items() if config.get(member)]
    modes = (given,) if isinstance(given, str) else tuple(given)
    if not modes or not set(modes) <= set(MODES.values()):
        raise ModelDirectoryError(f"{directory}: names no pooling mode that this server knows")
    return Pooling(modes, config.get("include_prompt") is not False)


def _json(path: Path, missing: Any) -> Any:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return missing
    except (OSError, ValueError):
        raise ModelDirectoryError(f"{path}: is not readable as JSON") from None
    if type(content) is not type(missing):
        raise ModelDirectoryError(f"{path}: is not what sentence-transformers writes")
    return content
