"""How an imported task is spoken in the dialect `clarifai`, where that has forms for its fields and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as File
from typing import Any, Final

from ...jsonpath import EACH, Path, written
from .fields import FILES
from .methods import PREDICT, Method

DIALECT: Final = "clarifai"

_REGION: Final[Mapping[Path, Path]] = {
    ("id",): ("id",),
    ("value",): ("value",),
    ("bounding_box",): ("region_info", "bounding_box"),
    ("mask",): ("region_info", "mask", "image", "base64"),
    ("point",): ("region_info", "point"),
    ("text",): ("data", "text", "raw"),
    ("track_id",): ("track_id",),
    ("concepts",): ("data", "concepts"),
}
_DATA: Final[Mapping[str, Mapping[Path, Path]]] = {
    "text": {(): ("text", "raw")},
    **{kind: {(): (kind, "base64")} for kind in FILES},
    "concepts": {(EACH, name): ("concepts", EACH, name) for name in ("id", "name", "value")},
    "regions": {(EACH, *ours): ("regions", EACH, *theirs) for ours, theirs in _REGION.items()},
    "frames": {
        (EACH, "index"): ("frames", EACH, "frame_info", "index"),
        (EACH, "time"): ("frames", EACH, "frame_info", "time"),
        (EACH, "image"): ("frames", EACH, "data", "image", "base64"),
        (EACH, "concepts"): ("frames", EACH, "data", "concepts"),
        **{
            (EACH, "regions", EACH, *ours): ("frames", EACH, "data", "regions", EACH, *theirs)
            for ours, theirs in _REGION.items()
        },
    },
    "embeddings": {(EACH, EACH): ("embeddings", EACH, "vector", EACH)},
}
"""Where the parts of a value stand in Clarifai's `data`, by its kind."""

ADDED: Final[Mapping[str, Mapping[str, str]]] = {
    "text": {"$.text.raw": ""},  # which servers leave out where it is empty
    "embeddings": {"$.embeddings[*].num_dimensions": "length($.embeddings[*].vector)"},
}
"""What stands in `data` beside the parts of a value, by its kind."""


def dialects() -> str:
    """The text of a dialects.toml with the dialect."""
    return (File(__file__).parent / "dialects.toml").read_text(encoding="utf-8")


class NoFormError(Exception):
    """Why a task is not spoken in the dialect."""


def spoken(method: Method, name: str, places: Mapping[str, Path], *, again: bool) -> dict[str, Any]:
    """The table of a wire.toml for the method `name`; `places` are where its fields stand in the task's request.
    `again`: it is not the first one of this name. Raises NoFormError.
    """
    if name != PREDICT:
        raise NoFormError("only the method 'predict' is called without its name")
    if again:
        raise NoFormError("another method has its name")
    if method.streams:
        raise NoFormError("its answer comes in pieces")
    inputs = [member for member in method.members if not member.parameter]
    kinds = [member.kind for member in inputs]
    if not inputs:
        raise NoFormError("it has no such input")
    if wrong := next((member.name for member in inputs if not member.kind), ""):
        raise NoFormError(f"{wrong!r} is no text, image, audio or video")
    if several := next((kind for kind in kinds if kinds.count(kind) > 1), ""):
        raise NoFormError(f"{kinds.count(several)} of its inputs are {several}, and a call has one of a kind")
    if odd := next((kind for kind in kinds if kind != "text" and kind not in FILES), ""):
        raise NoFormError(f"{odd} are no input of it")
    if not method.kinds:
        raise NoFormError("its answer is no text, file, concepts, regions, frames or vectors")
    request = {written(places[member.name]): written(("data", *_DATA[member.kind][()])) for member in inputs}
    if len(inputs) < len(method.members):
        request[written(("parameters",))] = written(("params",))
    answers: dict[str, str] = {}
    for place, kind in method.kinds.items():
        start = (place,) if place else ()
        answers |= {written((*start, *ours)): written(theirs) for ours, theirs in _DATA[kind].items()}
    added = {place: value for kind in method.kinds.values() for place, value in ADDED.get(kind, {}).items()}
    return {"requests": [request], "answers": [answers]} | ({"added": added} if added else {})
