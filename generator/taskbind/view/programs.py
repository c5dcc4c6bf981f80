"""Programs: for each way to send the examples of a task, one complete program per language that prints the JSON answer.

The docs print them, the docs tests run what was printed. A language is one entry of :data:`LANGUAGES` and one template;
nothing else knows languages apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from .. import ir
from ..context import BASE_URL, Context, Render
from ..diagnostics import TaskbindError
from ..escape import py_literal, shell
from ..plan import Plan, TaskPlan
from .languages import CLIENT, CURL, LANGUAGES, Language, Members
from .program import Program, View
from .ways import Way, names, parameters, place, sample, ways

_LONG: Final = 60
_LANGUAGES: Final = {language.id: language for language in LANGUAGES}


@dataclass(frozen=True)
class Asked:
    """All that decides programs beside their templates: what they do, in which languages, and names.

    `primary` is the name of the request's primary member, `token` the variable of the environment that holds one,
    `answer` the expression that prints what the client's method returns.
    """

    task: str
    method: str
    primary: str
    package: str
    token: str
    answer: str
    ways: tuple[Way, ...]
    languages: tuple[str, ...]


def programs(api: ir.Api, plan: Plan, context: Context) -> tuple[Program, ...]:
    """All programs, by task, then way, then language."""
    out: dict[str, Program] = {}
    for task in plan.tasks:
        for example in task.task.examples:
            _check(task, example)
        found = tuple(ways(task, context))
        for made in _programs(plan, task, found, tuple(_LANGUAGES), printed(api, task), context):
            if made.file in out:
                where = next(place(task, example) for example in task.task.examples if example.name == made.example)
                raise TaskbindError(f"{where}: another program is called {made.file}, too; rename the example")
            out[made.file] = made
    return tuple(out.values())


def _programs(
    plan: Plan, task: TaskPlan, ways: tuple[Way, ...], languages: tuple[str, ...], answer: str, context: Context
) -> Iterator[Program]:
    id = task.task.id
    token = f"{context.config.env_prefix}_TOKEN"
    asked = Asked(id, task.method, task.primary.name, plan.package, token, answer, ways, languages)
    codes = iter(json.loads(context.kept(_codes, asked)))
    for way in ways:
        for language in map(_LANGUAGES.__getitem__, languages):
            yield Program(
                id=f"{id}/{way.name}/{language.id}",
                task=id,
                example=way.example,
                way=way.way,
                language=language,
                file=f"{id}/{way.name}{language.suffix}",
                needs=tuple(sample(task.task, path) for path in way.samples),
                code=next(codes),
            )


def _codes(render: Render, asked: Asked) -> str:
    """The code of each program, by way, then language, as JSON."""
    codes = []
    for way in asked.ways:
        for language in asked.languages:
            try:
                code = render(f"snippets/{language}.jinja", {"v": _view(asked, way, _LANGUAGES[language])})
            except ValueError as error:
                raise TaskbindError(f"{way.where}: {error}") from error
            codes.append(code.strip("\n") + "\n")
    return json.dumps(codes)


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
    return tuple(_programs(plan, task, (way,), (CURL.id, CLIENT.id), printed, context))


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


def _view(asked: Asked, way: Way, language: Language) -> View:
    inputs = [_primary(example, language) for example in way.inputs]
    sent = [[language.literal(name) for name in names(example).values()] for example in way.inputs]  # which files
    rest = {key: language.value(value) for key, value in way.rest.items()}
    over, items = "", list[str]()
    if len(inputs) > 1 and way.inputs[0].media:
        over, items, file = "file", [name for (name,) in sent], language.variable("file")
        inputs, sent = [language.base64(file)], [[file]]
    elif len(inputs) > 1 and language.is_text:
        requests = zip(inputs, sent, strict=True)
        over, items = "body", [_request(asked.primary, language, primary, rest, files) for primary, files in requests]
    elif len(inputs) > 1:
        over, items, inputs = "inputs", inputs, [language.variable("inputs")]
    given = [f"client.{asked.method}", _listed(items)] if over else inputs
    return View(
        form=way.form,
        base=language.literal(BASE_URL),
        url=language.literal(f"{BASE_URL}/tasks/{asked.task}"),
        token=asked.token,
        content_type=way.content_type,
        file=sent[0][0] if sent[0] else "",
        upload='"@$file"' if over else shell(f"@{names(way.inputs[0]).get('', '')}"),
        payload=_request(asked.primary, language, inputs[0], rest, sent[0], alone=not over),
        over=over,
        items=tuple(items),
        package=asked.package,
        method=asked.method,
        arguments=_wrapped(_arguments(given, way.keywords)) if language is CLIENT else "",
        answer=asked.answer,
        import_json=asked.answer.startswith("json."),
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
    name: str, language: Language, primary: str, rest: Members, sent: list[str], *, alone: bool = False
) -> str:
    """A request in JSON with `primary` in the member `name` and the files `sent` in it, as an expression.

    One `alone` may take several lines.

    To the shell, such a one without files is bare text, for a here document.
    """
    members = ({name: primary} if primary else {}) | rest
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
