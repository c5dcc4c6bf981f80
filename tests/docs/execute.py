"""Run all printed programs, and say so on the docs' front page: ``python -m tests.docs.execute``.

Writes ``specs/executed.toml``, by which the generator knows that these very programs ran. It takes minutes, and needs
the tools of all languages.
"""

from __future__ import annotations

import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from tests.support.server import recording_proxy, running_server

from .checker import checked
from .pages import DOCS, SPECS
from .programs import LANGUAGES, programs

RECORD = SPECS / "executed.toml"


def digest() -> str:
    """The hash of the list of all programs."""
    return sha256((DOCS / "snippets.json").read_bytes()).hexdigest()


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
            place = Path(folder, language)
            place.mkdir()
            for program, found in zip(own, checked(own, (proxy, demo_proxy), place), strict=True):
                wrong += bool(found)
                if found:
                    print(f"{program.file}: {'; '.join(found)}")
            print(f"{language}: {len(own)} programs", flush=True)
    if not wrong:
        RECORD.write_text(
            "# Written by `nox -s record`: the hash of the list of the docs' programs, once all of them have run.\n"
            f'sha256 = "{digest()}"\nprograms = {len(programs())}\n',
            encoding="utf-8",
        )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
