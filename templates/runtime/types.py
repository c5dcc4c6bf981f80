"""The base of every generated model, and the JSON scalars that pydantic's own do not match exactly.

The law these serve: a schema accepts a JSON value if and only if the model accepts it, and dumping the model gives
the value back. Pydantic's plain types bend it in five places, each straightened here; only the last costs any Python
per value, and only where a schema leaves the type open:

- `int` refuses ``1.0``, which JSON Schema calls an integer → :data:`Integer`;
- `float` takes ``true`` and loses digits of integers beyond 2**53 → :data:`Number`;
- an optional field typed ``X | None`` takes ``null`` although the schema only lets it be absent → :class:`Model`;
- dumping writes fields that were never set → :class:`Model`;
- `Any` takes what is no JSON value, such as NaN, and then writes ``null`` → :data:`Json`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema, from_json

MAX_DEPTH: Final = 64


def _integral(value: float) -> int:
    if not value.is_integer():
        raise PydanticCustomError("int_from_float", "Input should have no fractional part")
    return int(value)


@dataclass(frozen=True)
class _Bounds:
    """The bounds of a number. They go into the core schema, where they cost no Python per value."""

    ge: float | None = None
    le: float | None = None
    gt: float | None = None
    lt: float | None = None
    multiple_of: int | None = None

    def _whole(self) -> CoreSchema:
        """Any int within the bounds; a bound with a fraction is moved to the next int inside."""
        low = [math.ceil(self.ge)] if self.ge is not None else []
        low += [math.floor(self.gt) + 1] if self.gt is not None else []
        high = [math.floor(self.le)] if self.le is not None else []
        high += [math.ceil(self.lt) - 1] if self.lt is not None else []
        return core_schema.int_schema(
            strict=True,
            ge=max(low) if low else None,
            le=min(high) if high else None,
            multiple_of=self.multiple_of,
        )

    def _told(self, kind: str) -> str:
        words = {
            "ge": "greater than or equal to",
            "gt": "greater than",
            "le": "less than or equal to",
            "lt": "less than",
            "multiple_of": "a multiple of",
        }
        limits = [f"{text} {getattr(self, name)}" for name, text in words.items() if getattr(self, name) is not None]
        return " ".join([f"Input should be {kind}", " and ".join(limits)]).rstrip()


class IntegerType(_Bounds):
    """Annotates an int with its bounds and with what JSON Schema calls an integer: ``1.0`` is one, ``true`` is not."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        finite = core_schema.float_schema(strict=True, allow_inf_nan=False)
        rounded = core_schema.no_info_after_validator_function(_integral, finite)
        # Any int first: almost every integer on the wire is written as one and never reaches Python code.
        return core_schema.union_schema(
            [self._whole(), core_schema.chain_schema([rounded, self._whole()])],
            mode="left_to_right",
            custom_error_type="integer",
            custom_error_message=self._told("an integer"),
        )


