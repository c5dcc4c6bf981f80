"""The page for readers who come from Clarifai's predict call: what they send and get there, and what it is here.

What that call looks like is known here; which of it has a counterpart is read from the kinds of the tasks' inputs and
answers, so that the page names only tasks and parameters that there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ... import ir
from ...context import BASE_URL, Context
from ...escape import code, markdown, py_literal
from ...plan import Plan, TaskPlan
from ..kinds import BOXES, LABELS, input_kind, output_kind
from ..service import LIMITS
from ..ways import sample_paths

_CONCEPTS: Final = ("concepts[].name", "concepts[].value")
_OUTPUTS: Final = {
    "scores": _CONCEPTS,
    "boxes": (
        "regions[].region_info.bounding_box",
        "regions[].data.concepts[].name",
        "regions[].data.concepts[].value",
    ),
    "masks": ("regions[].region_info.mask.image.base64", "regions[].data.concepts[].name"),
    "spans": (
        "regions[].region_info.span.char_start",
        "regions[].region_info.span.char_end",
        "regions[].region_info.span.raw_text",
        "regions[].data.concepts[].name",
    ),
    "transcript": ("text.raw", "time_segments[].time_info", "time_segments[].data.text.raw"),
    "text": ("text.raw",),
    "chat": ("text.raw",),
    "answers": ("text.raw", *_CONCEPTS),
    "numbers": ("embeddings[].vector",),
    "image": ("image.base64",),
    "audio": ("audio.base64",),
    "video": ("video.base64",),
}
"""Where each kind of answer stands below ``outputs[].data``."""

_LABELLED: Final = frozenset(("scores", "boxes", "masks", "spans", "answers"))
"""Kinds of answers that have something like concepts in them."""

_OPTIONS: Final = (
    ("max_concepts", ("top_k",), "From 1 to 200 there, and 20 unless it is given."),
    ("min_value", ("threshold",), "Where a task has no such parameter, leave out what scores less yourself."),
    (
        "select_concepts",
        ("candidate_labels",),
        "There a choice among the concepts of the model; here the labels themselves, of a task that takes any.",
    ),
    ("language", (), "Labels are what the model calls them."),
    ("sample_ms", (), "A video has one answer, and not one for each frame."),
    ("params", (), "The model's own options are keywords of the task, each with a type and a range: see its page."),
)
"""Options there, the parameters that may do the same, and what to know."""

_STATUSES: Final = (
    ("10000", "200", "The body is the answer itself, without an envelope around it."),
    ("10010, 10020", "–", "Each input is a request of its own and has its own status."),
    ("11001, 11008, 11009", "401", "The token is missing or wrong."),
    ("11005", "429", "Try again after `retry-after` seconds; the client does so by itself."),
    ("11100, 11102", "400", "The body is not valid JSON, or a header has a value that it cannot have."),
    ("11101", "404", "There is no such address."),
    ("11103", "405", "The address takes another method."),
    ("21200", "404", "There is no such model."),
    ("21202, 21203", "422", "`fields` names the member that is wrong."),
    ("21313", "500", "The model failed."),
    ("21351, 21355", "503", "The model is still loading. The client waits for it with `wait_for_model=True`."),
    ("21354", "429", "The queue of the model is full."),
    ("30002, 30106", "422", "The file could not be fetched, or its URL is none that the server fetches."),
    ("30101", "415", "The body is of a type that the task does not take; 422 if the file cannot be decoded."),
    ("30104", "422", "The input is missing."),
    ("30105", "413", "The body is too large."),
)
"""Status codes there, the HTTP status here, and what to know; all in Markdown."""


@dataclass(frozen=True)
class Mapped:
    """One thing there, the same here, and the tasks that have it; finished Markdown."""

    there: str
    here: str
    tasks: str
    note: str = ""


@dataclass(frozen=True)
class Batch:
    """A call with several inputs: the method, and a Python literal of each input."""

    method: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class ClarifaiView:
    """The page for users of Clarifai.

    `streams` are links to tasks with streamed answers, `without` to those that we know no counterpart of there.
    """

    base_url: str
    batch: Batch | None
    inputs: tuple[Mapped, ...]
    outputs: tuple[Mapped, ...]
    options: tuple[Mapped, ...]
    limits: tuple[Mapped, ...]
    statuses: tuple[tuple[str, str, str], ...]
    streams: str
    without: str


def clarifai_view(api: ir.Api, plan: Plan, context: Context) -> ClarifaiView | None:
    """The page, if any task has inputs and answers of a kind that Clarifai's predict call has."""
    tasks = [task for task in plan.tasks if _input(api, task) and output_kind(api, task.task) in _OUTPUTS]
    if not tasks:
        return None
    return ClarifaiView(
        base_url=BASE_URL,
        batch=_batch(api, tasks),
        inputs=_grouped((*_input(api, task), "", task) for task in tasks),
        outputs=_grouped((*_output(api, task), task) for task in tasks),
        options=tuple(_options([task for task in tasks if output_kind(api, task.task) in _LABELLED])),
        limits=tuple(_limits(tasks)),
        statuses=_STATUSES,
        streams=_links(task for task in tasks if task.stream_annotation),
        without=_links(task for task in plan.tasks if task not in tasks),
    )


def _grouped(rows: Iterable[tuple[str, str, str, TaskPlan]]) -> tuple[Mapped, ...]:
    """One row for all tasks with the same cells."""
    found: dict[tuple[str, str, str], list[TaskPlan]] = {}
    for there, here, note, task in rows:
        found.setdefault((there, here, note), []).append(task)
    return tuple(Mapped(there, here, _links(tasks), note) for (there, here, note), tasks in found.items())


