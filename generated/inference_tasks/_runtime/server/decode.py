"""From encoded media to what handlers take. Runs outside the event loop; everything here meets hostile bytes.

Nothing is ever fetched or opened by name: decoders see bytes, and only formats that cannot point elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .handler import Audio, Image
from .problems import RequestProblem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Block = NDArray[np.float32]

IMAGE_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
MAX_PIXELS = 25_000_000
TOO_LARGE = f"has more than {MAX_PIXELS} pixels"

MAX_SECONDS = 600
MAX_SAMPLES = MAX_SECONDS * 96_000
MIN_RATE, MAX_RATE = 1_000, 768_000
BLOCK_FRAMES = 1 << 16

# Playlists, concatenations and the like are missing: FFmpeg would open what they name.
AV_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,asf,au,avi,caf,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,w64,wav"
)


def decode(media: str | None, data: bytes, field: str) -> Any:
    """`data` as an Image, an Audio, or as it is for other kinds of `media`. Raises RequestProblem (422) at `field`."""
    if media == "image":
        return decode_image(data, field)
    if media == "audio":
        return decode_audio(data, field)
    return data


def held(value: Any) -> int:
    """About how many bytes a decoded `value` takes."""
    if isinstance(value, Image):
        return value.width * value.height * 3
    return int(value.samples.nbytes) if isinstance(value, Audio) else 0


def decode_image(data: bytes, field: str) -> Image:
    """The first frame as RGB, turned as its EXIF orientation says. Raises RequestProblem (422)."""
    import PIL.Image
    import PIL.ImageOps

    PIL.Image.init()
    formats = [name for name in IMAGE_FORMATS if name in PIL.Image.OPEN]
    try:
        image: Image = PIL.Image.open(io.BytesIO(data), formats=formats)
        large = image.width * image.height > MAX_PIXELS
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise RequestProblem(TOO_LARGE, field=field) from None
    except Exception:  # decoders raise whatever broken files make them
        known = ", ".join(name for name in formats if name != "MPO")
        raise RequestProblem(f"is not an image this server can read ({known})", field=field) from None
    if large:
        raise RequestProblem(TOO_LARGE, field=field)
    try:
        image.load()
        return _rgb(PIL.ImageOps.exif_transpose(image))
    except Exception:  # as above
        raise RequestProblem("is a damaged image", field=field) from None


def _rgb(image: Image) -> Image:
    import PIL.Image

    if image.mode.startswith("I"):
        import numpy as np

        # Pillow clips 16 bits to 8 where it should scale them.
        image = PIL.Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    return image.convert("RGB")


def decode_audio(data: bytes, field: str) -> Audio:
    """The sound mixed down to one channel, at the rate it came in. Raises RequestProblem (422)."""
    import numpy as np

    for read in (_soundfile_blocks, _av_blocks):
        blocks: list[Block] = []
        rate = total = 0
        try:
            for rate, block in read(data):
                if not MIN_RATE <= rate <= MAX_RATE:
                    raise RequestProblem(f"has a sampling rate outside {MIN_RATE} to {MAX_RATE} Hz", field=field)
                total += len(block)
                if total > min(MAX_SECONDS * rate, MAX_SAMPLES):
                    raise RequestProblem(f"is longer than {MAX_SECONDS} seconds", field=field)
                blocks.append(block)
        except RequestProblem:
            raise
        except Exception:  # decoders raise whatever broken files make them
            continue
        if total == 0:
            raise RequestProblem("holds no sound", field=field)
        samples = np.concatenate(blocks)
        if not np.isfinite(samples).all():
            raise RequestProblem("holds samples that are not numbers", field=field)
        return Audio(np.clip(samples, -1.0, 1.0), rate)
    raise RequestProblem("is not audio this server can read", field=field)


def _soundfile_blocks(data: bytes) -> Iterator[tuple[int, Block]]:
    import soundfile

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        # The header's length is not to be believed, so nothing is allocated by it.
        while len(block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
            yield file.samplerate, block.mean(axis=1)


def _av_blocks(data: bytes) -> Iterator[tuple[int, Block]]:
    import av
    import numpy as np

    options = {"format_whitelist": AV_FORMATS, "protocol_whitelist": "none"}
    with av.open(io.BytesIO(data), mode="r", options=options, metadata_errors="ignore") as container:
        stream = container.streams.audio[0]
        resampler: av.AudioResampler | None = None
        rate = stream.rate
        for frame in container.decode(stream):
            if resampler is None:
                rate = frame.sample_rate
                resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            for mixed in resampler.resample(frame):
                yield rate, mixed.to_ndarray().reshape(-1).astype(np.float32)
        if resampler is not None:
            for mixed in resampler.resample(None):
                yield rate, mixed.to_ndarray().reshape(-1).astype(np.float32)
