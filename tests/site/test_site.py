"""The built site: what is in it, how releases live side by side, and that a failure changes nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from taskbind.cli import main
from taskbind.commit import MANIFEST
from taskbind.config import Config, load_config
from taskbind.diagnostics import EditedError, TaskbindError
from taskbind.pipeline import generate
from taskbind.site.build import LinkError, build_site, check_site
from taskbind.site.versions import newest
from taskbind.version import Version
from tests.conftest import ROOT
from tests.support.project import closed, echo_task, generate_project

PROJECT = load_config(ROOT)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class _Tags(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


# ----------------------------------------------------------------------------------------------------------- contents


def test_every_page_is_there_as_markdown_too(site: Path) -> None:
    sources = {path.stem for path in (PROJECT.out / "site" / "docs").glob("*.md")}
    tasks = {task["id"] for task in json.loads((PROJECT.out / "api.json").read_text(encoding="utf-8"))["tasks"]}
    assert tasks < sources
    for page in sources:
        twin = site / f"{page}.md"
        assert twin.read_text(encoding="utf-8").startswith("# "), page
        links = [attributes for tag, attributes in _Tags(site / f"{page}.html").found if tag == "link"]
        assert {"rel": "alternate", "type": "text/markdown", "href": f"{page}.md"} in links
    assert {path.stem for path in site.glob("*.html")} == sources


def test_markdown_is_the_plain_one_and_its_links_stay_in_the_site(site: Path) -> None:
    text = (site / "image-classification.md").read_text(encoding="utf-8")
    assert '=== "' not in text  # the tabs of the site's own flavour
    assert "](../" not in text
    assert "](schemas/image-classification.json)" in text
    assert "](openapi.json)" in text


def test_what_pages_link_to_is_there(site: Path) -> None:
    assert json.loads((site / "openapi.json").read_bytes()) == json.loads((PROJECT.out / "openapi.json").read_bytes())
    for path in (PROJECT.out / "docs" / "samples").rglob("*.*"):
        assert (site / "samples" / path.relative_to(PROJECT.out / "docs" / "samples")).read_bytes() == path.read_bytes()
    assert "$defs" in json.loads((site / "schemas" / "image-classification.json").read_bytes())


def test_the_whole_site_has_sound_links_and_loads_nothing_from_elsewhere(site: Path) -> None:
    checked = check_site(site)
    assert checked.pages > 35
    assert checked.links > 5000


def test_the_index_for_machines(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    title, _, summary = text.splitlines()[:3]
    assert title == "# inference-tasks"
    assert summary == f"> {PROJECT.summary}"
    entries = re.findall(r"^- \[([^\]]+)\]\(([^)]+)\): (\S.*)$", text, re.MULTILINE)
    linked = [page for _, page, _ in entries]
    assert len(linked) == len(set(linked))
    assert {*linked, "index.md"} == {path.name for path in site.glob("*.md")}
    assert len(re.findall(r"^## ", text, re.MULTILINE)) > 3
    assert re.search(r"\n\n\n", text) is None


def test_all_pages_in_one_for_machines(site: Path) -> None:
    text = (site / "llms-full.txt").read_text(encoding="utf-8")
    index = (site / "llms.txt").read_text(encoding="utf-8")
    order = ["index.md", *re.findall(r"\]\((\S+\.md)\)", index)]
    assert re.findall(r"^Page: (.+)$", text, re.MULTILINE) == order
    pages = dict(re.findall(r"^Page: ([^\n]+)\n\n(.*?)(?=\n\nPage: |\Z)", text, re.MULTILINE | re.DOTALL))
    own = re.compile(r'(?<=\]\()(?=#)|(?<=href=")(?=#)')
    assert '<a id="request.inputs" href="image-classification.md#request.inputs">' in pages["image-classification.md"]
    for name in order:
        page = (site / name).read_text(encoding="utf-8").strip()
        assert pages[name].strip() == own.sub(name, page)


def test_the_search_knows_other_names_of_a_task(site: Path) -> None:
    items = json.loads((site / "search.json").read_bytes())["items"]
    found = {item["location"].partition("#")[0] for item in items if "speech to text" in json.dumps(item).lower()}
    assert "automatic-speech-recognition.html" in found


def test_the_search_knows_statuses(site: Path) -> None:
    items = json.loads((site / "search.json").read_bytes())["items"]
    (found,) = (item for item in items if item["title"] == "429")
    assert found["location"] == "errors.html#status-429"
    assert 'id="status-429"' in (site / "errors.html").read_text(encoding="utf-8")
    assert "queue" in found["text"]


def test_hostile_texts_stay_texts(small: Config, tmp_path: Path) -> None:
    build_site(small, tmp_path / "site")
    for page in (tmp_path / "site").glob("*.html"):
        tags = _Tags(page).found
        assert not any("onerror" in attributes or attributes.get("src") == "x" for _, attributes in tags), page.name
    navigation = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "onerror=&quot;alert(1)&quot;" in navigation


def test_names_that_are_nearly_alike_have_a_sound_site(tmp_path: Path) -> None:
    """Members, headings and the project itself may be called what they like; links lead where they should."""
    names = ("topK", "topk", "a.b", "a|b", "ü", "漢", "parameters")
    number = {"type": "integer", "description": "![i](https://e.x/i) https://e.x/y"}
    echo = echo_task(dict.fromkeys(names, number), closed({"": number, "漢": number, "items": number}))
    meta = (
        'title = "{}"\ncategory = "{}"\nsummary = "!!! danger"\n'
        'description = """![i](https://e.x/i)\n\n=== \\"x\\"\n\n    y"""\n'
        '[[examples]]\nname = "a"\ntitle = "Request inputs"\ninputs = "x"\n'
    )
    files = echo | {"echo/task.toml": meta.format("[x](https://e.x) #", "Start a server")}
    files |= {f"other/{name.partition('/')[2]}": content for name, content in echo.items()}
    files["other/task.toml"] = meta.format("true", "Tasks")
    config, _ = generate_project(tmp_path, files, package="null")
    build_site(config, tmp_path / "site")
    assert yaml.safe_load((config.out / "site" / "mkdocs.yml").read_bytes())["site_name"] == "null"
    rows = _Tags(tmp_path / "site" / "parameters.html").found
    links = [attributes["href"] or "" for tag, attributes in rows if tag == "a" and "href" in attributes]
    assert len({link for link in links if link.startswith("echo.html#request.parameters.")}) == len(names)
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    for id, title in {"index.start": "Start a server", "index.tasks": "Tasks"}.items():
        assert re.search(rf'<a id="{id}"></a></p>\s*<h2[^>]*>{title}<', page)
        assert f'href="index.html#{id}"' in (tmp_path / "site" / "echo.html").read_text(encoding="utf-8")


