"""task.toml: the prose and the examples of a task, checked key by key."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, TypeGuard

from .codes import tell
from .files import MAX_DEPTH, Reader, UnreadableError
from .layout import TASK_ID, Folder

_TASK_KEYS: Final = (
    "title",
    "summary",
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
_URL: Final = re.compile(r"https?://[^\s<>\"']+")


def read_meta(reader: Reader, folder: Folder) -> dict[str, Any] | None:
    """The content of a folder's task.toml (empty without one), or None once it is reported what is wrong in it."""
    if folder.meta is None:
        return {}
    try:
        text = reader.text(folder.meta)
    except UnreadableError:
        return None
    try:
        meta = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else len(text.splitlines()) if "end of document" in str(error) else 0
        tell(reader.report, "TB115", folder.meta, str(error) or "nested too deep", fix="correct the syntax", line=line)
        return None
    checker = _Checker(reader, folder, folder.meta, text)
    checker.task(meta)
    return meta if checker.valid else None


class _Checker:
    def __init__(self, reader: Reader, folder: Folder, path: str, text: str) -> None:
        self.reader = reader
        self.folder = folder
        self.path = path
        self.lines = text.splitlines()
        self.valid = True

    def task(self, meta: dict[str, Any]) -> None:
        self.known(meta, _TASK_KEYS, "")
        for key in ("title", "summary", "description"):
            self.value(meta, key, "", _is_text, "a text")
        for key in ("applications", "departures"):
            self.value(meta, key, "", _is_texts, "a list of texts")
        self.value(meta, "learn_more", "", _is_url, "an http(s) URL")
        self.value(meta, "pipeline_tag", "", _is_slug, "lower-case words joined by hyphens")
        for index, model in enumerate(self.tables(meta, "models")):
            where = f"models[{index}]."
            self.known(model, _MODEL_KEYS, where)
            for key in _MODEL_KEYS:
                self.value(model, key, where, _is_text, "a text", required=True)
        names: set[str] = set()
        for index, example in enumerate(self.tables(meta, "examples")):
            self.example(example, f"examples[{index}].", names)

    def example(self, example: dict[str, Any], where: str, names: set[str]) -> None:
        self.known(example, _EXAMPLE_KEYS, where)
        self.value(example, "name", where, _is_slug, "lower-case words joined by hyphens", required=True)
        self.value(example, "title", where, _is_text, "a text", required=True)
        self.value(example, "parameters", where, _is_json_table, "a table of JSON values")
        self.value(example, "inputs", where, _is_json, "a JSON value (no date, no nan)")
        self.value(example, "media", where, _is_text, "the path of a file")
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

    # -------------------------------------------------------------------------------------------------- helpers

    def tables(self, meta: dict[str, Any], key: str) -> list[dict[str, Any]]:
        self.value(meta, key, "", _is_tables, f"a list of tables ([[{key}]])")
        found = meta.get(key, [])
        return found if _is_tables(found) else []

    def known(self, table: dict[str, Any], keys: Collection[str], where: str) -> None:
        for key in table:
            if key not in keys:
                from difflib import get_close_matches

                near = get_close_matches(key, keys, n=1, cutoff=0.6)
                fix = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(keys)}"
                self.tell("TB116", f"{where}{key[:60]}", "unknown key", fix, key)

    def value(
        self,
        table: dict[str, Any],
        key: str,
        where: str,
        fits: Callable[[Any], bool],
        wanted: str,
        *,
        required: bool = False,
    ) -> None:
        if key not in table:
            if required:
                self.tell("TB117", f"{where}{key}", "is missing", f"add {wanted}", "")
        elif not fits(table[key]):
            self.tell("TB117", f"{where}{key}", f"is not {wanted}", f"write {wanted}", key)

    def tell(self, code: str, where: str, message: str, fix: str, key: str) -> None:
        self.valid = False
        line = key_line(self.lines, where, key)
        tell(self.reader.report, code, self.path, f"{where}: {message}", fix=fix, line=line)


def key_line(lines: Sequence[str], where: str, key: str) -> int:
    """The line of a key in a TOML text, looked for from the table on that `where` names; 0 if not found.

    `where` is such as ``examples[1].inputs``. A key that does not stand on a line of its own has that of its table.
    """
    after, end = 0, len(lines)
    if table := re.match(r"(\w+)\[(\d+)\]", where):
        header = re.compile(rf"\s*\[\[\s*{table.group(1)}\s*\]\]")
        headers = [*(number for number, text in enumerate(lines, 1) if header.match(text)), end + 1]
        index = int(table.group(2))
        after, end = (headers[index], headers[index + 1] - 1) if index + 1 < len(headers) else (0, end)
    start = re.compile(rf"\s*\[*\s*(\w+\s*\.\s*)?[\"']?{re.escape(key)}[\"']?\s*[=\].]")
    found = (number for number, text in enumerate(lines[after:end], after + 1) if key and start.match(text))
    return next(found, after)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_text_table(value: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_url(value: Any) -> bool:
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
