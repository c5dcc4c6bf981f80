"""Open pages in one Chromium: ``python batch_browser.py FILE…``, each as a reader opens it from its folder.

To what they ask, the answer is the token; of the files that they want, they get all that are beside them. As in
`Batch.java`, what a page's console says goes to ``stdout`` beside it, its errors go to ``stderr``, and what would be an
exit status to ``status``. A page is done once it has said something or failed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.browser import chromium
from tests.support.server import TOKEN_VARIABLE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog

PATIENCE = 60_000
"""Milliseconds."""
WRITTEN = {"stdout", "stderr", "status"}


def run(browser: Browser, program: Path) -> int:
    """Open a page; the status."""
    said: list[str] = []
    failed: list[str] = []
    page = browser.new_page()

    def answer(dialog: Dialog) -> None:
        dialog.accept(os.environ[TOKEN_VARIABLE])

    def hear(message: ConsoleMessage) -> None:
        (failed if message.type == "error" else said).append(message.text)

    page.on("dialog", answer)
    page.on("console", hear)
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(program.as_uri())
    if page.locator("input").count():
        beside = [path for path in program.parent.iterdir() if path != program and path.name not in WRITTEN]
        page.set_input_files("input", beside)
    waited = 0
    while not (said or failed) and waited < PATIENCE:
        page.wait_for_timeout(5)
        waited += 5
    page.wait_for_timeout(5)
    page.close()
    program.with_name("stdout").write_text("".join(f"{text}\n" for text in said), encoding="utf-8")
    program.with_name("stderr").write_text("".join(f"{text}\n" for text in failed), encoding="utf-8")
    return int(bool(failed) or not said)


def main(programs: list[str]) -> None:
    """Open all, one after another."""
    with chromium() as browser:
        for program in map(Path, programs):
            program.with_name("status").write_text(str(run(browser, program)))


if __name__ == "__main__":
    main(sys.argv[1:])
