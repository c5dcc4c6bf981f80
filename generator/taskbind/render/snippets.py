"""Snippets: for each example of a task, one complete program per language that sends it and prints the JSON answer.

`docs` prints them and the docs tests run what it printed. A language is one entry of :data:`LANGUAGES` and one
template; nothing else knows languages apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .. import ir
from ..diagnostics import TaskbindError
from ..escape import js, json_text, py_literal, shell
from ..plan import Plan, TaskPlan
from . import Context, Files

BASE_URL: Final = "http://localhost:8000"
_LONG: Final = 60
_SIGNATURES: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
)


@dataclass(frozen=True)
class Language:
    """`suffix` ends the name of a program's file, `fence` names the language of its code block.

    `literal` writes a string, `value` a JSON value. A request's members are indented by `step` blanks more than the
    `margin` at which its braces stand in the template; `comma` may follow the last.
    """

    id: str
    label: str
    suffix: str
    fence: str
    literal: Callable[[str], str]
    value: Callable[[Any], str]
    margin: int = 0
    step: int = 2
    comma: str = ""

    def object(self, members: dict[str, str]) -> str:
        """An object of finished members, one a line."""
        pad = " " * (self.margin + self.step)
        lines = [f"{pad}{json_text(key)}: {value}" for key, value in members.items()]
        return "{\n" + ",\n".join(lines) + f"{self.comma}\n{' ' * self.margin}}}"


LANGUAGES: Final = (
    Language("curl", "cURL", ".curl.sh", "bash", shell, json_text),
    Language("client", "Python, with this client", ".client.py", "python", py_literal, py_literal),
    Language("httpx", "Python, with httpx", ".httpx.py", "python", py_literal, py_literal, 4, 4, ","),
    Language("javascript", "JavaScript", ".mjs", "js", js, js, 2, 2, ","),
)


@dataclass(frozen=True)
class Snippet:
    """One program, saved as `file`. It expects the files `needs`, paths below ``docs/samples``, beside it.

    `kind` is ``"text"`` or ``"media"``, with ``"-parameters"`` behind it for an example that has some.
    """

    id: str
    task: str
    example: str
    language: Language
    kind: str
    file: str
    needs: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class _View:
    """What the templates see: everything is already text in the template's language.

    `form` says how the request is written: ``"json"``, ``"file"`` (the media file is the body) or ``"base64"`` (the
    media file as text inside JSON).
    `file` is the sample's name and `upload` curl's word for its content; `payload` the JSON request, with the variable
    `media` in place of the base64 text in Python and JavaScript. `head` and `tail` enclose that text for the shell.
    `answer` turns the client's answer into JSON text.
    """

    form: str
    base: str
    url: str
    token: str
    media: str
    content_type: str
    file: str
    upload: str
    payload: str
    head: str
    tail: str
    package: str
    method: str
    arguments: str
    answer: str
    import_json: bool


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """``docs/snippets.json``: every program with what is needed to run it."""
    rows = [
        {
            "id": s.id,
            "task": s.task,
            "language": s.language.id,
            "kind": s.kind,
            "file": s.file,
            "needs": list(s.needs),
            "example": s.example,
            "code": s.code,
        }
        for s in snippets(api, plan, context)
    ]
    return {"docs/snippets.json": json_text(rows, indent=2) + "\n"}


def snippets(api: ir.Api, plan: Plan, context: Context) -> tuple[Snippet, ...]:
    """All programs, by task, then example, then language."""
    return tuple(
        s for task in plan.tasks for example in task.task.examples for s in _programs(api, plan, task, example, context)
    )


def sample_path(task: ir.Task, example: ir.Example) -> str | None:
    """Where the docs keep the example's media file, below ``docs/samples``."""
    return f"{task.id}/{example.media.rsplit('/', 1)[-1]}" if example.media else None


def media_type(data: bytes) -> str | None:
    """The media type that the first bytes of a file give away: ``"image/png"``."""
    return next((type for at, magic, type in _SIGNATURES if data[at : at + len(magic)] == magic), None)


def read_sample(path: str, context: Context, where: str) -> bytes:
    """A sample file of the spec root. Raises TaskbindError where there is none."""
    try:
        return context.spec_file(path)
    except FileNotFoundError as error:
        raise TaskbindError(f"{where}: there is no file {path} under the spec root") from error


