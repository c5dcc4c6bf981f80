"""Sound as WAV: out of arrays and lists of samples; and the sampling rates that sound files name.

A WAV file is RIFF (IBM and Microsoft, *Multimedia Programming Interface and Data Specifications 1.0*, 1991): chunks of
a name, a length and content, padded to an even length, all numbers little-endian. ``fmt `` holds the format's tag
(1: PCM, 3: IEEE float), the channels, the rate in frames per second, bytes per second and per frame, and bits per
sample; ``data`` holds the frames. Samples of 8 bits are unsigned, longer ones signed. Any format but PCM (Microsoft,
*New Multimedia Data Types and Data Techniques*, 1994) also has the length of an extension in ``fmt ``, and ``fact``
with the count of frames.
"""

from __future__ import annotations

import operator
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from .errors import InputError

_PCM: Final = 1
_FLOAT: Final = 3
_LONGEST: Final = (1 << 32) - 100  # RIFF counts bytes in 32 bits, headers included
_MOST_CHANNELS: Final = 64
_LOUDEST: Final = 2.0  # a little over full scale happens in resampling; more than this is another scale

_WRITTEN: Final = {
    "float16": "<f4",
    "float32": "<f4",
    "float64": "<f4",  # 24 bits of precision are more than any microphone has, at half the bytes
    "int16": "<i2",
    "int32": "<i4",
    "uint8": "<u1",
}


class Array(Protocol):
    """What is used of a NumPy array or a torch tensor; neither library is needed to import this one."""

    @property
    def dtype(self) -> Any: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


def is_array(value: object) -> bool:
    """Whether `value` is an array or a tensor of any library."""
    return hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, type)


def parts(source: object) -> tuple[Any, Any] | None:
    """The array and its rate, if `source` is such a pair or mapping."""
    if isinstance(source, tuple) and len(source) == 2:
        return source
    if isinstance(source, Mapping) and "array" in source and "sampling_rate" in source:
        return source["array"], source["sampling_rate"]
    return None


def encode(samples: Any, rate: Any, name: str) -> bytes:
    """An array as a WAV file of `rate` hertz. Its shape is (samples,) or (samples, channels).

    Integers (int16, int32, uint8 around 128) are written as they are, floats, which go from -1 to 1, as float32. Raises
    InputError, in which the input is called `name`.
    """
    rate = _rate(rate, name)
    values = _numpy(samples, name)
    shape, kind = values.shape, values.dtype.name
    if kind not in _WRITTEN:
        raise InputError(f"{name}: the array is of {kind}; samples are {', '.join(_WRITTEN)}")
    if len(shape) not in (1, 2):
        raise InputError(f"{name}: the array has the shape {shape}; expected (samples,) or (samples, channels)")
    channels = shape[1] if len(shape) == 2 else 1
    if not values.size:
        raise InputError(f"{name}: the array is empty: its shape is {shape}")
    if channels > _MOST_CHANNELS:
        raise InputError(
            f"{name}: the array has the shape {shape}, which is {channels} channels; if it is (channels, samples), "
            "pass its transpose, array.T"
        )
    if values.dtype.kind == "f":
        low, high = float(values.min()), float(values.max())
        if not abs(low) + abs(high) < float("inf"):
            raise InputError(f"{name}: the array has samples that are not finite numbers (NaN or infinite)")
        if max(-low, high) > _LOUDEST:
            raise InputError(
                f"{name}: the samples go from {low:.6g} to {high:.6g}; floats must be between -1 and 1, and samples on "
                "the scale of integers an array of int16 or int32"
            )
    written = _WRITTEN[kind]
    data = memoryview(values.astype(written, order="C", copy=False).reshape(-1).view("u1"))
    if len(data) > _LONGEST or rate * channels * 4 >= 1 << 32:
        raise InputError(f"{name}: {len(data):,} bytes of samples at {rate:,} Hz are more than a WAV file can hold")
    return _file(data, _FLOAT if written == "<f4" else _PCM, channels, rate, int(written[-1]))


def wav(samples: Sequence[float], rate: int) -> bytes:
    """Samples of one channel, from -1 to 1, as a WAV file of float32 at `rate` hertz.

    Raises ValueError where there is no such file: samples that are not numbers, or a rate that is not positive.
    """
    if not 0 < rate < 1 << 30:
        raise ValueError("the sampling rate is out of range")
    try:
        data = array("f", samples)
    except (TypeError, OverflowError):
        raise ValueError("the samples are not numbers") from None
    if sys.byteorder == "big":
        data.byteswap()
    return _file(memoryview(data).cast("B"), _FLOAT, 1, rate, 4)