# ----------------------------------------------------------------------------------------------------------- releases


def shown(folder: Path) -> str:
    """The version that the index page in a folder says it is of."""
    return next(a["data-version"] or "" for tag, a in _Tags(folder / "index.html").found if "data-version" in a)


def test_foreign_specs_without_a_word_of_prose_have_a_site(corpus: Path, tmp_path: Path) -> None:
    config = Config(corpus / "hf-tasks", tmp_path / "out")
    generate(config)
    built = build_site(config, tmp_path / "site")
    assert built.checked.pages > 30
    assert "ran before they were published" not in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_releases_live_side_by_side(small: Config, tmp_path: Path) -> None:
    to = tmp_path / "site"
    build_site(small, to, release="0.1.0")
    assert shown(to) == shown(to / "0.1.0") == "0.1.0"
    first = tree(to / "0.1.0")

    build_site(small, to, release="0.2.0")
    assert shown(to) == shown(to / "0.2.0") == "0.2.0"
    assert tree(to / "0.1.0") == first
    root = {name: data for name, data in tree(to).items() if "/" not in name}

    build_site(small, to, release="0.1.1")
    assert shown(to / "0.1.1") == "0.1.1"
    assert shown(to) == "0.2.0"
    assert tree(to / "0.1.0") == first
    now = {name: data for name, data in tree(to).items() if "/" not in name}
    assert {name for name in root if now[name] != root[name]} == {"versions.json", MANIFEST}

    assert json.loads(now["versions.json"]) == {"newest": "0.2.0", "versions": ["0.2.0", "0.1.1", "0.1.0"]}
    listed = [a["href"] for tag, a in _Tags(to / "versions" / "index.html").found if tag == "a"]
    assert listed == ["../0.2.0/index.html", "../index.html", "../0.1.1/index.html", "../0.1.0/index.html"]
    check_site(to)

    again = tree(to)
    build_site(small, to, release="0.2.0")
    assert tree(to) == again


