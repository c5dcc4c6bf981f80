"""Operations put together to a tree of specs as the document has them, before any of it is normalised."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...documents import Document, SpecTree, TaskSource
from ...ir import Source
from ...load.dialects import DIALECTS, LATEST
from ...names import unique
from .bodies import Bodies, around
from .operations import Operation
from .schemas import Part, Schemas, Target

_OLD: Final = next(uri for uri, draft in DIALECTS.items() if draft == 4)
_ANNOTATIONS: Final = {"$ref", "title", "summary", "description"}
_MODEL: Final = "model"

Task = tuple[Operation, Bodies]


@dataclass(frozen=True)
class Assembly:
    """A raw tree, and of each file what stands where in it.

    `origins` are, by path of a file, the pointers of the schemas in it and where these stand in the document; `users`
    the tasks that depend on such a schema of the shared file, by its pointer.
    """

    tree: SpecTree
    origins: Mapping[str, Mapping[str, Source]]
    users: Mapping[str, frozenset[str]]

    def origin(self, path: str, pointer: str) -> Source | None:
        """Where in the document something of the tree comes from; None for what only the tree has."""
        known = self.origins.get(path, {})
        above = pointer
        while above not in known:
            if not above:
                return None
            above = above.rpartition("/")[0]
        place, rest = known[above], pointer.removeprefix(above)
        if rest.split("/", 2)[1:2] in (["$defs"], ["definitions"]):
            return None  # what was put there
        return Source(place.path, place.pointer + rest)

    def tasks(self, path: str, pointer: str) -> frozenset[str]:
        """The tasks that something of the tree belongs to."""
        if "/" in path:
            return frozenset((path.partition("/")[0],))
        key = "/".join(pointer.split("/")[:3])
        return self.users.get(key, frozenset().union(*self.users.values()))


def assemble(
    schemas: Schemas, tasks: Sequence[Task], shared: str, wires: Mapping[str, Mapping[str, Any]], dialects: Any
) -> Assembly:
    """The tree of some tasks; `shared` is the path of the file for what several of them use."""
    return _Assembler(schemas, tasks, shared).tree(wires, dialects)


class _Assembler:
    def __init__(self, schemas: Schemas, tasks: Sequence[Task], shared: str) -> None:
        self.schemas = schemas
        self.tasks = tasks
        self.shared = shared
        self.same = schemas.merged()
        self.holder = "definitions" if schemas.old else "$defs"
        self.dialect = _OLD if schemas.old else LATEST
        self.roots = {f"{op.id}/{name}.json": part for op, bodies in tasks for name, part in bodies.parts().items()}
        self._inline()
        self.reach = {path: list(self._reached(part)) for path, part in self.roots.items()}
        self.home = self._homes()
        self.names = self._names()

    def _targets(self, part: Part) -> list[Target]:
        return [self.same[target] for _, target in part.links]

    def _inline(self) -> None:
        """Put a schema that is nothing but a root's, and named by nobody else, in the place of the reference to it."""
        parts = {id(part): part for part in self.roots.values()}
        for path in self.roots:
            for target in self._reached(self.roots[path]):
                part = self.schemas.targets[target]
                parts[id(part)] = part
        count = Counter(target for part in parts.values() for target in self._targets(part))
        for path, part in list(self.roots.items()):
            schema = part.schema
            if not isinstance(schema, dict) or "$ref" not in schema or not schema.keys() <= _ANNOTATIONS:
                continue
            target = self._targets(part)[0]
            inner = self.schemas.targets[target]
            if count[target] == 1 and isinstance(inner.schema, dict):
                said = {} if self.schemas.old else {key: schema[key] for key in schema if key != "$ref"}
                links = [(holder, to) for holder, to in inner.links if holder is not inner.schema]
                whole = {"title": _name(target.place)} | inner.schema | said  # its key was its name
                links += [(whole, to) for holder, to in inner.links if holder is inner.schema]
                self.roots[path] = Part(whole, inner.place, links)

    def _reached(self, part: Part) -> Iterator[Target]:
        """What a part refers to, directly and indirectly, each once."""
        seen: dict[Target, None] = {}
        todo = self._targets(part)[::-1]
        while todo:
            if (target := todo.pop()) not in seen:
                seen[target] = None
                todo += self._targets(self.schemas.targets[target])[::-1]
        yield from seen

    def _homes(self) -> dict[Target, str]:
        """The file that a definition is written to: that of the one root that uses it, or the shared one."""
        home: dict[Target, str] = {}
        for path, reached in self.reach.items():
            for target in reached:
                home[target] = path if home.setdefault(target, path) == path else self.shared
        return home

    def _names(self) -> dict[Target, str]:
        taken: set[str] = set()
        names: dict[Target, str] = {}
        for target in self.home:
            stem = _name(target.place)
            twin = target._replace(way="answer" if target.way == "request" else "request")
            if target.way == "request" and self.home.get(twin):
                stem = f"{stem}Request"
            names[target] = unique(stem, taken)
        return names

    def tree(self, wires: Mapping[str, Mapping[str, Any]], dialects: Any) -> Assembly:
        """The raw tree."""
        for part in (*self.roots.values(), *(self.schemas.targets[target] for target in self.home)):
            for holder, target in part.links:
                target = self.same[target]
                if target in self.home:
                    holder["$ref"] = f"{self.home[target]}#/{self.holder}/{self.names[target]}"
        contents: dict[str, Any] = {}
        origins: dict[str, dict[str, Source]] = {}
        for op, bodies in self.tasks:
            for name in bodies.parts():
                path = f"{op.id}/{name}.json"
                part = self.roots[path]
                wrapped = name == "input" and bodies.wrapped
                if name == "input" and not wrapped:
                    self._first(part)
                data = _copied(part.schema)
                contents[path] = around(data) if wrapped else data if isinstance(data, dict) else {"not": {}}
                origins[path] = {"/properties/inputs" if wrapped else "": part.place}
        users: dict[str, set[str]] = {}
        for target, path in self.home.items():
            part = self.schemas.targets[target]
            holder = contents.setdefault(path, {}).setdefault(self.holder, {})
            holder[self.names[target]] = _copied(part.schema)
            origins.setdefault(path, {})[f"/{self.holder}/{self.names[target]}"] = part.place
        for path, reached in self.reach.items():
            for target in reached:
                key = f"/{self.holder}/{self.names[target]}"
                users.setdefault(key, set()).add(path.partition("/")[0])
        documents = {path: Document(path, "", {"$schema": self.dialect, **data}) for path, data in contents.items()}
        sources = tuple(
            TaskSource(
                id=op.id,
                input=documents[f"{op.id}/input.json"],
                output=documents[f"{op.id}/output.json"],
                stream=documents.get(f"{op.id}/stream_output.json"),
                meta={},
                meta_path="",
                responses={},
                recorded=frozenset(),
                wires=dict(wires[op.id]),
            )
            for op, _ in sorted(self.tasks, key=lambda task: task[0].id)
        )
        common = (documents[self.shared],) if self.shared in documents else ()
        tree = SpecTree(Path(), sources, common, dialects)
        return Assembly(tree, origins, {key: frozenset(ids) for key, ids in users.items()})

    def _first(self, part: Part) -> None:
        """Let the input come first: the one file that is needed, and no name of a model, which has a keyword.

        The order of members says nothing else.
        """
        for _ in range(len(self.home) + 1):
            schema = part.schema
            if not isinstance(schema, dict):
                return
            members = schema.get("properties")
            if isinstance(members, dict):
                needed = schema.get("required", ())
                files = [name for name in members if name in needed and _is_media(members[name])]
                ahead = files if len(files) == 1 else []
                last = [_MODEL] if _MODEL in members else []
                between = [name for name in members if name not in (*ahead, *last)]
                schema["properties"] = {name: members[name] for name in (*ahead, *between, *last)}
                return
            target = next((to for holder, to in part.links if holder is schema), None)
            if target is None:
                return
            part = self.schemas.targets[self.same[target]]


def _is_media(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("contentEncoding") == "base64"


def _copied(schema: Any) -> Any:
    return json.loads(json.dumps(schema))


def _name(place: Source) -> str:
    """A name for the definition of what stands at a place: that of the component, or what comes nearest to one."""
    steps = [place.path.rpartition("/")[2].rpartition(".")[0], *place.pointer.split("/")]
    words = (re.sub(r"[^A-Za-z0-9_.-]+", "-", step)[:80].strip("-.") for step in reversed(steps))
    return next((word for word in words if word and not word.isdecimal() and word != "schema"), "Schema")
