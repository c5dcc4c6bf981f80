"""The real site in a real browser: accessible, on a phone too, and its pages do what they promise.

`nox -s docs` installs axe-core, which looks for what keeps people out; without it those tests are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.support.browser import Watched, chromium, watched_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

AXE = ROOT / ".nox" / "site" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {**DESKTOP, "color_scheme": "light"},
    "dark": {**DESKTOP, "color_scheme": "dark"},
    "phone": {**PHONE, "color_scheme": "light"},
}
PAGES = ("index.html", "image-classification.html", "errors.html")
COPY = {**DESKTOP, "permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@contextmanager
def opened(browser: Browser, address: str, page: str, **options: Any) -> Iterator[Watched]:
    """A page of the site. On leaving the block, nothing went wrong on it, and it asked nobody else for anything."""
    with watched_page(browser, address, **options) as watched:
        watched.page.goto(page)
        yield watched
        assert watched.foreign == []
        assert watched.complaints == []


def top(page: Page, selector: str) -> float:
    """How far below the top of the window an element begins, once scrolling has come to rest."""
    page.wait_for_function(
        "() => { const y = scrollY; return new Promise((done) => setTimeout(() => done(scrollY === y), 100)) }"
    )
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run nox -s docs")
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(browser: Browser, address: str, name: str, look: str) -> None:
    with opened(browser, address, name, **LOOKS[look]) as watched:
        scheme = watched.page.evaluate("document.body.dataset.mdColorScheme")
        assert scheme == ("slate" if look == "dark" else "default")
        watched.page.wait_for_timeout(300)  # the theme gives its focusable boxes away late
        watched.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = watched.page.evaluate("axe.run()")
        grave = [finding for finding in found["violations"] if finding["impact"] in ("serious", "critical")]
        told = [f"{finding['id']}: {node['html'][:200]}" for finding in grave for node in finding["nodes"]]
        assert told == []
        assert len(found["passes"]) > 20


@pytest.mark.parametrize("name", [*PAGES, "text-generation.html", "limits.html"])
def test_no_page_is_wider_than_a_phone(browser: Browser, address: str, name: str) -> None:
    with opened(browser, address, name, **PHONE) as watched:
        assert watched.page.evaluate("document.documentElement.scrollWidth") == 390
        for table in watched.page.locator("article table").all():
            if table.is_visible():
                box = table.bounding_box()
                assert box is not None
                assert box["x"] + box["width"] <= 390


def test_the_language_of_code_is_kept_from_page_to_page(browser: Browser, address: str) -> None:
    with opened(browser, address, "image-classification.html", **DESKTOP) as watched:
        page = watched.page
        code = page.locator(".tabbed-block:visible pre").first
        assert "curl" in code.inner_text()
        page.locator(".tabbed-labels label", has_text=re.compile(r"^Go$")).first.click()
        assert "package main" in code.inner_text()
        page.goto("text-classification.html")
        assert "package main" in page.locator(".tabbed-block:visible pre").first.inner_text()


def test_the_copy_button_copies_the_program(browser: Browser, address: str) -> None:
    programs = json.loads((ROOT / "generated" / "docs" / "snippets.json").read_text(encoding="utf-8"))
    expected = next(p["code"] for p in programs if p["task"] == "image-classification" and p["language"] == "curl")
    with opened(browser, address, "image-classification.html", **COPY) as watched:
        page = watched.page
        block = page.locator(".tabbed-block:visible .highlight").first
        block.hover()
        block.locator("button[data-md-type=copy], button.md-clipboard").first.click()
        page.wait_for_timeout(100)
        assert page.evaluate("navigator.clipboard.readText()").strip() == expected.strip()


def test_copy_page_as_markdown(browser: Browser, address: str, site: Path) -> None:
    with opened(browser, address, "image-classification.html", **COPY) as watched:
        page = watched.page
        page.get_by_role("button", name="Copy page as Markdown").click()
        page.get_by_role("button", name="Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == (site / "image-classification.md").read_text(encoding="utf-8")
        view = page.get_by_role("link", name="View as Markdown")
        assert view.get_attribute("href") == f"{address}image-classification.md"


def test_a_link_to_a_field_leads_to_its_row(browser: Browser, address: str) -> None:
    with opened(browser, address, "image-classification.html#request.parameters.top_k", **DESKTOP) as watched:
        page = watched.page
        assert 40 < top(page, "[id='request.parameters.top_k']") < 300  # below the header, near the top
        colour = "(cell) => getComputedStyle(cell).backgroundColor"
        row = page.locator("tr:has([id='request.parameters.top_k']) > td").first
        other = page.locator("tr:has([id='request.inputs']) > td").first
        assert row.evaluate(colour) != other.evaluate(colour)
        page.locator("[id='request.inputs']").click()
        assert page.evaluate("location.hash") == "#request.inputs"
        assert other.evaluate(colour) != row.evaluate(colour)


def test_a_link_into_a_fold_opens_it(browser: Browser, address: str, site: Path) -> None:
    name, id = _folded(site)
    with opened(browser, address, f"{name}#{id}", **DESKTOP) as watched:
        assert watched.page.locator(f"[id='{id}']").is_visible()
        assert 40 < top(watched.page, f"[id='{id}']") < 300
        watched.page.goto(f"{address}{name}")
        assert not watched.page.locator(f"[id='{id}']").is_visible()
        watched.page.evaluate("(id) => { location.hash = id }", id)
        watched.page.locator(f"[id='{id}']").wait_for(state="visible")


def _folded(site: Path) -> tuple[str, str]:
    """A page and the id of a field that lies in a fold of it."""
    for page in sorted(site.glob("*.html")):
        for fold in re.findall(r"<details.*?</details>", page.read_text(encoding="utf-8"), re.DOTALL):
            if found := re.search(r'<a id="((?:request|response)\.[^"]+)"', fold):
                return page.name, found[1]
    raise AssertionError("no field of any page lies in a fold")


def test_a_link_onto_a_tab_that_is_not_shown_shows_it(browser: Browser, address: str) -> None:
    with opened(browser, address, "image-classification.html", **DESKTOP) as watched:
        page = watched.page
        last = page.locator(".tabbed-set").first.locator(".tabbed-block").last
        assert not last.is_visible()
        last.evaluate("(block) => { block.querySelector('pre').id = 'here'; location.hash = 'here' }")
        last.wait_for(state="visible")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("speech to text", "automatic-speech-recognition.html"),
        ("Text to speech", "text-to-speech.html"),
        ("sentiment analysis", "text-classification.html"),
        ("image classification", "image-classification.html"),
        ("429", "errors.html"),
    ],
)
def test_the_first_thing_that_the_search_finds(browser: Browser, address: str, words: str, wanted: str) -> None:
    with opened(browser, address, "errors.html", **DESKTOP) as watched:
        first = search(watched.page, words)
        assert (first.get_attribute("href") or "").partition("?")[0] == f"{address}{wanted}"
        first.click()
        watched.page.wait_for_url(f"**/{wanted}*")


def search(page: Page, words: str) -> Locator:
    """Type words into the search: the first result."""
    page.wait_for_load_state("networkidle")  # the search is there when its index is
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search").fill(words)
    results = page.get_by_role("listbox", name="Search results").get_by_role("option")
    results.filter(has_text=re.compile(words.split()[0], re.IGNORECASE)).first.wait_for()
    page.wait_for_timeout(500)  # results come in one after the other
    return results.first


def test_the_search_shows_hostile_texts_as_texts(browser: Browser, releases: str) -> None:
    with opened(browser, releases, "echo.html", **DESKTOP) as watched:
        assert "onerror=" in search(watched.page, "script").inner_text()
        assert watched.page.locator("img[onerror]").count() == 0


def test_a_choice_of_versions_leads_to_the_same_page(browser: Browser, releases: str) -> None:
    with opened(browser, releases, "echo.html#request.inputs", **DESKTOP) as watched:
        page = watched.page
        choice = page.get_by_label("Version of these docs")
        choice.wait_for()  # it is made once the list of versions has been fetched
        assert choice.locator("option").all_inner_texts() == ["0.2.0 (newest)", "0.1.0"]
        assert choice.input_value() == "0.2.0"
        choice.select_option("0.1.0")
        page.wait_for_url("**/0.1.0/echo.html#request.inputs")
        assert page.get_by_label("Version of these docs").input_value() == "0.1.0"
        page.get_by_role("link", name="Version 0.1.0, and others").click()
        page.wait_for_url("**/versions/index.html")
        assert page.get_by_role("link", name="0.2.0").is_visible()