def test_a_version_before_a_release_does_not_take_its_place(small: Config, tmp_path: Path) -> None:
    build_site(small, tmp_path / "site", release="1.0.0rc1")
    assert shown(tmp_path / "site") == "1.0.0rc1"
    build_site(small, tmp_path / "site", release="0.9.0")
    assert shown(tmp_path / "site") == "0.9.0"
    assert newest([Version("1.0.0rc2"), Version("1.0.0rc10"), Version("1.0.0b11")]) == Version("1.0.0rc10")
    assert newest([Version("1.10.0"), Version("1.9.9"), Version("2.0.0a1")]) == Version("1.10.0")


@pytest.mark.parametrize(
    "name", ["", "1", "1.2", "v1.2.0", "1.2.0/..", "../1.2.0", "01.2.0", "1.2.0-rc1", "1.2.0\n", "1.2.3.4"]
)
def test_what_is_no_version_is_refused(small: Config, tmp_path: Path, name: str) -> None:
    with pytest.raises(TaskbindError, match=r"is no version; one looks like 1\.2\.0"):
        build_site(small, tmp_path / "site", release=name)
    assert list(tmp_path.iterdir()) == []


def test_a_site_of_releases_is_not_replaced_by_what_is_none(small: Config, tmp_path: Path) -> None:
    build_site(small, tmp_path / "site", release="0.1.0")
    before = tree(tmp_path / "site")
    with pytest.raises(TaskbindError, match="say which one this is with --release"):
        build_site(small, tmp_path / "site")
    assert tree(tmp_path / "site") == before


def test_versions_are_known_by_their_folders(small: Config, tmp_path: Path) -> None:
    to = tmp_path / "site"
    build_site(small, to, release="0.2.0")
    (to / "versions.json").unlink()
    (to / "3.0.0").mkdir()  # somebody else's
    with pytest.raises(TaskbindError, match="say which one this is with --release"):
        build_site(small, to)
    build_site(small, to, release="0.2.0")
    assert json.loads((to / "versions.json").read_bytes()) == {"newest": "0.2.0", "versions": ["0.2.0"]}


def test_a_version_that_is_a_link_is_refused(small: Config, tmp_path: Path) -> None:
    to = tmp_path / "site"
    build_site(small, to, release="0.1.0")
    (to / "0.2.0").symlink_to("0.1.0")
    (to / "0.3.0").write_text("mine")
    before = tree(to)
    for version, what in {"0.2.0": "a link", "0.3.0": "no folder"}.items():
        with pytest.raises(TaskbindError, match=rf"{re.escape(version)}: this is {what}; move it away"):
            build_site(small, to, release=version)
    assert tree(to) == before


