"""Run all printed programs, and say so on the docs' front page: ``python -m tests.docs.execute``.

Writes ``specs/executed.toml``, by which the generator knows that these very programs ran. It takes minutes, and needs
the tools of all languages.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.support.server import recording_proxy, running_server

from .checker import checked
from .pages import DOCS, SPECS
from .predict_checker import checked as predict_checked
from .programs import LANGUAGES, PREDICT_LANGUAGES, Program, listed, predict_programs, programs

RECORD = SPECS / "executed.toml"


def digest() -> str:
    """The hash of the list of all programs."""
    return sha256((DOCS / "snippets.json").read_bytes()).hexdigest()


def made(*way: str) -> Path:
    """A new folder."""
    folder = Path(*way)
    folder.mkdir()
    return folder


def told(kind: str, own: Sequence[Program], problems: Sequence[list[str]]) -> int:
    """Say what is wrong with which of the programs; with how many of them something is."""
    for program, found in zip(own, problems, strict=True):
        if found:
            print(f"{program.file}: {'; '.join(found)}")
    print(f"{kind}: {len(own)} programs", flush=True)
    return sum(map(bool, problems))


def main() -> int:
    """Run them; the exit status is 0 if every one of them did what it should."""
    wrong = 0
    with (
        running_server(("-m", "tests.docs.example_server")) as url,
        running_server() as demo_url,
        recording_proxy(url) as proxy,
        recording_proxy(demo_url) as demo_proxy,
        tempfile.TemporaryDirectory() as folder,
    ):
        for language in LANGUAGES:
            own = [program for program in programs() if program.language == language]
            wrong += told(language, own, checked(own, (proxy, demo_proxy), made(folder, language)))
        for language in PREDICT_LANGUAGES:
            own = [program for program in predict_programs() if program.language == language]
            wrong += told(f"{language}, predict", own, predict_checked(own, proxy, made(folder, f"{language}-predict")))
    if not wrong:
        RECORD.write_text(
            "# Written by `nox -s record`: the hash of the list of the docs' programs, once all of them have run.\n"
            f'sha256 = "{digest()}"\nprograms = {len(listed())}\n',
            encoding="utf-8",
        )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
