"""The schemas of a document as parts of a spec tree: copied as they stand, without what only OpenAPI knows.

JSON Schema's own dialects are left to `normalize`. What is done here is what only the document can tell: which members
are of one direction, which texts are files, and by which value of a member a variant is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from ...ir import Source
from ...load.positions import unescape
from ...load.walk import MANY, NAMED, ONE
from ...normalize.work import MOST_TOGETHER
from .codes import Unsayable
from .documents import Documents, inside
from .forms import FILE, file_of, holds_file

Way = Literal["request", "answer"]

_MOST: Final = 5_000
_OF_OPENAPI: Final = frozenset(("xml", "externalDocs", "discriminator", "readOnly", "writeOnly", "$schema", "$comment"))
_CLASSES: Final = frozenset(("properties", "enum", "$ref", "allOf", "anyOf", "oneOf"))
"""What a schema has, if it has a type, that may become a class."""
_HOLDERS: Final = ("$defs", "definitions")
"""What is inside is copied where something refers to it."""
_UNREAD: Final = ("$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef")
_FLAG: Final = {"request": "readOnly", "answer": "writeOnly"}
OCTETS: Final = "application/octet-stream"


class Target(NamedTuple):
    """A schema that something refers to, in requests or in answers."""

    place: Source
    way: Way


@dataclass
class Part:
    """A copied schema. `links` are the schemas inside it that refer to others. `changed`: it depends on its way."""

    schema: Any
    place: Source
    links: list[tuple[dict[str, Any], Target]] = field(default_factory=list)
    changed: bool = False


@dataclass(frozen=True)
class _Tag:
    name: str
    values: tuple[str, ...]


class Schemas:
    """Copies schemas, each target once, with all that they refer to. `old`: they are of OpenAPI 3.0."""

    def __init__(self, documents: Documents, *, old: bool) -> None:
        self.documents = documents
        self.old = old
        self.targets: dict[Target, Part] = {}
        self._tags: dict[Source, set[_Tag]] = {}
        self._bases: set[Source] = set()

    # ------------------------------------------------------------------------------------------------------- copying

    def root(self, place: Source, way: Way) -> Part:
        """The schema at a place, and into `targets` all that it refers to. Raises Unsayable."""
        part = self._part(self.documents.at(place), place, way)
        self._complete(part)
        return part

    def form(self, place: Source, encoding: dict[str, Any]) -> tuple[Part, tuple[str, ...]]:
        """The schema of a form, and the names of its files, which are media in it. Raises Unsayable."""
        schema, place = self.documents.followed(place)
        members = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(members, dict) or not members:
            raise Unsayable("the form is no object with members", place)
        files: dict[str, dict[str, Any]] = {}
        for name in members:
            there = inside(place, "properties", name)
            how = encoding.get(name)
            sent = str(how.get("contentType") or "") if isinstance(how, dict) else ""
            if self._has_flag(members[name], there, _FLAG["request"]):
                continue
            try:
                found = file_of(self.documents, there, sent)
            except Unsayable as problem:
                if problem.code != "TB421":
                    raise
                raise Unsayable(f"the form's member {name[:60]!r} {problem.message}", problem.place) from None
            if found:
                files[name] = media(*found)
        rest = {key: value for key, value in schema.items() if key != "properties"}
        if holds_file(self.documents, rest, place):
            raise Unsayable("the form has a file that is not one of its `properties`", place)
        fields = {name: member for name, member in members.items() if name not in files}
        part = self._part({**schema, "properties": fields}, place, "request")
        copied = part.schema["properties"]
        part.schema["properties"] = {
            name: files.get(name) or copied[name] for name in members if name in files or name in copied
        }
        self._complete(part)
        return part, tuple(files)

    def _complete(self, part: Part) -> None:
        todo = [part]
        while todo:
            for _, target in todo.pop().links:
                if target not in self.targets:
                    if len(self.targets) >= _MOST:
                        raise Unsayable(f"refers to more than {_MOST:,} schemas", target.place)
                    schema = self.documents.at(target.place)
                    self.targets[target] = self._part(schema, target.place, target.way)
                    todo.append(self.targets[target])

    def _part(self, schema: Any, place: Source, way: Way) -> Part:
        part = Part(schema, place)
        part.schema = self._copy(schema, place, way, part)
        return part

    def _copy(self, schema: Any, place: Source, way: Way, part: Part) -> Any:
        if not isinstance(schema, dict):
            return schema
        if schema.get("type") == FILE:
            raise Unsayable("`type: file` is of Swagger 2", place, "write `type: string, format: binary`")
        out: dict[str, Any] = {}
        for key, value in schema.items():
            there = inside(place, key)
            if key in _OF_OPENAPI or key in _HOLDERS or key.startswith("x-"):
                continue
            if key in _UNREAD and not self.old:
                raise Unsayable(f"`{key}` is not read here", there, "refer by JSON Pointer", "TB422")
            if key == "$ref":
                target = self.documents.target(value, place)
                out[key] = ""
                part.links.append((out, Target(target, way)))
            elif key == "title" and schema is not part.schema and _CLASSES.isdisjoint(schema) and "type" in schema:
                continue  # some frameworks give every member one, and titles are for what becomes a class
            elif key == "properties" and isinstance(value, dict):
                out[key] = self._members(value, there, way, part)
            elif key in NAMED and isinstance(value, dict):
                out[key] = {name: self._copy(item, inside(there, name), way, part) for name, item in value.items()}
            elif key in ONE and isinstance(value, dict):
                out[key] = self._copy(value, there, way, part)
            elif key in MANY and isinstance(value, list):
                out[key] = [self._copy(item, inside(there, index), way, part) for index, item in enumerate(value)]
            else:
                out[key] = value
        if isinstance(out.get("required"), list):
            gone = self._flagged(schema, place, _FLAG[way])
            kept = [name for name in out["required"] if not isinstance(name, str) or name not in gone]
            if len(kept) < len(out["required"]):
                part.changed = True
                out["required"] = kept
            if not kept:  # draft-04 has no empty list
                del out["required"]
        self._note(schema, place)
        return self._bytes(out, place)

    def _members(self, members: dict[str, Any], place: Source, way: Way, part: Part) -> dict[str, Any]:
        out = {}
        for name, schema in members.items():
            there = inside(place, name)
            if self._has_flag(schema, there, _FLAG[way]):
                part.changed = True
                other = "requests" if way == "request" else "answers"
                self.documents.tell("TB424", there, f"{name[:60]!r} is left out of {other}", repaired=True)
            else:
                out[name] = self._copy(schema, there, way, part)
        return out

    def _has_flag(self, schema: Any, place: Source, flag: str) -> bool:
        """Whether a member is of one direction: it says so itself, or the schema does that it refers to."""
        try:
            target, _ = self.documents.followed(place)
        except Unsayable:
            target = None  # told where the reference is copied
        return any(isinstance(each, dict) and each.get(flag) is True for each in (schema, target))

    def _flagged(self, schema: Any, place: Source, flag: str) -> set[str]:
        """The members that a schema, and what it applies in place, leaves out in one direction."""
        found: set[str] = set()
        seen: set[Source] = set()
        todo = [(schema, place)]
        while todo:
            here, place = todo.pop()
            if not isinstance(here, dict) or place in seen:
                continue
            seen.add(place)
            if len(seen) > MOST_TOGETHER:
                raise Unsayable(f"more than {MOST_TOGETHER:,} schemas are for one value", place)
            members = here.get("properties")
            for name, member in members.items() if isinstance(members, dict) else ():
                if self._has_flag(member, inside(place, "properties", name), flag):
                    found.add(name)
            for key in ("allOf", "anyOf", "oneOf"):
                held = here.get(key)
                todo += [(item, inside(place, key, n)) for n, item in enumerate(held if isinstance(held, list) else ())]
            if "$ref" in here:
                target = self.documents.target(here["$ref"], place)
                todo.append((self.documents.at(target), target))
        return found

    def _bytes(self, out: dict[str, Any], place: Source) -> dict[str, Any]:
        """A schema with what OpenAPI says about bytes in the words of JSON Schema."""
        if out.get("format") == "byte" and out.get("type", "string") == "string":
            del out["format"]
            out |= {"type": "string", "contentEncoding": "base64"}
            out.setdefault("contentMediaType", OCTETS)
            self.documents.tell("TB425", inside(place, "format"), "`byte` is read as base64", repaired=True)
        elif out.get("format") == "binary":
            del out["format"]
            self.documents.tell("TB425", inside(place, "format"), "`binary` means nothing in JSON", repaired=True)
        return out

    # ---------------------------------------------------------------------------------------------------------- tags

    def _note(self, schema: dict[str, Any], place: Source) -> None:
        """Keep what a discriminator says about variants, and which schemas others are made of."""
        for index, item in enumerate(schema["allOf"] if isinstance(schema.get("allOf"), list) else ()):
            if isinstance(item, dict) and "$ref" in item:
                self._bases.add(self.documents.target(item["$ref"], inside(place, "allOf", index)))
        about = schema.get("discriminator")
        name = about.get("propertyName") if isinstance(about, dict) else None
        if not isinstance(name, str):
            return
        mapping = about.get("mapping") if isinstance(about, dict) else None
        mapped: dict[Source, list[str]] = {}
        for value, ref in mapping.items() if isinstance(mapping, dict) else ():
            if isinstance(ref, str):
                plain = "/" not in ref and "#" not in ref and "." not in ref
                where = inside(place, "discriminator", "mapping", value)
                try:
                    target = self.documents.target(f"#/components/schemas/{ref}" if plain else ref, where)
                except Unsayable:
                    continue  # a variant that is none
                mapped.setdefault(target, []).append(value)
        for key in ("oneOf", "anyOf"):
            for index, item in enumerate(schema[key] if isinstance(schema.get(key), list) else ()):
                if isinstance(item, dict) and "$ref" in item:
                    target = self.documents.target(item["$ref"], inside(place, key, index))
                    implied = unescape(target.pointer.rpartition("/")[2])
                    values = tuple(mapped.get(target, (implied,)))
                    self._tags.setdefault(target, set()).add(_Tag(name, values))

    def tell_apart(self) -> None:
        """Give each variant the values of its tag, unless other schemas are made of it or it says them itself."""
        for place, tags in self._tags.items():
            if len(tags) != 1 or place in self._bases:
                continue
            (tag,) = tags
            told = False
            for way in ("request", "answer"):
                part = self.targets.get(Target(place, way))
                told |= part is not None and _tagged(part.schema, tag)
            if told:
                message = f"`{tag.name[:60]}` is {' or '.join(map(repr, tag.values))[:120]} here"
                self.documents.tell("TB426", place, message, repaired=True)

    # --------------------------------------------------------------------------------------------------------- merging

    def merged(self) -> dict[Target, Target]:
        """For each target the one that stands for it: that of requests, where both directions have the same schema."""
        uses: dict[Source, set[Source]] = {}
        for target, part in self.targets.items():
            for _, other in part.links:
                uses.setdefault(other.place, set()).add(target.place)
        todo = [target.place for target, part in self.targets.items() if part.changed]
        changed: set[Source] = set()
        while todo:
            if (place := todo.pop()) not in changed:
                changed.add(place)
                todo += uses.get(place, ())
        return {
            target: target
            if target.place in changed or Target(target.place, "request") not in self.targets
            else Target(target.place, "request")
            for target in self.targets
        }


def media(schema: dict[str, Any], content_type: str = "") -> dict[str, Any]:
    """The schema of a file in base64 that has the prose of another one."""
    types = [each.strip() for each in (content_type or str(schema.get("contentMediaType") or "")).split(",")]
    kept = {key: schema[key] for key in ("description", "deprecated") if key in schema}
    return kept | {"type": "string", "contentEncoding": "base64", "contentMediaType": common_type(types)}


def common_type(types: list[str]) -> str:
    """One media type for several: the only one, or ``image/*`` for images."""
    mains = {each.partition("/")[0] for each in types}
    if len(types) == 1 and "/" in types[0] and "*/" not in types[0]:
        return types[0]
    return f"{mains.pop()}/*" if len(mains) == 1 and mains <= {"audio", "image", "video"} else OCTETS


def _tagged(schema: Any, tag: _Tag) -> bool:
    """Write the values of a tag into the schema of an object; whether it did not say them yet."""
    if not isinstance(schema, dict) or not isinstance(schema.get("properties", {}), dict):
        return False
    members = schema.get("properties", {})
    told = members.get(tag.name)
    if isinstance(told, dict) and ("enum" in told or "const" in told):
        return False
    if told is None and "allOf" not in schema:
        return False
    values = {"type": "string", "enum": list(tag.values)}
    if not isinstance(told, dict):
        members = {**members, tag.name: values}
    elif told.get("type") == "string" and "$ref" not in told:
        members[tag.name] = told | values
    else:
        members[tag.name] = {"allOf": [told, values]}
    schema["properties"] = members
    return True