def test_what_an_older_release_keeps_at_the_root_is_what_was_written(small: Config, tmp_path: Path) -> None:
    to = tmp_path / "site"
    build_site(small, to, release="0.2.0")
    page = (to / "echo.html").read_bytes()
    (to / "echo.html").write_bytes(page + b"edited")
    (to / "index.md").unlink()
    before = tree(to)
    with pytest.raises(EditedError) as caught:
        build_site(small, to, release="0.1.0")
    assert str(caught.value).splitlines() == [
        "edited by hand since they were generated: echo.html",
        "deleted by hand since they were generated: index.md",
        f"These files belong to the newest version, at {to}: restore them.",
    ]
    assert tree(to) == before
    (to / "echo.html").write_bytes(page)
    build_site(small, to, release="0.2.0")
    assert (to / "index.md").exists()


def test_a_release_may_leave_the_address_out(small: Config, tmp_path: Path) -> None:
    to = tmp_path / "site"
    build_site(small, to, release="0.2.0", url="https://example.org/docs/")
    build_site(small, to, release="0.1.0", url="https://example.org/docs/")
    assert (to / "404.html").exists()
    build_site(small, to, release="0.1.1")
    assert not (to / "404.html").exists()
    assert not (to / "sitemap.xml").exists()
    assert shown(to) == "0.2.0"


def test_an_address_may_have_escapes(small: Config, tmp_path: Path) -> None:
    build_site(small, tmp_path / "site", release="0.1.0", url="https://example.org/my%20docs/%C3%A9")
    addresses = [a.get("href") for tag, a in _Tags(tmp_path / "site" / "404.html").found if tag == "a"]
    assert "/my%20docs/%C3%A9/versions/index.html" in addresses


def test_the_address_is_for_the_sitemap_and_for_what_is_not_there(small: Config, tmp_path: Path) -> None:
    build_site(small, tmp_path / "site", release="0.1.0", url="https://example.org/docs")
    assert "<loc>https://example.org/docs/echo.html</loc>" in (tmp_path / "site" / "sitemap.xml").read_text()
    addresses = [a.get("href") for tag, a in _Tags(tmp_path / "site" / "404.html").found if tag == "a"]
    assert {"/docs/echo.html", "/docs/versions/index.html"} <= set(addresses)
    assert not (tmp_path / "site" / "0.1.0" / "404.html").exists()
    check_site(tmp_path / "site", "https://example.org/docs/")
    with pytest.raises(TaskbindError, match="is no address of a site"):
        build_site(small, tmp_path / "site", release="0.1.0", url="example.org")


# ----------------------------------------------------------------------------------------------------------- failures


def test_a_failure_leaves_the_old_site_as_it_is(small: Config, tmp_path: Path) -> None:
    to = tmp_path / "site"
    build_site(small, to)
    before = tree(to)
    page = small.out / "site" / "docs" / "echo.md"
    text = page.read_text(encoding="utf-8")
    try:
        page.write_text(f"{text}\n<a href='gone.html'>x</a> <img src='https://else.org/x.png'>\n", encoding="utf-8")
        with pytest.raises(LinkError, match=r"2 faults in the site; nothing was written\necho\.html:\d+: ") as caught:
            build_site(small, to)
        assert "link to 'gone.html', and there is no such file" in str(caught.value)
        assert "it loads 'https://else.org/x.png' from another host" in str(caught.value)
        page.write_text(f"{text}\n[x](gone.md)\n", encoding="utf-8")
        with pytest.raises(
            TaskbindError, match=r"Zensical refused the pages of the site; nothing was written"
        ) as caught:
            build_site(small, to)
        assert "page does not exist" in str(caught.value)
        assert "[x](gone.md)" in str(caught.value)
        assert re.search(r"Traceback|\x1b|/taskbind-site-", str(caught.value)) is None
    finally:
        page.write_text(text, encoding="utf-8")
    assert tree(to) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_nobody_elses_files_are_touched(small: Config, tmp_path: Path) -> None:
    to = tmp_path / "site"
    to.mkdir()
    (to / "CNAME").write_text("example.org\n")
    build_site(small, to, release="0.1.0")
    build_site(small, to, release="0.2.0")
    assert (to / "CNAME").read_text() == "example.org\n"

    (to / "0.2.0" / "echo.html").write_text("edited")
    before = tree(to)
    with pytest.raises(EditedError, match=r"edited by hand since they were generated: echo\.html"):
        build_site(small, to, release="0.2.0")
    assert tree(to) == before


