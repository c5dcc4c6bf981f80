"""A video in pieces of equal length, each to be answered for itself: as one picture of it, or as a shorter video.

They are cut as they are asked for, each step in whatever thread wants the next one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any

from ..problems import TooLarge
from ..settings import UNSET, Limits
from ..video import FRAME_MS, check_kept, decoded, reading, upright

SECOND = 1000


@dataclass(frozen=True)
class Piece:
    """What is shown in one window of a video: `index` counts from 0, `time` is the window's middle in milliseconds.

    The last window is as long as the others, though the video may end in it. `data` is a media file. As ``frame_info``
    has it, `index` is both ``index`` and ``number``, which took its place.
    """

    index: int
    time: int
    data: bytes


def pictures(data: bytes, every: int, field: str, limits: Limits = UNSET) -> Iterator[Piece]:
    """For each window of `every` milliseconds (at least 1) the frame that begins nearest to its middle, as PNG.

    Of two that are equally near, it is the first. Frames are upright. Raises RequestProblem (422) at `field` for what
    is no video, and TooLarge for one beyond `limits` (their `max_frames` is the most windows), 9 million pixels a frame
    or 200 million in all that are looked at.
    """
    with reading(field):
        looked_at = 0
        for index, frame in _nearest(data, every, field, limits):
            _check_windows(index, every, field, limits)
            looked_at += frame.width * frame.height
            check_kept(looked_at, field)
            yield Piece(index, _middle(index, every), _png(frame))


def clips(data: bytes, every: int, field: str, limits: Limits = UNSET) -> Iterator[Piece]:
    """Each window of `every` milliseconds (at least 1) as a video of its own, in which every pixel is as it was.

    It holds the frames that begin in the window, or, where none does, the one that is shown then: upright, of the size
    of the first, and as far apart as they were. The files are Matroska with FFV1. Raises as `pictures` does; all frames
    count as looked at.
    """
    with reading(field):
        cut = 0
        film = _Film()
        looked_at = 0
        for index, start, frame in _windows(data, every, field, limits):
            _check_windows(index, every, field, limits)
            looked_at += frame.width * frame.height
            check_kept(looked_at, field)
            if index > cut:
                yield Piece(cut, _middle(cut, every), film.closed())
                cut += 1
                film = _Film()
            film.add(max(0, start - index * every), frame)
        yield Piece(cut, _middle(cut, every), film.closed())


def _middle(index: int, every: int) -> int:
    return index * every + every // 2


def _check_windows(index: int, every: int, field: str, limits: Limits) -> None:
    if index >= limits.max_frames:
        raise TooLarge(
            f"is longer than {limits.max_frames} times {every} ms, the most with this sample_ms", field=field
        )


def _spans(data: bytes, field: str, limits: Limits) -> Iterator[tuple[int, int, Any, bool]]:
    """Each frame with the milliseconds at which it begins and ends, and whether it is the last one."""
    before: tuple[int, Any] | None = None
    for start, frame in decoded(data, field, limits):
        if before is not None:
            yield before[0], start, before[1], False
        before = start, frame
    if before is not None:
        start, frame = before
        seconds = (frame.duration or 0) * (frame.time_base or 0)
        yield start, start + max(1, int(SECOND * seconds) or FRAME_MS), frame, True


def _nearest(data: bytes, every: int, field: str, limits: Limits) -> Iterator[tuple[int, Any]]:
    """The number of each window, with the frame that begins nearest to its middle."""
    index = 0
    before: tuple[int, Any] | None = None
    for start, end, frame, last in _spans(data, field, limits):
        while (middle := _middle(index, every)) <= start:
            nearer = before is not None and middle - before[0] <= start - middle
            yield index, before[1] if before is not None and nearer else frame
            index += 1
        before = start, frame
        while last and index * every < end:
            yield index, frame
            index += 1


def _windows(data: bytes, every: int, field: str, limits: Limits) -> Iterator[tuple[int, int, Any]]:
    """The number of each window with the frames in it, and the milliseconds at which they begin."""
    for start, end, frame, last in _spans(data, field, limits):
        first = start // every
        # One in which the next frame begins has that.
        after = -(-end // every) if last else end // every
        for index in range(first, max(first + 1, after)):
            yield index, start, frame


def _png(frame: Any) -> bytes:
    import PIL.Image

    file = io.BytesIO()
    PIL.Image.fromarray(upright(frame)).save(file, "PNG", compress_level=1)
    return file.getvalue()


class _Film:
    """A video file that is being written, the same for the same frames."""

    def __init__(self) -> None:
        self._av: Any = import_module("av")  # whose types are unfinished
        self._file = io.BytesIO()
        # Otherwise it would have a number of its own, by chance.
        self._container = self._av.open(self._file, "w", format="matroska", options={"fflags": "+bitexact"})
        self._stream: Any = None
        self._last = -1

    def add(self, time: int, frame: Any) -> None:
        """Put a `frame` at `time` in milliseconds, or at the first one that is free."""
        picture = self._av.VideoFrame.from_ndarray(upright(frame), format="rgb24")
        if self._stream is None:
            self._stream = self._container.add_stream("ffv1", rate=SECOND // FRAME_MS, options={"flags": "+bitexact"})
            self._stream.width, self._stream.height = picture.width, picture.height
            self._stream.pix_fmt = "bgr0"
            self._stream.codec_context.time_base = Fraction(1, SECOND)
        picture = picture.reformat(self._stream.width, self._stream.height, "bgr0")
        self._last = max(time, self._last + 1)
        picture.pts, picture.time_base = self._last, Fraction(1, SECOND)
        self._container.mux(self._stream.encode(picture))

    def closed(self) -> bytes:
        """The file."""
        self._container.mux(self._stream.encode())
        self._container.close()
        return self._file.getvalue()
