"""What a task's page says of its predict calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ... import ir
from ...context import Context, MissingFileError
from ...escape import code, markdown
from ...plan import Plan, TaskPlan
from ...wires import missing
from ..blocks import Block, block, program_block, sample_shown
from ..program import Program
from .calls import DATA, URL, Call, calls, speakers
from .programs import predict_programs, route

_INTRO: Final = {
    (URL, True): (
        "By URL",
        "The server fetches the file: from hosts that its operator allows and no others, so start it with "
        "`--fetch localhost` for this one.",
    ),
    (URL, False): (
        "By URL",
        "The server fetches the text: from hosts that its operator allows and no others, so start it with "
        "`--fetch localhost` for this one.",
    ),
    (DATA, True): ("By bytes", "The file stands in the JSON, as base64."),
    (DATA, False): ("By text", "The text stands in the JSON."),
}
"""Heading and introduction of a call, by its way and whether media are sent."""


@dataclass(frozen=True)
class CallView:
    """One call in all languages; the samples as of :func:`~..blocks.sample_shown`."""

    title: str
    intro: str
    samples: tuple[tuple[str, str, bool], ...]
    programs: tuple[Block, ...]


@dataclass(frozen=True)
class Section:
    """The calls in one dialect, and what the server answers to them: as people see it, and the whole of it.

    `left_out` are members that an answer of the task must have and that there is no place for, as Markdown.
    """

    title: str
    auth: str
    route: str
    calls: tuple[CallView, ...]
    text: Block | None
    answer: Block | None
    left_out: str


def sections(api: ir.Api, plan: Plan, context: Context) -> dict[str, tuple[Section, ...]]:
    """The sections of the tasks that have predict calls, by the id of the task."""
    own: dict[str, list[Program]] = {}
    for program in context.once(predict_programs, api, plan):
        own.setdefault(program.task, []).append(program)
    found = {task.task.id: tuple(_sections(api, plan, task, own.get(task.task.id, []), context)) for task in plan.tasks}
    return {id: parts for id, parts in found.items() if parts}


def _sections(api: ir.Api, plan: Plan, task: TaskPlan, own: list[Program], context: Context) -> Iterator[Section]:
    for dialect, wire in speakers(plan.dialects, task.task):
        if made := calls(task, dialect, wire):
            name = f"{task.task.id}/{made[0].example}"
            text, answer = (_recorded(context, task, made[0].example, dialect, end) for end in ("txt", "json"))
            yield Section(
                title=markdown(dialect.title, links=False),
                auth=dialect.auth or "Bearer",
                route=route(task.task.id),
                calls=tuple(_call(call, own) for call in made),
                text=block("text", "", f"{dialect.name}-text: {name}", "text", text) if text else None,
                answer=block("json", "", f"{dialect.name}-answer: {name}", "json", answer) if answer else None,
                left_out=", ".join(map(code, missing(api, task.task, wire))),
            )


def _call(call: Call, own: list[Program]) -> CallView:
    title, intro = _INTRO[call.way, not call.hosted and bool(call.media)]
    programs = [program for program in own if program.file.startswith(f"{program.task}/{call.name}.")]
    hosted = [path for path, _ in call.hosted]
    needs = dict.fromkeys([*hosted, *(path for program in programs for path in program.needs)])
    return CallView(
        title=title,
        intro=intro,
        samples=tuple(map(sample_shown, needs)),
        programs=tuple(program_block("snippet", program) for program in programs),
    )


def _recorded(context: Context, task: TaskPlan, example: str, dialect: ir.Dialect, end: str) -> str:
    """What was recorded of the server's answer to a call, if anything was."""
    try:
        return context.spec_file(f"{task.task.id}/examples/{example}.{dialect.name}.{end}").decode("utf-8")
    except MissingFileError:
        return ""
