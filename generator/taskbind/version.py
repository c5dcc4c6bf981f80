"""Versions of what is generated: three numbers, and what comes before a release (``1.2.0``, ``1.2.0rc1``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from .diagnostics import TaskbindError

Bump = Literal["major", "minor", "patch"]

_NUMBER: Final = r"(0|[1-9][0-9]{0,8})"
_VERSION: Final = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:(a|b|rc){_NUMBER})?")
_FINAL: Final = "release"  # sorts behind a, b and rc


@dataclass(frozen=True)
class Version:
    """A release: ``1.2.0``, or one before it: ``1.2.0a1``, ``1.2.0b1``, ``1.2.0rc1``.

    These are the versions that both semantic versioning and Python's packaging know, each as written for the latter.
    Raises TaskbindError for any other text.
    """

    name: str

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.name):
            raise TaskbindError(f"{self.name[:60]!r} is no version; one looks like 1.2.0, or 1.2.0rc1 before a release")

    @property
    def order(self) -> tuple[int, int, int, str, int]:
        """Sorts versions from old to new."""
        match = _VERSION.fullmatch(self.name)
        assert match is not None, "the name was checked"
        major, minor, patch, before, number = match.groups()
        return int(major), int(minor), int(patch), before or _FINAL, int(number or 0)

    @property
    def final(self) -> bool:
        """Whether this is a release itself, and none before it."""
        return self.order[3] == _FINAL

    def after(self, bump: Bump) -> Version:
        """The release that follows on this one by a bump: 1.2.3 by ``minor`` is 1.3.0.

        What comes before a release leads to that release, if the bump asks for no more than that one brings: 1.3.0rc1
        by ``patch`` or ``minor`` is 1.3.0.
        """
        major, minor, patch, *_ = self.order
        brings: Bump = "patch" if patch else "minor" if minor else "major"
        if not self.final and _SIZE[bump] <= _SIZE[brings]:
            return Version(f"{major}.{minor}.{patch}")
        match bump:
            case "major":
                return Version(f"{major + 1}.0.0")
            case "minor":
                return Version(f"{major}.{minor + 1}.0")
            case "patch":
                return Version(f"{major}.{minor}.{patch + 1}")


_SIZE: Final[dict[Bump, int]] = {"patch": 0, "minor": 1, "major": 2}
