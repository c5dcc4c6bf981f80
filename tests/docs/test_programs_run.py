"""Nothing unproven is printed: every program of every language runs as printed, and does what the docs say."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.server import Proxy

from .checker import checked
from .programs import LANGUAGES, TOOLS, Program, need, prepare, programs, run
from .specs import sendings

Proxies = tuple[Proxy, Proxy]
FORMS = ("image-classification/seven", "image-classification/three-top-3", "text-classification/complaint-all")


def of(language: str, *names: str) -> list[Program]:
    """The programs of a language that are called so, by default all."""
    own = [program for program in programs() if program.language == language]
    return [program for program in own if f"{program.task}/{program.name}" in names] if names else own


@pytest.mark.parametrize("language", LANGUAGES)
def test_printed_programs_run(language: str, proxies: Proxies, tmp_path: Path, tables: list[str]) -> None:
    need(language)
    emitted = of(language)
    executed = checked(emitted, proxies, tmp_path)
    wrong = {program.file: found for program, found in zip(emitted, executed, strict=True) if found}
    assert not wrong, "\n".join(f"{file}: {'; '.join(found)}" for file, found in wrong.items())
    assert len(executed) == len(emitted) == len(sendings())
    tables.append(f"programs in {language}: {len(emitted)} printed, {len(executed)} run")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_can_run_them(language: str, proxies: Proxies, tmp_path: Path) -> None:
    need(language)
    assert checked(of(language, "image-classification/three-top-3"), proxies, tmp_path, alone=True) == [[]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_programs_tell_of_errors(language: str, proxy: Proxy, tmp_path: Path) -> None:
    need(language)
    jobs = [(program, proxy.channel()) for program in of(language, *FORMS, "image-classification/seven-several")]
    assert len(jobs) == 4
    for outcome in run(language, jobs, tmp_path, token="wrong"):
        assert outcome.status
        assert b"401" in outcome.stderr
        message = outcome.stdout if language == "curl" else outcome.stderr
        assert b"token" in message
        # Only our client sends several requests at once: the others stop at the first that fails.
        assert len(outcome.sent) == 1 or language == "client"


def test_go_programs_are_formatted(proxy: Proxy, tmp_path: Path) -> None:
    need("go")
    channel = proxy.channel()
    files = [prepare(program, channel, tmp_path / f"{number}") for number, program in enumerate(of("go"))]
    done = subprocess.run(["gofmt", "-l", *files], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_every_line_of_a_program_can_be_read() -> None:
    for program in programs():
        assert not re.search(r"[ \t]$", program.code, re.MULTILINE), program.file
        assert "\n\n\n" not in program.code, program.file


def test_a_missing_tool_is_a_reported_skip_and_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOOLS, "php", replace(TOOLS["php"], test=("no-such-tool",)))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="php-curl"):
        need("php")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="php-curl"):
        need("php")
