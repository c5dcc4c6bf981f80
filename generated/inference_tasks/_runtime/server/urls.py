"""Requests that name media by URL instead of carrying them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..binding import TaskBinding

SCHEMES = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a payload a URL stands: member `name` of `parent`, `field` from the root."""

    parent: dict[str, Any]
    name: str
    field: str

    @property
    def url(self) -> str:
        """The URL."""
        value: str = self.parent[self.name]
        return value


@dataclass(frozen=True, slots=True)
class Remote:
    """A request (JSON values) whose media are still to be fetched from the URLs at `places`."""

    payload: Any
    places: tuple[Place, ...]


def remote(payload: Any, binding: TaskBinding) -> Remote | None:
    """`payload` with the URLs in it that stand for media, None without any; in a dialect's words or the spec's."""
    places = tuple(_places(payload, binding))
    return Remote(payload, places) if places else None


def _places(payload: Any, binding: TaskBinding) -> Iterator[Place]:
    names = {binding.primary, *(name for name, _ in binding.media_members)} | ({binding.media} - {None})
    inner = payload.get(binding.primary) if isinstance(payload, dict) else None
    for parent, path in ((payload, ""), (inner, f"{binding.primary}.")):
        if isinstance(parent, dict):
            for name in parent.keys() & names:
                value = parent[name]
                if isinstance(value, str) and value[:8].lower().startswith(SCHEMES):
                    yield Place(parent, name, path + name)
