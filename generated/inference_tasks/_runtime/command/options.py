"""A task's parameters as options of the command line: their kinds, bounds, choices and help, all out of its schema."""

from __future__ import annotations

import argparse
import binascii
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from ..binding import TaskBinding
from . import printable
from .schema import Schemas, json_type

Kind = Literal["text", "integer", "number", "flag", "choice", "file", "json"]

DEST = "parameter:"
"""What the names of parameters begin with among the parsed arguments, so that they meet no option of our own."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_METAVAR = {"text": "TEXT", "integer": "N", "number": "X", "json": "JSON", "choice": "NAME", "file": "FILE"}
_LONGEST = 60


class Arguments(Protocol):
    """A parser of the command line, or a group of one."""

    def add_argument(self, *flags: str, **options: Any) -> argparse.Action:
        """Declare an option."""
        ...


@dataclass(frozen=True)
class Option:
    """One parameter. `choices` are its values by how they are typed, `types` the JSON types that it may have.

    `many`: it is a list of what `kind` says, and the option may be repeated. `bounds` are the schema's own keywords,
    `sketch` hints at the members of an object.
    """

    name: str
    kind: Kind
    many: bool = False
    required: bool = False
    about: str = ""
    default: str = ""
    choices: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    sketch: str = ""

    @property
    def help(self) -> str:
        """The parameter's description, and what of its schema a user has to know."""
        notes = [
            "required" if self.required else "",
            said if self.kind in ("integer", "number") and (said := _range(self.bounds)) else "",
            self._json if self.kind == "json" else "",
            "repeat for more" if self.many else "",
            f"default: {self.default}" if self.default else "",
        ]
        noted = "; ".join(filter(None, notes))
        text = f"{self.about} [{noted}]".strip() if noted else self.about
        return printable(" ".join((text or f"sets {self.name}").split())).replace("%", "%%")

    @property
    def _json(self) -> str:
        text = "a text, or " if "string" in self.types else ""
        return f"{text}JSON{self.sketch and f' like {self.sketch}'}, or @FILE with JSON"

    @property
    def metavar(self) -> str:
        """What stands for the value in the help."""
        shown = printable(f"{{{','.join(self.choices)}}}")
        if self.kind == "choice" and len(shown) <= _LONGEST:
            return shown
        return "VALUE" if self.kind == "json" and "string" in self.types else _METAVAR[self.kind]

    @property
    def expected(self) -> str:
        """What a value must be, for messages."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind in ("integer", "number"):
            kind = "an integer" if self.kind == "integer" else "a number"
            return ", ".join(filter(None, (kind, _range(self.bounds))))
        return "JSON"

    def value(self, text: str) -> Any:
        """The JSON value that `text` stands for.

        Raises ValueError with what was expected instead, OSError for a file that cannot be read.
        """
        try:
            if self.kind == "text":
                return text
            if self.kind == "choice":
                return self.choices[text]
            if self.kind == "file":
                return binascii.b2a_base64(Path(text).read_bytes(), newline=False).decode("ascii")
            if self.kind == "json":
                return json_or_text(text, self.types)
            return self._number(text)
        except (KeyError, ValueError) as error:
            reason = f": {error}" if self.kind == "json" else ""
        shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        raise ValueError(printable(f"must be {self.expected}, not {shown!r}{reason}"))

    def values(self, text: str) -> list[Any]:
        """The items that `text` adds to a list: one, or all of a JSON array of them."""
        if text.lstrip()[:1] == "[":
            try:
                items = json.loads(text)
                if self.kind != "text" or all(isinstance(item, str) for item in items):
                    return [self.value(item if isinstance(item, str) else json.dumps(item)) for item in items]
            except ValueError:
                pass  # then it is an item that begins with a bracket
        return [self.value(text)]

    def _number(self, text: str) -> int | float:
        if not _NUMBER.fullmatch(text):
            raise ValueError
        number: int | float = float(text) if set(text) & set(".eE") else int(text)
        if self.kind == "integer" and isinstance(number, float) and number.is_integer():
            number = int(number)
        if (self.kind == "integer" and isinstance(number, float)) or not _within(number, self.bounds):
            raise ValueError
        return number


def options(binding: TaskBinding, schemas: Schemas) -> Iterator[Option]:
    """The options of a task, those of its ``parameters`` first."""
    root, wanted = schemas.members(schemas.named(binding.input_model))
    inside, needed = schemas.members(root.get("parameters", {}))
    for name in binding.parameters:
        yield option(schemas, name, inside.get(name, {}), "parameters" in wanted and name in needed)
    for name in binding.options:
        yield option(schemas, name, root.get(name, {}), name in wanted)


def option(schemas: Schemas, name: str, schema: Any, required: bool = False) -> Option:
    """The option for the parameter `name`."""
    plain = schemas.plain(schema)
    items = schemas.plain(plain.get("items", {}))
    many = schemas.types(plain) == {"array"} and "prefixItems" not in plain
    kind = _kind(schemas, items if many else plain)
    if many and kind in ("json", "flag"):
        kind, many = "json", False
    one = items if many else plain
    choices = list(_choices(schemas, one)) if kind == "choice" else []
    told = " ".join(f"`{typed}`: {about}" for typed, _, about in choices if about)
    return Option(
        name=name,
        kind=kind,
        many=many,
        required=required,
        about=f"{plain.get('description', '')} {told}".strip(),
        default=json.dumps(plain["default"], ensure_ascii=False) if "default" in plain else "",
        choices={typed: value for typed, value, _ in choices},
        bounds=_bounds(one, whole=kind == "integer"),
        types=schemas.types(plain),
        sketch=sketch(schemas.members(plain)[0]) if schemas.types(plain) == {"object"} else "",
    )


def _kind(schemas: Schemas, plain: dict[str, Any]) -> Kind:
    types = schemas.types(plain)
    if types == {"boolean"}:
        return "flag"
    if list(_choices(schemas, plain)):
        return "choice"
    if schemas.media(plain):
        return "file"
    if types == {"integer"}:
        return "integer"
    if types in ({"number"}, {"integer", "number"}):
        return "number"
    return "text" if types == {"string"} else "json"


def _choices(schemas: Schemas, plain: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Each value of an enumeration: how it is typed, the value, and what it means. Nothing for any other schema."""
    if "const" in plain or "enum" in plain:
        found = [(value, "") for value in plain.get("enum", [plain.get("const")])]
    else:
        members = [schemas.plain(member) for member in schemas.alternatives(plain)]
        if not all("const" in member for member in members):
            return
        found = [(member["const"], member.get("description", "")) for member in members]
    for value, about in found:
        if value is not None:
            yield value if isinstance(value, str) else json.dumps(value), value, about


