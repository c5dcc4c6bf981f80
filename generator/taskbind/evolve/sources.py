"""The two versions that `taskbind diff` compares: where each comes from, and its IR.

A version is named by a path (a folder with a `taskbind.toml`, the spec root itself in either layout, an `api.json`) or
by a git revision of the repository around the current folder. A path that is there wins over a revision of that name:
`refs/heads/…` says which is meant.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from .. import ir
from ..config import FILE, Config, is_project, load_config, project_above
from ..diagnostics import Report, TaskbindError, one_line, relative
from ..load.files import Reader, UnreadableError
from ..load.wire import DIALECTS
from ..pipeline import Progress, SpecError, read_api
from .git import find_revision
from .ignore import Ignore
from .releases import read_release, release_files

_MOST_BYTES: Final = 64 << 20
"""The largest api.json that is read; ours has 0.3 MiB."""


@dataclass(frozen=True)
class Source:
    """One version.

    `name` is what people call it. `config` is that of its own project, None where it is no project; `config_file` is
    where that stands. `specs` leads from the current folder to its spec root (for a revision, both lead to where that
    would lie), and is None for an `api.json`, whose specs are not there; `texts` are the files there that the IR names,
    by their path in the spec root.
    """

    name: str
    api: ir.Api
    config: Config | None = None
    config_file: str = FILE
    version: str | None = None
    specs: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)


class SideError(TaskbindError):
    """The specs of one side have errors that no rule could repair. They are in `report`."""

    exit_code = 1

    def __init__(self, side: str, name: str, report: Report) -> None:
        count = len(report.fatal)
        super().__init__(
            f"{side} ({name}): {count} error{'s' * (count != 1)} in the specs; there is nothing to compare"
        )
        self.report = report


class NothingYetError(TaskbindError):
    """There is no version to compare with yet, so that nothing can have changed."""


def read_sources(
    old: str | None, new: str | None, folder: Path, progress: Progress = lambda stage: None
) -> tuple[Source, Source]:
    """Both versions, read from `folder`: OLD is the last release where none is named, NEW the working tree.

    Raises NothingYetError where nothing was released yet, and for a revision OLD from before the project; SideError for
    bad specs, TaskbindError for what cannot be found or read.
    """
    folder = folder.resolve()
    here = load_config(folder) if is_project(folder) else None
    if here is None and (old is None or new is None):
        beside = project_above(folder) or "name both of what to compare: `taskbind diff OLD NEW`"
        raise TaskbindError(f"no {FILE} in this folder: {beside}")
    first = _named("OLD", old, folder, here, progress) if old is not None else _last_release(here)
    if new is None:
        assert here is not None, "it was asked for above"
        return first, _project("NEW", "the working tree", here, folder, progress)
    return first, _named("NEW", new, folder, here, progress)


def working_tree(folder: Path, progress: Progress = lambda stage: None) -> Source:
    """The project in `folder` as it is. Raises SideError for bad specs."""
    return _project("NEW", "the working tree", load_config(folder), folder.resolve(), progress)


def ignore_list(new: Source, folder: Path) -> tuple[tuple[Ignore, ...], str]:
    """The changes to ignore on the way to NEW, and the file that names them: its own project's, or that of `folder`."""
    if new.config is not None:
        return new.config.ignores, new.config_file
    return load_config(folder).ignores if is_project(folder) else (), FILE


def _last_release(here: Config | None) -> Source:
    if here is None or here.releases is None:
        raise TaskbindError(
            f'{FILE} names no folder of `releases`: add `releases = "releases"`, or name what to compare with, such as '
            "a git revision"
        )
    files = list(release_files(here.releases).values())
    if not files:
        raise NothingYetError(f"nothing is released yet (no file in {here.releases.name}/)")
    return release_source(files[-1])


def release_source(path: Path) -> Source:
    """A past release. Raises TaskbindError for a file that is no IR."""
    return _api(path, f"release {path.stem}", path.stem)


