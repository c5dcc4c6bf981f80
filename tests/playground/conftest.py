"""A demo server that wants a token, and a browser, for the tests of the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import inference_tasks
from tests.support.browser import Watched, chromium, watched_page
from tests.support.server import DEMO_SERVER, running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PACKAGE = Path(inference_tasks.__file__).parent
PAGES = PACKAGE / "_runtime" / "server" / "pages"
MANIFEST: dict[str, Any] = json.loads((PACKAGE / "playground.json").read_bytes())


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The base URL of the demo server."""
    with running_server((*DEMO_SERVER, "--lazy")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Not for longer than a module: while Playwright runs, no other test could have an event loop."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def watched(browser: Browser, server_url: str) -> Iterator[Watched]:
    """An empty page. At the end it has asked no other host for anything, and its console is silent.

    What a test expects there it takes out of `complaints` itself.
    """
    with watched_page(browser, server_url, viewport={"width": 1280, "height": 900}) as watched:
        yield watched
        assert watched.requests, "the page asked for nothing at all"
        assert not watched.foreign
        assert not grave(watched)


def grave(watched: Watched) -> list[str]:
    """The complaints but one: that a model was still being loaded (503), which the page waits for."""
    return [text for text in watched.complaints if "status of 503" not in text]
