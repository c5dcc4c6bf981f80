"""Chosen frames of a video file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..server.settings import UNSET, Limits
from ..server.video import check_kept, decoded, reading, upright

if TYPE_CHECKING:
    from ..server.video import Picture


def frames(data: bytes, wanted: Sequence[int], field: str, limits: Limits = UNSET) -> list[Picture]:
    """The frames with the numbers `wanted` (rising, from 0) as upright RGB arrays (rows x columns x 3).

    Where the video is shorter, its last frame stands for those it lacks. Raises RequestProblem (422) at `field` for
    what is no video or too large: beyond `limits`, 9 million pixels a frame or 200 million to look at.
    """
    with reading(field):
        kept = list(_kept(data, wanted, field, limits))
    return kept + [kept[-1]] * (len(wanted) - len(kept))


def _kept(data: bytes, wanted: Sequence[int], field: str, limits: Limits) -> Iterator[Picture]:
    looked_at = found = 0
    last: Any = None
    for number, (_, last) in enumerate(decoded(data, field, limits)):
        if number == wanted[found]:
            looked_at += last.width * last.height
            check_kept(looked_at, field)
            yield upright(last)
            found += 1
            if found == len(wanted):
                return
    yield upright(last)