def test_a_file_in_the_way_is_left_alone(small: Config, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(EditedError, match=r"in its way: index\.html"):
        build_site(small, tmp_path)
    assert tree(tmp_path) == {"index.html": b"mine"}


def test_a_site_lies_apart_from_what_it_is_made_of(small: Config, tmp_path: Path) -> None:
    for folder in (small.out, small.out / "site", small.specs.parent):
        with pytest.raises(TaskbindError, match="the site must lie apart from"):
            build_site(small, folder)
    (tmp_path / MANIFEST).write_text('{"outputs": {}}')
    with pytest.raises(TaskbindError, match="is none of a site; name another folder with --to"):
        build_site(small, tmp_path)


def test_without_zensical_an_error_says_what_to_install(
    small: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def none(name: str, *rest: Any) -> Any:
        return None if name == "zensical" else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", none)
    with pytest.raises(TaskbindError, match=r"needs Zensical, which is not installed: pip install 'taskbind\[site\]'"):
        build_site(small, tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------- command line


def taskbind(config: Config, *arguments: str | os.PathLike[str]) -> tuple[int, str]:
    own = ["--specs", config.specs, "--out", config.out, "--package", config.package]
    result = CliRunner().invoke(main, ["site", *map(os.fspath, [*own, *arguments])])
    return result.exit_code, result.output


def test_the_command_builds_and_checks(small: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = taskbind(small)
    assert code == 0, said
    assert re.fullmatch(r"\d+ pages with \d+ links in site: wrote \d+, removed 0 \([\d.]+ s\)\n", said)
    code, said = taskbind(small, "--check", "site")
    assert (code, re.fullmatch(r"site: \d+ pages, \d+ links, no fault\n", said) is not None) == (0, True)
    (tmp_path / "site" / "page.html").write_text('\n<a href="gone.html">x</a>')
    code, said = taskbind(small, "--check", "site")
    assert code == 1
    assert "page.html:2: link to 'gone.html', and there is no such file" in said
    code, said = taskbind(small, "--check", "gone")
    assert (code, "gone: no such folder" in said) == (2, True)


def test_a_tree_without_a_site_says_what_to_do(small: Config, tmp_path: Path) -> None:
    empty = Config(small.specs, tmp_path / "out")
    with pytest.raises(TaskbindError, match=r"have `docs = .*` in taskbind\.toml, and run `taskbind generate`"):
        build_site(empty, tmp_path / "site")


def test_a_tree_that_lacks_a_file_says_what_to_do(small: Config, tmp_path: Path) -> None:
    for name in ("api.json", "docs/echo.md", "site/docs/echo.md"):
        path = small.out / name
        data = path.read_bytes()
        try:
            path.unlink()
            with pytest.raises(TaskbindError, match=rf"{re.escape(str(path))}: .*; run `taskbind generate`"):
                build_site(small, tmp_path / "site")
            path.write_bytes(data if name.endswith(".md") else b"{")
            if name == "api.json":
                with pytest.raises(TaskbindError, match=r"api\.json: this is damaged; run `taskbind generate`"):
                    build_site(small, tmp_path / "site")
        finally:
            path.write_bytes(data)
    assert list(tmp_path.iterdir()) == []


def test_a_tree_that_is_out_of_date_is_told(small: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "out of date" not in taskbind(small)[1]
    (small.specs / "new.json").write_text("{}")
    try:
        code, said = taskbind(small)
        assert (code, "out is out of date: run `taskbind generate`" in said) == (0, True)
        before = tree(tmp_path)
        code, said = taskbind(small, "--release", "0.1.0", "--to", "other")
        assert (code, "nothing is released that the specs do not give" in said) == (2, True)
        assert tree(tmp_path) == before
    finally:
        (small.specs / "new.json").unlink()
