"""The laws that tie a model to its schema, each held against one payload at a time.

1. **Agreement**: the schema accepts a value exactly if the model does, from Python values and from JSON text alike;
   the schemas that ship in the package say the same as the specs.
2. **Round trip**: parsing and dumping gives the same JSON value, as values and as text.
3. **Closure**: what is dumped is valid, and parsing and dumping it again changes nothing.
4. **Full dump**: what `model_dump()` gives without any options is valid, and so is a dump of what was never set.
5. **Defaults**: a member that a payload leaves out reads as the default that its schema has for it.
6. **Wire**: the strict parser of requests reads the text of a payload as that payload.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jsonschema_rs
from pydantic import BaseModel, TypeAdapter, ValidationError

from inference_tasks._runtime.testing.bundle import Bundle, Schema
from inference_tasks._runtime.testing.places import Path
from inference_tasks._runtime.testing.shapes import Shapes, same as same_json
from taskbind.documents import SpecTree

from .defaults import read
from .payloads import Case

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Judge:
    """What the schemas of a normalised spec tree say, asked of a validator that shares no code with the generator."""

    def __init__(self, tree: SpecTree) -> None:
        self._documents = {document.path: document.data for document in tree.documents}
        self._local: dict[str, Any] = {}
        resources = [(f"specs:///{d.path}", {"$schema": DIALECT} | _absolute(d.data)) for d in tree.documents]
        self._registry = jsonschema_rs.Registry(resources)
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def accepts(self, id: str, payload: Any) -> bool:
        """Whether the schema with this definition id accepts `payload`."""
        if id not in self._validators:
            self._validators[id] = jsonschema_rs.Draft202012Validator(
                {"$ref": f"specs:///{id}"},
                registry=self._registry,
                validate_formats=False,
                pattern_options=jsonschema_rs.RegexOptions(),
                offline=True,
            )
        return self._validators[id].is_valid(payload)

    @cached_property
    def shapes(self) -> Shapes:
        """The same schemas, to draw payloads from: what a spec says, and not what the generator made of it."""
        names: dict[str, str] = {}

        def local(node: Any) -> Any:
            if isinstance(node, dict):
                return {
                    key: f"#/$defs/{names.setdefault(value, f's{len(names)}')}"
                    if key == "$ref" and isinstance(value, str)
                    else local(value)
                    for key, value in node.items()
                    if key not in ("$id", "$schema")
                }
            return [local(item) for item in node] if isinstance(node, list) else node

        self._local |= {path: local(data) for path, data in self._documents.items()}
        defs = {name: _at(self._local, ref) for ref, name in names.items()}
        return Shapes(Bundle({"$schema": DIALECT, "$defs": defs}))

    def text(self, id: str) -> str:
        """The schema with this definition id as the normalised specs write it."""
        return json.dumps(_at(self._documents, id))

    def schema(self, id: str) -> Schema:
        """The schema with this definition id, as one of :attr:`shapes`."""
        assert self.shapes
        schema: Schema = _at(self._local, id)
        return schema


def _absolute(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: f"specs:///{value}" if key == "$ref" and isinstance(value, str) else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(item) for item in node] if isinstance(node, list) else node


def _at(documents: dict[str, Any], id: str) -> Any:
    path, _, pointer = id.partition("#")
    node = documents[path]
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


@dataclass(frozen=True)
class Break:
    """A law that does not hold for a payload."""

    law: str
    case: Case
    detail: str

    def __str__(self) -> str:
        return f"{self.law}: {self.detail}; {self.case.kind}, {self.case.what}: {self.case.text[:300]}"


@dataclass
class Tally:
    """What happened to the payloads of one schema."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[Break] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many payloads there were."""
        return self.counts["accepted"] + self.counts["rejected"]

    def __iadd__(self, other: Tally) -> Tally:
        self.counts += other.counts
        self.broken += other.broken
        return self


