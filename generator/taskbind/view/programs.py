"""Programs: for each example of a task, one complete program per language that sends it and prints the JSON answer.

The docs print them, the docs tests run what was printed. A language is one entry of :data:`LANGUAGES` and one template;
nothing else knows languages apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .. import ir
from ..context import BASE_URL, Context
from ..diagnostics import TaskbindError
from ..escape import json_text, py_literal, shell
from ..names import snake
from ..plan import Plan, TaskPlan
from .languages import LANGUAGES, Language

_LONG: Final = 60
_TAKEN: Final = frozenset("answer base64 client console fetch httpx json os process response".split())
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
class Program:
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
class _File:
    """A sample inside JSON: the `variable` that holds its base64 text, and its `name` as a literal."""

    variable: str
    name: str


@dataclass(frozen=True)
class _View:
    """What the templates see: everything is already text in the template's language.

    `form` says how the request is written: ``"json"``, ``"file"`` (the media file is the body) or ``"base64"`` (media
    files as texts inside JSON). `file` is the name of a sample that is the body and `upload` curl's word for its
    content; `files` are the samples inside the JSON request `payload`, which names their variables. `pieces` are that
    request for the shell, texts and names of files by turns. `answer` turns the client's answer into JSON text.
    """

    form: str
    base: str
    url: str
    token: str
    content_type: str
    file: str
    upload: str
    files: tuple[_File, ...]
    payload: str
    pieces: tuple[str, ...]
    package: str
    method: str
    arguments: str
    answer: str
    import_json: bool


def programs(api: ir.Api, plan: Plan, context: Context) -> tuple[Program, ...]:
    """All programs, by task, then example, then language."""
    return tuple(
        s for task in plan.tasks for example in task.task.examples for s in _programs(api, plan, task, example, context)
    )


def sample_paths(task: ir.Task, example: ir.Example) -> dict[str, str]:
    """The example's media files: path under the spec root to path below ``docs/samples``."""
    return {path: f"{task.id}/{path.rsplit('/', 1)[-1]}" for _, path in _files(example)}


def media_type(data: bytes) -> str | None:
    """The media type that the first bytes of a file give away: ``"image/png"``."""
    return next((type for at, magic, type in _SIGNATURES if data[at : at + len(magic)] == magic), None)


def read_sample(path: str, context: Context, where: str) -> bytes:
    """A sample file of the spec root. Raises TaskbindError where there is none."""
    try:
        return context.spec_file(path)
    except FileNotFoundError as error:
        raise TaskbindError(f"{where}: there is no file {path} under the spec root") from error


def _programs(api: ir.Api, plan: Plan, task: TaskPlan, example: ir.Example, context: Context) -> list[Program]:
    where = f"{task.task.id}/task.toml, example {example.name!r}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", example.name):
        raise TaskbindError(f"{where}: a name is made of lower-case letters, digits and hyphens")
    samples = tuple(sample_paths(task.task, example).values())
    kind = ("media" if samples else "text") + ("-parameters" if example.parameters else "")
    if task.primary.required and not example.media and example.inputs is ir.ABSENT:
        raise TaskbindError(f"{where}: it needs `media` or `inputs`")
    out = []
    for language in LANGUAGES:
        view = _view(api, plan, task, example, language, context, where)
        code = context.template(f"snippets/{language.id}.jinja").render(v=view)
        out.append(
            Program(
                id=f"{task.task.id}/{example.name}/{language.id}",
                task=task.task.id,
                example=example.name,
                language=language,
                kind=kind,
                file=f"{task.task.id}/{example.name}{language.suffix}",
                needs=samples,
                code=code.strip("\n") + "\n",
            )
        )
    return out


