"""Residual checks: what a JSON Schema says and no Python type does.

Only classes and responses whose spec says such a thing have one. The verdict is that of jsonschema-rs, a complete
validator, over the package's own schemas; its regular expressions run in linear time and nothing is ever fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from pydantic import GetCoreSchemaHandler, ValidationInfo, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .types import Answer, Model, dump, is_open

if TYPE_CHECKING:
    import jsonschema_rs

_SHOWN = 3
_LONGEST = 400


@cache
def _bundle(module: str) -> jsonschema_rs.Registry:
    import jsonschema_rs

    package, _, name = module.rpartition(".models.")
    data = files(package).joinpath("schemas", f"{name}.json").read_bytes()
    return jsonschema_rs.Registry([(f"urn:{name}", json.loads(data))])


@cache
def _validator(module: str, name: str) -> Callable[[Any], Any]:
    """Yields the errors of a value under the schema that goes with `name` in a model module."""
    import jsonschema_rs

    schema = {"$ref": f"urn:{module.rpartition('.')[2]}#/$defs/{name}"}
    validator = jsonschema_rs.Draft202012Validator(
        schema,
        registry=_bundle(module),
        pattern_options=jsonschema_rs.RegexOptions(),
        validate_formats=False,
        offline=True,
        mask="it",  # messages shall not repeat values
    )
    return validator.iter_errors


def _hold(module: str, name: str, value: Any, info: ValidationInfo[Any]) -> None:
    if is_open(info):  # a response may be of a newer version of the spec
        return
    errors = islice(_validator(module, name)(dump(value)), _SHOWN)
    broken = list(dict.fromkeys(map(_told, errors)))  # two schemas may say the same
    if broken:
        raise PydanticCustomError("json_schema", "Input breaks its schema: {broken}", {"broken": "; ".join(broken)})


def _told(error: jsonschema_rs.ValidationError) -> str:
    """What is wrong and where; of alternatives, why each does not fit."""
    where = ".".join(map(str, error.instance_path))
    branches = getattr(error.kind, "context", None) or [[]]
    reasons = [" and ".join(map(_told, branch)) for branch in branches]
    said = f"either {', or '.join(reasons)}" if all(reasons) else error.message
    return f"{where}: {said}"[:_LONGEST] if where else said[:_LONGEST]


class CheckedModel(Model):
    """A JSON object whose schema says more than its fields' types: it is checked as a whole."""

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo[Any]) -> Self:
        _hold(type(self).__module__, type(self).__name__, self, info)
        return self


class CheckedAnswer(Answer):
    """The same for an object in a response; where unknown values are welcome, it is not checked."""

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo[Any]) -> Self:
        _hold(type(self).__module__, type(self).__name__, self, info)
        return self


@dataclass(frozen=True)
class Check:
    """Annotates a type that is no class of its own, such as a response that is a list, with its schema's name."""

    module: str
    name: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: Any, info: ValidationInfo[Any]) -> Any:
            _hold(self.module, self.name, value, info)
            return value

        return core_schema.with_info_after_validator_function(check, handler(source))
