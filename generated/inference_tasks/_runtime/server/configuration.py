"""Where settings come from: a flag goes before a variable, that before the file, and all before the default.

A value of a layer replaces that of the layers below it as a whole, lists too. What no layer knows is an error.
"""

from __future__ import annotations

import math
import re
import shlex
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .settings import Model, Resources, Serving

BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class ConfigurationError(ValueError):
    """A setting that cannot be; the message says where it was made."""


@dataclass(frozen=True)
class Option:
    """One field as it is set from outside. `kind` is its type without None, that of the items for a list."""

    name: str
    kind: Any
    many: bool
    choices: tuple[str, ...]
    default: Any
    about: str
    unit: str
    least: float
    secret: bool

    @classmethod
    def of(cls, field: Field[Any], hint: Any) -> Option:
        """How `field` is set, whose type is `hint`."""
        if get_origin(hint) in (Union, UnionType):
            (hint,) = (kind for kind in get_args(hint) if kind is not type(None))
        many = get_origin(hint) is tuple
        kind = get_args(hint)[0] if many else hint
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        return cls(field.name, str if choices else kind, many, choices, field.default, **field.metadata)

    @property
    def expected(self) -> str:
        """What a value must be."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        bound = f" of at least {self.least:g}"
        return {bool: "true or false", int: f"a whole number{bound}", float: f"a number{bound}"}.get(
            self.kind, "text that is not empty"
        )

    def parsed(self, text: str) -> Any:
        """The value that `text` stands for. Raises ValueError, which says what is expected."""
        kinds: dict[Any, Callable[[str], Any]] = {bool: lambda word: BOOLEANS[word.lower()], int: int, float: float}
        try:
            return self.checked(kinds.get(self.kind, str)(text))
        except (KeyError, ValueError):
            raise ValueError(f"must be {self.expected}, not {text[:100]!r}") from None

    def checked(self, value: Any) -> Any:
        """A `value` of JSON's types as one of the field's. Raises ValueError, which says what is expected."""
        if self.kind is float and type(value) is int:
            value = float(value)
        right = type(value) is (str if self.kind is Path else self.kind)
        if right and self.kind in (int, float):
            right = math.isfinite(value) and value >= self.least
        if right and isinstance(value, str):
            right = bool(value) and "\0" not in value and (not self.choices or value in self.choices)
        if not right:
            raise ValueError(f"must be {self.expected}, not {str(value)[:100]!r}")
        return Path(value) if self.kind is Path else value


def options_of(settings: type) -> dict[str, Option]:
    """How the fields of `settings` are set, by name."""
    hints = get_type_hints(settings)
    return {field.name: Option.of(field, hints[field.name]) for field in fields(settings)}


SERVING = options_of(Serving)
MODEL = options_of(Model)
SECRET = {name for name, option in SERVING.items() if option.secret}
"""Empty variables are as good as none, but these: a secret that was lost on its way must not leave the door open."""
RESOURCES = options_of(Resources)


def configured(
    flags: Mapping[str, Any], environment: Mapping[str, str], prefix: str, tasks: Collection[str]
) -> Serving:
    """The settings that the given `flags` make, the variables that begin with `prefix`, and the file of either.

    Raises ConfigurationError.
    """
    flags = {name: tuple(value) if isinstance(value, list) else value for name, value in flags.items()}
    variables = {
        name.removeprefix(prefix).lower(): (name, text)
        for name, text in environment.items()
        if name.startswith(prefix) and (text or name.removeprefix(prefix).lower() in SECRET)
    }
    named, config = variables.pop("config", ("", ""))
    values: dict[str, Any] = {}
    if given := flags.pop("config", None):
        values |= _from_file(Path(given), "--config", tasks)
    elif config:
        values |= _from_file(Path(config), named, tasks)
    values |= _from_environment(variables, tasks)
    if "models" in flags:
        flags["models"] = _models(flags["models"], "--model", tasks)
    values |= flags
    if (name := values.get("token_env")) is not None:
        values["token"] = token_of(name, environment, "--token-env" if "token_env" in flags else "token_env")
    settings = Serving(**values)
    _check_order(settings, "settings")
    return settings


def _check_order(resources: Resources, where: str) -> None:
    least, most = resources.replicas or 1, resources.max_replicas
    if most is not None and most < least:
        raise ConfigurationError(f"{where}: max_replicas must be at least {least}, as many as replicas")


def token_of(name: str, environment: Mapping[str, str], where: str = "token_env") -> str:
    """The token in the variable `name`. Raises ConfigurationError if it is not set: all could ask then."""
    if not environment.get(name):
        raise ConfigurationError(f"{where}: the environment variable {name} is not set")
    return environment[name]


def _from_environment(variables: Mapping[str, tuple[str, str]], tasks: Collection[str]) -> dict[str, Any]:
    """Lists are words as in a shell: separated by blanks, in quotes where they hold some."""
    values: dict[str, Any] = {}
    for key, (name, text) in sorted(variables.items()):
        option = SERVING.get(key)
        if option is None:
            raise ConfigurationError(f"{name}: there is no such setting; known are {', '.join(SERVING)}")
        try:
            if key == "models":
                values[key] = _models(shlex.split(text), name, tasks)
            elif option.many:
                values[key] = tuple(option.parsed(word) for word in shlex.split(text))
            else:
                values[key] = option.parsed(text)
        except ConfigurationError:
            raise
        except ValueError as error:
            # The value of a secret must not get into a message.
            raise ConfigurationError(f"{name}: {'is not a token' if option.secret else error}") from None
    return values


def _models(words: Collection[str], where: str, tasks: Collection[str]) -> tuple[Model, ...]:
    found: list[Model] = []
    for word in words:
        task, equals, path = word.partition("=")
        if not equals or not path:
            raise ConfigurationError(f"{where} {word}: must be TASK=DIR")
        if task not in tasks:
            raise ConfigurationError(f"{where} {word}: {_unknown(task, tasks)}")
        found.append(Model(task=task, directory=Path(path)))
    return tuple(found)


def _unknown(task: str, tasks: Collection[str]) -> str:
    return f"unknown task {task!r}; known are {', '.join(tasks)}"


def _from_file(path: Path, where: str, tasks: Collection[str]) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode()
        table = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{where}: {path}: {(error.strerror or str(error)).lower()}") from None
    except tomllib.TOMLDecodeError as error:
        told = re.search(r"\(at line (\d+)", str(error))
        place = f"{path}:{told[1]}" if told else str(path)
        raise ConfigurationError(f"{place}: is not TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not TOML: it is not UTF-8") from None
    return from_table(table, path.parent, lambda key, model: f"{path}:{_line(text, key, model)}", tasks)


def from_table(
    table: Mapping[str, Any], directory: Path, place: Callable[[str, int], str], tasks: Collection[str]
) -> dict[str, Any]:
    """The settings in `table`, with models in its member `models`; paths are as seen from `directory`.

    `place` says where a key is, at the root (-1) or in the model of that number. Raises ConfigurationError.
    """
    models = table.get("models", [])
    rest = {key: value for key, value in table.items() if key != "models"}
    values = dict(_checked(rest, SERVING, directory, lambda key: place(key, -1)))
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        raise ConfigurationError(f"{place('models', -1)}: models must be tables: [[models]]")
    for number, model in enumerate(models):

        def where(key: str, number: int = number) -> str:
            return place(key, number)

        found = Model(**dict(_checked(model, MODEL, directory, where)))
        missing = [key for key in ("task", "directory") if key not in model]
        if missing:
            raise ConfigurationError(f"{where('')}: a model needs {' and '.join(missing)}")
        if found.task not in tasks:
            raise ConfigurationError(f"{where('task')}: {_unknown(found.task, tasks)}")
        _check_order(found, where("max_replicas"))
        values["models"] = (*values.get("models", ()), found)
    return values


def _checked(
    table: Mapping[str, Any], known: Mapping[str, Option], directory: Path, place_of: Callable[[str], str]
) -> Iterator[tuple[str, Any]]:
    """The settings in `table`; paths are as seen from `directory`."""
    for key, value in table.items():
        place = place_of(key)
        option = known.get(key)
        if option is None or option.secret:
            instead = "; put tokens in a token_file" if option else ""
            names = ", ".join(name for name, other in known.items() if not other.secret)
            raise ConfigurationError(f"{place}: there is no setting {key[:100]!r} here{instead}; known are {names}")
        if option.many and not isinstance(value, list):
            raise ConfigurationError(f"{place}: {key} must be a list")
        try:
            checked = [option.checked(item) for item in (value if option.many else [value])]
        except ValueError as error:
            raise ConfigurationError(f"{place}: {key} {error}") from None
        if option.kind is Path:
            checked = [directory / item for item in checked]
        yield key, tuple(checked) if option.many else checked[0]


def _line(text: str, key: str, model: int = -1) -> int:
    """The line of `text` where `key` is set, at the root or in the table of a `model`: its first, if none is found."""
    current, start = -1, 1
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*models\s*\]\]", line):
            current += 1
            start = number if current == model else start
        if current == model and re.match(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""", line) and key:
            return number
    return start
