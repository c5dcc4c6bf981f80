"""The workflow that publishes the docs runs commands that exist, and may do no more than it must."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click
import yaml

from taskbind.cli import main
from tests.conftest import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "docs.yml").read_text(encoding="utf-8"))


def steps() -> list[dict[str, Any]]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_its_commands_exist() -> None:
    context = click.Context(main)
    ran = [
        shlex.split(line)
        for step in steps()
        for line in step.get("run", "").splitlines()
        if line.strip().startswith("taskbind ")
    ]
    assert {words[1] for words in ran} == {"check", "site"}
    for words in ran:
        command = main.get_command(context, words[1])
        assert command is not None, words
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_it_installs_an_extra_that_exists() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert any('".[site]"' in step.get("run", "") for step in steps())
    assert re.search(r"^site = \[\"zensical==[\d.]+\"\]$", declared, re.MULTILINE)


def test_it_may_do_no_more_than_it_must() -> None:
    assert WORKFLOW["permissions"] == {}
    allowed = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}
    assert allowed == {
        "build": {"contents": "write", "pages": "read"},
        "deploy": {"id-token": "write", "pages": "write"},
    }
    # YAML takes the key `on` for a truth value.
    assert WORKFLOW[True].keys() == {"push", "workflow_dispatch"}
    assert WORKFLOW[True]["push"].keys() == {"tags"}


def test_its_actions_are_pinned_and_nothing_is_pasted_into_a_shell() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)
    assert not any("${{" in step.get("run", "") for step in steps())
