"""What the playground page knows of each task beside its schema: its examples, and how to draw its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import ir
from ..context import Context
from ..plan import Plan, TaskPlan
from .kinds import input_kind, output_kind
from .skeletons import Skeleton, client_skeleton, skeletons
from .ways import files, parameters, sample


@dataclass(frozen=True)
class Sample:
    """A media file of an example: the members that lead to its place in a request, and its path below ``/samples``."""

    place: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Call:
    """An example: a `request` whose media are apart, in `samples`."""

    name: str
    title: str
    request: dict[str, Any]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Entry:
    """One task. `input` and `output` are kinds (see :mod:`.kinds`), `primary` is the member that is the task's input.

    `also` are other names that people know it by. `takes_file`: that file alone is a whole request. `streams`: a member
    ``stream`` of the request asks for events. `client` is the program of our client, with marks (see
    :mod:`.skeletons`), and `keywords` are the names of parameters there, if other than on the wire.
    """

    id: str
    title: str
    summary: str
    category: str
    also: tuple[str, ...]
    input: str
    output: str
    primary: str
    takes_file: bool
    streams: bool
    client: str
    keywords: dict[str, str]
    examples: tuple[Call, ...]


@dataclass(frozen=True)
class Playground:
    """All tasks, and the languages that calls are shown in."""

    title: str
    languages: tuple[Skeleton, ...]
    tasks: tuple[Entry, ...]


def playground(api: ir.Api, plan: Plan, context: Context) -> Playground:
    """What the page of this package shows."""
    entries = tuple(_entry(api, plan, task, context) for task in plan.tasks)
    return Playground(plan.distribution, skeletons(context, plan.package), entries)


def _entry(api: ir.Api, plan: Plan, task: TaskPlan, context: Context) -> Entry:
    return Entry(
        id=task.task.id,
        title=task.task.title,
        summary=task.task.docs.summary,
        category=task.task.docs.category,
        also=task.task.docs.also,
        input=input_kind(api, task.task),
        output=output_kind(api, task.task),
        primary=task.primary.name,
        takes_file=task.takes_file,
        streams=task.stream_annotation is not None,
        client=client_skeleton(api, plan, task, context),
        keywords={p.wire: p.python for p in task.parameters if p.python != p.wire},
        examples=tuple(_call(task, example) for example in task.task.examples),
    )


def _call(task: TaskPlan, example: ir.Example) -> Call:
    rest, _ = parameters(task, example)
    first = {} if example.inputs is ir.ABSENT else {task.primary.name: example.inputs}
    samples = tuple(
        Sample((task.primary.name, member) if member else (task.primary.name,), sample(task.task, path))
        for member, path in files(example)
    )
    return Call(example.name, example.title or example.name, first | rest, samples)
