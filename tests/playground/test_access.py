"""Whether everybody can use the playground: axe-core finds nothing serious, in light and dark, with answers shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.support.browser import watched_page

from .test_browser import opened, sent

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = ROOT / ".nox" / "site" / "node_modules" / "axe-core" / "axe.min.js"
PLACES = (
    "image-classification",
    "chat-completion/sorted-mail",
    "object-detection",
    "token-classification",
    "table-question-answering",
    "automatic-speech-recognition/command-timestamps",
    "feature-extraction",
    "tabular-classification",
)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run nox -s docs")
@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_serious(browser: Browser, server_url: str, place: str, look: str) -> None:
    with watched_page(browser, server_url, viewport={"width": 1280, "height": 900}, color_scheme=look) as watched:
        page = opened(watched, place)
        sent(page)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        grave = [finding for finding in found["violations"] if finding["impact"] in ("serious", "critical")]
        assert [f"{finding['id']}: {node['html'][:200]}" for finding in grave for node in finding["nodes"]] == []
        assert len(found["passes"]) > 20
