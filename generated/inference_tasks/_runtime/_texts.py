"""Whether a spec tells one text from another: if not, a short text can be checked in the place of a long one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .binding import TaskBinding

_OF_ANY_VALUE: Final = ("const", "enum", "$dynamicRef")
_OF_TEXTS: Final = ("minLength", "maxLength", "pattern", "format")
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("if", "then", "else", "not")
_OTHER_MEMBERS: Final = ("additionalProperties", "unevaluatedProperties")


def any_text(binding: TaskBinding, *member: str) -> bool:
    """Whether a request is valid with any text, or with none, in its primary input or in one `member` of that."""
    from importlib.resources import files

    package, _, module = binding.module.rpartition(".models.")
    definitions = json.loads(files(package).joinpath("schemas", f"{module}.json").read_bytes())["$defs"]
    return not _tells(definitions, definitions[binding.input_model], (binding.primary, *member), frozenset())


def _tells(definitions: Mapping[str, Any], schema: Any, path: tuple[str, ...], within: frozenset[str]) -> bool:
    """Whether `schema` has a word on which text is at `path`, a member of a member of the value.

    Rather yes than no: all alternatives count, and so do all schemas of members without a name. `within` are the
    definitions that led here and say nothing else.
    """
    if not isinstance(schema, Mapping):
        return False
    if any(word in schema for word in (_OF_ANY_VALUE if path else _OF_ANY_VALUE + _OF_TEXTS)):
        return True
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    if name and name not in within and _tells(definitions, definitions[name], path, within | {name}):
        return True
    here = [part for word in _LISTS for part in schema.get(word, ())]
    here += [schema[word] for word in _SINGLE if word in schema]
    here += schema.get("dependentSchemas", {}).values()
    if any(_tells(definitions, part, path, within) for part in here):
        return True
    if not path:
        return False
    below = [schema["properties"][path[0]]] if path[0] in schema.get("properties", {}) else []
    below += schema.get("patternProperties", {}).values()
    below += [schema[word] for word in _OTHER_MEMBERS if word in schema]
    return any(_tells(definitions, part, path[1:], frozenset()) for part in below)
