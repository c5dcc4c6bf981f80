"""The working copy of a spec tree that rules change, with where everything in it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from ..diagnostics import Code, Diagnostic, Report
from ..documents import Document, SpecTree
from ..load.codes import tell
from ..load.dialects import dialect_of, metaschema_problem
from ..load.positions import lines
from ..load.refs import References, RefError
from ..load.walk import IN_PLACE, subschemas, walk
from .oracle import Oracle
from .rule import Finding, Place, Rule


@dataclass(eq=False)
class Link:
    """Stands for the text of a `$ref` while rules move schemas about: the schema that it means."""

    text: str
    target: dict[str, Any]


class Work:
    """All documents of a tree as mutable copies, with links for references."""

    def __init__(self, tree: SpecTree, report: Report) -> None:
        self.tree = tree
        self.report = report
        self.tasks = [task.id for task in tree.tasks]
        owners = {document.path: task.id for task in tree.tasks for document in task.documents}
        self.documents = tree.documents
        self.roots = {document.path: _copy(document.data) for document in self.documents}
        self.places: list[Place] = []
        self._enclosing: dict[int, dict[str, Any]] = {}
        self._moved: dict[int, dict[str, Any]] = {}
        self._lines: dict[str, dict[str, int]] = {}
        self._declared: dict[int, set[str]] = {}
        self._where: dict[int, str] = {}
        self._oracle: Oracle | None = None
        self.examples_at: dict[int, list[str]] = {}
        for document in self.documents:
            dialect = dialect_of(document.data) or 2020
            for pointer, schema in walk(self.roots[document.path]):
                self.places.append(Place(schema, document, pointer, dialect, owners.get(document.path, ""), self))
                self._enclose(schema)
        self._link()

    def _link(self) -> None:
        references = References(self.documents)
        sites = {(place.document.path, place.pointer): place.schema for place in self.places}
        for place in self.places:
            if "$ref" not in place.schema:
                continue
            ref = place.schema["$ref"]
            try:
                site = references.resolve(place.document, ref)
            except RefError as error:
                pointer = f"{place.pointer}/$ref"
                line = self.line(place.document, pointer)
                path = place.document.path
                tell(self.report, error.code, path, error.message, fix=error.fix, pointer=pointer, line=line)
                del place.schema["$ref"]
            else:
                place.schema["$ref"] = Link(ref, sites[site.document.path, site.pointer])

    def _enclose(self, schema: dict[str, Any]) -> None:
        for step, inner in subschemas(schema):
            if isinstance(inner, dict) and step.split("/")[1] in IN_PLACE:
                self._enclosing[id(inner)] = schema

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
        """The schema whose allOf, anyOf or oneOf this one is a member of."""
        return self._enclosing.get(id(schema))

    def declared(self, schema: dict[str, Any]) -> set[str]:
        """The properties that a schema, or what it is combined with in place, declares. Once asked, it is settled."""
        while (outer := self.enclosing(schema)) is not None:
            schema = outer
        if id(schema) not in self._declared:
            self._declared[id(schema)] = set(self._names(schema, set()))
        return self._declared[id(schema)]

    def _names(self, schema: dict[str, Any], seen: set[int]) -> Iterator[str]:
        if id(schema) in seen:
            return
        seen.add(id(schema))
        own = schema.get("properties")
        yield from own if isinstance(own, dict) else ()
        if (target := self.target(schema)) is not None:
            yield from self._names(target, seen)
        for step, inner in subschemas(schema):
            if step.split("/")[1] in IN_PLACE and isinstance(inner, dict):
                yield from self._names(inner, seen)

    def adopt(self, inner: dict[str, Any], place: Place) -> None:
        """Tell of a schema that a rule made inside the one at `place`; later rules see it too."""
        self.places.append(replace(place, schema=inner))
        self._enclose(place.schema)
        self._enclose(inner)

    def merged(self, inner: dict[str, Any], outer: dict[str, Any]) -> None:
        """Tell that a schema is gone and that another has taken its content: references follow."""
        self._moved[id(inner)] = outer
        self._enclose(outer)
        inner.clear()

    # ------------------------------------------------------------------------------------------------ running

    def run(self, rule: Rule) -> None:
        """Apply one rule to every schema that it is for, and report each application."""
        for place in list(self.places):
            if not rule.keys or not rule.keys.isdisjoint(place.schema):
                for finding in rule.apply(place):
                    self.note(rule.code, place, finding)

    def note(self, code: Code, place: Place, finding: Finding) -> None:
        """Report one finding at a place."""
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
        places = {id(place.schema): place for place in self.places}
        for path, root in self.roots.items():
            for pointer, schema in walk(root):
                if (place := places.get(id(schema))) is not None and place.document.path == path:
                    yield place, pointer

    def write_refs(self) -> Iterator[Place]:
        """Replace every link by ``<path>#<pointer>``; yield the places whose target a rule has taken away.

        From here on :meth:`accepts` and :meth:`problem` answer, and schemas stay where they are.
        """
        self._where = {id(place.schema): f"{place.document.path}#{pointer}" for place, pointer in self.reachable()}
        self.places = [place for place in self.places if id(place.schema) in self._where]
        for place in self.places:
            if isinstance(place.schema.get("$ref"), Link):
                text = self._where.get(id(self.target(place.schema)))
                if text is None:
                    del place.schema["$ref"]
                    yield place
                else:
                    place.schema["$ref"] = text
        self._oracle = Oracle({self._where[id(place.schema)]: place.schema for place in self.places})

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
        done = {document.path: replace(document, data=self.roots[document.path]) for document in self.documents}
        tasks = tuple(
            replace(
                task,
                input=done[task.input.path],
                output=done[task.output.path],
                stream=done[task.stream.path] if task.stream else None,
            )
            for task in self.tree.tasks
        )
        return replace(self.tree, tasks=tasks, shared=tuple(done[document.path] for document in self.tree.shared))


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