def _file(data: memoryview, tag: int, channels: int, rate: int, width: int) -> bytes:
    frame = channels * width
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, 8 * width)
    chunks = [(b"fmt ", form)] if tag == _PCM else [(b"fmt ", form + b"\0\0"), (b"fact", _u32(len(data) // frame))]
    head = b"WAVE" + b"".join(key + _u32(len(content)) + content for key, content in chunks)
    pad = b"\0" * (len(data) % 2)
    size = len(head) + 8 + len(data) + len(pad)
    return b"".join((b"RIFF", _u32(size), head, b"data", _u32(len(data)), data, pad))


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _rate(rate: Any, name: str) -> int:
    try:
        whole = 0 if isinstance(rate, bool) else operator.index(rate)
    except TypeError:
        whole = 0
    if whole <= 0:
        raise InputError(f"{name}: the sampling rate must be a positive int in hertz, got {str(rate)[:40]}")
    return whole


def _numpy(samples: Any, name: str) -> Any:
    if not is_array(samples):
        kind = type(samples).__qualname__
        raise InputError(f"{name}: expected a NumPy array or a tensor beside the sampling rate, got {kind}")
    try:
        import numpy as np

        if callable(getattr(samples, "detach", None)):  # a tensor, which may have gradients or be on a GPU
            samples = samples.detach().cpu()
        return np.asarray(samples)
    except ImportError:
        raise InputError(f"{name}: arrays need NumPy: pip install numpy") from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name}: {type(samples).__qualname__} does not become an array: {error}") from None


# ------------------------------------------------------------------------------------------------- rates of files


def sampling_rate(data: bytes) -> int | None:
    """The rate in hertz that the header of a WAV, FLAC, MP3 or Ogg (Vorbis, Opus, FLAC) file names; None for others."""
    start = _after_tags(data)
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return _wav_rate(data)
    if data[:4] == b"OggS":
        return _ogg_rate(data)
    return _flac_rate(data, start) or _mpeg_rate(data, start)


def _wav_rate(data: bytes) -> int | None:
    at = 12
    while at + 16 <= len(data):
        if data[at : at + 4] == b"fmt ":
            return int.from_bytes(data[at + 12 : at + 16], "little") or None
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return None


def _flac_rate(data: bytes, start: int) -> int | None:
    """RFC 9639, 8.2: the first block is STREAMINFO, whose bytes 10 to 12 begin with the 20 bits of the rate."""
    if data[start : start + 4] != b"fLaC" or len(data) < start + 21:
        return None
    return int.from_bytes(data[start + 18 : start + 21]) >> 4 or None


def _ogg_rate(data: bytes) -> int | None:
    """RFC 3533: the first page holds one packet, the header of its codec, after its segment table."""
    at = 27 + data[26] if len(data) > 26 else len(data)
    if data[at : at + 7] == b"\x01vorbis" and len(data) >= at + 16:
        return int.from_bytes(data[at + 12 : at + 16], "little") or None
    if data[at : at + 8] == b"OpusHead":
        return 48_000  # RFC 7845, 5.1: what it is decoded at; the rate in the header is what it once was recorded at
    return _flac_rate(data, at + 9) if data[at : at + 5] == b"\x7fFLAC" else None  # RFC 9639, 10.1


_MPEG_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def _mpeg_rate(data: bytes, start: int) -> int | None:
    """ISO/IEC 11172-3, 2.4.1.3: eleven set bits, two for the version, two for the layer; two of byte 2 for the rate."""
    head = data[start : start + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or not head[1] & 0x06 or head[2] >> 4 == 15:
        return None
    rates = _MPEG_RATES.get(head[1] >> 3 & 3, ())
    index = head[2] >> 2 & 3
    return rates[index] if index < len(rates) else None


def _after_tags(data: bytes) -> int:
    """Where the file goes on after ID3 tags (whose length is 7 bits a byte) and the zeros that may pad them."""
    at = 0
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        size = sum((byte & 0x7F) << shift for byte, shift in zip(data[at + 6 : at + 10], (21, 14, 7, 0), strict=True))
        at += 10 + size + (10 if data[at + 5] & 0x10 else 0)
    if at:
        at = len(data) - len(data[at:].lstrip(b"\0"))
    return at
