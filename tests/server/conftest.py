"""A real server for each test, on a free port, spoken to over TCP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .live import Echo, Serve, serving


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers: `serve(handler, …, setting=…)`; all of them end with the test."""
    with serving() as start:
        yield start


@pytest.fixture
def echo() -> Echo:
    return Echo()
