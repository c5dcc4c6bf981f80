"""The real site, built once, and a server of static files for it."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from taskbind.config import Config, load_config
from taskbind.site.build import build_site
from tests.conftest import ROOT
from tests.support.project import echo_task, generate_project

HOSTILE = '</script></title><img src=x onerror="alert(1)"> & {{ 1 }} {% x %} ```'
MARKDOWN = "![x](https://e.x/i) [docs](other.html) ](gone.md) ] ` ["
"""A lone tick would take all up to the next code span for code, and that for text."""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server of a folder's files, on 127.0.0.1 for as long as the block lasts."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository's site, built from the committed tree."""
    folder = tmp_path_factory.mktemp("site") / "site"
    build_site(load_config(ROOT), folder)
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with serving(site) as url:
        yield url


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A project of one task, whose texts would break out of a page if they could."""
    category, title = json.dumps(HOSTILE), json.dumps(f"{HOSTILE} {MARKDOWN}")
    text = json.dumps(f"It says {HOSTILE} {MARKDOWN}")
    meta = f"title = {title}\nsummary = {text}\ncategory = {category}\nalso = [{category}]\n"
    config, _ = generate_project(tmp_path_factory.mktemp("small"), echo_task() | {"echo/task.toml": meta})
    return config


@pytest.fixture(scope="session")
def releases(small: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a site of two releases is served, below a folder."""
    root = tmp_path_factory.mktemp("releases")
    for version in ("0.1.0", "0.2.0"):
        build_site(small, root / "docs", release=version)
    with serving(root) as url:
        yield f"{url}docs/"
