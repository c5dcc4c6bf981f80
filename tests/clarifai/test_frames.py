"""A video in pieces: which frame stands for each, and what the pieces look like."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest

from inference_tasks._runtime.server import video as video_module
from inference_tasks._runtime.server.clarifai.frames import Piece, clips, pictures
from inference_tasks._runtime.server.problems import RequestProblem, TooLarge
from inference_tasks._runtime.server.settings import Limits

SIZE = (32, 16)


def film(times: Sequence[int], size: tuple[int, int] = SIZE) -> bytes:
    """A Matroska file without loss, with one plain frame at each of `times` in milliseconds: 0, 10, 20, … of red."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            image = PIL.Image.new("RGB", size, (10 * number % 256, 0, 0))
            frame: Any = av.VideoFrame.from_image(image).reformat(format="bgr0")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def shade(image: Any) -> int:
    """Which frame of `film` it is."""
    array = np.asarray(image)
    assert (array == array[0, 0]).all()
    return int(array[0, 0, 0]) // 10


def shown(piece: Piece) -> int:
    image = PIL.Image.open(io.BytesIO(piece.data))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", SIZE)
    return shade(image)


def held(piece: Piece) -> list[tuple[float | None, int]]:
    with av.open(io.BytesIO(piece.data)) as container:
        return [(frame.time, shade(frame.to_ndarray(format="rgb24"))) for frame in container.decode(video=0)]


def test_pictures_are_the_frames_nearest_to_the_middle_of_each_window() -> None:
    data = film(range(0, 4400, 200))  # the last frame ends at 4.4 seconds
    found = list(pictures(data, 2000, "x"))
    assert [(piece.index, piece.time) for piece in found] == [(0, 1000), (1, 3000), (2, 5000)]
    assert [shown(piece) for piece in found] == [5, 15, 21]


@pytest.mark.parametrize(
    ("times", "every", "expected"),
    [
        ([0], 1000, [0]),
        ([0, 960], 1000, [1]),
        ([0, 400, 600], 1000, [1]),  # both are as near: the first
        ([0, 400, 590], 1000, [2]),
        ([0, 1000], 1000, [0, 1]),
        ([0, 1000, 3100], 1000, [0, 1, 2, 2]),  # nothing begins in the third window
        ([0, 3900], 1000, [0, 0, 1, 1]),
        ([500, 1500, 1600], 1000, [0, 2]),  # time counts from the first frame
    ],
)
def test_which_frame_stands_for_a_window(times: list[int], every: int, expected: list[int]) -> None:
    found = list(pictures(film(times), every, "x"))
    assert [shown(piece) for piece in found] == expected
    assert [piece.time for piece in found] == [every * index + every // 2 for index in range(len(expected))]


def test_clips_hold_every_frame_of_their_window_as_it_was() -> None:
    times = range(0, 2200, 100)
    found = list(clips(film(times), 1000, "x"))
    assert [(piece.index, piece.time) for piece in found] == [(0, 500), (1, 1500), (2, 2500)]
    assert [held(piece) for piece in found] == [
        [((time - 1000 * index) / 1000, number) for number, time in enumerate(times) if time // 1000 == index]
        for index in range(3)
    ]


def test_a_clip_in_which_nothing_changes_holds_what_is_shown() -> None:
    found = list(clips(film([0, 500, 3200]), 1000, "x"))
    assert [held(piece) for piece in found] == [[(0.0, 0), (0.5, 1)], [(0.0, 1)], [(0.0, 1)], [(0.2, 2)]]


def test_pieces_are_the_same_each_time() -> None:
    data = film(range(0, 3000, 40))
    assert list(pictures(data, 700, "x")) == list(pictures(data, 700, "x"))
    assert list(clips(data, 700, "x")) == list(clips(data, 700, "x"))


def test_clips_can_be_cut_again() -> None:
    (whole,) = clips(film(range(0, 2000, 100)), 60_000, "x")
    assert [held(piece) for piece in clips(whole.data, 1000, "x")] == [
        [(round(0.1 * number, 1), number + 10 * index) for number in range(10)] for index in range(2)
    ]


@pytest.mark.parametrize("cut", [pictures, clips])
@pytest.mark.parametrize("data", [b"", b"x" * 100, b"ffconcat version 1.0\nfile /etc/passwd"])
def test_what_is_no_video_is_refused(cut: Any, data: bytes) -> None:
    with pytest.raises(RequestProblem, match="not a video") as caught:
        list(cut(data, 1000, "data.video.base64"))
    assert not isinstance(caught.value, TooLarge)
    assert caught.value.fields[0].field == "data.video.base64"


@pytest.mark.parametrize("cut", [pictures, clips])
def test_a_broken_video_is_refused_or_answered_as_far_as_it_goes(cut: Any) -> None:
    data = film(range(0, 3000, 40))
    for length in range(0, len(data), len(data) // 40):
        try:
            found = list(cut(data[:length], 1000, "x"))
        except RequestProblem:
            continue
        assert 1 <= len(found) <= 3


@pytest.mark.parametrize("cut", [pictures, clips])
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_pixels=SIZE[0] * SIZE[1] - 1), "a frame"),
        (Limits(max_video_pixels=SIZE[0] * SIZE[1]), "up to the last frame"),
        (Limits(max_frames=2), "2 times 1000 ms"),
    ],
)
def test_limits(cut: Any, limits: Limits, message: str) -> None:
    data = film([0, 1000, 2000])
    assert len(list(cut(data, 1000, "x", Limits(max_frames=3)))) == 3
    with pytest.raises(TooLarge, match=message):
        list(cut(data, 1000, "x", limits))


@pytest.mark.parametrize("cut", [pictures, clips])
def test_what_is_looked_at_is_limited_in_all(cut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_module, "MAX_KEPT_PIXELS", 2 * SIZE[0] * SIZE[1])
    assert len(list(cut(film([0, 1000]), 1000, "x"))) == 2
    with pytest.raises(TooLarge, match="to look at"):
        list(cut(film([0, 1000, 2000]), 1000, "x"))


@pytest.mark.parametrize("cut", [pictures, clips])
def test_a_jump_in_time_makes_no_more_pieces_than_allowed(cut: Any) -> None:
    with pytest.raises(TooLarge, match="257 times 100 ms"):
        list(cut(film([0, 1_000_000_000]), 100, "x"))
