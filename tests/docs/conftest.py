"""One generated server, which answers every example, for all tests of the docs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Proxy, recording_proxy, running_server


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The base URL of a running server."""
    with running_server(("-m", "tests.docs.example_server")) as url:
        yield url


@pytest.fixture(scope="session")
def proxy(server_url: str) -> Iterator[Proxy]:
    """A proxy before that server, which keeps what programs send."""
    with recording_proxy(server_url) as proxy:
        yield proxy
