"""Run Python programs: ``python batch.py FILE…``, each in a process of its own, in the folder of its file.

The processes are copies of this one, which has imported already what takes long. As in `Batch.java`, what a program
prints goes to ``stdout`` and ``stderr`` beside it, and what it exits with to ``status``.
"""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from inference_tasks import Client, InferenceError


def run(program: Path) -> int:
    """Run it in a copy of this process; the status that it exits with."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(program.parent)
            for name, descriptor in (("stdout", 1), ("stderr", 2)):
                os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), descriptor)
            sys.argv, sys.path[0] = [program.name], ""
            runpy.run_path(program.name, run_name="__main__")
            status = 0
        except SystemExit as end:
            print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(programs: list[str]) -> None:
    """Run all, one after another."""
    for program in map(Path, programs):
        program.with_name("status").write_text(str(run(program)))


def warm_up() -> None:
    """Import what a call imports: make one, to where nothing listens."""
    with Client("http://127.0.0.1:1", token="none", max_retries=0) as client, suppress(InferenceError):
        client.text_classification("…")


if __name__ == "__main__":
    warm_up()
    main(sys.argv[1:])
