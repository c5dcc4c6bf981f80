"""The page for readers who come from Clarifai's predict call: what of it works here as it is, and what does not.

What stands where is read from the wires of the tasks; what every server does beside that is said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ... import ir
from ...context import BASE_URL, Context
from ...escape import code, markdown, py_literal
from ...plan import Plan, TaskPlan
from ...wires import missing
from ..predict.calls import PROTOCOL, calls
from ..service import LIMITS
from ..ways import sample_paths

_CONCEPTS: Final = "$.concepts[*].name"
_DATA: Final = "$.data."
_PARAMS: Final = "$.params"

OPTIONS: Final = (
    (
        "max_concepts",
        "1 to 200; 20",
        "The model is asked for so many. Of what it says, the best ones are in the answer.",
    ),
    ("min_value", "0 to 1; 0", "Concepts and regions with less are left out."),
    (
        "select_concepts",
        "–",
        "By `id` or `name`, as they are written. Of tasks that take any labels these are the labels. Of others it is a "
        "choice: what the model does not have is told with 10010, and 21202 where it has none of them.",
    ),
    (
        "language",
        "the model's own",
        "The names of concepts, from the file `labels.<language>.json` beside the model's `config.json`. Where "
        "there are such files, a language without one is 21202; where there are none, names are the model's own, and "
        "the `details` of the output's status say so.",
    ),
    ("sample_ms", "100 to 60000; 1000", "How often a frame of a video is looked at: see [inputs](#inputs)."),
)
"""Options of every call, their range and default, and what they do; the last is Markdown."""

STATUSES: Final = (
    ("10000", 200, "Every input has its answer."),
    ("10010", 200, "Some outputs failed, or have something to tell: each has a status of its own."),
    ("10020", 400, "All outputs failed: each says why."),
    ("11008, 11009", 401, "The key is missing or wrong, or the word before it is another than `Key`."),
    ("11005", 429, "Enough inputs wait for the model, or too much data: try again after `retry-after` seconds."),
    ("11100", 400, "The body is not valid JSON, or a member of it is of a wrong type."),
    ("11101", 404, "There is no such address."),
    ("11102", 400, "The body is compressed."),
    ("11103", 405, "The address takes another method."),
    ("21200", 404, "There is no such model, or no such version of it."),
    ("21202", 400, "An option or a parameter is wrong; `details` names it."),
    ("21203", 400, "The call names no model."),
    ("21313", 500, "The model failed."),
    ("21350", 500, "The model could not be loaded."),
    ("21355", 503, "The model is still loading. Clarifai's own client tries again by itself."),
    ("30002", 400, "The URL could not be fetched, or this server fetches none."),
    ("30101", 400, "The data are of a kind that the model does not take."),
    ("30102", 404, "The model has no such input example."),
    ("30104", 400, "The input has no data, or twice the same."),
    ("30105", 400, "The data are too large."),
    ("30106", 400, "The URL is none."),
    ("30300", 400, "The bytes cannot be decoded."),
    ("31002, 31101, 31104, 31105, 31106, 31300", 400, "The same of a video."),
    ("40001", 400, "The call has no inputs, or more than 128."),
    ("40032", 504, "The answer took too long, or the request came too slowly."),
    ("40033", 413, "The body is larger than the server takes."),
    ("98004", 500, "The server failed; its log knows more by the `req_id`."),
)
"""Codes, the HTTP status that comes with them, and when; the last is Markdown."""


@dataclass(frozen=True)
class Mapped:
    """One thing there, the same here, and the tasks that have it; finished Markdown."""

    there: str
    here: str
    tasks: str
    note: str = ""


@dataclass(frozen=True)
class Call:
    """A call that a program makes: a task, and a Python literal of its text."""

    task: str
    text: str


@dataclass(frozen=True)
class Batch:
    """A call with several inputs: the method, and a Python literal of each input."""

    method: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class ClarifaiView:
    """The page for users of Clarifai. `method` makes a client of ours that speaks as Clarifai does.

    `url` is the hosted service and `token_env` the environment variable with its key; both may be empty. `uncalled` are
    tasks whose answers lack something there, each with what, `without` links to those that are not spoken, `streams` to
    those whose answers are streamed here.
    """

    title: str
    method: str
    auth: str
    url: str
    token_env: str
    base_url: str
    call: Call | None
    batch: Batch | None
    inputs: tuple[Mapped, ...]
    outputs: tuple[Mapped, ...]
    renamed: tuple[Mapped, ...]
    options: tuple[tuple[str, str, str], ...]
    frames: bool
    limits: tuple[tuple[str, str], ...]
    statuses: tuple[tuple[str, int, str], ...]
    uncalled: tuple[tuple[str, str], ...]
    streams: str
    without: str


def clarifai_view(api: ir.Api, plan: Plan, context: Context) -> ClarifaiView | None:
    """The page, if the server speaks a dialect of Clarifai's protocol."""
    dialect = next((dialect for dialect in plan.dialects if dialect.protocol == PROTOCOL), None)
    if dialect is None:
        return None
    found = {
        task.task.id: (task, wire) for task in plan.tasks for wire in task.task.wires if wire.dialect == dialect.name
    }
    spoken = list(found.values())
    lacking = {task.task.id: missing(api, task.task, wire) for task, wire in spoken}
    return ClarifaiView(
        title=markdown(dialect.title, links=False),
        method=f"Client.{dialect.name}",
        auth=dialect.auth or "Bearer",
        url=dialect.url or "",
        token_env=dialect.token_env,
        base_url=BASE_URL,
        call=_call(dialect, spoken),
        batch=_batch([task for task, wire in spoken if not lacking[task.task.id] and _has(wire, _CONCEPTS)]),
        inputs=_grouped(row for task, wire in spoken for row in _inputs(task, wire)),
        outputs=_grouped(_output(task, wire) for task, wire in spoken),
        renamed=_grouped(row for task, wire in spoken for row in _renamed(task, wire)),
        options=tuple((code(name), values, note) for name, values, note in OPTIONS),
        frames=any(_takes(wire, kind) for _, wire in spoken for kind in ("image", "video")),
        limits=tuple(_limits(spoken)),
        statuses=STATUSES,
        uncalled=tuple((_links([task]), _codes(lacking[id])) for id, (task, _) in found.items() if lacking[id]),
        streams=_links(task for task, _ in spoken if task.stream_annotation),
        without=_links(task for task in plan.tasks if task.task.id not in found),
    )


