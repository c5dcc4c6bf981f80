"""JSON Schemas that refer to each other, and what a validator says of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

Json = Any
"""A JSON value as Python has it: None, bool, int, float, str, list, dict."""

Schema = bool | Mapping[str, Any]
"""A JSON Schema 2020-12."""


class Bundle:
    """A schema document with all that it refers to in its ``$defs``.

    Nothing is ever fetched, and patterns are matched in linear time.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._context = {key: document[key] for key in ("$schema", "$defs") if key in document}
        # The schema itself is kept beside its validator, so that its identity stays taken.
        self._validators: dict[int, tuple[Schema, jsonschema_rs.Validator]] = {}

    def root(self, name: str) -> Schema:
        """The schema of one definition, by its name in ``$defs``. Raises KeyError where there is none."""
        target: Schema = self._document["$defs"][name]
        return target

    def target(self, ref: str) -> Schema:
        """The schema that a ``$ref`` of this document means. Raises LookupError where it means none."""
        node: Any = self._document
        for part in unquote(ref.removeprefix("#")).split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
        found: Schema = node
        return found

    def accepts(self, schema: Schema, value: Json) -> bool:
        """Whether a schema of this document accepts a value."""
        if id(schema) not in self._validators:
            self._validators[id(schema)] = (schema, self._compile(schema))
        return self._validators[id(schema)][1].is_valid(value)

    def _compile(self, schema: Schema) -> jsonschema_rs.Validator:
        return jsonschema_rs.Draft202012Validator(
            {**self._context, "allOf": [schema]},
            validate_formats=False,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )
