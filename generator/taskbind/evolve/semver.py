"""Which version the generated package should have after a change of its API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..diagnostics import TaskbindError
from .change import Kind
from .verdict import Level, Verdict

if TYPE_CHECKING:
    from ..version import Bump, Version


@dataclass(frozen=True)
class Suggestion:
    """How far to raise the version (None: nothing changed), and the version after `old`, where that is known."""

    bump: Bump | None
    old: str | None
    version: str | None


def suggest(verdicts: Iterable[Verdict], old: str | None) -> Suggestion:
    """The version that follows `old`, by semantic versioning.

    From 1.0.0 on, what breaks callers on the wire or users of the Python asks for a major version, any other change of
    what is sent, answered or named for a minor one, and new wording alone for a patch. Before 1.0.0 what breaks asks
    for a minor version, all else for a patch. What comes before a release (1.3.0rc1) leads to that release as long as
    that is raised far enough: 1.3.0rc1 to 1.3.0 by anything but a major change.

    Changes that a project ignores belong to `verdicts`: whoever decides to live with a break has broken something
    all the same. A version that is none (``old`` None, or another text) is followed by None.
    """
    from ..version import Version

    verdicts = tuple(verdicts)
    try:
        version = Version(old) if old else None
    except TaskbindError:
        version = None
    bump = _bump(verdicts, version)
    following = version and (version.after(bump) if bump else version)
    return Suggestion(bump, old, following.name if following else None)


def _bump(verdicts: tuple[Verdict, ...], version: Version | None) -> Bump | None:
    if not verdicts:
        return None
    early = version is not None and version.order[0] == 0
    if any(verdict.level is Level.BREAKING for verdict in verdicts):
        return "minor" if early else "major"
    wording = all(v.change.kind is Kind.DESCRIPTION and v.level is Level.SAFE for v in verdicts)
    return "patch" if early or wording else "minor"
