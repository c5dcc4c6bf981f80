"""Examples against the schemas that they illustrate: every request of a task.toml, and every response beside it.

An example that is not valid would be printed in the docs, sent by the tests and copied by readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .diagnostics import Code, Diagnostic, Report, Severity
from .documents import SpecTree, TaskSource
from .load.positions import escape, line_of
from .load.toml import key_line
from .load.walk import walk
from .mismatch import Mismatch, Schemas

_MEDIA: Final = "AAAA"
"""Stands for a media file in a request: what counts is that a string may stand there."""
_MOST: Final = 20  # findings that are told of one example

CODES: Final = (
    Code(
        "TB250",
        Severity.ERROR,
        "example request is not valid",
        "The example of task.toml, put together to a request, is not valid under input.json: `inputs` (or `media`) is "
        "the member of that name or the first required one, and each of `parameters` goes where it is declared, in "
        "the request's `parameters` or beside them. Correct the example, or the schema.",
    ),
    Code(
        "TB251",
        Severity.ERROR,
        "example response is not valid",
        "The response of an example is not valid under output.json. If a server gave it, the schema is wrong about the "
        "server, or was changed since: correct the schema or record the response anew.",
    ),
    Code(
        "TB279",
        Severity.INFO,
        "few examples",
        "A task with a task.toml should show at least two requests, one of them with parameters, and at least one "
        "response: readers copy examples first and read schemas later.",
    ),
)


def check_examples(tree: SpecTree, report: Report) -> None:
    """Report the examples of a normalised tree that are not valid."""
    schemas = Schemas(
        {f"{document.path}#{pointer}": schema for document in tree.documents for pointer, schema in walk(document.data)}
    )
    for task in tree.tasks:
        _Checker(tree, task, schemas, report).check()


def count_examples(tree: SpecTree, report: Report) -> None:
    """Report the tasks that show too few examples, of those that have a task.toml."""
    for task in tree.tasks:
        count = len(task.meta.get("examples", ()))
        if task.meta_path and (count < 2 or not task.responses):
            message = f"{count} example{'s' * (count != 1)}, {len(task.responses)} with a response"
            fix = "show two requests and a response"
            report.add(Diagnostic(task.meta_path, 0, "", "TB279", Severity.INFO, message, fix))


@dataclass(frozen=True)
class _Checker:
    tree: SpecTree
    task: TaskSource
    schemas: Schemas
    report: Report

    def check(self) -> None:
        task = self.task
        for index, example in enumerate(task.meta.get("examples", ())):
            request, media = self.request(example)
            for problem in self.problems(task.input.path, request):
                # Any string stands for media: its length or pattern is not that of the placeholder.
                if problem.pointer not in media or problem.keyword == "type":
                    self.tell_request(index, example, problem)
        for name, response in task.responses.items():
            path = f"{task.id}/examples/{name}.{'response' if name in task.recorded else 'written'}.json"
            for problem in self.problems(task.output.path, response):
                line = line_of(self.text(path), problem.pointer)
                self.tell("TB251", path, line, problem.pointer, problem.message, "correct the response or the schema")

    def problems(self, path: str, value: Any) -> Iterator[Mismatch]:
        for count, problem in enumerate(self.schemas.mismatches(f"{path}#", value)):
            if count == _MOST:
                return
            yield problem

    def request(self, example: dict[str, Any]) -> tuple[Any, set[str]]:
        """An example put together to a request, and the pointers in it at which media stand."""
        members = self.schemas.members(f"{self.task.input.path}#")
        inputs, media = example.get("inputs"), {""} if "media" in example else set()
        if "media" in example:
            inputs = _MEDIA
        elif isinstance(inputs, dict):
            inputs = {**inputs, **dict.fromkeys(example.get("files", {}), _MEDIA)}
            media = {f"/{escape(name)}" for name in example.get("files", {})}
        if not members:  # the request is no object, so it is the input itself
            return inputs, media
        required = [name for name, member in members.items() if member.required]
        primary = "inputs" if "inputs" in members else next(iter([*required, *members]))
        request: dict[str, Any] = {primary: inputs} if {"inputs", "media"} & example.keys() else {}
        box = members.get("parameters")
        inside = self.schemas.members(box.where) if box is not None else {}
        for name, value in example.get("parameters", {}).items():
            # A name that nothing declares goes into the box, where a closed object says so and an open one takes it.
            boxed = name in inside or (name not in members and box is not None)
            (request.setdefault("parameters", {}) if boxed else request)[name] = value
        return request, {f"/{escape(primary)}{pointer}" for pointer in media}

    def tell_request(self, index: int, example: dict[str, Any], problem: Mismatch) -> None:
        path, where = self.task.meta_path, f"examples[{index}]."
        lines = self.text(path).splitlines()
        top, inner = (*problem.pointer.split("/")[1:], "", "")[:2]
        box = example.get("parameters", {})
        in_box = next((name for name in (top, inner) if name in box), "")
        keys = [in_box, "parameters"] if in_box else [inner, "files"] if inner in example.get("files", {}) else []
        table = key_line(lines, where, "")
        found = (key_line(lines, where, key) for key in (*keys, "inputs", "media"))
        message = f"example {str(example.get('name'))[:60]!r}: {problem.message}"
        line = next((line for line in found if line != table), table)
        self.tell("TB250", path, line, problem.pointer, message, "correct the example or the schema")

    def tell(self, code: str, path: str, line: int, pointer: str, message: str, fix: str) -> None:
        self.report.add(Diagnostic(path, line, pointer, code, Severity.ERROR, message, fix))

    def text(self, path: str) -> str:
        """A file that was read before, once more: only a finding needs its lines."""
        try:
            return (self.tree.root / path).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""
