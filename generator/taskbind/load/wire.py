"""dialects.toml and wire.toml: which dialects there are, and how a task is spoken in each; checked key by key."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Mapping
from itertools import combinations
from math import isfinite
from typing import Any, Final
from urllib.parse import urlsplit

from ..jsonpath import EACH, Length, Path, PlaceError, contradict, expression, parse, written
from .files import Reader
from .layout import Folder
from .toml import TomlChecker, is_text, is_texts, meant

DIALECTS: Final = "dialects.toml"

DIALECT_KEYS: Final = (
    "title",
    "summary",
    "url",
    "models",
    "token_env",
    "auth",
    "protocol",
    "max_body",
    "closed",
    "named_only",
    "error",
)
PROTOCOLS: Final = ("clarifai",)
"""Ways to travel other than one HTTP request for one answer: the runtime has a module for each."""
WIRE_KEYS: Final = (
    "route",
    "model_route",
    "model",
    "form",
    "body",
    "accept",
    "file",
    "rate",
    "samples",
    "nulls",
    "plain_for",
    "ignored",
    "neutral",
    "requests",
    "answers",
    "events",
    "scales",
    "defaults",
    "added",
    "added_events",
)
FORM_KEYS: Final = ("requests", "answers", "events")
PLACED_KEYS: Final = ("defaults", "added", "added_events")
"""Tables of members that are sent although the model gave none: their places, and their values."""

INDEX: Final = "{index}"
FACTS: Final = ("{id}", "{model}", "{time}", INDEX)
"""Values that the server knows, and not the model."""
SIZES: Final = ("{width}", "{height}")
"""Pixels of the image in the request."""
_TRAVEL: Final = ("route", "model_route", "model", "form", "body", "accept", "plain_for")
"""What a protocol says itself."""
_BRACES: Final = re.compile(r"\{[^{}]*\}?|\}")
_TOKEN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._~+-]{0,39}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~:@!$&'()*+,;=%-]+)+")
_ROUTE: Final = re.compile(rf"/|{_PATH.pattern}/?")
_MEDIA_TYPE: Final = re.compile(r"[a-z]+/([a-z0-9][a-z0-9.+-]*|\*)")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PLACES: Final = "write $, .name, ['any name'], [0] or [*]"
_VALUES: Final = "write a text, a number, true, false, [], the place of another member or length($.name)"
_ANOTHER: Final = "write the place of something else"
_MOST_FORMS: Final = 20
_MOST_PLACES: Final = 100  # in one form


def read_dialects(reader: Reader) -> dict[str, dict[str, Any]] | None:
    """The dialects of a spec root by name (none without dialects.toml), or None once it is reported what is wrong."""
    if not os.path.lexists(reader.root / DIALECTS):
        return {}
    checker = _Checker(reader, DIALECTS)
    found = checker.read()
    if found is None:
        return None
    for name, dialect in found.items():
        checker.dialect(name, dialect)
    return found if checker.valid else None


def read_wires(reader: Reader, folder: Folder, dialects: Mapping[str, Any] | None) -> dict[str, dict[str, Any]] | None:
    """How a task is spoken, by the name of the dialect, or None once it is reported what is wrong in its wire.toml.

    `dialects` are those that are declared; None where that could not be read.
    """
    if folder.wire is None:
        return {}
    checker = _Checker(reader, folder.wire)
    found = checker.read()
    if found is None:
        return None
    for name, wire in found.items():
        checker.wire(name, wire, dialects)
    return found if checker.valid else None


class _Checker(TomlChecker):
    syntax_code, unknown_code, value_code = "TB140", "TB141", "TB142"

    def dialect(self, name: str, dialect: Any) -> None:
        if not is_dialect(name):
            fix = "use a-z, 0-9 and _, a letter first: my_service"
            self.tell("TB144", name[:60], "is no name for a dialect", fix, name)
        elif not isinstance(dialect, dict):
            self.tell("TB142", name, "is not a table", f"write [{name}]", name)
        else:
            where = f"{name}."
            self.known(dialect, DIALECT_KEYS, where)
            for key in ("title", "summary"):
                self.value(dialect, key, where, _is_prose, "a text", required=True)
            self.value(dialect, "url", where, is_address, "an https URL without user, query and fragment")
            self.value(dialect, "models", where, _is_models, "a path with {model} in it, once: /models/{model}")
            self.value(dialect, "token_env", where, _is_variable, "the name of an environment variable")
            self.value(dialect, "auth", where, _is_scheme, "the scheme of a header, one word: Bearer")
            self.value(dialect, "protocol", where, _is_protocol, f"one of {', '.join(PROTOCOLS)}")
            self.value(dialect, "max_body", where, _is_count, "a count of bytes, at least 1")
            for key in ("closed", "named_only"):
                self.value(dialect, key, where, _is_flag, "true or false")
            self.value(dialect, "error", where, _is_member, "the place of a member: $.error.message")
            if "url" not in dialect:
                for key in ("models", "token_env"):
                    if key in dialect:
                        message = "is of a hosted service, and there is no `url` of one"
                        self.tell("TB142", f"{where}{key}", message, "add `url`, or leave it out", key)
            for key in ("protocol", "named_only"):
                if dialect.get(key) and dialect.get("closed") is not True:
                    message = "leaves the tasks without a wire.toml for it unspoken, and it has all tasks"
                    self.tell("TB142", f"{where}{key}", message, "add `closed = true`", key)

    def wire(self, name: str, wire: Any, dialects: Mapping[str, Any] | None) -> None:
        if not isinstance(wire, dict):
            self.tell("TB142", name[:60], "is not a table", "write the name of a dialect: [my_service]", name)
            return
        if dialects is not None and name not in dialects:
            fix = meant(name, dialects, f"declare it in {DIALECTS}, which has")
            self.tell("TB143", name[:60], "is no declared dialect", fix, name)
        where = f"{name}."
        self.known(wire, WIRE_KEYS, where)
        for key in ("route", "model_route"):
            self.value(wire, key, where, is_route, "a path that begins with / and has no query")
        self.value(wire, "accept", where, _is_media_type, "a media type: image/png")
        self.value(wire, "body", where, _is_one_type, "a media type without *: application/octet-stream")
        self.value(wire, "plain_for", where, _is_prose, "a part of the user agents of clients")
        self.value(wire, "model", where, _is_prose, "the name of a member of the request")
        for key in ("file", "rate"):
            self.value(wire, key, where, _is_prose, "the name of a member of the answer")
        for key in ("form", "samples", "nulls"):
            self.value(wire, key, where, _is_flag, "true or false")
        for key, needed in (("rate", "file"), ("samples", "rate")):
            if wire.get(key) and needed not in wire:
                self.tell("TB142", f"{where}{key}", f"means nothing without `{needed}`", f"add `{needed}`", key)
        if protocol := _protocol(dialects, name):
            for key in _TRAVEL:
                if wire.get(key):
                    message = f"is said by the protocol of the dialect, {protocol}"
                    self.tell("TB142", f"{where}{key}", message, "leave it out", key)
        if wire.get("scales") and dialects is not None and name in dialects and not _is_named_only(dialects[name]):
            message = "are of dialects that are `named_only`: in others the spec's own shape is understood, too"
            fix = f"leave them out, or write `named_only = true` for {name} in {DIALECTS}"
            self.tell("TB142", f"{where}scales", message, fix, "scales")
        self.value(wire, "ignored", where, is_texts, "a list of texts, the names of members")
        for key in FORM_KEYS:
            forms = self.tables(wire, key, where)
            if len(forms) > _MOST_FORMS:
                fix = "leave out those that nobody speaks"
                self.tell("TB142", f"{where}{key}", f"are more than {_MOST_FORMS} forms", fix, key)
                continue
            for index, form in enumerate(forms):
                self.form(form, f"{where}{key}[{index}].")
        for key in ("neutral", "scales", *PLACED_KEYS):
            self.value(wire, key, where, _is_table, f"a table ([{where}{key}])")
            if not _is_table(table := wire.get(key, {})):
                continue
            if len(table) > _MOST_PLACES:
                fix = "leave out those that no client counts on"
                self.tell("TB142", f"{where}{key}", f"are more than {_MOST_PLACES}", fix, key)
            elif key == "neutral":
                self.neutral(table, f"{where}{key}")
            elif key == "scales":
                self.scales(table, f"{where}{key}")
            else:
                self.placed(table, f"{where}{key}")

    def neutral(self, members: dict[str, Any], where: str) -> None:
        for name, value in members.items():
            if not _is_plain(value):
                fix = "write a text, a number, true, false or []"
                self.tell("TB142", f'{where}."{name[:60]}"', "is no such value", fix, name)

    def scales(self, members: dict[str, Any], where: str) -> None:
        known: dict[Path, str] = {}
        for key, value in members.items():
            shown = f'{where}."{key[:60]}"'
            place = self.once(key, shown, known)
            if place is not None and value not in SIZES:
                self.tell("TB142", shown, "is no size of the image", f"write {' or '.join(SIZES)}", key)

    def placed(self, members: dict[str, Any], where: str) -> None:
        known: dict[Path, str] = {}
        for key, value in members.items():
            shown = f'{where}."{key[:60]}"'
            place = self.once(key, shown, known)
            if place is None:
                continue
            if is_text(value):
                self.said(value, place, shown, key)
            elif not _is_plain(value):
                self.tell("TB142", shown, "is no such value", _VALUES, key)

    def said(self, value: str, place: Path, shown: str, key: str) -> None:
        """A text that is the value of the member at `place`."""
        try:
            found = expression(value)
        except PlaceError as error:
            self.tell("TB145", f"{shown} = {value[:60]!r}", str(error), _PLACES, key)
            return
        if found is not None:
            self.reachable(found, place, shown, value, key)
            return
        if stray := next((text for text in _BRACES.findall(value) if text not in FACTS), None):
            fix = f"use {', '.join(FACTS)}, and no other braces"
            self.tell("TB142", shown, f"{stray[:60]!r} is nothing that a server knows", fix, key)
        elif INDEX in value and EACH not in place:
            self.tell("TB142", shown, "counts the items of a list, and has no [*]", "write it: $[*].index", key)

    def reachable(self, found: Path | Length, place: Path, shown: str, value: str, key: str) -> None:
        """Each item that a value is taken from must be one that the member is in: else nobody knows which is meant."""
        other = found.of if isinstance(found, Length) else found
        steps = len(other) - other[::-1].index(EACH) if EACH in other else 0
        if other[:steps] != place[:steps]:
            fix = f"begin it as the member's own: {written(place[: -place[::-1].index(EACH)])}" if EACH in place else ""
            fix = fix or "leave the [*] out"
            self.tell("TB142", shown, f"{value[:60]!r} is in other items than the member", fix, key)
        elif isinstance(found, Length):
            return
        elif place[: len(other)] == other[: len(place)]:
            self.tell("TB142", shown, f"{value[:60]!r} is the member itself, or around or inside it", _ANOTHER, key)

    def once(self, key: str, where: str, known: dict[Path, str]) -> Path | None:
        """The place of a member that a key is, if it is one and not `known` yet."""
        place = self.place(key, where, key)
        if place is None:
            return None
        if not place or not isinstance(place[-1], str):
            self.tell("TB142", where, "is no member", "write the place of one: $.name", key)
        elif place in known:
            self.tell("TB146", where, f"is the place of {known[place][:60]!r}", "say it once", key)
        else:
            known[place] = key
            return place
        return None

    def form(self, form: dict[str, Any], where: str) -> None:
        if len(form) > _MOST_PLACES:
            fix = "move an outer place instead of each inner one"
            self.tell("TB142", where.rstrip("."), f"has more than {_MOST_PLACES} places", fix, "")
            return
        pairs: list[tuple[str, Path, Path]] = []
        for key, value in form.items():
            shown = f'{where}"{key[:60]}"'
            if not is_text(value):
                self.tell("TB142", shown, "is not a text", 'write a place: "$.name"', key)
                continue
            spec, wire = self.place(key, shown, key), self.place(value, f"{shown} = {value[:60]!r}", key)
            if spec is None or wire is None:
                continue
            here, there = spec.count(EACH), wire.count(EACH)
            if here != there:
                message = f"has {here} [*] in the spec and {there} on the wire"
                self.tell("TB146", shown, message, "write as many on both sides", key)
            pairs.append((key, spec, wire))
        for (one, *sides), (other, *others) in combinations(pairs, 2):
            for side, a, b in zip(("in the spec", "on the wire"), sides, others, strict=True):
                if contradict(a, b):
                    message = f"is, or may be, the place of {one[:60]!r} {side}"
                    self.tell("TB146", f'{where}"{other[:60]}"', message, "let each value have its own place", other)

    def place(self, text: str, where: str, key: str) -> Path | None:
        try:
            return parse(text)
        except PlaceError as error:
            self.tell("TB145", where, str(error), _PLACES, key)
            return None


def is_dialect(name: str) -> bool:
    """Whether a dialect may have this name."""
    return _NAME.fullmatch(name) is not None and not keyword.iskeyword(name)


def _is_prose(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_member(value: Any) -> bool:
    try:
        place = parse(value) if isinstance(value, str) else ()
    except PlaceError:
        return False
    return bool(place) and all(isinstance(step, str) for step in place)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_plain(value: Any) -> bool:
    return (
        is_text(value) or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)) or value == []
    )


def _is_scheme(value: Any) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _is_protocol(value: Any) -> bool:
    return value in PROTOCOLS


def _protocol(dialects: Mapping[str, Any] | None, name: str) -> str:
    """The protocol of a declared dialect; empty if it has none."""
    dialect = (dialects or {}).get(name)
    protocol = dialect.get("protocol") if isinstance(dialect, dict) else None
    return protocol if is_text(protocol) else ""


def _is_named_only(dialect: Any) -> bool:
    return isinstance(dialect, dict) and dialect.get("named_only") is True


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_variable(value: Any) -> bool:
    return isinstance(value, str) and _VARIABLE.fullmatch(value) is not None


def is_route(value: Any) -> bool:
    """Whether a task may be asked at this path; a slash at its end belongs to it."""
    return isinstance(value, str) and _ROUTE.fullmatch(value) is not None


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and _PATH.fullmatch(value) is not None


def _is_models(value: Any) -> bool:
    return isinstance(value, str) and value.count("{model}") == 1 and _is_path(value.replace("{model}", "m"))


def _is_media_type(value: Any) -> bool:
    return isinstance(value, str) and _MEDIA_TYPE.fullmatch(value) is not None


def _is_one_type(value: Any) -> bool:
    return _is_media_type(value) and "*" not in value


def is_address(value: Any) -> bool:
    """Whether a value is the address of a service: https, or http on this very machine, and nothing secret in it."""
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return False
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    plain = not ("?" in value or "#" in value or "@" in parts.netloc) and (not parts.path or _is_path(parts.path))
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return plain and safe and bool(parts.hostname) and port != 0