_Row = tuple[str, str, str, TaskPlan]
_Spoken = Sequence[tuple[TaskPlan, ir.Wire]]


def _grouped(rows: Iterable[_Row]) -> tuple[Mapped, ...]:
    """One row for all tasks with the same cells."""
    found: dict[tuple[str, str, str], dict[str, TaskPlan]] = {}
    for there, here, note, task in rows:
        found.setdefault((there, here, note), {})[task.task.id] = task
    return tuple(Mapped(there, here, _links(tasks.values()), note) for (there, here, note), tasks in found.items())


def _links(tasks: Iterable[TaskPlan]) -> str:
    return ", ".join(f"[{markdown(task.task.title, links=False)}]({quote(task.task.id)}.md)" for task in tasks)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _lines(names: Iterable[str]) -> str:
    """One below the other, as there and here they face each other."""
    return "<br>".join(map(code, names))


def _name(place: str, within: str = "$") -> str:
    """A place as people write it, as seen from `within`: ``[].label``."""
    return place.removeprefix(within).removeprefix(".").replace("[*]", "[]")


def _has(wire: ir.Wire, place: str) -> bool:
    return any(there == place for form in wire.answers for _, there in form)


def _takes(wire: ir.Wire, kind: str) -> bool:
    return any(there.startswith(f"{_DATA}{kind}.") for form in wire.requests for _, there in form)


# ------------------------------------------------------------------------------------------------- requests and answers


