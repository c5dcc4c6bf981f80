"""The retry policy, alone."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from inference_tasks._runtime.retry import LONGEST_WAIT, delay


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "120"}, 120),
        ({"retry-after": "121"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Thu, 01 Jan 1970 00:16:50 GMT"}, 10),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "Thu, 01 Jan 1970 01:16:50 GMT"}, None),
        ({"retry-after": "nan"}, 0.5),
        ({"retry-after": "later"}, 0.5),
        ({"retry-after": ""}, 0.5),
        ({}, 0.5),
    ],
)
def test_the_server_is_asked_first(headers: dict[str, str], seconds: float | None) -> None:
    assert delay(0, headers, lambda: 0.0, now=lambda: 1000.0) == seconds


def test_the_pause_doubles_up_to_eight_seconds() -> None:
    assert [delay(attempt, {}, lambda: 0.0) for attempt in range(7)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert delay(10_000, {}, lambda: 1.0) == 6


@given(
    st.integers(0, 10**6),
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text()),
    st.floats(0, 1),
)
def test_no_header_breaks_it(attempt: int, headers: dict[str, str], random: float) -> None:
    seconds = delay(attempt, headers, lambda: random)
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT
