"""Programs that make predict calls, one per language; the docs print them, the docs tests run what was printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ... import ir
from ...context import BASE_URL, Context, Render
from ...diagnostics import TaskbindError
from ...plan import Plan, TaskPlan
from ..languages import CURL, PREDICT_LANGUAGES, Language
from ..program import Program, View
from ..programs import programs
from ..ways import sample
from .calls import Call, File, calls, files_in, speakers

_ROOM: Final = 90
_LANGUAGES: Final = {language.id: language for language in PREDICT_LANGUAGES}


@dataclass(frozen=True)
class _Asked:
    """All that decides programs beside their templates."""

    package: str
    task: str
    token: str
    auth: str
    calls: tuple[Call, ...]
    languages: tuple[str, ...]


def predict_programs(api: ir.Api, plan: Plan, context: Context) -> tuple[Program, ...]:
    """All of them, by task, then call, then language. Raises TaskbindError for one that is called like another."""
    taken = {program.file for program in context.once(programs, api, plan)}
    out = []
    for task in plan.tasks:
        for dialect, wire in speakers(plan.dialects, task.task):
            own = calls(task, dialect, wire)
            for program in _programs(plan, task, dialect.auth, own, context):
                if program.file in taken:
                    raise TaskbindError(f"{own[0].where}: another program is called {program.file}; rename the example")
                out.append(program)
    return tuple(out)


def route(task: str) -> str:
    """Where the calls of a task go: to the model that the server has for it."""
    return f"/v2/models/{task}/outputs"


def _programs(plan: Plan, task: TaskPlan, auth: str, own: tuple[Call, ...], context: Context) -> Iterator[Program]:
    id = task.task.id
    token = f"{context.config.env_prefix}_TOKEN"
    asked = _Asked(plan.package, id, token, auth, own, tuple(_LANGUAGES))
    codes = iter(json.loads(context.kept(_codes, asked)))
    for call in own:
        for language in _LANGUAGES.values():
            yield Program(
                id=f"{id}/{call.name}/{language.id}",
                task=id,
                example=call.example,
                way=call.way,
                language=language,
                file=f"{id}/{call.name}{language.suffix}",
                needs=tuple(sample(task.task, path) for path in call.samples),
                code=next(codes),
            )


def _codes(render: Render, asked: _Asked) -> str:
    """The code of each program, by call, then language, as JSON."""
    codes = []
    for call in asked.calls:
        for language in asked.languages:
            try:
                code = render(f"snippets/{language}.jinja", {"v": _view(asked, call, _LANGUAGES[language])})
            except ValueError as error:
                raise TaskbindError(f"{call.where}: {error}") from error
            codes.append(code.strip("\n") + "\n")
    return json.dumps(codes)


def _view(asked: _Asked, call: Call, language: Language) -> View:
    model = {} if call.params is None else {"model": {"model_version": {"output_info": {"params": call.params}}}}
    members = {"inputs": [call.input], **model}
    body = _laid_out(members, language, _ROOM, taken=_ROOM)
    sent = [language.literal(name) for name in call.files]
    return View(
        form="base64" if sent else "json",
        base=language.literal(BASE_URL),
        url=language.literal(f"{BASE_URL}{route(asked.task)}"),
        token=asked.token,
        content_type="application/json",
        file="",
        upload="",
        payload=body if language is CURL and not sent else language.text(body, sent),
        over="",
        items=(),
        package=asked.package,
        method="",
        arguments="",
        answer="",
        import_json=False,
        auth=asked.auth or "Bearer",
    )


def _laid_out(value: Any, language: Language, room: int, taken: int = 0) -> str:
    """A JSON value with files in it, as the language writes it: in lines where it does not fit into `room` in one.

    `taken` is what stands before it on its first line.
    """
    line = _line(value, language)
    if taken + len(line) <= room or not (isinstance(value, dict | list) and value):
        return line
    room -= language.indent
    start = "\n" + " " * language.indent
    if isinstance(value, dict):
        members = {key: _laid_out(item, language, room, len(key) + 4) for key, item in value.items()}
        # No string of any language has a line's end in it.
        return language.lines({key: text.replace("\n", start) for key, text in members.items()})
    items = (_laid_out(item, language, room).replace("\n", start) for item in value)
    return f"[{start}{f',{start}'.join(items)}\n]"


def _line(value: Any, language: Language) -> str:
    if isinstance(value, File):
        return language.base64(language.literal(value.name))
    if not any(files_in(value)):
        return language.value(value)
    if isinstance(value, dict):
        return language.object({key: _line(item, language) for key, item in value.items()})
    return f"[{', '.join(_line(item, language) for item in value)}]"
