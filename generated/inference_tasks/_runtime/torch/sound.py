"""Audio for models: resampled, long enough, and batched so that no item changes its neighbour's answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._waveform import encode
from ..encoded import Base64
from ..server.handler import Audio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_SECONDS = 0.1


@dataclass
class SoundBatch:
    """Features of some items: `positions` says which, `samples` how long each is at the model's rate."""

    positions: list[int]
    features: dict[str, Any]
    samples: list[int]


def prepare(extractor: Any, sounds: Sequence[Audio], device: Any, **options: Any) -> list[SoundBatch]:
    """`sounds` as batches of tensors on `device`.

    With an attention mask, the model tells padding from sound, and all go together. Without one it would hear the
    padding, so only items with features of one length do. A sound under 0.1 s is followed by silence up to there:
    the models' first layers need that much.
    """
    import numpy as np

    rate = int(extractor.sampling_rate)
    arrays = []
    for sound in sounds:
        samples = sound.resampled(rate).samples
        arrays.append(np.pad(samples, (0, max(0, int(MIN_SECONDS * rate) - len(samples)))))
    lengths = [len(samples) for samples in arrays]
    if getattr(extractor, "return_attention_mask", False):
        features = extractor(
            arrays, sampling_rate=rate, padding=True, return_attention_mask=True, return_tensors="pt", **options
        )
        return [SoundBatch(list(range(len(arrays))), _on(features, device), lengths)]
    single = [extractor([samples], sampling_rate=rate, return_tensors="pt", **options) for samples in arrays]
    groups: dict[Any, list[int]] = defaultdict(list)
    for index, features in enumerate(single):
        groups[tuple((name, tuple(tensor.shape)) for name, tensor in sorted(features.items()))].append(index)
    return [
        SoundBatch(group, _on(_stack([single[i] for i in group]), device), [lengths[i] for i in group])
        for group in groups.values()
    ]


def _stack(items: Sequence[Any]) -> dict[str, Any]:
    import torch

    return {name: torch.cat([item[name] for item in items]) for name in items[0]}


def _on(features: Any, device: Any) -> dict[str, Any]:
    return {name: tensor.to(device) for name, tensor in features.items()}


def wav(samples: NDArray[np.float32], rate: int) -> Base64:
    """`samples`, (samples,) or (samples, channels) and clipped to [-1, 1], as a WAV file of `rate` Hz in base64."""
    import numpy as np

    return Base64.of(encode(np.clip(samples, -1.0, 1.0), rate, "the sound"))
