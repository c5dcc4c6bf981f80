"""Claims: of a cold generate, the docs take at most half a second; with the site built and checked, it takes 6 s."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import measure

from taskbind.config import load_config
from taskbind.context import Context
from taskbind.diagnostics import Report
from taskbind.pipeline import read_api
from taskbind.plan import plan
from taskbind.render import renderers
from taskbind.site.build import check_site

DOCS = ("openapi", "playground", "snippets", "pictures", "docs", "site")
RUNS = 5


def rendering(project: Path) -> float:
    """The median of CPU seconds that rendering the docs takes, once everything before it is done."""
    config = load_config(project)
    api = read_api(config, Report())
    names = plan(api, config)
    known = renderers(config)
    seconds = []
    for _ in range(RUNS):
        context = Context(config)  # which keeps what renderers share
        start = time.process_time()
        for name in DOCS:
            known[name](api, names, context)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def publishing(project: Path) -> tuple[float, float]:
    """The medians of wall and CPU seconds from specs to a checked site, where nothing was before."""
    wall, cpu = [], []
    for _ in range(RUNS):
        for folder in ("generated", "site"):
            shutil.rmtree(project / folder, ignore_errors=True)
        start, used = time.perf_counter(), _used()
        for command in ("generate", "site"):
            subprocess.run([measure.taskbind(), command], cwd=project, check=True, stdout=subprocess.DEVNULL)
        wall.append(time.perf_counter() - start)
        cpu.append(_used() - used)
    return statistics.median(wall), statistics.median(cpu)


def _used() -> float:
    """CPU seconds of all processes that were started here and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def checking(site: Path) -> float:
    """CPU seconds of the link check alone."""
    start = time.process_time()
    check_site(site)
    return time.process_time() - start


with measure.project() as copy:
    measure.report("docs in generate (pages, programs, OpenAPI, playground), CPU", rendering(copy), 0.5, "s")
    passed, used = publishing(copy)
    measure.report("generate, site and link check, wall", passed, 6.0, "s")
    # The same on a machine that has nothing else to do, but for waiting for its disk.
    measure.report("generate, site and link check, CPU", used, 6.0, "s")
    measure.report("link check alone, CPU", checking(copy / "site"), 1.0, "s")
