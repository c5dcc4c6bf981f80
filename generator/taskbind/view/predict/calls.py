"""The predict calls of a task: its example with the medium, or the text, by URL, and with the data itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ... import ir
from ...context import BASE_URL
from ...plan import TaskPlan
from ..ways import files, names, parameters, place, sample
from .asked import asked

PROTOCOL: Final = "clarifai"
URL: Final = "predict-url"
DATA: Final = "predict-data"


@dataclass(frozen=True)
class File:
    """Stands in a request for the base64 of a file beside the program."""

    name: str


@dataclass(frozen=True)
class Call:
    """One call, with `input` and `params` in its body.

    `way` is :data:`URL` or :data:`DATA`, `name` the stem of the programs' files. `media` are the example's files, by
    path under the spec root; `hosted` are other files that a URL leads to: texts by paths below ``docs/samples``.
    """

    way: str
    name: str
    example: str
    input: dict[str, Any]
    params: Any
    media: tuple[str, ...]
    hosted: tuple[tuple[str, str], ...]
    where: str

    @property
    def samples(self) -> tuple[str, ...]:
        """The files that it sends, by path under the spec root."""
        return self.media if self.way == DATA else ()

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files whose base64 stands in it, in their order there."""
        return tuple(file.name for file in files_in(self.input))


def speakers(dialects: tuple[ir.Dialect, ...], task: ir.Task) -> Iterator[tuple[ir.Dialect, ir.Wire]]:
    """The dialects in which a task has predict calls."""
    wires = {wire.dialect: wire for wire in task.wires}
    yield from ((d, wires[d.name]) for d in dialects if d.protocol == PROTOCOL and d.name in wires)


def calls(task: TaskPlan, dialect: ir.Dialect, wire: ir.Wire) -> tuple[Call, ...]:
    """The calls that send the first example that can be asked in the dialect; none if no example can."""
    for example in task.task.examples:
        call = asked(wire, _request(task, example))
        if isinstance(call, dict) and isinstance(call.get("data"), dict):
            name = f"{example.name}-{dialect.name}"
            where = place(task, example)
            media = tuple(dict.fromkeys(path for _, path in files(example)))
            params, data = call.get("params"), call["data"]
            sent = Call(DATA, f"{name}-data", example.name, {"data": data}, params, media, (), where)
            linked, hosted = _by_url(task.task, example, data)
            if linked == data:
                return (sent,)
            return Call(URL, f"{name}-url", example.name, {"data": linked}, params, media, hosted, where), sent
    return ()


def _request(task: TaskPlan, example: ir.Example) -> dict[str, Any]:
    """The request of the spec for an example, with a :class:`File` for each medium."""
    media: dict[str, Any] = {member: File(name) for member, name in names(example).items()}
    inputs: Any = media.pop("") if example.media else example.inputs
    rest, _ = parameters(task, example)
    return rest if inputs is ir.ABSENT else {task.primary.name: {**inputs, **media} if media else inputs} | rest


def _by_url(task: ir.Task, example: ir.Example, data: Any) -> tuple[Any, tuple[tuple[str, str], ...]]:
    """The data with its media by URL, or else its text, and the texts that are then to be found at an address."""
    if media := {path.rsplit("/", 1)[-1]: sample(task, path) for _, path in files(example)}:
        return _linked(data, media), ()
    match data:
        case {"text": {"raw": str(text)}}:
            path = f"{task.id}/{example.name}.txt"
            return {**data, "text": {"url": _address(path)}}, ((path, text),)
    return data, ()


def _linked(value: Any, media: dict[str, str]) -> Any:
    match value:
        case {"base64": File(name=name)}:
            others = {key: item for key, item in value.items() if key != "base64"}
            return {"url": _address(media[name])} | others
        case dict():
            return {key: _linked(item, media) for key, item in value.items()}
        case list():
            return [_linked(item, media) for item in value]
    return value


def _address(path: str) -> str:
    return f"{BASE_URL}/samples/{quote(path)}"


def files_in(value: Any) -> Iterator[File]:
    """The files that stand in a JSON value, in their order there."""
    if isinstance(value, File):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from files_in(item)