@dataclass(frozen=True)
class Laws:
    """One schema and what was generated from it.

    `spec` and `shipped` say what the schema of the specs and that in the package accept, `defaults` what the members
    read as that a payload leaves out; `adapter` and `model` are what was generated (a type that is no class has no
    `model`), `dump` and `parse_json` the package's own functions.
    """

    spec: Callable[[Any], bool]
    shipped: Callable[[Any], bool]
    defaults: Callable[[Any], Mapping[Path, Any]]
    adapter: TypeAdapter[Any]
    model: type[BaseModel] | None
    dump: Callable[[Any], Any]
    parse_json: Callable[[bytes], Any]

    def hold(self, case: Case, tally: Tally) -> None:
        """Hold all laws against one payload."""
        accepted = self.spec(case.payload)
        tally.counts[case.kind] += 1
        tally.counts["accepted" if accepted else "rejected"] += 1
        tally.broken += [Break(law, case, detail) for law, detail in self._breaks(case, accepted)]

    def _breaks(self, case: Case, accepted: bool) -> Iterator[tuple[str, str]]:
        if self.shipped(case.payload) is not accepted:
            yield "agreement", f"the schema in the package {'rejects' if accepted else 'accepts'} it"
        for way, parse in self.ways.items():
            try:
                model = parse(case)
            except ValidationError as error:
                if accepted:
                    yield "agreement", f"the model rejects it from {way}: {_why(error)}"
                continue
            except Exception as error:
                yield "agreement", f"the model crashes from {way}: {error!r}"
                continue
            if not accepted:
                yield "agreement", f"the model accepts it from {way}"
                continue
            yield from self._dumps(case, way, model)
            if way == "Python":  # equal models, as the dumps have just shown
                yield from self._again(model)
            if case.kind == "valid":
                yield from self._reads(case, way, model)
        if accepted and not same(self.parse_json(case.text.encode()), case.payload):
            yield "wire", "the strict parser reads another value"

    @property
    def ways(self) -> dict[str, Callable[[Case], Any]]:
        """All ways into a model. Each raises pydantic.ValidationError."""
        ways: dict[str, Callable[[Case], Any]] = {"Python": self.from_python, "JSON": self.from_json}
        if (model := self.model) is not None:
            ways["JSON, by the class"] = lambda case: model.model_validate_json(case.text)
        return ways

    def from_python(self, case: Case) -> Any:
        """The model of a payload's values. Raises pydantic.ValidationError."""
        return self.adapter.validate_python(case.payload, by_name=False, by_alias=True)

    def from_json(self, case: Case) -> Any:
        """The model of a payload's text. Raises pydantic.ValidationError."""
        return self.adapter.validate_json(case.text, by_name=False, by_alias=True)

    def _dumps(self, case: Case, way: str, model: Any) -> Iterator[tuple[str, str]]:
        plain = self.adapter.dump_python(model, mode="json", exclude_unset=True, by_alias=True)
        if not same(plain, case.payload):
            yield "round trip", f"from {way}, it is dumped as {json.dumps(plain)[:300]}"
            return
        text = self.adapter.dump_json(model, exclude_unset=True, by_alias=True)
        if not same(json.loads(text), case.payload):
            yield "round trip", f"from {way}, it is dumped as the text {text[:300]!r}"

    def _again(self, model: Any) -> Iterator[tuple[str, str]]:
        plain = self.adapter.dump_python(model, mode="json", exclude_unset=True, by_alias=True)
        if not self.spec(plain):
            yield "closure", f"its dump {json.dumps(plain)[:300]} is not valid"
        else:
            again = self.adapter.validate_python(plain, by_name=False, by_alias=True)
            if self.adapter.dump_python(again, mode="json", exclude_unset=True, by_alias=True) != plain:
                yield "closure", "its dump is dumped as something else"
        for full in (self.dump(model), self.adapter.dump_python(model, mode="json", by_alias=True)):
            if not self.spec(full):
                yield "full dump", f"with all that was never set it is dumped as {json.dumps(full)[:300]}"

    def _reads(self, case: Case, way: str, model: Any) -> Iterator[tuple[str, str]]:
        for path, default in self.defaults(case.payload).items():
            value = read(model, path)
            if not same(self.dump(value), default):
                yield "defaults", f"from {way}, the absent {path} reads as {value!r} and not as {default!r}"


def same(a: Any, b: Any) -> bool:
    """Equality of JSON values. Most are written alike, which is quickly seen."""
    return repr(a) == repr(b) or same_json(a, b)


def _why(error: ValidationError) -> str:
    return "; ".join(
        f"{item['loc']} {item['msg']}" for item in error.errors(include_url=False, include_input=False)[:2]
    )