class NumberType(_Bounds):
    """Annotates a float with its bounds. Integers stay Python ints, so that no digit is lost; ``true`` is no number."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        finite = core_schema.float_schema(
            strict=True, allow_inf_nan=False, ge=self.ge, le=self.le, gt=self.gt, lt=self.lt
        )
        # The float first, which most numbers are; an int fits both, and the smart union prefers what changes nothing.
        return core_schema.union_schema(
            [finite, self._whole()],
            mode="smart",
            custom_error_type="number",
            custom_error_message=self._told("a number"),
        )


Integer = Annotated[int, IntegerType()]
"""A JSON integer: any int, and a float without a fractional part (JSON Schema 2020-12, validation 6.1.1)."""

Number = Annotated[float, NumberType()]
"""A finite JSON number. Integers stay Python ints, so that no digit is lost; ``true`` is not a number."""


def _json(value: Any) -> Any:
    todo = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise PydanticCustomError("too_deep", "Input should not be nested deeper than {n} levels", {"n": MAX_DEPTH})
        match item:
            case None | bool() | int() | BaseModel():
                continue
            case str():
                if not item.isascii() and any("\ud800" <= char <= "\udfff" for char in item):
                    raise PydanticCustomError("json_text", "Input should be text without lone surrogates")
            case float():
                if not math.isfinite(item):
                    raise PydanticCustomError("finite_number", "Input should be a finite number")
            case list() | tuple():
                todo += ((inner, depth + 1) for inner in item)
            case dict() if all(isinstance(key, str) for key in item):
                todo += ((key, depth) for key in item)
                todo += ((inner, depth + 1) for inner in item.values())
            case _:
                raise PydanticCustomError("json_type", "Input should be a JSON value")
    return value


def _json_schema() -> CoreSchema:
    return core_schema.no_info_after_validator_function(_json, core_schema.any_schema())


class _JsonSchema:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _json_schema()


Json = Annotated[Any, _JsonSchema()]
"""Any JSON value: null, booleans, finite numbers, texts, lists, and dicts with text keys, or a model of an object."""


UNICODE: Final = ConfigDict(str_min_length=0)
"""Makes pydantic look into every text. Without any bound it takes lone surrogates, which cannot be sent as JSON."""


class Model(BaseModel):
    """A JSON object. Absent members read as ``None`` (or their default) and stay absent when dumped.

    Members the schema does not name are kept where the schema is open, and refused where it is closed. A member that
    may really be ``null`` says ``nullable`` in its field's `json_schema_extra`. The constructor takes members by their
    Python name (``class_=``); JSON is read and written by wire name (``"class"``).
    """

    model_config = ConfigDict(
        extra="allow",
        protected_namespaces=(),
        str_min_length=0,  # see UNICODE
        validate_by_alias=True,
        validate_by_name=True,
    )

    _open_enums: ClassVar[bool] = False

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        target = schema["schema"] if schema["type"] == "definitions" else schema
        if target["type"] == "definition-ref":
            target = handler.resolve_ref_schema(target)
        owner: Any = target
        while owner["schema"]["type"] != "model-fields":
            owner = owner["schema"]
        inner = owner["schema"]
        if cls.model_config.get("extra") == "allow":
            # Said here rather than by annotating `__pydantic_extra__`, which would slow down every instance.
            inner.setdefault("extras_schema", _json_schema())
        for name, member in inner["fields"].items():
            extra = cls.model_fields[name].json_schema_extra
            if not (isinstance(extra, dict) and extra.get("nullable")) and _refuses_null(member["schema"]):
                # Even a dump that asks for members which were never set must not write a null that is not valid.
                member["serialization_exclude_if"] = _is_none
            if cls._open_enums:
                member["schema"] = _opened(member["schema"])
        aliases = {name: field.alias for name, field in cls.model_fields.items() if field.alias and field.alias != name}
        if aliases:
            owner["schema"] = core_schema.no_info_wrap_validator_function(_Unaliased(aliases), inner)
        return schema

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """The model of an object of JSON values. Raises pydantic.ValidationError where the schema refuses it."""
        return super().model_validate(obj, **{"by_name": False, "by_alias": True, **options})

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """The model of an object in JSON text.

        Raises pydantic.ValidationError where the schema refuses it, and for text that is not strict JSON (see
        :func:`parse_json`): duplicate keys, NaN, lone surrogates, absurd depth are refused, never repaired.
        """
        try:
            value = parse_json(json_data.encode() if isinstance(json_data, str) else bytes(json_data))
        except ValueError as error:
            found = InitErrorDetails(type=PydanticCustomError("json_invalid", "{why}", {"why": str(error)}), input="")
            raise ValidationError.from_exception_data(cls.__name__, [found], input_type="json") from None
        return cls.model_validate(value, **options)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """The object as JSON values by wire name, without the members that were never set."""
        return super().model_dump(**{"exclude_unset": True, "by_alias": True, "mode": "json", **options})

    def model_dump_json(self, **options: Any) -> str:
        """The object as JSON text by wire name, without the members that were never set."""
        return super().model_dump_json(**{"exclude_unset": True, "by_alias": True, **options})


class Answer(Model):
    """A JSON object in a response.

    Validated with the context :data:`OPEN_ENUMS`, it keeps values of an enum that the spec does not know (yet);
    without it, it is as strict as any model. Enums with a single value tell the variants of a union apart, and stay
    closed.
    """

    _open_enums: ClassVar[bool] = True


OPEN_ENUMS: Final = {"open_enums": True}
"""The validation context in which an unknown value of an enum is kept instead of refused."""


def _opened(schema: Any) -> Any:
    if schema["type"] in ("default", "nullable"):
        return {**schema, "schema": _opened(schema["schema"])}
    if schema["type"] == "literal" and len(schema["expected"]) > 1:
        anything = core_schema.simple_ser_schema("any")
        return core_schema.with_info_wrap_validator_function(_known_or_new, schema, serialization=anything)
    return schema


def is_open(info: ValidationInfo[Any]) -> bool:
    """Whether validation is in the context :data:`OPEN_ENUMS`."""
    return bool(info.context and info.context.get("open_enums"))


def _known_or_new(value: Any, parse: ValidatorFunctionWrapHandler, info: ValidationInfo[Any]) -> Any:
    if not (isinstance(value, str) and is_open(info)):
        return parse(value)
    try:
        return parse(value)
    except ValidationError:
        return value


class _Unaliased:
    """Keeps an extra member called like the Python name of an aliased one (``class_``) apart from it (``class``).

    Pydantic counts such an extra as that field being set, and would then write the field out as well.
    """

    def __init__(self, aliases: dict[str, str]) -> None:
        self.aliases = aliases

    def __call__(self, value: Any, parse: ValidatorFunctionWrapHandler) -> Any:
        members, extra, names = parse(value)
        mixed_up = {name for name, alias in self.aliases.items() if name in (extra or ()) and alias not in value}
        return members, extra, names - mixed_up


def _refuses_null(schema: Any) -> bool:
    """Whether a field is optional, not nullable: then strip, in place, the ``| None`` that spells "may be absent"."""
    if schema["type"] == "default" and schema["schema"]["type"] == "nullable" and schema.get("default", 0) is None:
        schema["schema"] = schema["schema"]["schema"]
        return True
    return False


def _is_none(value: Any) -> bool:
    return value is None


def parse_json(data: bytes) -> Any:
    """Parse a request body as strict JSON (RFC 8259 with the I-JSON rules of RFC 7493).

    Raises ValueError, with a text fit for the sender, for anything that is not UTF-8 JSON, for NaN and numbers too
    large for a double, lone surrogates, duplicate keys, and nesting deeper than 64.
    """
    _limit_depth(data)
    value = from_json(data, allow_inf_nan=False)
    _STRICT.decode(data.decode())
    return value


def _finite(text: str) -> None:
    if math.isinf(float(text)):
        raise ValueError(f"number {text[:32]} is too large")


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"duplicate key {twice!r}")


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite)
"""Made once: `json.loads` makes one for each call with options, which takes longer than a small body."""


def _limit_depth(data: bytes) -> None:
    # Brackets inside strings count too, so this may only clear a body, never condemn one: real nesting is checked next.
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    depth, in_string, escaped = 0, False, False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        elif byte in b"]}":
            depth -= 1


def dump(value: Any) -> Any:
    """`value`, a model or a list of models, as JSON values."""
    if isinstance(value, Model):
        return value.model_dump()
    if isinstance(value, list | tuple):
        return [dump(item) for item in value]
    if isinstance(value, dict):
        return {key: dump(item) for key, item in value.items()}
    return cast(Any, value)
