"""Reading a task's JSON Schema: what a member may be, without references and alternatives in the way.

A merged schema never says more than the whole of its parts, so nothing is refused by it that the model would accept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Self

from ..binding import TaskBinding

ANY = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_SPREAD = ("$ref", "allOf")
_ALTERNATIVES = ("anyOf", "oneOf")


class Schemas:
    """The definitions that the models of one task are made from."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions

    @classmethod
    def of(cls, binding: TaskBinding) -> Self:
        """Read the one file that the task of `binding` needs."""
        package, _, module = binding.module.rpartition(".models.")
        document = json.loads(files(package).joinpath("schemas", f"{module}.json").read_bytes())
        return cls(document["$defs"])

    def named(self, name: str) -> dict[str, Any]:
        """The schema called `name`; one that says nothing, if there is none."""
        found = self._definitions.get(name)
        return found if isinstance(found, dict) else {}

    def plain(self, schema: Any) -> dict[str, Any]:
        """`schema` as one flat object: references followed, ``allOf`` merged, null dropped; the outermost word wins."""
        merged: dict[str, Any] = {}
        for part in self._parts(schema):
            merged = {**part, **merged}
        for key in _SPREAD:
            merged.pop(key, None)
        for key in _ALTERNATIVES:
            if key in merged and len(self._alternatives(merged[key])) < 2:
                del merged[key]
        return merged

    def members(self, schema: Any) -> tuple[dict[str, Any], set[str]]:
        """The schemas of an object's members by name, and the names of those that are required."""
        properties: dict[str, Any] = {}
        required: set[str] = set()
        for part in self._parts(schema):
            properties = {**part.get("properties", {}), **properties}
            required.update(part.get("required", ()))
        return properties, required

    def alternatives(self, schema: Any) -> list[Any]:
        """The schemas that a value may choose from, without null; `schema` alone if it offers no choice."""
        plain = self.plain(schema)
        found = next((self._alternatives(plain[key]) for key in _ALTERNATIVES if key in plain), None)
        return found or [plain]

    def types(self, schema: Any) -> frozenset[str]:
        """The JSON types that a value may have, without null where there is another."""
        return self._types(schema, 0) - {"null"} or frozenset({"null"})

    def media(self, schema: Any) -> str | None:
        """``"image"``, ``"audio"``, ``"video"`` or ``"file"`` if a value is a file in base64."""
        plain = self.plain(schema)
        if plain.get("contentEncoding") != "base64":
            return None
        kind = str(plain.get("contentMediaType", "")).partition("/")[0]
        return kind if kind in ("image", "audio", "video") else "file"

    def holds_media(self, schema: Any) -> bool:
        """Whether a value may be a file in base64, or hold one."""
        seen: list[Any] = []

        def holds(schema: Any) -> bool:
            if not isinstance(schema, dict) or schema in seen:
                return False
            seen.append(schema)
            return self.media(schema) is not None or any(map(holds, self._inner(schema)))

        return holds(schema)

    def _inner(self, schema: Any) -> Iterator[Any]:
        for plain in map(self.plain, self.alternatives(schema)):
            yield from self.members(plain)[0].values()
            yield from (plain[key] for key in ("items", "additionalProperties") if key in plain)
            yield from plain.get("prefixItems", ())

    def _parts(self, schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
        """`schema` and all that holds besides it, outermost first."""
        if not isinstance(schema, dict):
            return
        yield schema
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            yield from self._parts(self.named(reference.rpartition("/")[2]), seen | {reference})
        for member in schema.get("allOf", ()):
            yield from self._parts(member, seen)
        for key in _ALTERNATIVES:
            if len(left := self._alternatives(schema.get(key, ()))) == 1:
                yield from self._parts(left[0], seen)

    def _alternatives(self, members: Any) -> list[Any]:
        return [member for member in members if not _is_null(member)]

    def _types(self, schema: Any, depth: int) -> frozenset[str]:
        plain = self.plain(schema)
        if depth > 8:
            return ANY
        if "type" in plain:
            said = plain["type"]
            return frozenset([said] if isinstance(said, str) else said)
        if "const" in plain or "enum" in plain:
            return frozenset(json_type(value) for value in plain.get("enum", [plain.get("const")]))
        for key in _ALTERNATIVES:
            if key in plain:
                return frozenset[str]().union(*(self._types(member, depth + 1) for member in plain[key]))
        return frozenset({"object"}) if "properties" in plain else ANY


def json_type(value: Any) -> str:
    """The JSON Schema type of a JSON value; a whole number is an ``integer``."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _is_null(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    return schema.get("type") == "null" or ("const" in schema and schema["const"] is None)
