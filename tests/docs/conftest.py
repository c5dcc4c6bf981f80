"""Two generated servers for all tests of the docs, each behind a proxy that keeps what programs send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Proxy, recording_proxy, running_server


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The base URL of a running server that answers every example."""
    with running_server(("-m", "tests.docs.example_server")) as url:
        yield url


@pytest.fixture(scope="session")
def proxy(server_url: str) -> Iterator[Proxy]:
    """A proxy before that server."""
    with recording_proxy(server_url) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def demo_proxy() -> Iterator[Proxy]:
    """A proxy before a server of the demo models, which answer anything."""
    with running_server() as url, recording_proxy(url) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def proxies(proxy: Proxy, demo_proxy: Proxy) -> tuple[Proxy, Proxy]:
    """One before a server that answers the examples, and one before models that answer anything."""
    return proxy, demo_proxy
