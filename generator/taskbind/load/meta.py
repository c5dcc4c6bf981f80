"""task.toml: the prose and the examples of a task, checked key by key."""

from __future__ import annotations

import math
import re
from typing import Any, Final, TypeGuard

from ..escape import visible
from .files import MAX_DEPTH, Reader
from .layout import TASK_ID, Folder
from .toml import TomlChecker, is_text, is_texts

_TASK_KEYS: Final = (
    "title",
    "summary",
    "category",
    "also",
    "description",
    "applications",
    "learn_more",
    "pipeline_tag",
    "models",
    "examples",
    "departures",
)
_MODEL_KEYS: Final = ("id", "doc")
_EXAMPLE_KEYS: Final = ("name", "title", "media", "inputs", "files", "parameters")
MAX_HEADING: Final = 80
_URL: Final = re.compile(r"https?://[^\s<>\"']+")


def read_meta(reader: Reader, folder: Folder) -> dict[str, Any] | None:
    """The content of a folder's task.toml (empty without one), or None once it is reported what is wrong in it."""
    if folder.meta is None:
        return {}
    checker = _Checker(reader, folder, folder.meta)
    meta = checker.read()
    if meta is None:
        return None
    checker.task(meta)
    return meta if checker.valid else None


class _Checker(TomlChecker):
    syntax_code, unknown_code, value_code = "TB115", "TB116", "TB117"

    def __init__(self, reader: Reader, folder: Folder, path: str) -> None:
        super().__init__(reader, path)
        self.folder = folder

    def task(self, meta: dict[str, Any]) -> None:
        self.known(meta, _TASK_KEYS, "")
        for key in ("title", "summary", "description"):
            self.value(meta, key, "", is_text, "a text")
        self.value(meta, "category", "", _is_heading, f"one line of at most {MAX_HEADING} visible characters")
        for key in ("also", "applications", "departures"):
            self.value(meta, key, "", is_texts, "a list of texts")
        self.value(meta, "learn_more", "", is_url, "an http(s) URL")
        self.value(meta, "pipeline_tag", "", _is_slug, "lower-case words joined by hyphens")
        for index, model in enumerate(self.tables(meta, "models")):
            where = f"models[{index}]."
            self.known(model, _MODEL_KEYS, where)
            for key in _MODEL_KEYS:
                self.value(model, key, where, is_text, "a text", required=True)
        names: set[str] = set()
        for index, example in enumerate(self.tables(meta, "examples")):
            self.example(example, f"examples[{index}].", names)

    def example(self, example: dict[str, Any], where: str, names: set[str]) -> None:
        self.known(example, _EXAMPLE_KEYS, where)
        self.value(example, "name", where, _is_slug, "lower-case words joined by hyphens", required=True)
        self.value(example, "title", where, is_text, "a text", required=True)
        self.value(example, "parameters", where, _is_json_table, "a table of JSON values")
        self.value(example, "inputs", where, _is_json, "a JSON value (no date, no nan)")
        self.value(example, "media", where, is_text, "the path of a file")
        if isinstance(name := example.get("name"), str):
            if name in names:
                self.tell(
                    "TB117", f"{where}name", f"a second example is called {name!r}", "give each its own name", "name"
                )
            names.add(name)
        # A request may do without its primary input where its parameters say enough.
        if ("media" in example) == ("inputs" in example) and ("media" in example or not example.get("parameters")):
            message = "needs either `media` or `inputs`" if "media" not in example else "has both `media` and `inputs`"
            self.tell("TB117", where.rstrip("."), message, "give exactly one of them", "media")
        elif isinstance(media := example.get("media"), str):
            self.sample(media, where, "media")
        self.value(example, "files", where, _is_text_table, "a table of paths of files")
        files = example.get("files")
        if _is_text_table(files):
            if not isinstance(example.get("inputs"), dict) or not files.keys().isdisjoint(example["inputs"]):
                fix = "let `inputs` be a table of the other members"
                self.tell("TB117", f"{where}files", "does not complete a table of `inputs`", fix, "files")
            for name, path in files.items():
                self.sample(path, where, "files", name)

    def sample(self, media: str, where: str, key: str, name: str = "") -> None:
        path = f"{self.folder.id}/{media}"
        try:
            found = not media.startswith("/") and (self.reader.root / path).is_file()
        except (OSError, ValueError):
            found = False
        if not found or not self.reader.inside(path):
            reason = "is missing" if not found else "lies outside the spec root"
            place = f"{where}{key}.{name}" if name else f"{where}{key}"
            self.tell("TB118", place, f"{media[:120]!r} {reason}", "name a file of the task's folder", name or key)


def _is_text_table(value: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_heading(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_HEADING and "\n" not in value and visible(value) == value


def is_url(value: Any) -> bool:
    """Whether a value is an http(s) URL."""
    return isinstance(value, str) and _URL.fullmatch(value) is not None


def _is_slug(value: Any) -> bool:
    return isinstance(value, str) and TASK_ID.fullmatch(value) is not None


def _is_json_table(value: Any) -> bool:
    return isinstance(value, dict) and _is_json(value)


def _is_json(value: Any, depth: int = MAX_DEPTH) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_is_json(item, depth - 1) for item in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_json(item, depth - 1) for item in value)
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
