"""Train the demo models and write their samples: ``python -m training [TASK ...]``.

Needs torch, transformers, soundfile and soxr, what requirements.txt beside it names, and espeak-ng; the rest is in this
repository. Seeded: the same versions on the same kind of processor give the same models. About five minutes for all
four: two tasks are trained at a time, each by one process with one thread, which for models this small is no slower.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from .tasks import TRAINERS, train

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Train the named tasks, or all, and print what was measured on data that no model has seen."""
    parser = argparse.ArgumentParser("python -m training", description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=Path, default=ROOT / "templates" / "demo", help="folder of the models")
    parser.add_argument("--samples", type=Path, default=ROOT / "specs", help="spec root, for the samples")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"any of {', '.join(TRAINERS)}")
    arguments = parser.parse_args()
    for task in arguments.tasks:
        if task not in TRAINERS:
            parser.error(f"no demo model for {task!r}; there are {', '.join(TRAINERS)}")

    # Set here, before a process is started, because torch and the tokenizers read them as they are imported.
    os.environ |= {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        tasks = arguments.tasks or TRAINERS
        for done in as_completed(pool.submit(train, task, arguments.models, arguments.samples) for task in tasks):
            print(done.result(), flush=True)


if __name__ == "__main__":
    main()
