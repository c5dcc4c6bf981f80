"""Frames of a video file, decoded by PyAV; everything here meets hostile bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..server.decode import AV_FORMATS
from ..server.handler import RequestProblem
from ..server.settings import UNSET, Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]

MAX_FRAME_PIXELS = 9_000_000
"""Of what `max_pixels` allows: decoders keep up to some twenty frames for the sake of those that follow."""

MAX_KEPT_PIXELS = 200_000_000
"""All frames that are looked at are in memory together."""


def frames(data: bytes, wanted: Sequence[int], field: str, limits: Limits = UNSET) -> list[Frame]:
    """The frames with the numbers `wanted` (rising, from 0) as upright RGB arrays (rows x columns x 3).

    Where the video is shorter, its last frame stands for those it lacks. Raises RequestProblem (422) at `field` for
    what is no video or too large: beyond `limits`, 9 million pixels a frame or 200 million to look at.
    """
    try:
        kept = list(_kept(data, wanted, field, limits))
    except RequestProblem:
        raise
    except Exception:  # decoders raise whatever broken files make them
        raise RequestProblem("is not a video this server can read", field=field) from None
    if not kept:
        raise RequestProblem("holds no pictures", field=field)
    return kept + [kept[-1]] * (len(wanted) - len(kept))


def _kept(data: bytes, wanted: Sequence[int], field: str, limits: Limits) -> Iterator[Frame]:
    import av

    options = {"format_whitelist": AV_FORMATS, "protocol_whitelist": "none"}
    with av.open(io.BytesIO(data), mode="r", options=options, metadata_errors="ignore") as container:
        stream = container.streams.video[0]
        most = min(limits.max_pixels, MAX_FRAME_PIXELS)
        stream.codec_context.options = {"max_pixels": str(most)}
        _check(stream.codec_context.width * stream.codec_context.height, most, "a frame", field)
        decoded = looked_at = found = 0
        last: Any = None
        for number, frame in enumerate(container.decode(stream)):
            pixels = frame.width * frame.height
            _check(pixels, most, "a frame", field)
            decoded += pixels
            _check(decoded, limits.max_video_pixels, "up to the last frame to look at", field)
            last = frame
            if number == wanted[found]:
                looked_at += pixels
                _check(looked_at, MAX_KEPT_PIXELS, "in the frames to look at", field)
                yield _upright(frame)
                found += 1
                if found == len(wanted):
                    return
        if last is not None:
            yield _upright(last)


def _check(pixels: int, limit: int, where: str, field: str) -> None:
    if pixels > limit:
        raise RequestProblem(f"has more than {limit} pixels {where}", field=field)


def _upright(frame: Any) -> Frame:
    import numpy as np

    turns = round(frame.rotation / 90)
    picture: Frame = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns % 4))
    return picture
