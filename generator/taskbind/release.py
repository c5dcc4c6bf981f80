"""A release: the next version into `taskbind.toml`, the API as it is among the releases, a section of `CHANGELOG.md`,
and the generated tree with all of it.

Nothing is half done: the texts are made first, then put in place, and taken back if generating fails. A run that was
killed in between can be run again with the version said.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast, get_args

from .config import FILE, Config
from .diagnostics import TaskbindError
from .evolve.releases import baseline, read_release, release_files
from .version import Bump, Version

if TYPE_CHECKING:
    from . import ir
    from .commit import Changes
    from .evolve.compare import Comparison
    from .pipeline import Progress
    from .site.build import Built

CHANGELOG: Final = "CHANGELOG.md"
_HEAD: Final = (
    "# Changelog\n\nWhat changed for people who use this package. Versions follow semantic versioning.\n\n"
    "## Unreleased\n"
)
_UNRELEASED: Final = re.compile(r"##[ \t]+\[?Unreleased\]?(\([^)]*\))?[ \t]*#*[ \t]*", re.IGNORECASE)


class PromiseError(TaskbindError):
    """The version that was asked for promises more than the changes keep."""

    exit_code = 1


@dataclass(frozen=True)
class Release:
    """A release to be made: its version, the API that it has, and what changed since the last one.

    `comparison` is None for the first release. `last` is the version before, None likewise.
    """

    version: Version
    api: ir.Api
    last: Version | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Released:
    """What a release changed: files of the project's own, the generated tree, and the site if one was asked for."""

    files: tuple[Path, ...]
    changes: Changes
    built: Built | None = None


def next_release(
    config: Config, folder: Path, wanted: str | None, *, anyway: bool = False, progress: Progress = lambda stage: None
) -> Release:
    """The release that `wanted` names: a version, or ``major``, ``minor`` or ``patch`` for the one after the last.

    None takes what semantic versioning asks for (:func:`taskbind.evolve.semver.suggest`); after what comes before a
    release, that release; and for the first one the version in `taskbind.toml`. Raises PromiseError for less than is
    asked for, unless it shall be so `anyway`; TaskbindError for a version that was released already or is below the
    last one, and for none where nothing changed.
    """
    from .evolve.compare import compare
    from .evolve.sources import ignore_list, release_source, working_tree

    released = _released(config)
    explicit = Version(wanted) if wanted and wanted not in get_args(Bump) else None
    again = released.pop(explicit, None) if explicit else None
    last = max(released, key=lambda each: each.order, default=None)
    if last is None and wanted and not explicit:
        raise TaskbindError(f"nothing is released yet that `{wanted}` could follow on; name a version")
    version = explicit or (last.after(cast(Bump, wanted or "patch")) if last else Version(config.version))
    if last and version.order <= last.order:
        raise TaskbindError(f"{version.name} is not above {last.name}, which was released already")
    new = working_tree(folder, progress)
    base = baseline(version, released)
    if base is None:
        return _checked(Release(version, new.api), again)
    old = release_source(released[base])
    comparison = compare(old, new, *ignore_list(new, folder), date.today())
    suggested = comparison.suggested
    asked = Version(suggested.version) if suggested.bump and suggested.version else None
    if last and not wanted:
        version = _unnamed(config, last, version, asked)
    if asked and version.order[:3] < asked.order[:3] and not anyway:
        from .evolve.report import words

        raise PromiseError(
            f"{version.name} promises more than was kept since {base.name} ({words.summary(comparison, 'both')}; see "
            f"`taskbind diff`): release {asked.name}, or say --anyway"
        )
    return _checked(Release(version, new.api, base, comparison), again)


def _unnamed(config: Config, last: Version, next: Version, asked: Version | None) -> Version:
    """The version to release where none is named: what the changes ask for, at least `next` after a candidate."""
    from .manifest import inputs, is_current

    if not last.final:
        return max(next, asked or next, key=lambda each: each.order)
    if asked:
        return asked
    if config.version == last.name and not is_current(config, inputs(config)):
        raise TaskbindError(f"{last.name} is not finished: `taskbind release {last.name}` does that")
    raise TaskbindError(
        f"nothing of the API changed since {last.name}; `taskbind release patch` releases what changed around it"
    )


def _released(config: Config) -> dict[Version, Path]:
    if config.releases is None:
        raise TaskbindError(f'{FILE} does not say where releases are kept: add `releases = "releases"`')
    return {Version(path.stem): path for path in release_files(config.releases).values()}


