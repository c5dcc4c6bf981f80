"""From encoded media to what handlers take. Runs outside the event loop; everything here meets hostile bytes.

Nothing is ever fetched or opened by name: decoders see bytes, and only formats that cannot point elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .handler import Audio, Image
from .problems import RequestProblem, TooLarge
from .settings import UNSET, Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Block = NDArray[np.float32]

IMAGE_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "AVIF")

MAX_CHANNELS = 64
"""More are no sound but a way to make few frames large."""
MIN_RATE, MAX_RATE = 1_000, 768_000
FULL_RATE = 96_000
"""Above this rate a recording must be shorter than `max_seconds`: what counts is the memory of the samples."""
BLOCK_SAMPLES = 1 << 18
UNKNOWN = 1 << 62
"""So many frames or more: nobody knew how many there would be when the header was written."""

ESTIMATED = frozenset({"aac", "ac3", "amr", "amrnb", "amrwb", "mp3"})
"""Formats without a header that says how long they are; FFmpeg then guesses."""

# Playlists, concatenations and the like are missing: FFmpeg would open what they name.
AV_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,asf,au,avi,caf,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,w64,wav"
)


def decode(media: str | None, data: bytes, field: str, limits: Limits = UNSET) -> Any:
    """`data` as an Image, an Audio, or as it is for other kinds of `media`. Raises RequestProblem (422) at `field`."""
    if media == "image":
        return decode_image(data, field, limits)
    if media == "audio":
        return decode_audio(data, field, limits)
    return data


def held(value: Any) -> int:
    """About how many bytes a decoded `value` takes."""
    if isinstance(value, Image):
        return value.width * value.height * 3
    return int(value.samples.nbytes) if isinstance(value, Audio) else 0


def decode_image(data: bytes, field: str, limits: Limits = UNSET) -> Image:
    """The first frame as RGB, turned as its EXIF orientation says. Raises RequestProblem (422).

    What its header says is too large is not decoded.
    """
    import PIL.ImageOps

    image = _opened(data, field, limits)
    try:
        image.load()
        return _rgb(PIL.ImageOps.exif_transpose(image))
    except Exception:  # decoders raise whatever broken files make them
        raise RequestProblem("is a damaged image", field=field) from None


def image_size(data: bytes, field: str, limits: Limits = UNSET) -> tuple[int, int]:
    """The width and height in pixels that `decode_image` will give `data`. Raises RequestProblem (422).

    Only the header is read, but for a PNG file without EXIF in front, which may still come at its end.
    """
    from PIL.ExifTags import Base

    image = _opened(data, field, limits)
    try:
        # A TIFF's own size is told as it will be.
        turned = image.format != "TIFF" and image.getexif().get(Base.Orientation, 1) in (5, 6, 7, 8)
    except Exception:  # as above
        raise RequestProblem("is a damaged image", field=field) from None
    return (image.height, image.width) if turned else image.size


def _opened(data: bytes, field: str, limits: Limits) -> Image:
    """The image, not decoded yet."""
    import PIL.Image

    PIL.Image.init()
    formats = [name for name in IMAGE_FORMATS if name in PIL.Image.OPEN]
    too_large = TooLarge(f"has more than {limits.max_pixels} pixels", field=field)
    try:
        image: Image = PIL.Image.open(io.BytesIO(data), formats=formats)
        large = image.width * image.height > limits.max_pixels
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise too_large from None
    except Exception:  # decoders raise whatever broken files make them
        known = ", ".join(name for name in formats if name != "MPO")
        raise RequestProblem(f"is not an image this server can read ({known})", field=field) from None
    if large:
        raise too_large
    return image


def _rgb(image: Image) -> Image:
    import PIL.Image

    if image.mode.startswith("I"):
        import numpy as np

        # Pillow clips 16 bits to 8 where it should scale them.
        image = PIL.Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    return image.convert("RGB")


def decode_audio(data: bytes, field: str, limits: Limits = UNSET) -> Audio:
    """The sound mixed down to one channel, at the rate it came in. Raises RequestProblem (422).

    What its header says is too long is not decoded; what is longer than its header says is decoded up to the limit.
    """
    import numpy as np

    for read in (_soundfile_blocks, _av_blocks):
        blocks: list[Block] = []
        rate = total = 0
        try:
            for rate, claimed, block in read(data):
                if not MIN_RATE <= rate <= MAX_RATE:
                    raise RequestProblem(f"has a sampling rate outside {MIN_RATE} to {MAX_RATE} Hz", field=field)
                total += len(block)
                if max(total, claimed) > limits.max_seconds * min(rate, FULL_RATE):
                    raise TooLarge(_too_long(rate, limits), field=field)
                if not np.isfinite(block).all():
                    raise RequestProblem("holds samples that are not numbers", field=field)
                blocks.append(np.clip(block, -1.0, 1.0, out=block))
        except RequestProblem:
            raise
        except Exception:  # decoders raise whatever broken files make them
            continue
        if total == 0:
            raise RequestProblem("holds no sound", field=field)
        return Audio(np.concatenate(blocks), rate)
    raise RequestProblem("is not audio this server can read", field=field)


def _too_long(rate: int, limits: Limits) -> str:
    if rate <= FULL_RATE:
        return f"is longer than {limits.max_seconds:g} seconds"
    return f"is longer than {limits.max_seconds * FULL_RATE / rate:g} seconds, the most at {rate} Hz"


def _soundfile_blocks(data: bytes) -> Iterator[tuple[int, int, Block]]:
    """The rate, how many frames there are to be, and the next of them: first none, so that nothing is decoded yet."""
    import numpy as np
    import soundfile

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        _check_channels(file.channels)
        claimed = file.frames if file.frames < UNKNOWN else 0
        yield file.samplerate, claimed, np.empty(0, np.float32)
        # The header's length is not to be believed, so nothing is allocated by it.
        while len(block := file.read(BLOCK_SAMPLES // file.channels, dtype="float32", always_2d=True)):
            yield file.samplerate, 0, block.mean(axis=1)


def _av_blocks(data: bytes) -> Iterator[tuple[int, int, Block]]:
    """As above."""
    import av
    import numpy as np

    options = {"format_whitelist": AV_FORMATS, "protocol_whitelist": "none"}
    with av.open(io.BytesIO(data), mode="r", options=options, metadata_errors="ignore") as container:
        stream = container.streams.audio[0]
        _check_channels(stream.codec_context.channels)
        resampler: av.AudioResampler | None = None
        rate = stream.rate
        seconds = 0 if container.format.name in ESTIMATED else (container.duration or 0) / av.time_base
        yield rate, int(seconds * rate), np.empty(0, np.float32)
        for frame in container.decode(stream):
            if resampler is None:
                rate = frame.sample_rate
                resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            for mixed in resampler.resample(frame):
                yield rate, 0, mixed.to_ndarray().reshape(-1).astype(np.float32)
        if resampler is not None:
            for mixed in resampler.resample(None):
                yield rate, 0, mixed.to_ndarray().reshape(-1).astype(np.float32)


def _check_channels(count: int) -> None:
    if count > MAX_CHANNELS:
        raise ValueError("too many channels")