def _links(tasks: Iterable[TaskPlan]) -> str:
    return ", ".join(f"[{markdown(task.task.title, links=False)}]({quote(task.task.id)}.md)" for task in tasks)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


# ------------------------------------------------------------------------------------------------- requests and answers


def _input(api: ir.Api, task: TaskPlan) -> tuple[str, str] | tuple[()]:
    """Where the input stands there, below ``inputs[].data``, and here. Empty where there is no place for it there."""
    name = task.primary.name
    match input_kind(api, task.task):
        case "image" | "audio" | "video" as kind if not task.media_members:
            alone = ", or the file itself as the body" if task.takes_file else ""
            return code(f"{kind}.base64"), f"{code(name)}{alone}"
        case "text":
            return code("text.raw"), code(name)
        case "chat":
            return code("text.raw"), f"the `content` of a message in {code(name)}"
        case "question":
            object_ = api.resolve(ir.split_null(task.primary.type)[0])
            members = [f.name for f in object_.fields if f.required] if isinstance(object_, ir.Object) else []
            media = dict(task.media_members)
            texts = [member for member in members if member not in media]
            if len(texts) == 1 and len(members) == 2 and media.keys() & set(members):
                shown = [f"{media[member]}.base64" if member in media else "text.raw" for member in members]
                return _codes(shown), _codes(f"{name}.{member}" for member in members)
    return ()


def _output(api: ir.Api, task: TaskPlan) -> tuple[str, str, str]:
    """Where the parts of an answer stand there and here, and what to know."""
    kind = output_kind(api, task.task)
    type = api.resolve(ir.Ref(task.task.output))
    root = ""
    if isinstance(type, ir.Array) and type.items is not None:
        type, root = api.resolve(type.items), "[]"
    if not isinstance(type, ir.Object):
        return _codes(_OUTPUTS[kind]), "the answer itself", ""
    if kind == "chat":
        return _codes(_OUTPUTS[kind]), "the `content` of the message", ""
    names = [f"{root}.{name}" if root else name for name in _shown(api, kind, type)]
    note = ""
    if kind == "boxes" and _in_pixels(api, type):
        note = "There the edges are shares of the height and width of the image, here they are in pixels."
    return _codes(_OUTPUTS[kind]), _codes(names), note


def _shown(api: ir.Api, kind: str, type: ir.Object) -> list[str]:
    """The members of an answer that say what the place there says."""
    names = [field.name for field in type.fields]
    match kind:
        case "scores":
            return [*[name for name in LABELS if name in names][:1], *[name for name in names if name == "score"]]
        case "text":
            return [field.name for field in type.fields if field.required] or names
        case "image" | "audio" | "video":
            media = {field.name: api.resolve(ir.split_null(field.type)[0]) for field in type.fields}
            return [name for name, one in media.items() if isinstance(one, ir.Media) and one.media == kind] or names
    return names


def _in_pixels(api: ir.Api, type: ir.Object) -> bool:
    """Whether the corners of its box are whole numbers, which no share of an image is."""
    for field in type.fields:
        box = api.resolve(ir.split_null(field.type)[0])
        if isinstance(box, ir.Object) and any({f.name for f in box.fields}.issuperset(names) for names in BOXES):
            return all(getattr(api.resolve(edge.type), "type", "") == "integer" for edge in box.fields)
    return False


# --------------------------------------------------------------------------------------------------- options and limits


def _options(tasks: Sequence[TaskPlan]) -> Iterator[Mapped]:
    for there, names, note in _OPTIONS:
        having = {name: [task for task in tasks if any(p.python == name for p in task.keywords)] for name in names}
        having = {name: found for name, found in having.items() if found}
        links = _links(task for task in tasks if any(task in found for found in having.values()))
        yield Mapped(code(there), _codes(having) or "–", links or "–", note)


def _limits(tasks: Sequence[TaskPlan]) -> Iterator[Mapped]:
    limits = {limit.setting: limit for limit in LIMITS}
    yield Mapped("1 to 128 inputs in a call", "one input in a request; `client.map` sends any number", "")
    yield Mapped("20 MB for a file", f"{limits['max_body'].value} for a request, base64 included", "")
    kinds = {task.media.media for task in tasks if task.media}
    if "image" in kinds:
        yield Mapped("85 megapixels for an image", f"{limits['max_pixels'].value} for an image", "")
    if "audio" in kinds:
        yield Mapped("no length of a recording is given", f"{limits['max_seconds'].value} for a recording", "")
    yield Mapped("15 requests a second", "no rate; 429 when the queue of a model is full", "")


def _batch(api: ir.Api, tasks: Sequence[TaskPlan]) -> Batch | None:
    """A call with the inputs of a task's examples: one with recorded scores, if there is one."""
    found: list[tuple[tuple[bool, bool, int], Batch]] = []
    for number, task in enumerate(tasks):
        if any(parameter.required for parameter in task.keywords):
            continue
        examples = task.task.examples
        files = [path for e in examples for path in sample_paths(task.task, e).values()] if task.takes_file else []
        texts = [example.inputs for example in examples if isinstance(example.inputs, str)]
        if inputs := dict.fromkeys([path.rpartition("/")[2] for path in files] or texts):
            recorded = any(example.recorded for example in examples)
            order = (output_kind(api, task.task) != "scores", not recorded, number)
            found.append((order, Batch(task.method, tuple(map(py_literal, inputs)))))
    return min(found, key=lambda one: one[0])[1] if found else None