def _programs(api: ir.Api, plan: Plan, task: TaskPlan, example: ir.Example, context: Context) -> list[Snippet]:
    where = f"{task.task.id}/task.toml, example {example.name!r}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", example.name):
        raise TaskbindError(f"{where}: a name is made of lower-case letters, digits and hyphens")
    kind = ("media" if example.media else "text") + ("-parameters" if example.parameters else "")
    sample = sample_path(task.task, example)
    if not example.media and example.inputs is ir.ABSENT:
        raise TaskbindError(f"{where}: it needs `media` or `inputs`")
    out = []
    for language in LANGUAGES:
        view = _view(api, plan, task, example, language, context, where)
        code = context.template(f"snippets/{language.id}.jinja").render(v=view)
        out.append(
            Snippet(
                id=f"{task.task.id}/{example.name}/{language.id}",
                task=task.task.id,
                example=example.name,
                language=language,
                kind=kind,
                file=f"{task.task.id}/{example.name}{language.suffix}",
                needs=(sample,) if sample else (),
                code=code.strip("\n") + "\n",
            )
        )
    return out


def _view(
    api: ir.Api, plan: Plan, task: TaskPlan, example: ir.Example, language: Language, context: Context, where: str
) -> _View:
    primary, media = task.primary.name, task.media.media if task.media else "data"
    name = (sample_path(task.task, example) or "").rsplit("/", 1)[-1]
    rest, keywords = _parameters(task, example, where)
    others = json_text(rest)[1:-1]
    first = media if example.media else language.value(example.inputs)
    argument = name if example.media else example.inputs
    answer = _answer(api, task)
    form = "json" if not example.media else "base64" if example.parameters else "file"
    sample_type = _content_type(task, example.media, context, where) if example.media else ""
    return _View(
        form=form,
        base=language.literal(BASE_URL),
        url=language.literal(f"{BASE_URL}/tasks/{task.task.id}"),
        token=f"{context.config.env_prefix}_TOKEN",
        media=media,
        content_type=sample_type if form == "file" else "application/json",
        file=language.literal(name),
        upload=shell(f"@{name}"),
        payload=language.object({primary: first} | {key: language.value(value) for key, value in rest.items()}),
        head=shell(f'{{{json_text(primary)}: "'),
        tail=shell(f'"{", " if others else ""}{others}}}'),
        package=plan.package,
        method=task.method,
        arguments=_arguments([py_literal(argument), *(f"{key}={py_literal(value)}" for key, value in keywords)]),
        answer=answer,
        import_json=answer.startswith("json."),
    )


def _arguments(arguments: list[str]) -> str:
    """The arguments of the client's call, one a line if they are long."""
    line = ", ".join(arguments)
    return line if len(line) <= _LONG else "".join(f"\n        {argument}," for argument in arguments) + "\n    "


def _parameters(task: TaskPlan, example: ir.Example, where: str) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The example's parameters: ``(members of the request beside the primary one, keywords of the client)``."""
    known = {parameter.wire: parameter for parameter in task.parameters}
    request: dict[str, Any] = {}
    keywords = []
    for wire, value in example.parameters:
        if wire not in known:
            raise TaskbindError(f"{where}: the task has no parameter {wire!r}; it has: {', '.join(known) or 'none'}")
        (request.setdefault("parameters", {}) if known[wire].in_parameters else request)[wire] = value
        keywords.append((known[wire].python, value))
    return request, keywords


def _content_type(task: TaskPlan, path: str, context: Context, where: str) -> str:
    found = media_type(read_sample(path, context, where))
    if found is None:
        raise TaskbindError(f"{where}: {path} is in no media format that taskbind knows")
    wanted = task.media.content_type if task.media else "*/*"
    if wanted.split("/")[0] not in {"*", "application", found.split("/")[0]}:
        raise TaskbindError(f"{where}: {path} is {found}, but the task takes {wanted}")
    return found


def _answer(api: ir.Api, task: TaskPlan) -> str:
    if task.element:
        return "json.dumps([item.model_dump() for item in answer], indent=2)"
    if isinstance(api.resolve(ir.Ref(task.task.output)), ir.Object):
        return "answer.model_dump_json(indent=2)"
    return "json.dumps(answer, indent=2)"