def _view(
    api: ir.Api, plan: Plan, task: TaskPlan, example: ir.Example, language: Language, context: Context, where: str
) -> _View:
    rest, _ = _parameters(task, example, where)
    files = _files(example)
    names = _names(example)
    variables = {member: _variable(member or (task.media.media if task.media else "data")) for member in names}
    form = "json" if not files else "base64" if example.parameters or example.files else "file"
    sample_types = [_content_type(task, path, context, where) for _, path in files]
    given = bool(example.media) or example.inputs is not ir.ABSENT
    first = {task.primary.name: variables[""] if example.media else _inputs(example, language.value, variables)}
    answer = _answer(api, task)
    return _View(
        form=form,
        base=language.literal(BASE_URL),
        url=language.literal(f"{BASE_URL}/tasks/{task.task.id}"),
        token=f"{context.config.env_prefix}_TOKEN",
        content_type=sample_types[0] if form == "file" else "application/json",
        file=language.literal(names.get("", "")),
        upload=shell(f"@{names.get('', '')}"),
        files=tuple(_File(variables[member], language.literal(name)) for member, name in names.items()),
        payload=language.object((first if given else {}) | {key: language.value(v) for key, v in rest.items()}),
        pieces=_pieces(task.primary.name, example, names, rest),
        package=plan.package,
        method=task.method,
        arguments=_wrapped(_arguments(task, example, where)),
        answer=answer,
        import_json=answer.startswith("json."),
    )


def _variable(name: str) -> str:
    """A variable that none of the templates uses, in Python as in JavaScript."""
    return f"{snake(name)}_" if snake(name) in _TAKEN else snake(name)


def _inputs(example: ir.Example, value: Callable[[Any], str], variables: dict[str, str]) -> str:
    """The primary input; its members that are files are variables."""
    if not example.files:
        return value(example.inputs) if example.inputs is not ir.ABSENT else ""
    members = {name: value(item) for name, item in example.inputs.items()} | variables
    return "{" + ", ".join(f"{json_text(name)}: {item}" for name, item in members.items()) + "}"


def _pieces(primary: str, example: ir.Example, names: dict[str, str], rest: dict[str, Any]) -> tuple[str, ...]:
    """The JSON request cut where the base64 texts of files go: shell words, texts and file names by turns."""
    tail = json_text(rest)[1:-1]
    tail = f"{', ' if tail else ''}{tail}}}"
    if example.media:
        return shell(f'{{{json_text(primary)}: "'), shell(names[""]), shell(f'"{tail}')
    out: list[str] = []
    text = f"{{{json_text(primary)}: " + (json_text(example.inputs)[:-1] if example.files else "")
    for name, file in names.items():
        comma = ", " if not text.endswith("{") else ""
        out += [shell(f'{text}{comma}{json_text(name)}: "'), shell(file)]
        text = '"'
    return (*out, shell(f"{text}}}{tail}"))


def call(task: TaskPlan, example: ir.Example) -> str:
    """The call of the client's method that sends an example: ``text_classification("Well done!", top_k=1)``."""
    arguments = _arguments(task, example, f"{task.task.id}/task.toml, example {example.name!r}")
    return f"{task.method}({', '.join(arguments)})"


def _files(example: ir.Example) -> list[tuple[str, str]]:
    """The example's files below the spec root, each by the member that it goes into, ``""`` for the primary input."""
    return [("", example.media)] if example.media else list(example.files)


def _names(example: ir.Example) -> dict[str, str]:
    """The names of an example's files by the member that they go into, ``""`` for the primary input itself."""
    return {member: path.rsplit("/", 1)[-1] for member, path in _files(example)}


def _arguments(task: TaskPlan, example: ir.Example, where: str) -> list[str]:
    """The arguments of the client's call."""
    named = {member: py_literal(name) for member, name in _names(example).items()}
    given = bool(example.media) or example.inputs is not ir.ABSENT
    argument = named[""] if example.media else _inputs(example, py_literal, named)
    keywords = _parameters(task, example, where)[1]
    return [*([argument] if given else []), *(f"{key}={py_literal(value)}" for key, value in keywords)]


def _wrapped(arguments: list[str]) -> str:
    """`arguments`, one a line if they are long."""
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
    wanted = task.media.content_type if task.media else "*/*"  # a member's own type is checked with the example
    if wanted.split("/")[0] not in {"*", "application", found.split("/")[0]}:
        raise TaskbindError(f"{where}: {path} is {found}, but the task takes {wanted}")
    return found


def _answer(api: ir.Api, task: TaskPlan) -> str:
    if task.element:
        return "json.dumps([item.model_dump() for item in answer], indent=2)"
    if isinstance(api.resolve(ir.Ref(task.task.output)), ir.Object):
        return "answer.model_dump_json(indent=2)"
    return "json.dumps(answer, indent=2)"