def _named(side: str, name: str, folder: Path, here: Config | None, progress: Progress) -> Source:
    path = folder / name
    try:
        found = bool(name) and path.exists()
    except (OSError, ValueError):  # too long, or with a NUL in it
        found = False
    if not found:
        return _revision(side, name, folder, here, progress)
    shown = one_line(name)
    if not path.is_dir():
        return _api(path, shown)
    if is_project(path):
        source = _project(side, shown, load_config(path), folder, progress)
        return replace(source, config_file=relative(path / FILE, folder))
    specs = path.resolve()
    config = replace(here, specs=specs) if here else Config(specs, specs)
    return replace(_project(side, shown, config, folder, progress), config=None, version=None)


def _project(
    side: str, name: str, config: Config, folder: Path, progress: Progress, specs: Path | None = None
) -> Source:
    """The specs of a project; `specs` is where they would lie in the working tree, where that is another place."""
    report = Report(loose=frozenset(config.allow_loose), root=specs or config.specs)
    try:
        api = read_api(config, report, progress, examples=False)  # they are no part of the API
    except SpecError as error:
        raise SideError(side, name, error.report) from error
    where = relative(specs or config.specs, folder)
    return Source(name, api, config, version=config.version, specs=where, texts=_texts(api, config.specs))


def _texts(api: ir.Api, specs: Path) -> dict[str, str]:
    """The files of a spec root in which something can change: schemas, and the TOML files beside them."""
    schemas = {definition.source.path for definition in api.definitions if definition.source}
    folders = {path.rpartition("/")[0] for path in schemas}
    beside = {f"{folder}/{name}" for folder in folders for name in ("task.toml", "wire.toml")}
    reader, texts = Reader(specs, Report()), {}
    for path in sorted({*schemas, *beside, DIALECTS}):
        try:
            texts[path] = reader.text(path)
        except UnreadableError:
            continue  # there need be no such file, and a meta-schema of JSON Schema itself is none
    return texts


def _api(path: Path, name: str, version: str | None = None) -> Source:
    try:
        size = path.stat().st_size if path.is_file() else -1
    except OSError as error:
        raise TaskbindError(f"{name}: cannot be read: {error.strerror or error}") from error
    if not 0 <= size <= _MOST_BYTES:
        raise TaskbindError(f"{name}: not a regular file of at most {_MOST_BYTES >> 20} MiB")
    return Source(name, read_release(path), version=version)


def _revision(side: str, name: str, folder: Path, here: Config | None, progress: Progress) -> Source:
    """The specs of a revision, where its own taskbind.toml says that they are; without one, where ours does."""
    revision = find_revision(name, folder)
    text = revision.text(f"{revision.prefix}{FILE}")
    if text is None and ":" in name:
        raise TaskbindError(f"{revision.name}: there is no {revision.prefix}{FILE} in that revision")
    with tempfile.TemporaryDirectory(prefix="taskbind-") as temporary:
        root = Path(temporary).resolve()
        project = root / revision.prefix
        project.mkdir(parents=True, exist_ok=True)
        if text is not None:
            (project / FILE).write_text(text, encoding="utf-8")
            try:
                config = replace(load_config(project), file=None)
            except TaskbindError as error:
                raise TaskbindError(f"{side} ({revision.name}): {_in_place(str(error), project)}") from error
        elif here is not None:
            config = replace(here, specs=(project / relative(here.specs, folder)).resolve())
        else:
            raise TaskbindError(f"{revision.name} has no {revision.prefix}{FILE}, and neither has this folder")
        if not config.specs.is_relative_to(root):
            raise TaskbindError(f"{revision.name}: its specs lie outside the repository, so no revision has them")
        path = config.specs.relative_to(root).as_posix()
        if side == "OLD" and text is None and revision.lacks(path):
            if moved := revision.moved(FILE):
                there = f"{name.partition(':')[0]}:{moved[0]}"
                raise TaskbindError(f"{revision.name}: the project was elsewhere then; say `{one_line(there)}`")
            raise NothingYetError(f"{revision.name} has neither {revision.prefix}{FILE} nor {path}/ yet")
        revision.write("" if path == "." else path, config.specs)
        shown = folder / relative(config.specs, project)
        source = _project(side, revision.name, config, folder, progress, shown)
    return source if text is not None else replace(source, config=None, version=None)


def _in_place(message: str, project: Path) -> str:
    """A message about a file of the revision, without the folder that it lay in for a moment."""
    for path in (relative(project, Path.cwd()), str(project)):
        message = message.replace(f"{path}/", "").replace(path, ".")
    return message
