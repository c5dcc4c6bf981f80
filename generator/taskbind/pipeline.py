"""The way of the data: load → normalize → lower → plan → render → format → commit.

Each verb of the command line is one function here; each stage is one module, imported when it is needed, so that a
run with nothing to do costs next to nothing.
"""

from __future__ import annotations

import difflib
import gc
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .commit import MANIFEST, Changes, compare, held, put
from .config import Config
from .diagnostics import LOOSENABLE, Report, TaskbindError, relative
from .manifest import inputs, is_current, render_manifest, salt, stamps
from .memo import Memo, Store

if TYPE_CHECKING:
    from . import ir
    from .context import Context
    from .render import Files

API = "api.json"
_TRIES: Final = 5
"""How often a run begins anew because an input was written while it read."""

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


def read_api(
    config: Config, report: Report, progress: Progress = lambda stage: None, *, examples: bool = True
) -> ir.Api:
    """The IR of a spec root. Raises SpecError where the specs cannot be read without guessing.

    `examples` says whether those have to be valid, too.
    """
    from .examples import check_examples
    from .load import load
    from .lower import lower
    from .normalize import normalize

    _need_specs(config)
    progress("load")
    tree = load(config.specs, report)
    progress("normalize")
    tree = normalize(tree, report)
    if examples:
        check_examples(tree, report)
    if report.fatal:  # what was refused is missing from the tree, so lowering would see weaker schemas
        raise SpecError(report)
    progress("lower")
    api = lower(tree, report)
    if report.fatal:
        raise SpecError(report)
    if not api.tasks:
        raise config.error("specs", "no tasks found; a task is a folder with input.json and output.json")
    return api


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: a run that finds most of what it needs leaves little, and would look for it for long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def build(
    config: Config,
    state: Mapping[str, Any],
    report: Report,
    progress: Progress = lambda stage: None,
    memo: Memo | None = None,
    tell: Callable[[str], None] = lambda said: None,
) -> dict[str, bytes]:
    """Every generated file, in memory, with a manifest of the inputs in `state`. Raises SpecError for bad specs.

    What `memo` has is not made anew; without one, everything is. `tell` hears of templates that are in no use.
    """
    from .context import Context
    from .formatting import format_tree

    context = Context(config, memo or Memo(keep=False))
    with _uncollected() if context.memo.kept else nullcontext():
        package, made = _rendered(config, report, progress, context)
    for said in context.idle_templates():
        tell(said)
    progress("format")
    files = format_tree(made, context, skip=(f"{package}/_runtime/",))
    out = {path: text.encode("utf-8") if isinstance(text, str) else text for path, text in sorted(files.items())}
    return out | {MANIFEST: render_manifest(state, out)}


def _rendered(config: Config, report: Report, progress: Progress, context: Context) -> tuple[str, dict[str, Files]]:
    """The name of the package, and all files as they are rendered, by the name of their renderer."""
    from .ir_json import api_text
    from .plan import plan
    from .render import renderers

    api = read_api(config, report, progress)
    progress("plan")
    names = plan(api, config)
    made: dict[str, Files] = {API: {API: api_text(api)}}
    for name, render in renderers(config).items():
        progress(f"render {name}")
        made[name] = render(api, names, context)
    return names.package, made


def generate(
    config: Config,
    progress: Progress = lambda stage: None,
    *,
    store: Store | None = None,
    tell: Callable[[str], None] = lambda said: None,
) -> Outcome:
    """Bring the output directory up to date. Raises TaskbindError, and then has written nothing.

    What is in `store` is not made anew. `tell` hears whom the run waits for, if another one is writing there, and of
    templates of the project's that are in no use.
    """
    store = store or Store()
    with ExitStack() as stack:
        waited = None
        for _ in range(_TRIES):
            before = stamps(config)
            state = inputs(config)
            if is_current(config, state):
                return _nothing(config, _report(config))
            if waited is None and (waited := stack.enter_context(held(config.out, tell))):
                continue  # the other run may have done it
            report, memo = _report(config), store.load(salt(state))
            try:
                files = build(config, state, report, progress, memo, tell)
            except TaskbindError:
                if stamps(config) == before:
                    raise
                continue
            if stamps(config) == before:
                break
        else:
            raise TaskbindError("the specs or templates are being written all the time; run again when they are done")
        progress("commit")
        changes = put(config.out, files)
        store.save(memo)
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
    return Report(loose=frozenset(config.allow_loose), root=config.specs)


def _need_specs(config: Config) -> None:
    if not config.specs.is_dir():
        where = relative(config.specs, Path.cwd())
        raise config.error("specs", f"{where} is no folder; make it, or name the folder of the specs")


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
