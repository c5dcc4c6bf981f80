"""The way of the data: load → normalize → lower → plan → render → format → commit.

Each verb of the command line is one function here; each stage is one module, imported when it is needed, so that a
run with nothing to do costs next to nothing.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .commit import MANIFEST, Changes, commit, compare
from .config import Config
from .diagnostics import LOOSENABLE, Report, TaskbindError
from .manifest import inputs, is_current, render_manifest

if TYPE_CHECKING:
    from . import ir

API = "api.json"

Progress = Callable[[str], None]


class SpecError(TaskbindError):
    """The specs have errors that no rule could repair. They are in `report`."""

    exit_code = 1

    def __init__(self, report: Report) -> None:
        fatal = report.fatal
        loosenable = " ".join(f"--allow-loose {code}" for code in sorted({d.code for d in fatal} & LOOSENABLE))
        hint = f" ({loosenable} goes on without the keyword)" if loosenable else ""
        super().__init__(f"{len(fatal)} error{'s' * (len(fatal) != 1)} in the specs; nothing was written{hint}")
        self.report = report


@dataclass(frozen=True)
class Outcome:
    """What a run did: the changes to the output directory, and what was found in the specs."""

    changes: Changes
    report: Report
    tasks: int
    files: int


def read_api(config: Config, report: Report, progress: Progress = lambda stage: None) -> ir.Api:
    """The IR of a spec root. Raises SpecError where the specs cannot be read without guessing."""
    from .examples import check_examples
    from .load import load
    from .lower import lower
    from .normalize import normalize

    _need_specs(config)
    progress("load")
    tree = load(config.specs, report)
    progress("normalize")
    tree = normalize(tree, report)
    check_examples(tree, report)
    if report.fatal:  # what was refused is missing from the tree, so lowering would see weaker schemas
        raise SpecError(report)
    progress("lower")
    api = lower(tree, report)
    if report.fatal:
        raise SpecError(report)
    if not api.tasks:
        raise TaskbindError(f"{config.specs}: no tasks found; a task is a folder with input.json and output.json")
    return api


def build(
    config: Config, state: Mapping[str, Any], report: Report, progress: Progress = lambda stage: None
) -> dict[str, bytes]:
    """Every generated file, in memory, with a manifest of the inputs in `state`. Raises SpecError for bad specs."""
    from . import ir_json
    from .context import Context
    from .formatting import format_tree
    from .plan import plan
    from .render import Files, renderers

    api = read_api(config, report, progress)
    progress("plan")
    names = plan(api, config)
    context = Context(config)
    files: Files = {API: json.dumps(ir_json.to_json(api), indent=1, ensure_ascii=False) + "\n"}
    for name, render in renderers().items():
        progress(f"render {name}")
        made = render(api, names, context)
        if twice := files.keys() & made.keys():
            raise TaskbindError(f"renderer {name!r} writes {', '.join(sorted(twice))}, which another one wrote already")
        files |= made
    progress("format")
    files = format_tree(files, skip=(f"{names.package}/_runtime/",))
    out = {path: text.encode("utf-8") if isinstance(text, str) else text for path, text in sorted(files.items())}
    return out | {MANIFEST: render_manifest(state, out)}


def generate(config: Config, progress: Progress = lambda stage: None) -> Outcome:
    """Bring the output directory up to date. Raises TaskbindError, and then has written nothing."""
    report = _report(config)
    state = inputs(config)
    if is_current(config, state):
        return _nothing(config, report)
    files = build(config, state, report, progress)
    progress("commit")
    changes = commit(config.out, files)
    return Outcome(changes, report, _tasks(files), len(files))


def check(config: Config, progress: Progress = lambda stage: None) -> tuple[Outcome, Iterator[str]]:
    """Compare the output directory with what generating would write, and write nothing.

    Returns what would change, and the lines of a unified diff (made only if they are asked for).
    """
    report = _report(config)
    state = inputs(config)
    if is_current(config, state):
        return _nothing(config, report), iter(())
    files = build(config, state, report, progress)
    changes = compare(config.out, files)
    return Outcome(changes, report, _tasks(files), len(files)), _diff(config, files, changes)


def lint(config: Config, progress: Progress = lambda stage: None) -> Report:
    """Everything that is wrong with the specs, whether generation could repair it or not, and what is poor style."""
    from .examples import check_examples, count_examples
    from .load import load, load_templates
    from .lower import lower
    from .normalize import normalize
    from .normalize.style_rules import check_style

    _need_specs(config)
    report = _report(config)
    progress("load")
    tree = load(config.specs, report)
    progress("lint")
    check_style(tree, report)
    count_examples(tree, report)
    tree = normalize(tree, report)
    check_examples(tree, report)
    if not report.fatal:
        lower(tree, report)
    templates = load_templates(config.specs, report)
    check_style(templates, report)
    normalize(templates, report)
    return report


def _report(config: Config) -> Report:
    return Report(loose=frozenset(config.allow_loose))


def _need_specs(config: Config) -> None:
    if not config.specs.is_dir():
        raise TaskbindError(f"{config.specs}: no such folder of specs")


def _nothing(config: Config, report: Report) -> Outcome:
    files = json.loads((config.out / MANIFEST).read_text(encoding="utf-8"))["outputs"]
    return Outcome(Changes((), (), ()), report, _tasks({API: (config.out / API).read_bytes()}), len(files) + 1)


def _tasks(files: dict[str, bytes]) -> int:
    return len(json.loads(files[API])["tasks"])


def _diff(config: Config, files: dict[str, bytes], changes: Changes) -> Iterator[str]:
    for path in sorted({*changes.added, *changes.changed, *changes.removed}):
        old, new = (config.out / path).read_bytes() if path not in changes.added else b"", files.get(path, b"")
        try:
            before, after = old.decode().splitlines(), new.decode().splitlines()
        except UnicodeDecodeError:
            yield f"Binary file {path} differs"
            continue
        names = (f"a/{path}" if path not in changes.added else "/dev/null", f"b/{path}" if new else "/dev/null")
        yield from difflib.unified_diff(before, after, *names, lineterm="")
