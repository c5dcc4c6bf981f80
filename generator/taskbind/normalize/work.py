"""The working copy of a spec tree that rules change, with where everything in it came from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from ..diagnostics import Code, Diagnostic, Report, Severity
from ..documents import Document, SpecTree
from ..load.codes import tell
from ..load.dialects import dialect_of, metaschema_problem
from ..load.official import is_official
from ..load.positions import lines, unescape
from ..load.refs import References, RefError, reference_keys
from ..load.walk import IN_PLACE, put, subschemas, walk
from .oracle import Oracle
from .rule import Finding, Place, Rule

MOST_TOGETHER: Final = 1_000
"""How many schemas for one value are looked at."""


@dataclass(frozen=True, eq=False)
class Link:
    """Stands for the text of a reference while rules move schemas about: the schema that it means.

    `name` is that of the dynamic anchor whose outermost place counts instead; it is empty in an ordinary reference.
    """

    text: str
    target: dict[str, Any]
    name: str = ""


class Work:
    """All documents of a tree as mutable copies, with links for references."""

    def __init__(self, tree: SpecTree, report: Report, *, comments: bool = False) -> None:
        self.tree = tree
        self.report = report
        self.comments = comments
        """Whether a `$comment` stays."""
        self.tasks = [task.id for task in tree.tasks]
        self.roots: dict[str, dict[str, Any]] = {}
        self.places: list[Place] = []
        self.place_of: dict[int, Place] = {}
        self.references = References(tree.documents)
        self.dynamic_names: set[str] = set()
        self._at: dict[tuple[str, str], dict[str, Any]] = {}
        self._enclosing: dict[int, dict[str, Any]] = {}
        self._holders: dict[int, tuple[dict[str, Any], str]] = {}
        self._families: dict[tuple[int, str], list[dict[str, Any]]] = {}
        self._moved: dict[int, dict[str, Any]] = {}
        self._lines: dict[str, dict[str, int]] = {}
        self._declared: dict[tuple[int, str], set[str]] = {}
        self._where: dict[int, str] = {}
        self._oracle: Oracle | None = None
        self._numbers: Counter[str] = Counter()
        self.examples_at: dict[int, list[str]] = {}
        for document in tree.shared:
            self._open(document)
        for task in tree.tasks:
            for document in task.documents:
                self._open(document, task.id)
        self._link()

    def _open(self, document: Document, task: str = "") -> None:
        dialect = dialect_of(document.data) or 2020
        self.roots[document.path] = _copy(document.data)
        for pointer, schema in walk(self.roots[document.path]):
            self._add(Place(schema, document, pointer, dialect, task, self))
            self._at[document.path, pointer] = schema
            self._enclose(schema)

    def _add(self, place: Place) -> None:
        self.places.append(place)
        self.place_of[id(place.schema)] = place

    def _link(self) -> None:
        for place in self.places:  # grows by official meta-schemas that the tree does not hold yet
            for key in reference_keys(place.schema, place.dialect):
                ref, name = place.schema[key], ""
                try:
                    if key == "$ref":
                        site = self.references.resolve(place.document, place.pointer, ref)
                    else:
                        site, name = self.references.dynamic(place.document, place.pointer, place.schema, key)
                except RefError as error:
                    pointer = f"{place.pointer}/{key}"
                    line = self.line(place.document, pointer)
                    path = place.document.path
                    tell(self.report, error.code, path, error.message, fix=error.fix, pointer=pointer, line=line)
                    del place.schema[key]
                else:
                    if site.document.path not in self.roots:
                        self._open(site.document)
                    target = self.schema_at(site.document, site.pointer)
                    if target is None:
                        target = self._written_out(site.document, site.pointer, site.schema is True)
                    place.schema[key] = Link(ref, target, name)
                    if name:
                        self.dynamic_names.add(name)

    def schema_at(self, document: Document, pointer: str) -> dict[str, Any] | None:
        """The schema that stands at a place of a file as it was written; None for a boolean one."""
        return self._at.get((document.path, pointer))

    def _written_out(self, document: Document, pointer: str, admits: bool) -> dict[str, Any]:
        """Write a boolean schema as an object, so that references can follow it."""
        outer, _, last = pointer.rpartition("/")
        schema: dict[str, Any] = {} if admits else {"not": {}}
        if (holder := self._at.get((document.path, outer))) is None:
            outer, _, key = outer.rpartition("/")
            holder, last = self._at[document.path, outer], f"{key}/{last}"
        put(holder, f"/{last}", schema)
        self._at[document.path, pointer] = schema
        for each in (schema, *schema.values()):
            self._add(replace(self.place_of[id(holder)], schema=each, pointer=pointer))
        return schema

    def _enclose(self, schema: dict[str, Any]) -> None:
        for step, inner in subschemas(schema):
            if isinstance(inner, dict):
                key = step.split("/")[1]
                if key in IN_PLACE:
                    self._enclosing[id(inner)] = schema
                elif key == "properties":
                    self._holders[id(inner)] = schema, unescape(step.removeprefix("/properties/"))

    # ------------------------------------------------------------------------------------------------ for rules

    def target(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        """The schema that the `$ref` of a schema means."""
        link = schema.get("$ref")
        if not isinstance(link, Link):
            return None
        target = link.target
        while id(target) in self._moved:
            target = self._moved[id(target)]
        return target

    def enclosing(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        """The schema that applies this one in place: as a member of its allOf, as its `if`, and so on."""
        return self._enclosing.get(id(schema))

    def declared(self, schema: dict[str, Any]) -> set[str]:
        """The properties that a schema, or another one for the same value, declares. Once asked, it is settled."""
        key = self._value(schema)
        if key not in self._declared:
            members = (each.get("properties") for each in self.together(schema))
            self._declared[key] = {name for held in members if isinstance(held, dict) for name in held}
        return self._declared[key]

    def _top(self, schema: dict[str, Any]) -> dict[str, Any]:
        while (outer := self.enclosing(schema)) is not None:
            schema = outer
        return schema

    def _value(self, schema: dict[str, Any]) -> tuple[int, str]:
        """What identifies the value that a schema is for: a schema for it, or one for the object that it is in."""
        top = self._top(schema)
        holder, name = self._holders.get(id(top), (None, ""))
        return (id(top), "") if holder is None else (id(self._top(holder)), f"/{name}")

    def together(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """The schemas for the same value: what applies in place, and what is said of the member elsewhere.

        They are at most MOST_TOGETHER. Once asked, they are settled.
        """
        key = self._value(schema)
        if key not in self._families:
            found = [top := self._top(schema)]
            if (held := self._holders.get(id(top))) is not None:
                for each in self.together(held[0]):
                    members = each.get("properties")
                    other = members.get(held[1]) if isinstance(members, dict) else None
                    found += [other] if isinstance(other, dict) else []
            self._families[key] = list(self._in_place(found))
        return self._families[key]

    def _in_place(self, schemas: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Some schemas and all that they apply in place, at most a thousand."""
        seen: set[int] = set()
        todo = schemas[::-1]
        while todo and len(seen) < MOST_TOGETHER:
            schema = todo.pop()
            if id(schema) in seen:
                continue
            seen.add(id(schema))
            yield schema
            if (target := self.target(schema)) is not None:
                todo.append(target)
            for step, inner in subschemas(schema):
                if step.split("/")[1] in IN_PLACE and isinstance(inner, dict):
                    todo.append(inner)

    def adopt(self, inner: dict[str, Any], place: Place) -> Place:
        """Tell of a schema that a rule made inside the one at `place`; later rules see it too."""
        self._add(replace(place, schema=inner))
        self._enclose(place.schema)
        self._enclose(inner)
        return self.places[-1]

    def rearranged(self, schema: dict[str, Any]) -> None:
        """Tell that a rule moved or replaced what stands directly inside a schema."""
        self._enclose(schema)

    def merged(self, inner: dict[str, Any], outer: dict[str, Any]) -> None:
        """Tell that a schema is gone and that another has taken its content: references follow."""
        self._moved[id(inner)] = outer
        self._enclose(outer)
        inner.clear()

    # ------------------------------------------------------------------------------------------------ running

    def run(self, rule: Rule) -> int:
        """Apply one rule to every schema that it is for, and report each application. How many there were."""
        count = 0
        for place in list(self.places):
            if not rule.keys or not rule.keys.isdisjoint(place.schema):
                for finding in rule.apply(place):
                    self.note(rule.code, place, finding)
                    count += 1
        return count

    def note(self, code: Code, place: Place, finding: Finding) -> None:
        """Report one finding at a place; the official meta-schemas are taken as they are."""
        if is_official(place.document) and (finding.repaired or code.severity is not Severity.ERROR):
            return
        pointer = place.pointer + finding.at
        line = self.line(place.document, pointer)
        self.report.add(
            Diagnostic(
                place.document.path,
                line,
                pointer,
                code.code,
                code.severity,
                finding.message,
                finding.fix,
                finding.repaired,
            )
        )

    def line(self, document: Document, pointer: str) -> int:
        """The line of a value in a file as written, or of the nearest value around it; 0 if unknown."""
        known = self._known(document)
        while pointer and pointer not in known:
            pointer = pointer.rpartition("/")[0]
        return known.get(pointer, 0)

    def _known(self, document: Document) -> dict[str, int]:
        if document.path not in self._lines:
            self._lines[document.path] = lines(document.text)
        return self._lines[document.path]

    def reachable(self) -> Iterator[tuple[Place, str]]:
        """The places that are still part of a document, with their pointer now."""
        for path, root in self.roots.items():
            for pointer, schema in walk(root):
                if (place := self.place_of.get(id(schema))) is not None and place.document.path == path:
                    yield place, pointer

    def write_refs(self) -> Iterator[Place]:
        """Replace every link by ``<path>#<pointer>``; yield the places of targets that rules had taken out.

        Such a target is kept under the `$defs` of its document. From here on :meth:`accepts` and :meth:`problem`
        answer, and schemas stay where they are.
        """
        yield from self._keep_targets()
        self._where = {id(place.schema): f"{place.document.path}#{pointer}" for place, pointer in self.reachable()}
        self.places = [place for place in self.places if id(place.schema) in self._where]
        for place in self.places:
            if (target := self.target(place.schema)) is not None:
                place.schema["$ref"] = self._where[id(target)]
        self._oracle = Oracle({self._where[id(place.schema)]: place.schema for place in self.places})

    def _keep_targets(self) -> Iterator[Place]:
        todo = [place.schema for place, _ in self.reachable()]
        kept = set(map(id, todo))
        for schema in todo:  # grows by what is in the targets
            target = self.target(schema)
            if target is None or id(target) in kept:
                continue
            place = self.place_of[id(target)]
            root = self.roots[place.document.path]
            if not isinstance(root.get("$defs"), dict):
                root["$defs"] = {}
            root["$defs"][self._unused(place, root["$defs"])] = target
            inner = [schema for _, schema in walk(target)]
            kept.update(map(id, inner))
            todo += inner
            yield place

    def _unused(self, place: Place, names: Container[str]) -> str:
        """A name for a schema under `$defs`, after where it stood."""
        steps = [place.document.path.rpartition("/")[2].removesuffix(".json"), *place.pointer.split("/")]
        words = (re.sub(r"[^A-Za-z0-9_-]+", "-", step)[:60].strip("-") for step in reversed(steps))
        stem = name = next((word for word in words if word and not word.isdecimal()), "schema")
        while name in names:
            self._numbers[stem] += 1
            name = f"{stem}-{self._numbers[stem]}"
        return name

    def accepts(self, place: Place, value: Any) -> bool | None:
        """Whether the schema at a place admits a value; None where that cannot be told."""
        return self._oracle.accepts(self._where[id(place.schema)], value) if self._oracle else None

    def problem(self, place: Place) -> str | None:
        """Why the document that a place is the root of is not valid; None for other places and valid documents."""
        root = self.roots[place.document.path]
        if place.schema is not root or (found := metaschema_problem(_with_uris(root))) is None:
            return None
        return f"{found[1]} (now at #{found[0]})"

    def example_pointers(self, place: Place, count: int) -> list[str]:
        """Where the `count` examples of a schema stand in the file, relative to the schema."""
        numbered = [f"/examples/{index}" for index in range(count)]
        wrote_example = self._known(place.document).get(f"{place.pointer}/example") is not None
        return self.examples_at.get(id(place.schema), ["/example", *numbered][:count] if wrote_example else numbered)

    def result(self) -> SpecTree:
        """The tree with every document's data replaced by its working copy."""
        shared = sorted((*self.tree.shared, *self.references.official), key=lambda document: document.path)
        documents = [*shared, *(document for task in self.tree.tasks for document in task.documents)]
        done = {document.path: replace(document, data=self.roots[document.path]) for document in documents}
        tasks = tuple(
            replace(
                task,
                input=done[task.input.path],
                output=done[task.output.path],
                stream=done[task.stream.path] if task.stream else None,
            )
            for task in self.tree.tasks
        )
        return replace(self.tree, tasks=tasks, shared=tuple(done[document.path] for document in shared))


def _with_uris(value: Any) -> Any:
    """A copy in which every `$ref` is a URI reference: the pointers in ours are not percent-encoded."""
    if isinstance(value, dict):
        return {
            key: quote(v, safe="#/") if key == "$ref" and isinstance(v, str) else _with_uris(v)
            for key, v in value.items()
        }
    return [_with_uris(item) for item in value] if isinstance(value, list) else value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