def _inputs(task: TaskPlan, wire: ir.Wire) -> Iterator[_Row]:
    for form in wire.requests:
        pairs = [(_name(there, _DATA), _name(here)) for here, there in form if there.startswith(_DATA)]
        if pairs:
            yield _lines(there for there, _ in pairs), _lines(here for _, here in pairs), "", task


def _output(task: TaskPlan, wire: ir.Wire) -> _Row:
    pairs = {there: _name(here) for form in wire.answers for here, there in form}
    whole = not any(name.strip("[]") for name in pairs.values())
    note = "There these are shares of the width and height of the image, here they are pixels." if wire.scales else ""
    return _lines(map(_name, pairs)), "the answer itself" if whole else _lines(pairs.values()), note, task


def _renamed(task: TaskPlan, wire: ir.Wire) -> Iterator[_Row]:
    """The params that the task calls otherwise, or has elsewhere; ``params`` are those without a row."""
    for form in wire.requests:
        for here, there in form:
            inside = here == f"$.{task.primary.name}" or here.startswith(f"$.{task.primary.name}.")
            if there.startswith(_PARAMS) and here != "$.parameters" and (inside or _last(here) != _last(there)):
                yield code(_name(there)), code(_name(here)), "", task


def _last(place: str) -> str:
    return re.split(r"[.\[]", place.replace("[*]", ""))[-1]


# -------------------------------------------------------------------------------------------------- programs and limits


def _call(dialect: ir.Dialect, spoken: _Spoken) -> Call | None:
    """A call with a text alone, of a task whose answers are concepts: one with a recorded answer, if there is one."""
    found: list[tuple[bool, Call]] = []
    for task, wire in spoken:
        recorded = any(example.recorded for example in task.task.examples)
        for call in calls(task, dialect, wire):
            match call.input, call.params:
                case {"data": {"text": {"raw": str(text)}, **others}}, None if not others and _has(wire, _CONCEPTS):
                    found.append((not recorded, Call(task.task.id, py_literal(text))))
    return min(found, key=lambda one: one[0])[1] if found else None


def _batch(tasks: Sequence[TaskPlan]) -> Batch | None:
    """A call with the inputs of a task's examples: one with recorded answers, if there is one."""
    found: list[tuple[tuple[bool, int], Batch]] = []
    for number, task in enumerate(tasks):
        if any(parameter.required for parameter in task.keywords):
            continue
        examples = task.task.examples
        files = [path for e in examples for path in sample_paths(task.task, e).values()] if task.takes_file else []
        texts = [example.inputs for example in examples if isinstance(example.inputs, str)]
        if inputs := dict.fromkeys([path.rpartition("/")[2] for path in files] or texts):
            recorded = any(example.recorded for example in examples)
            found.append(((not recorded, number), Batch(task.method, tuple(map(py_literal, inputs)))))
    return min(found, key=lambda one: one[0])[1] if found else None


def _limits(spoken: _Spoken) -> Iterator[tuple[str, str]]:
    """What is published there, and what holds here."""
    ours = {limit.setting: limit for limit in LIMITS}
    yield "1 to 128 inputs in a call", "the same"
    sizes = "20 MB for an image, a recording or a text; 10 MB for a video, or 100 MB by URL"
    whole = ours["max_body"]
    yield sizes, f"the same; and {whole.value} for the whole body, base64 included: raise `{whole.option}` for more"
    for kind, there, setting in (
        ("image", "85 megapixels for an image", "max_pixels"),
        ("audio", "no length of a recording is given", "max_seconds"),
        ("video", "10 minutes for a video", "max_video_pixels"),
    ):
        if any(_takes(wire, kind) for _, wire in spoken):
            limit = ours[setting]
            what = "all its frames together" if kind == "video" else ""
            yield there, f"{limit.value} {what}".strip() + f" (`{limit.option}`)"
    yield "15 requests a second", "no rate; 11005 when the queue of a model is full"
