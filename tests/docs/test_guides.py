"""The guides of the tool, README and `docs/`: every link leads somewhere, and what they list is what there is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Group

from taskbind.cli import main
from taskbind.config import _KEYS, _PACKAGE_KEYS, load_config
from taskbind.evolve.ignore import check_rules
from taskbind.evolve.rules import RULES

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def prose(path: Path) -> str:
    """A guide without its code."""
    return re.sub(r"(?ms)^( *)```.*?^\1```|`[^`\n]*`", "", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Where links may lead: headings as GitHub names them, and anchors that are written out."""
    text = path.read_text(encoding="utf-8")
    plain = re.sub(r"(?ms)^```.*?^```", "", text)
    headings = re.findall(r"(?m)^#+ (.*)$", plain)
    names = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return names | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def links(path: Path) -> Iterator[tuple[str, str]]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield file, anchor


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for file, anchor in links(path):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{path.name}: {file}"
        assert not anchor or anchor in anchors(target), f"{path.name}: {file}#{anchor}"


def test_every_guide_is_linked_from_the_readme() -> None:
    linked = {file for file, _ in links(ROOT / "README.md")}
    assert {f"docs/{path.name}" for path in GUIDES if path.parent.name == "docs"} <= linked


def test_the_readme_shows_every_key_of_a_project() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = tomllib.loads(re.findall(r"(?ms)^```toml\n(# taskbind.toml.*?)^```", readme)[0])
    assert shown.keys() | {"diff"} == _KEYS.keys()
    assert shown["package"].keys() == _PACKAGE_KEYS.keys()


def test_the_ignore_list_of_the_guide_is_one(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "releases.md").read_text(encoding="utf-8")
    shown = re.findall(r"(?ms)^```toml\n(# taskbind.toml.*?)^```", guide)[0]
    (tmp_path / "taskbind.toml").write_text(f'specs = "specs"\nout = "out"\n{shown}', encoding="utf-8")
    ignores = load_config(tmp_path).ignores
    assert len(ignores) == 1
    check_rules(ignores, RULES, "taskbind.toml")


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"(?m)^\| (`(?:taskbind )?.*?) \|", readme)
    named = {word for cell in table for word in re.findall(r"`(?:taskbind )?([a-z]+)", cell)}
    assert isinstance(main, Group)
    assert main.commands.keys() <= named