def _checked(release: Release, again: Path | None) -> Release:
    """Raise TaskbindError where the version was released already, as something else than it would be now."""
    if again is not None and read_release(again) != release.api:
        raise TaskbindError(f"{release.version.name} was released already, and the API is another one now")
    return release


def make_release(
    release: Release,
    config: Config,
    folder: Path,
    *,
    site: Path | None = None,
    url: str | None = None,
    progress: Progress = lambda stage: None,
) -> Released:
    """Write a release: `taskbind.toml`, its API among the releases, `CHANGELOG.md`, and the generated tree.

    With `site`, the docs of the version join those of others in that folder; `url` is the address that it will have.
    Raises TaskbindError, and then all of it is as it was before.
    """
    from .ir_json import api_text
    from .pipeline import generate
    from .view.changelog import section

    assert config.releases is not None, "next_release asked for it"
    project, changelog = folder / FILE, folder / CHANGELOG
    texts = {
        project: bumped(_read(project), release.version),
        config.releases / f"{release.version.name}.json": api_text(release.api),
        changelog: with_section(_read(changelog), release.version, section(release.api, release.comparison)),
    }
    changed = {path: text for path, text in texts.items() if not path.exists() or _read(path) != text}
    new, outcome, built = replace(config, version=release.version.name), None, None
    try:
        with _written(changed):
            outcome = generate(new, progress)
            if site is not None:
                from .site.build import build_site

                built = build_site(new, site, release=release.version.name, url=url, progress=progress)
    except BaseException:
        if outcome is not None:
            generate(config, progress)
        raise
    return Released(tuple(sorted(changed)), outcome.changes, built)


def _read(path: Path) -> str:
    """The text of a file with its line ends as they are; empty where there is none."""
    try:
        return path.read_bytes().decode("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise TaskbindError(f"{path.name}: cannot be read: {error}") from error


@contextlib.contextmanager
def _written(texts: Mapping[Path, str]) -> Iterator[None]:
    """Put texts in place for good, unless what follows fails: then they are taken back."""
    before = {path: path.read_bytes() if path.exists() else None for path in texts}
    made = sorted({path.parent for path in texts if not path.parent.exists()})
    try:
        for folder in made:
            folder.mkdir(parents=True)
        for path, text in texts.items():
            _replace(path, text.encode("utf-8"))
        yield
    except BaseException as error:
        for path, data in before.items():
            if data is None:
                path.unlink(missing_ok=True)
            else:
                _replace(path, data)
        for folder in made:
            folder.rmdir()
        if isinstance(error, OSError):
            raise TaskbindError(f"{error.filename}: cannot be written: {error.strerror or error}") from error
        raise


def _replace(path: Path, data: bytes) -> None:
    path = path.resolve()  # a link stays one
    new = path.with_name(f".{path.name}.taskbind-new")
    new.write_bytes(data)
    if path.exists():
        shutil.copymode(path, new)
    new.replace(path)


def bumped(text: str, version: Version) -> str:
    """A `taskbind.toml` with another version of the package; comments and order stay."""
    import tomlkit

    document = tomlkit.parse(text)
    package = document.setdefault("package", tomlkit.table())
    package["version"] = version.name
    return tomlkit.dumps(document)


def with_section(text: str, version: Version, lines: Sequence[str]) -> str:
    """A changelog with a section for a version: what stood under *Unreleased*, then `lines`.

    One that is there already stays as it is. Without a heading *Unreleased* the section comes before the first one.
    """
    written = text.replace("\r\n", "\n").rstrip("\n").split("\n") if text.strip() else _HEAD.rstrip("\n").split("\n")
    heading = f"## {version.name}"
    headings = [number for number, line in _outside_code(written) if line.startswith("## ")]
    if any(re.fullmatch(rf"##\s+\[?v?{re.escape(version.name)}(?![\w.+-]).*", written[number]) for number in headings):
        return text
    start = next((number for number in headings if _UNRELEASED.fullmatch(written[number])), None)
    if start is None:
        end = headings[0] if headings else len(written)
        before, own = written[:end], []
    else:
        end = next((number for number in headings if number > start), len(written))
        before, own = written[: start + 1], written[start + 1 : end]
    blocks = ["\n".join(block).strip("\n") for block in (before, [heading], own, lines, written[end:])]
    joined = "\n\n".join(block for block in blocks if block) + "\n"
    return joined.replace("\n", "\r\n") if "\r\n" in text else joined


def _outside_code(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines of a Markdown text, with their numbers, that are in no fence and in no comment."""
    fence = ""
    comment = False
    for number, line in enumerate(lines):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif comment or line.lstrip().startswith("<!--"):
            comment = "-->" not in line
        elif mark:
            fence = mark[1]
        else:
            yield number, line
