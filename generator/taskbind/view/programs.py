"""Programs: for each way to send the examples of a task, one complete program per language that prints the JSON answer.

The docs print them, the docs tests run what was printed. A language is one entry of :data:`LANGUAGES` and one template;
nothing else knows languages apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from .. import ir
from ..context import BASE_URL, Context
from ..diagnostics import TaskbindError
from ..escape import py_literal, shell
from ..plan import Plan, TaskPlan
from .languages import CLIENT, CURL, LANGUAGES, Language, Members
from .ways import Way, names, parameters, place, sample, ways

if TYPE_CHECKING:
    from jinja2 import Template

_LONG: Final = 60


@dataclass(frozen=True)
class Program:
    """One program, saved as `file`. It expects the files `needs`, paths below ``docs/samples``, beside it.

    `way` says what is sent: the `example` as it is, as ``"file"`` (the media file is the body), ``"base64"`` (JSON with
    media as base64) or ``"text"`` (JSON without media); ``"url"`` is the example with its media by URL, ``"stream"``
    asks for events, and ``"several"`` are several inputs in turn, of which the example's is the first.
    """

    id: str
    task: str
    example: str
    way: str
    language: Language
    file: str
    needs: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class View:
    """What the templates see: everything is already text in the template's language.

    `form` is that of the :class:`~.ways.Way`. `file` is the name of the sample that is the body and `upload` curl's
    word for its content, `payload` a JSON request. Several requests are a loop over `items`: names of files
    (`over` is ``"file"``), primary inputs (``"inputs"``), or whole requests (``"body"``) where those are texts.
    `arguments` are those of the client's method, `answer` turns what it returns into JSON text: of a `stream`, each
    `event`.
    """

    form: str
    base: str
    url: str
    token: str
    content_type: str
    file: str
    upload: str
    payload: str
    over: str
    items: tuple[str, ...]
    package: str
    method: str
    arguments: str
    answer: str
    import_json: bool
    stream: bool = False


def programs(api: ir.Api, plan: Plan, context: Context) -> tuple[Program, ...]:
    """All programs, by task, then way, then language."""
    templates = [(language, _template(language, context)) for language in LANGUAGES]
    out: dict[str, Program] = {}
    for task in plan.tasks:
        for example in task.task.examples:
            _check(task, example)
        answer = printed(api, task)
        for way in ways(task, context):
            for language, template in templates:
                made = _program(plan, task, way, language, template, context, answer)
                if made.file in out:
                    raise TaskbindError(f"{way.where}: another program is called {made.file}, too; rename the example")
                out[made.file] = made
    return tuple(out.values())


def _template(language: Language, context: Context) -> Template:
    return context.template(f"snippets/{language.id}.jinja")


def _program(
    plan: Plan, task: TaskPlan, way: Way, language: Language, template: Template, context: Context, answer: str
) -> Program:
    try:
        code = template.render(v=_view(plan, task, way, language, context, answer))
    except ValueError as error:
        raise TaskbindError(f"{way.where}: {error}") from error
    return Program(
        id=f"{task.task.id}/{way.name}/{language.id}",
        task=task.task.id,
        example=way.example,
        way=way.way,
        language=language,
        file=f"{task.task.id}/{way.name}{language.suffix}",
        needs=tuple(sample(task.task, path) for path in way.samples),
        code=code.strip("\n") + "\n",
    )


def stream_programs(api: ir.Api, plan: Plan, task: TaskPlan, context: Context) -> tuple[Program, ...]:
    """What asks for the first example of a task as a stream and prints its events: with cURL, and with the client.

    There are none if the task has no examples. These are besides :func:`programs`.
    """
    if not task.task.examples:
        return ()
    first = task.task.examples[0]
    others = tuple((name, value) for name, value in first.parameters if name != "stream")
    asked = replace(first, parameters=(*others, ("stream", True)))
    sent = next(ways(replace(task, task=replace(task.task, examples=(asked,))), context))
    way = replace(sent, way="stream", name=f"{first.name}-stream")
    event = api.resolve(ir.Ref(task.task.stream or task.task.output))
    printed = "event.model_dump_json(exclude_unset=True)" if isinstance(event, ir.Object) else "event"
    return tuple(
        _program(plan, task, way, language, _template(language, context), context, printed)
        for language in (CURL, CLIENT)
    )


def call(task: TaskPlan, example: ir.Example) -> str:
    """The call of the client's method that sends an example: ``text_classification("Well done!", top_k=1)``."""
    _, keywords = parameters(task, example)
    return f"{task.method}({', '.join(_arguments([_primary(example, CLIENT)], keywords))})"


