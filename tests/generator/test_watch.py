"""`taskbind watch`, as a process on real files: what is saved is generated, and what is wrong is said where it is."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from taskbind.config import load_config
from taskbind.lock import locked
from taskbind.pipeline import check
from tests.support.project import echo_task, write_specs

_LONG: Final = 60  # seconds; nothing here takes as long


class Watched:
    """A project that a process watches, and the lines that it prints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "taskbind", "watch"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def line(self) -> str:
        """The next line."""
        return self.lines.get(timeout=_LONG)

    def saved(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def stopped(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_LONG)


SPEC: Final = "specs/echo/input.json"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    write_specs(tmp_path / "specs", echo_task({"top": {"type": "integer"}}))
    (tmp_path / "own").mkdir()
    (tmp_path / "taskbind.toml").write_text(
        'specs = "specs"\nout = "out"\ntemplates = "own"\n[package]\nname = "made"\n'
    )
    watched = Watched(tmp_path)
    try:
        yield watched
    finally:
        watched.process.kill()
        watched.process.wait(_LONG)


def begun(watched: Watched) -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d \d+ files changed in [\d.]+ s: out/docs/.*", watched.line())
    assert watched.line() == "watching specs, templates, releases and taskbind.toml; Ctrl-C ends"


def current(watched: Watched) -> bool:
    return not check(load_config(watched.folder))[0].changes


def test_what_is_saved_is_generated_and_the_page_named(watched: Watched) -> None:
    begun(watched)
    assert current(watched)
    watched.saved(SPEC, watched.read(SPEC).replace("What to say.", "What to shout."))
    said = watched.line()
    assert re.fullmatch(r"\d\d:\d\d:\d\d \d+ files changed in [\d.]+ s: out/docs/echo\.md", said), said
    assert "What to shout." in watched.read("out/docs/echo.md")
    assert current(watched), "check renders all of it anew, and finds the same bytes"
    assert watched.stopped() == 0
    assert watched.line() == "stopped"
    assert [path.name for path in watched.folder.glob(".out.*")] == []


def test_an_error_is_said_with_its_place_until_it_is_gone(watched: Watched) -> None:
    begun(watched)
    whole = watched.read(SPEC)
    before = watched.read("out/manifest.json")
    watched.saved(SPEC, whole.replace('"integer"', '"intger"'))
    line = whole[: whole.index('"integer"')].count("\n") + 1
    assert watched.line().startswith(f"specs/echo/input.json:{line}: /properties/parameters/properties/top")
    assert watched.line().endswith("taskbind: 1 error in the specs; nothing was written")
    assert watched.read("out/manifest.json") == before
    watched.saved(SPEC, whole)
    assert "good again, up to date in" in watched.line()
    watched.saved(SPEC, whole.replace("What to say.", "It goes on."))
    assert watched.line().endswith(": out/docs/echo.md")


def test_a_warning_that_may_be_the_cause_is_said_beside_the_error(watched: Watched) -> None:
    begun(watched)
    whole = watched.read(SPEC)
    watched.saved(SPEC, json.dumps({"typ" if key == "type" else key: item for key, item in json.loads(whole).items()}))
    said = [watched.line() for _ in range(3)]
    words = ("TB301", "'typ' is not used", "nothing was written")
    assert [word in line for word, line in zip(words, said, strict=True)] == [True] * 3, said
    watched.saved(SPEC, whole)
    assert "good again, up to date in" in watched.line()


def test_findings_that_stop_nothing_are_counted_when_they_are_news(watched: Watched) -> None:
    begun(watched)
    whole = watched.read(SPEC)
    for text in ("One.", "Two."):
        spec = json.loads(whole.replace("What to say.", text))
        watched.saved(SPEC, json.dumps(spec | {"$defs": {"Old": {"typ": "string"}}}))
        assert watched.line().endswith(": out/docs/echo.md")
        if text == "One.":
            assert watched.line() == "specs: 1 warning; none in the way; `taskbind lint` lists them"
    watched.saved(SPEC, whole)
    assert watched.line().endswith(": out/docs/echo.md")
    assert watched.line() == "specs: nothing to find fault with"


def test_work_by_hand_is_kept_until_it_is_taken_out_of_the_way(watched: Watched) -> None:
    begun(watched)
    page = watched.read("out/docs/echo.md")
    watched.saved("out/docs/echo.md", f"{page}By hand.\n")
    watched.saved(SPEC, watched.read(SPEC).replace("What to say.", "Later."))
    assert "docs/echo.md" in watched.line()
    assert watched.line().startswith("Move the change into")
    assert watched.read("out/docs/echo.md").endswith("By hand.\n")
    watched.saved("out/docs/echo.md", page)
    assert "good again" in watched.line()
    assert "Later." in watched.read("out/docs/echo.md")


def test_a_template_of_ones_own_that_appears_breaks_and_goes(watched: Watched) -> None:
    begun(watched)
    (watched.folder / "own").rmdir()
    assert "own is no folder" in watched.line()
    (watched.folder / "own").mkdir()
    assert "good again, up to date" in watched.line()
    own = "own/docs/limits.md.jinja"
    (watched.folder / "own" / "docs").mkdir()
    watched.saved(own, "Mine: {{ project.package }}\n")
    assert watched.line().endswith(": out/docs/limits.md")
    assert watched.read("out/docs/limits.md") == "Mine: made\n"
    watched.saved(own, "Mine:\n{{ nothing.there }}\n")
    assert watched.line().endswith("taskbind: own/docs/limits.md.jinja:2: 'nothing' is undefined; correct the template")
    (watched.folder / own).unlink()
    assert "good again" in watched.line()
    assert watched.read("out/docs/limits.md") != "Mine: made\n"


def test_the_configuration_may_change_break_and_be_good_again(watched: Watched) -> None:
    begun(watched)
    text = watched.read("taskbind.toml")
    watched.saved("taskbind.toml", f"{text}nme = 1\n")
    assert "taskbind.toml" in (said := watched.line()) and "did you mean 'name'?" in said
    watched.saved("taskbind.toml", text.replace('"specs"', '"moved"', 1))
    assert "specs: moved is no folder" in watched.line()
    (watched.folder / "specs").rename(watched.folder / "moved")
    assert "good again" in watched.line()
    watched.saved("moved/echo/input.json", watched.read("moved/echo/input.json").replace("What to say.", "Moved."))
    assert watched.line().endswith(": out/docs/echo.md"), "it is the new folder that is watched now"


def test_a_file_that_is_saved_in_two_steps_flashes_no_error(watched: Watched) -> None:
    begun(watched)
    whole = watched.read(SPEC).replace("What to say.", "In two steps.")
    for text in (whole[:100], ""):
        watched.saved(SPEC, text)
    swap = watched.folder / "specs" / "echo" / ".input.json.swap"
    swap.write_text(whole)
    swap.replace(watched.folder / SPEC)
    assert watched.line().endswith(": out/docs/echo.md")
    assert current(watched)


def test_it_waits_for_another_run_and_says_so(watched: Watched) -> None:
    begun(watched)
    with locked(watched.folder / "out"):
        watched.saved(SPEC, watched.read(SPEC).replace("What to say.", "Later."))
        assert f"waiting: process {os.getpid()} (" in watched.line()
        assert "Later." not in watched.read("out/docs/echo.md")
    assert watched.line().endswith(": out/docs/echo.md")
    assert "Later." in watched.read("out/docs/echo.md")


def test_it_begins_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "taskbind.toml").write_text("specs = \n")
    watched = Watched(tmp_path)
    try:
        assert "taskbind.toml" in watched.line()
        write_specs(tmp_path / "specs", echo_task())
        watched.saved("taskbind.toml", 'specs = "specs"\nout = "out"\n')
        assert "good again" in watched.line()
        assert json.loads(watched.read("out/manifest.json"))["outputs"]
        assert watched.stopped() == 0
    finally:
        watched.process.kill()
        watched.process.wait(_LONG)


def test_many_saves_in_a_row_end_with_the_last(watched: Watched) -> None:
    begun(watched)
    text = watched.read(SPEC)
    for number in range(30):
        watched.saved(SPEC, text.replace("What to say.", f"Number {number}."))
        time.sleep(0.02)
    while "Number 29." not in watched.read("out/docs/echo.md"):
        assert watched.line().endswith(": out/docs/echo.md")
    assert current(watched)


def test_there_is_something_to_watch(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "taskbind", "watch"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "begin a project with `taskbind init`" in done.stderr
