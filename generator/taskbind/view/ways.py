"""The ways to send the examples of a task: what one program of each language does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from .. import ir
from ..context import BASE_URL, Context, MissingFileError
from ..diagnostics import TaskbindError
from ..plan import TaskPlan

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
class Way:
    """One or several requests, which differ in nothing but their primary input: those of `inputs`.

    `way` and `example` are those of the programs (see :class:`~.programs.Program`), `name` is the stem of their files.
    `form` says how a request is written: ``"json"``, ``"file"`` (the media file is the body) or ``"base64"`` (media
    files as texts inside JSON). `rest` are the members of the request beside the primary one, `keywords` the same for
    the client's method.
    """

    way: str
    name: str
    example: str
    inputs: tuple[ir.Example, ...]
    form: str
    content_type: str
    rest: dict[str, Any]
    keywords: tuple[tuple[str, Any], ...]
    where: str

    @property
    def samples(self) -> tuple[str, ...]:
        """The media files that are sent, by their paths under the spec root."""
        return tuple(dict.fromkeys(path for example in self.inputs for _, path in files(example)))


def ways(task: TaskPlan, context: Context) -> Iterator[Way]:
    """Each example as it is, then the first with media by URL, then the first two inputs for one model together."""
    # Nothing of its answer decides how a request is sent.
    examples = [replace(e, response=ir.ABSENT, recorded=False, raw="", text="") for e in task.task.examples]
    for example in examples:
        yield _way(task, context, example, (example,))
    for example in [example for example in examples if files(example)][:1]:
        yield _way(task, context, example, (by_url(task.task, example),), "url")
    given = [example for example in examples if example.media or example.inputs is not ir.ABSENT]
    others = [example for example in given if _shape(example) == _shape(given[0]) and _differ(example, given[0])]
    for other in sorted(others, key=lambda other: _names(other.inputs) != _names(given[0].inputs))[:1]:
        yield _way(task, context, given[0], (given[0], other), "several")


def _way(task: TaskPlan, context: Context, example: ir.Example, inputs: tuple[ir.Example, ...], way: str = "") -> Way:
    where = place(task, example)
    rest, keywords = parameters(task, example)
    types = {content_type(task, path, context, where) for one in inputs for _, path in files(one)}
    alone = len(types) == 1 and not rest and not example.files
    form = "json" if not types else "file" if alone else "base64"
    return Way(
        way=way or {"json": "text"}.get(form, form),
        name=f"{example.name}-{way}" if way else example.name,
        example=example.name,
        inputs=inputs,
        form=form,
        content_type=types.pop() if alone else "application/json",
        rest=rest,
        keywords=keywords,
        where=where,
    )


def _shape(example: ir.Example) -> Any:
    return bool(example.media), [member for member, _ in example.files]


def _names(value: Any) -> Any:
    """The names of all members, which are columns in a table; one model takes no others than it was made for."""
    return {name: _names(item) for name, item in value.items()} if isinstance(value, dict) else None


def _differ(one: ir.Example, other: ir.Example) -> bool:
    return (one.media, one.files, one.inputs) != (other.media, other.files, other.inputs)


def by_url(task: ir.Task, example: ir.Example) -> ir.Example:
    """The example with the addresses of its media, as the server has them, in place of the files."""
    urls = {member: f"{BASE_URL}/samples/{quote(sample(task, path))}" for member, path in files(example)}
    inputs = urls[""] if example.media else example.inputs | urls
    return replace(example, media=None, files=(), inputs=inputs)


def files(example: ir.Example) -> list[tuple[str, str]]:
    """The example's files below the spec root, each by the member that it goes into, ``""`` for the primary input."""
    return [("", example.media)] if example.media else list(example.files)


def names(example: ir.Example) -> dict[str, str]:
    """The names of an example's files by the member that they go into, ``""`` for the primary input itself."""
    return {member: path.rsplit("/", 1)[-1] for member, path in files(example)}


def sample(task: ir.Task, path: str) -> str:
    """Where the docs and the server have a media file, below their ``samples``, by its path under the spec root."""
    return f"{task.id}/{path.rsplit('/', 1)[-1]}"


def sample_paths(task: ir.Task, example: ir.Example) -> dict[str, str]:
    """The example's media files: path under the spec root to path below ``docs/samples``."""
    return {path: sample(task, path) for _, path in files(example)}


def place(task: TaskPlan, example: ir.Example) -> str:
    """Where an example stands, for messages."""
    return f"{task.task.id}/task.toml, example {example.name!r}"


def parameters(task: TaskPlan, example: ir.Example) -> tuple[dict[str, Any], tuple[tuple[str, Any], ...]]:
    """The example's parameters: ``(members of the request beside the primary one, keywords of the client)``."""
    known = {parameter.wire: parameter for parameter in task.parameters}
    request: dict[str, Any] = {}
    keywords = []
    for wire, value in example.parameters:
        if wire not in known:
            has = ", ".join(known) or "none"
            raise TaskbindError(f"{place(task, example)}: the task has no parameter {wire!r}; it has: {has}")
        (request.setdefault("parameters", {}) if known[wire].in_parameters else request)[wire] = value
        keywords.append((known[wire].python, value))
    return request, tuple(keywords)


def media_type(data: bytes) -> str | None:
    """The media type that the first bytes of a file give away: ``"image/png"``."""
    return next((type for at, magic, type in _SIGNATURES if data[at : at + len(magic)] == magic), None)


def read_sample(path: str, context: Context, where: str) -> bytes:
    """A sample file of the spec root. Raises TaskbindError where there is none."""
    try:
        return context.spec_file(path)
    except MissingFileError as error:
        raise TaskbindError(f"{where}: there is no file {path} under the spec root") from error


def content_type(task: TaskPlan, path: str, context: Context, where: str) -> str:
    """The media type of an example's file. Raises TaskbindError where the task does not take it."""
    found = media_type(read_sample(path, context, where))
    if found is None:
        raise TaskbindError(f"{where}: {path} is in no media format that taskbind knows")
    wanted = task.media.content_type if task.media else "*/*"  # a member's own type is checked with the example
    if wanted.split("/")[0] not in {"*", "application", found.split("/")[0]}:
        raise TaskbindError(f"{where}: {path} is {found}, but the task takes {wanted}")
    return found
