"""Debian's Chromium under Playwright: one browser for the tests of a session, and what a page did wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that beeps, which nobody has to allow.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
PATIENCE = 10_000
"""Milliseconds that a page may take for what it does by itself."""
LOCAL = {"127.0.0.1", "localhost"}


def find() -> str | None:
    """Where Chromium is, if it is anywhere."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser, which ends with the block. Without Chromium the test is skipped; in CI it fails."""
    from playwright.sync_api import sync_playwright

    path = find()
    if path is None:
        reason = "there is no chromium; on Debian: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page, every address that it asked for, and what its console complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """Addresses on other hosts."""
        return [url for url in self.requests if url.startswith(("http", "ws")) and urlsplit(url).hostname not in LOCAL]


@contextmanager
def watched_page(browser: Browser, base_url: str, **options: Any) -> Iterator[Watched]:
    """A page in a context of its own (`options` as of `Browser.new_context`), where ``goto("/path")`` is enough."""
    context = browser.new_context(base_url=base_url, **options)
    try:
        context.set_default_timeout(PATIENCE)
        watched = Watched(context.new_page())
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on(
            "console", lambda said: watched.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        yield watched
    finally:
        context.close()