def _check(task: TaskPlan, example: ir.Example) -> None:
    where = place(task, example)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", example.name):
        raise TaskbindError(f"{where}: a name is made of lower-case letters, digits and hyphens")
    if task.primary.required and not example.media and example.inputs is ir.ABSENT:
        raise TaskbindError(f"{where}: it needs `media` or `inputs`")


def _view(plan: Plan, task: TaskPlan, way: Way, language: Language, context: Context, answer: str) -> View:
    inputs = [_primary(example, language) for example in way.inputs]
    sent = [[language.literal(name) for name in names(example).values()] for example in way.inputs]  # which files
    rest = {key: language.value(value) for key, value in way.rest.items()}
    over, items = "", list[str]()
    if len(inputs) > 1 and way.inputs[0].media:
        over, items, file = "file", [name for (name,) in sent], language.variable("file")
        inputs, sent = [language.base64(file)], [[file]]
    elif len(inputs) > 1 and language.is_text:
        requests = zip(inputs, sent, strict=True)
        over, items = "body", [_request(task, language, primary, rest, files) for primary, files in requests]
    elif len(inputs) > 1:
        over, items, inputs = "inputs", inputs, [language.variable("inputs")]
    given = [f"client.{task.method}", _listed(items)] if over else inputs
    return View(
        form=way.form,
        base=language.literal(BASE_URL),
        url=language.literal(f"{BASE_URL}/tasks/{task.task.id}"),
        token=f"{context.config.env_prefix}_TOKEN",
        content_type=way.content_type,
        file=sent[0][0] if sent[0] else "",
        upload='"@$file"' if over else shell(f"@{names(way.inputs[0]).get('', '')}"),
        payload=_request(task, language, inputs[0], rest, sent[0], alone=not over),
        over=over,
        items=tuple(items),
        package=plan.package,
        method=task.method,
        arguments=_wrapped(_arguments(given, way.keywords)) if language is CLIENT else "",
        answer=answer,
        import_json=answer.startswith("json."),
        stream=way.way == "stream",
    )


def _primary(example: ir.Example, language: Language) -> str:
    """The primary input as an expression; empty where there is none."""
    if example.media:
        return language.base64(language.literal(names(example)[""]))
    if example.inputs is ir.ABSENT:
        return ""
    if not example.files:
        return language.value(example.inputs)
    members = {name: language.value(item) for name, item in example.inputs.items()}
    sent = {member: language.base64(language.literal(name)) for member, name in names(example).items()}
    return language.object(members | sent)


def _request(
    task: TaskPlan, language: Language, primary: str, rest: Members, sent: list[str], *, alone: bool = False
) -> str:
    """A request in JSON with the files `sent` in it, as an expression; one `alone` may take several lines.

    To the shell, such a one without files is bare text, for a here document.
    """
    members = ({task.primary.name: primary} if primary else {}) | rest
    write = language.object if language.is_text and (sent or not alone) else language.lines
    return write(members) if language is CURL and alone and not sent else language.text(write(members), sent)


def _arguments(given: list[str], keywords: tuple[tuple[str, Any], ...]) -> list[str]:
    return [*filter(None, given), *(f"{key}={py_literal(value)}" for key, value in keywords)]


def _wrapped(arguments: list[str]) -> str:
    """`arguments`, one a line if they are long."""
    line = ", ".join(arguments)
    return line if len(line) <= _LONG else "".join(f"\n        {argument}," for argument in arguments) + "\n    "


def _listed(items: list[str]) -> str:
    """A list of `items`, one a line if they are long."""
    line = f"[{', '.join(items)}]"
    return line if len(line) <= _LONG else "[" + "".join(f"\n            {item}," for item in items) + "\n        ]"


def printed(api: ir.Api, task: TaskPlan) -> str:
    """The expression that turns the `answer` of the client's method into JSON text."""
    if task.element:
        return "json.dumps([item.model_dump() for item in answer], indent=2)"
    if isinstance(api.resolve(ir.Ref(task.task.output)), ir.Object):
        return "answer.model_dump_json(indent=2)"
    return "json.dumps(answer, indent=2)"
