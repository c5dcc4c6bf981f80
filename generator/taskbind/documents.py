"""What `load` hands to `normalize` and `normalize` to `lower`: spec files as data, with where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Document:
    """One JSON Schema file. `path` is relative to the spec root with POSIX separators; `data` is never mutated."""

    path: str
    text: str
    data: Any


@dataclass(frozen=True)
class TaskSource:
    """The files of one task. `meta` is the parsed `task.toml`, empty where the layout has none.

    `responses` maps an example's name to its response; those in `recorded` are what a server answered, the others
    were written by hand. `recordings` maps it to what else was recorded of the answer: `raw`, as it was sent, and
    `text`, as people see it. `wires` is the parsed `wire.toml`: how the task is spoken, by the name of the dialect.
    """

    id: str
    input: Document
    output: Document
    stream: Document | None
    meta: dict[str, Any]
    meta_path: str
    responses: dict[str, Any]
    recorded: frozenset[str]
    recordings: Mapping[str, dict[str, str]] = field(default_factory=dict)
    wires: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def documents(self) -> tuple[Document, ...]:
        """The schema files of this task."""
        return (self.input, self.output, self.stream) if self.stream else (self.input, self.output)


@dataclass(frozen=True)
class SpecTree:
    """A spec root: its tasks, sorted by id, and the schema files that several of them share, sorted by path.

    `dialects` is the parsed `dialects.toml`, by the name of the dialect.

    After `normalize` every schema in it is JSON Schema 2020-12, its definitions are under ``$defs`` and every ``$ref``
    reads ``<path of the document>#<JSON Pointer>``, relative to the spec root, and is known to resolve.
    """

    root: Path
    tasks: tuple[TaskSource, ...]
    shared: tuple[Document, ...]
    dialects: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every schema file of the tree: the shared ones, then those of each task."""
        return (*self.shared, *(document for task in self.tasks for document in task.documents))