def json_or_text(text: str, types: frozenset[str], *, files: bool = True) -> Any:
    """The JSON value in `text`, or with `files` in the file after an @; where only a text fits `types`, that itself.

    Raises ValueError for anything else, OSError for a file that cannot be read.
    """
    from ..types import parse_json

    is_file = files and text[:1] == "@"
    may_be_text = "string" in types and not is_file
    try:
        value = parse_json(Path(text[1:]).read_bytes() if is_file else text.encode())
    except ValueError:
        if may_be_text:
            return text
        raise
    fits = json_type(value) in types or (json_type(value) == "integer" and "number" in types)
    return text if may_be_text and not fits else value


def sketch(names: Iterable[str]) -> str:
    """An object with members called `names`, as a hint at its shape; empty if there are none."""
    quoted = [f"{json.dumps(name, ensure_ascii=False)}: …" for name in names]
    return f"{{{', '.join([*quoted[:3], '…'] if len(quoted) > 4 else quoted)}}}" if quoted else ""


# ------------------------------------------------------------------------------------------------------------ bounds

_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def _bounds(schema: Mapping[str, Any], *, whole: bool) -> dict[str, float]:
    found = {key: schema[key] for key in _BOUNDS if isinstance(schema.get(key), int | float)}
    for exclusive, inclusive, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        # "at least 1" reads better than "above 0", where there is nothing in between.
        if whole and inclusive not in found and isinstance(found.get(exclusive), int):
            found[inclusive] = found.pop(exclusive) + step
    return found


def _within(number: int | float, bounds: Mapping[str, float]) -> bool:
    return (
        abs(number) != math.inf
        and bounds.get("minimum", -math.inf) <= number <= bounds.get("maximum", math.inf)
        and bounds.get("exclusiveMinimum", -math.inf) < number < bounds.get("exclusiveMaximum", math.inf)
    )


def _range(bounds: Mapping[str, float]) -> str:
    """The bounds in words; empty if there are none."""
    if bounds.keys() == {"minimum", "maximum"}:
        return f"from {bounds['minimum']} to {bounds['maximum']}"
    words = dict(zip(_BOUNDS, ("at least", "above", "at most", "below"), strict=True))
    return " and ".join(f"{words[key]} {bounds[key]}" for key in _BOUNDS if key in bounds)


# --------------------------------------------------------------------------------------------------- the command line


def flag(option: Option, taken: set[str]) -> str:
    """A name for `option` that is not `taken`, and now is."""
    name = "-".join(re.findall(r"[\w.]+", option.name.replace("_", "-"))) or "value"

    def names() -> set[str]:
        return {name, f"no-{name}"} if option.kind == "flag" else {name}

    # argparse does not want a flag that reads like the negation of another.
    while names() & taken or (option.kind == "flag" and name.startswith("no-")):
        name = f"parameter-{name}"
    taken |= names()
    return f"--{name}"


def declare(parser: Arguments, option: Option, taken: set[str]) -> str:
    """Add `option` to `parser` and return its flag.

    What is typed becomes a JSON value at `DEST` and the parameter's name, None if nothing is.
    """
    settings: dict[str, Any] = {"dest": DEST + option.name, "help": option.help, "required": option.required}
    if option.kind == "flag":
        settings |= {"action": argparse.BooleanOptionalAction}
    elif option.many:
        settings |= {"action": "extend", "metavar": option.metavar, "type": _told(option.values)}
    else:
        settings |= {"metavar": option.metavar, "type": _told(option.value)}
    name = flag(option, taken)
    parser.add_argument(name, **settings)
    return name


def _told(read: Any) -> Any:
    def convert(text: str) -> Any:
        try:
            return read(text)
        except OSError as error:
            raise argparse.ArgumentTypeError(
                f"cannot read {str(error.filename)!r}: {error.strerror or error}"
            ) from None
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The parameters that were given, by wire name."""
    found = {key.removeprefix(DEST): value for key, value in vars(arguments).items() if key.startswith(DEST)}
    return {name: value for name, value in found.items() if value is not None}
