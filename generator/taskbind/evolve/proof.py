"""Proves that what is sent is taken, or that it is not, by the containment of JSON Schemas.

The schemas are those of the IR, but for three things. A sender is closed (see :class:`~taskbind.evolve.flow.Flow`).
Formats are notes, and no part of a proof. And types of media, which JSON Schema takes for notes too, are told apart:
what is sent must be taken both as any texts, and as if each type of media had texts of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from itertools import islice
from math import prod
from typing import Any as Json, Final

from .. import ir
from ..load.walk import walk
from ..schema import type_schema
from . import media
from .flow import Claim, Flow, names_patterns

_MOST_DEFINITIONS: Final = 300
_MOST_SCHEMAS: Final = 20_000
_MOST_CONJUNCTIONS: Final = 20
_MOST_COMBINATIONS: Final = 250
"""How large a schema may be: the members of its `allOf`, and the ways to take one alternative of each union that a
value must fit. A proof cannot be stopped once it runs: 6,561 combinations take ten seconds, and a chain of 3,000
definitions more stack than there is."""
_CLOSED: Final = "closed:"
"""What the ids of definitions begin with in which senders are closed."""


class Answer(StrEnum):
    """Whether a claim holds."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Prover:
    """Answers claims about one side of one pair of IRs, each once."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._known: dict[tuple[int, int], tuple[Claim, Answer]] = {}  # types by identity: their data has no hash

    def holds(self, claim: Claim) -> Answer:
        """Whether all that is sent is taken. Never raises; UNKNOWN where a proof is too much work, or fails."""
        key = id(claim.sent), id(claim.taken)
        if key not in self._known:
            self._known[key] = claim, self._prove(claim)
        return self._known[key][1]

    def schemas(self, claim: Claim, *, told_apart: bool = False) -> tuple[Json, Json]:
        """The JSON Schemas of what is sent, by a closed sender, and of what is taken."""
        as_media = self._marked if told_apart else _plain
        sent = _document(self._flow.sender, close(claim.sent), as_media)
        return sent, _document(self._flow.taker, claim.taken, as_media)

    def _prove(self, claim: Claim) -> Answer:
        try:
            answer = contained(*self.schemas(claim))
            if answer is Answer.YES and self._media:
                return contained(*self.schemas(claim, told_apart=True))
        except RecursionError:
            return Answer.UNKNOWN
        return answer

    @cached_property
    def _media(self) -> tuple[str, ...]:
        found = {
            each.content_type
            for api in (self._flow.old, self._flow.new)
            for definition in api.definitions
            for each in _inside(definition.type)
            if isinstance(each, ir.Media)
        }
        return tuple(sorted(found))

    def _marked(self, content_type: str) -> ir.Type:
        """A text for each type of media that this one covers, and one for those that no schema names."""
        return ir.Enum(tuple(f"{name} in base64" for name in self._media if media.covers(content_type, name)))


def close(type: ir.Type) -> ir.Type:
    """The same as it comes from a sender who sends declared members only; references are to closed definitions.

    Of the alternatives of a oneOf, a closed sender still sends what fits exactly one of the open ones.
    """
    match type:
        case ir.Ref(id=id):
            return ir.Ref(_CLOSED + id)
        case ir.Checked():
            return _close_checked(type)
        case ir.Object(fields=fields, additional=True) if fields:
            return replace(_members(type), additional=False)
        case ir.Object():
            return _members(type)
        case ir.Map(values=values):
            return ir.Map(close(values))
        case ir.Array(items=items, prefix=prefix):
            return replace(type, items=items and close(items), prefix=tuple(map(close, prefix)))
        case ir.Union(variants=variants, exclusive=True):
            schema = ir.text(type_schema(type, lambda target: {"$ref": target}))
            return ir.Checked(ir.Union(tuple(map(close, variants))), schema)
        case ir.Union(variants=variants):
            return ir.Union(tuple(map(close, variants)))
    return type


def _close_checked(type: ir.Checked) -> ir.Type:
    checks: list[ir.Checked] = []
    base: ir.Type = type
    while isinstance(base, ir.Checked):
        checks.append(base)
        base = base.base
    kept_open = any(map(names_patterns, checks))
    closed: ir.Type = _members(base) if isinstance(base, ir.Object) and kept_open else close(base)
    for check in reversed(checks):
        closed = ir.Checked(closed, check.schema)
    return closed


def _members(type: ir.Object) -> ir.Object:
    fields = tuple(replace(field, type=close(field.type)) for field in type.fields)
    return ir.Object(fields, type.additional if isinstance(type.additional, bool) else close(type.additional))


def _plain(content_type: str) -> ir.Type:
    return ir.Scalar("string")


def _inside(type: ir.Type) -> list[ir.Type]:
    out = [type]
    for child in ir.children(type):
        out += _inside(child)
    return out


def _document(api: ir.Api, type: ir.Type, as_media: Callable[[str], ir.Type]) -> Json:
    """A self-contained JSON Schema of a type."""
    names: dict[str, str] = {}

    def reference(id: str) -> dict[str, Json]:
        return {"$ref": f"#/$defs/{names.setdefault(id, f'd{len(names)}')}"}

    def schema(type: ir.Type) -> dict[str, Json]:
        return type_schema(_bare_notes(type, as_media), reference)

    out = schema(type)
    definitions: dict[str, Json] = {}
    while missing := [id for id in names if names[id] not in definitions]:
        for id in missing:
            found = api.definition(id.removeprefix(_CLOSED)).type
            definitions[names[id]] = schema(close(found) if id.startswith(_CLOSED) else found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **out, "$defs": definitions}


def _bare_notes(type: ir.Type, as_media: Callable[[str], ir.Type]) -> ir.Type:
    """A type without what says nothing about values."""

    def bare(type: ir.Type) -> ir.Type:
        match type:
            case ir.Scalar():
                return replace(type, format=None)
            case ir.Enum(values=values):
                return ir.Enum(values)
            case ir.Media(content_type=content_type):
                return as_media(content_type)
            case ir.Array(items=items, prefix=prefix):
                return replace(type, items=items and bare(items), prefix=tuple(map(bare, prefix)))
            case ir.Map(values=values):
                return ir.Map(bare(values))
            case ir.Union(variants=variants):
                return replace(type, variants=tuple(map(bare, variants)))
            case ir.Checked(base=base):
                return replace(type, base=bare(base))
            case ir.Object(fields=fields, additional=additional):
                kept = tuple(ir.Field(field.name, bare(field.type), field.required) for field in fields)
                return ir.Object(kept, additional if isinstance(additional, bool) else bare(additional))
        return type

    return bare(type)


# ------------------------------------------------------------------------------------------------------- containment


def contained(sent: Json, taken: Json) -> Answer:
    """Whether every value of the first schema is one of the second."""
    if too_large(sent) or too_large(taken):
        return Answer.UNKNOWN
    try:
        one, other = (_canonical(schema) for schema in (sent, taken))
        return Answer(str(other.covers(one)))
    except ValueError:  # a schema that the library cannot canonicalize, such as a pattern that looks ahead
        return Answer.UNKNOWN


def too_deep(schema: Json) -> bool:
    """Whether a schema may be too deep to be compiled: a chain of definitions ends what has no more stack."""
    return len(schema["$defs"]) > _MOST_DEFINITIONS


def too_large(schema: Json) -> bool:
    """Whether a schema is beyond what is proved here."""
    if too_deep(schema):
        return True
    schemas = [inner for _, inner in islice(walk(schema), _MOST_SCHEMAS)]
    return (
        len(schemas) == _MOST_SCHEMAS
        or sum(len(inner.get("allOf", ())) for inner in schemas) > _MOST_CONJUNCTIONS
        or any(_combinations(inner) > _MOST_COMBINATIONS for inner in schemas)
    )


def _combinations(schema: Json) -> int:
    """How many ways there are to take one alternative of each union that a value must fit; one if it is only one."""
    parts = [part for part in (schema, *schema.get("allOf", ())) if isinstance(part, dict)]
    unions = [len(part[key]) for part in parts for key in ("anyOf", "oneOf") if key in part]
    return prod(unions) if len(unions) > 1 else 1


def _canonical(schema: Json) -> Json:
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.canonicalize(schema, draft=jsonschema_rs.Draft202012, offline=True, pattern_options=options)
