"""``python -m tests.laws``: hold the laws against every schema of every task, and print a table of what was done.

Then seed the IR with bugs, one at a time, and count those that the same data shows.

Specs of others are measured too where TASKBIND_CORPUS (or ``--corpus``) names a folder with ``hf-tasks/``. The data is
the same every time; ``--seed`` draws other payloads. A break prints the schema, the payload, and a command that holds
the laws against that payload alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from taskbind.config import Config
from taskbind.pipeline import generate
from tests.support.laws import Tally
from tests.support.payloads import Case

from .bugs import Fate, Hunt, bugs
from .subjects import OURS, Project, Row, Subject, read

PACKAGE = "hf_tasks"
_SHOWN = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run; the exit code is 1 where a law does not hold."""
    arguments = _parser().parse_args(argv)
    with projects(arguments.corpus) as found:
        if arguments.replay:
            return replay(subject(found, arguments.replay[0]), arguments.replay[1])
        broken = _laws(found, arguments)
        survived = _bugs(found, arguments) if arguments.bugs else 0
    return 1 if broken or survived else 0


def _laws(found: list[Project], arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    rows = run(found, arguments)
    print(table(rows))
    for project, row in rows:
        name = f"{project.package}/{row.name}"
        corpus = "" if project is OURS else f" --corpus {shlex.quote(str(arguments.corpus))}"
        for each in row.tally.broken[:_SHOWN]:
            print(f"\n{name}: {each}\nthe schema: {schema_text(subject(found, name))}")
            print(f"  python -m tests.laws{corpus} --replay {name} {shlex.quote(each.case.text)}")
    total = sum(row.tally.total for _, row in rows)
    broken = sum(len(row.tally.broken) for _, row in rows)
    print(f"{total:,} cases in {time.perf_counter() - started:.0f} s, {broken:,} broken")
    return broken


def _bugs(found: list[Project], arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    parts = [(project, part, arguments.processes) for project in found for part in range(arguments.processes)]
    with ProcessPoolExecutor(arguments.processes) as pool:
        fates = [pair for part in pool.map(hunt, parts) for pair in part]
    counts = Counter(fate for _, fate in fates)
    for what, fate in fates:
        if fate in (Fate.SURVIVED, Fate.UNDECIDED):
            print(f"{fate.value}: {what}")
    real = len(fates) - counts[Fate.NO_BUG]
    print(
        f"{counts[Fate.CAUGHT]:,} of {real:,} seeded bugs caught ({counts[Fate.CAUGHT] / max(1, real):.2%}; "
        f"{counts[Fate.NO_BUG]} more change nothing) in {time.perf_counter() - started:.0f} s"
    )
    return counts[Fate.SURVIVED]


def hunt(share: tuple[Project, int, int]) -> list[tuple[str, Fate]]:
    """The fates of one of so many parts of a project's bugs: those of neighbours, which share their data."""
    project, part, parts = share
    hunter = Hunt(project)
    found = list(bugs(hunter.api))
    size = -(-len(found) // parts)
    return [(str(bug), hunter.fate(bug)) for bug in found[part * size : (part + 1) * size]]


def subject(found: list[Project], name: str) -> Subject:
    """The schema that a name such as ``inference_tasks/text-classification/input`` means."""
    return next(each for project in found for each in project.subjects() if f"{project.package}/{each}" == name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.laws", description=__doc__, allow_abbrev=False)
    corpus = os.environ.get("TASKBIND_CORPUS")
    parser.add_argument("--cases", type=int, default=10_000, help="the most changed payloads of one schema")
    parser.add_argument("--draws", type=int, default=6, help="how many payloads of a schema are drawn by Hypothesis")
    parser.add_argument("--seed", type=int, default=0, help="draw other payloads")
    parser.add_argument(
        "--corpus", type=Path, default=Path(corpus) if corpus else None, help="a folder of foreign specs"
    )
    parser.add_argument("--only", default="", help="tasks whose name has this in it")
    parser.add_argument("--no-bugs", dest="bugs", action="store_false", help="hold the laws only")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--replay", nargs=2, metavar=("PACKAGE/TASK/KIND", "JSON"), help="hold the laws against one payload"
    )
    return parser


@contextmanager
def projects(corpus: Path | None) -> Iterator[list[Project]]:
    """Our specs, and those of the corpus with a package that is generated from them."""
    with tempfile.TemporaryDirectory() as directory:
        found = [OURS]
        if corpus and (corpus / "hf-tasks").is_dir():
            out = Path(directory) / "out"
            generate(Config(corpus / "hf-tasks", out, package=PACKAGE))
            found.append(Project(corpus / "hf-tasks", PACKAGE, out))
        yield found


def run(found: list[Project], arguments: argparse.Namespace) -> list[tuple[Project, Row]]:
    """Measure all schemas, in two processes."""
    chosen = [s for project in found for s in project.subjects() if arguments.only in s.task]
    measure = partial(Subject.measure, draws=arguments.draws, seed=arguments.seed, limit=arguments.cases)
    with ProcessPoolExecutor(arguments.processes) as pool:
        return list(zip((s.project for s in chosen), pool.map(measure, chosen), strict=True))


def table(rows: Sequence[tuple[Project, Row]]) -> str:
    """What was measured, one line a schema."""
    head = f"{'schema':46} {'valid':>6} {'mutants':>8} {'boundaries':>10} {'rejected':>8} {'broken':>6} {'paths':>9}"
    lines = [head]
    total, hits, paths = Tally(), 0, 0
    for index, (project, row) in enumerate(rows):
        if index and rows[index - 1][0] is not project:
            lines.append(f"-- {project.package}")
        lines.append(_line(row.name, row.tally, row.hit, row.declared))
        total += row.tally
        hits, paths = hits + row.hit, paths + row.declared
    return "\n".join([*lines, _line("all", total, hits, paths)])


def _line(name: str, tally: Tally, hits: int, paths: int) -> str:
    counts = tally.counts
    return (
        f"{name:46} {counts['valid']:6} {counts['mutant']:8} {counts['boundary']:10} {counts['rejected']:8} "
        f"{len(tally.broken):6} {f'{hits}/{paths}':>9}"
    )


def schema_text(subject: Subject) -> str:
    """The schema of a subject, as its specs say it."""
    return read(subject.project.specs).judge.text(subject.id)[:2000]


def replay(subject: Subject, text: str) -> int:
    """Hold the laws against one payload, and tell what everyone says of it."""
    case = Case("valid", "from the command line", json.loads(text), text)
    tally = Tally()
    subject.laws.hold(case, tally)
    print(f"the schema: {schema_text(subject)}")
    print(f"the specs {'accept' if tally.counts['accepted'] else 'reject'} it")
    print("\n".join(map(str, tally.broken)) or "all laws hold")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
