"""Where and why a value does not fit a normalised schema: the innermost values that are to blame.

Whether something fits is the :class:`~taskbind.normalize.oracle.Oracle`'s word alone; here it is asked about smaller
and smaller parts, so that hostile schemas cost no more than a few of its decisions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .load.positions import escape
from .normalize.oracle import Oracle

_INNER: Final = frozenset(("properties", "allOf", "anyOf", "oneOf", "$ref"))
"""The keywords whose schemas are asked one by one."""
_GROUPED: Final = frozenset(
    """
    additionalProperties items prefixItems contains minContains maxContains if then else
    unevaluatedItems unevaluatedProperties
    """.split()
)
"""The keywords that mean something else without those beside them."""
_DEPTH: Final = 100  # references and values together; beyond, the whole is to blame


@dataclass(frozen=True)
class Mismatch:
    """One part of a value that does not fit: where it is, the keyword that says so, and a message."""

    pointer: str
    keyword: str
    message: str


@dataclass(frozen=True)
class Member:
    """A member that an object schema declares: where its schema stands, and whether the object needs it."""

    where: str
    required: bool


class Schemas:
    """The schemas of a normalised tree by their place, ``<path>#<pointer>``, as references name them."""

    def __init__(self, sites: Mapping[str, Any]) -> None:
        self._sites = sites
        self._oracle = Oracle(sites)

    def members(self, where: str) -> dict[str, Member]:
        """The members that the object schema at a place declares, itself or through what it is combined with."""
        found: dict[str, Member] = {}
        needed: set[str] = set()
        todo: list[tuple[str, bool]] = [(where, True)]
        seen: set[str] = set()
        while todo:
            here, always = todo.pop()
            schema = self._sites.get(here)
            if here in seen or not isinstance(schema, dict):
                continue
            seen.add(here)
            if always:
                needed.update(schema.get("required", ()))
            for name in schema.get("properties", ()):
                found.setdefault(name, Member(f"{here}/properties/{escape(name)}", False))
            todo += [(schema["$ref"], always)] if isinstance(schema.get("$ref"), str) else []
            for key in ("oneOf", "anyOf", "allOf"):
                inside = range(len(schema.get(key, ())))
                todo += [(f"{here}/{key}/{index}", always and key == "allOf") for index in inside]
        return {name: Member(member.where, name in needed) for name, member in found.items()}

    def mismatches(self, where: str, value: Any) -> Iterator[Mismatch]:
        """What of a value does not fit the schema at a place; nothing if it fits, or if that cannot be told."""
        if self._oracle.accepts(where, value) is False:
            yield from self._inside(where, value, "", 0)

    def _inside(self, where: str, value: Any, pointer: str, depth: int) -> Iterator[Mismatch]:
        """The mismatches of a value that is known not to fit."""
        schema = self._sites.get(where)
        if not isinstance(schema, dict) or depth > _DEPTH:
            yield Mismatch(pointer, "", "is not valid here")
            return
        found = False
        for inner, item, at in self._parts(schema, where, value, pointer):
            if self._oracle.accepts(inner, item) is False:
                found = True
                yield from self._inside(inner, item, at, depth + 1)
        for key in ("anyOf", "oneOf"):
            for mismatch in self._union(schema, key, where, value, pointer, depth) if key in schema else ():
                found = True
                yield mismatch
        for key in schema:
            if key not in _INNER and key not in _GROUPED and self._broken(schema, key, value):
                found = True
                yield Mismatch(pointer, key, _why(key, schema, value))
        members = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
        for name in value if closed and isinstance(value, dict) else ():
            if name not in members:
                found = True
                said = f"{name[:60]!r} is no member here; known: {', '.join(list(members)[:12]) or 'none'}"
                yield Mismatch(f"{pointer}/{escape(name)}", "additionalProperties", said)
        if not found:
            yield Mismatch(pointer, "", f"{_short(value)} is not valid here")

    def _parts(self, schema: dict[str, Any], where: str, value: Any, pointer: str) -> Iterator[tuple[str, Any, str]]:
        """What applies without a choice: ``(place of the schema, part of the value, pointer of the part)``."""
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"], value, pointer
        for index in range(len(schema.get("allOf", ()))):
            yield f"{where}/allOf/{index}", value, pointer
        if isinstance(value, dict):
            members = schema.get("properties", {})
            for name, item in value.items():
                if name in members:
                    yield f"{where}/properties/{escape(name)}", item, f"{pointer}/{escape(name)}"
                elif isinstance(schema.get("additionalProperties"), dict) and "patternProperties" not in schema:
                    yield f"{where}/additionalProperties", item, f"{pointer}/{escape(name)}"
        if isinstance(value, list):
            first = len(schema.get("prefixItems", ()))
            for index, item in enumerate(value):
                if index < first:
                    yield f"{where}/prefixItems/{index}", item, f"{pointer}/{index}"
                elif isinstance(schema.get("items"), dict):
                    yield f"{where}/items", item, f"{pointer}/{index}"

    def _union(
        self, schema: dict[str, Any], key: str, where: str, value: Any, pointer: str, depth: int
    ) -> Iterator[Mismatch]:
        """Why no branch fits: told of the one branch that is of the value's type, or else of all of them."""
        branches = [f"{where}/{key}/{index}" for index in range(len(schema[key]))]
        fitting = [branch for branch in branches if self._oracle.accepts(branch, value) is not False]
        if len(fitting) > 1 and key == "oneOf":
            yield Mismatch(pointer, key, f"{_short(value)} fits {len(fitting)} branches of `oneOf`, not one")
        if fitting:
            return
        near = [branch for branch in branches if not self._of_another_type(branch, value)]
        if len(near) == 1:
            yield from self._inside(near[0], value, pointer, depth + 1)
        else:
            keyword = key if near else "type"
            yield Mismatch(pointer, keyword, f"{_short(value)} fits none of the {len(branches)} branches of `{key}`")

    def _of_another_type(self, where: str, value: Any) -> bool:
        schema = self._sites.get(where)
        for _ in range(_DEPTH):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            schema = self._sites.get(schema["$ref"])
        return isinstance(schema, dict) and "type" in schema and self._broken(schema, "type", value)

    def _broken(self, schema: dict[str, Any], key: str, value: Any) -> bool:
        """Whether one keyword of a schema alone refuses a value."""
        return Oracle({"": {key: schema[key]}}).accepts("", value) is False


def _why(key: str, schema: dict[str, Any], value: Any) -> str:
    said = schema[key]
    match key:
        case "type":
            wanted = " or ".join(said) if isinstance(said, list) else said
            return f"{_short(value)} is not of type {wanted}"
        case "required":
            return f"{', '.join(repr(name)[:60] for name in said if name not in value)} is missing"
        case _:
            return f"{_short(value)} breaks `{key}`: {_short(said)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
