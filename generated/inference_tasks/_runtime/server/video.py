"""The frames of a video file, decoded by PyAV; everything here meets hostile bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .decode import AV_FORMATS
from .problems import RequestProblem, TooLarge
from .settings import UNSET, Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

MAX_FRAME_PIXELS = 9_000_000
"""Of what `max_pixels` allows: decoders keep up to some twenty frames for the sake of those that follow."""

MAX_KEPT_PIXELS = 200_000_000
"""All frames that are looked at are in memory together."""

FRAME_MS = 40
"""How long a frame is shown of which the file does not say it."""


@contextmanager
def reading(field: str) -> Iterator[None]:
    """Where a video is decoded: what fails there is a RequestProblem (422) at `field`."""
    try:
        yield
    except RequestProblem:
        raise
    except Exception:  # decoders raise whatever broken files make them
        raise RequestProblem("is not a video this server can read", field=field) from None


def decoded(data: bytes, field: str, limits: Limits = UNSET) -> Iterator[tuple[int, Any]]:
    """Each frame as PyAV has it, in order, with its time in milliseconds after the first, which never goes back.

    To be used inside of `reading`. Raises RequestProblem (422) at `field` for a video without any, and TooLarge for one
    that is beyond `limits` or has frames of more than 9 million pixels.
    """
    import av

    options = {"format_whitelist": AV_FORMATS, "protocol_whitelist": "none"}
    with av.open(io.BytesIO(data), mode="r", options=options, metadata_errors="ignore") as container:
        stream = container.streams.video[0]
        most = min(limits.max_pixels, MAX_FRAME_PIXELS)
        stream.codec_context.options = {"max_pixels": str(most)}
        _check(stream.codec_context.width * stream.codec_context.height, most, "a frame", field)
        pixels = time = 0
        first = None
        for number, frame in enumerate(container.decode(stream)):
            size = frame.width * frame.height
            _check(size, most, "a frame", field)
            pixels += size
            _check(pixels, limits.max_video_pixels, "up to the last frame to look at", field)
            if frame.pts is None or frame.time_base is None:
                time += FRAME_MS * (number > 0)
            else:
                shown = int(1000 * frame.pts * frame.time_base)
                first = shown - time if first is None else first
                time = max(time, shown - first)
            yield time, frame
        if not pixels:
            raise RequestProblem("holds no pictures", field=field)


def check_kept(pixels: int, field: str) -> None:
    """Raises TooLarge at `field` for frames to look at of more than 200 million `pixels` in all."""
    _check(pixels, MAX_KEPT_PIXELS, "in the frames to look at", field)


def _check(pixels: int, limit: int, where: str, field: str) -> None:
    if pixels > limit:
        raise TooLarge(f"has more than {limit} pixels {where}", field=field)


def upright(frame: Any) -> Picture:
    """A frame of PyAV as RGB (rows x columns x 3), turned as the file says."""
    import numpy as np

    turns = round(frame.rotation / 90)
    picture: Picture = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns % 4))
    return picture
