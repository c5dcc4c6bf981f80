"""What is no strict JSON is refused before any model sees it, and never repaired."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from inference_tasks._runtime.types import Integer, Json, Model, Number, parse_json


class Anything(Model):
    """One member of each type that could take what JSON lacks, in an open object."""

    whole: Integer = 0
    number: Number = 0.0
    any: Json = None
    many: list[Json] | None = None
    named: dict[str, Number] | None = None


REFUSED = {
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "a number beyond doubles": b'{"a": 1e400}',
    "a number far below doubles": b"[-1e400]",
    "a key twice": b'{"a": 1, "a": 1}',
    "a key twice, once escaped": b'{"a": 1, "\\u0061": 2}',
    "a key twice, further inside": b'[{"a": {"b": 1, "b": 1}}]',
    "the empty key twice": b'{"": 1, "": 2}',
    "a lone high surrogate": b'"\\ud800"',
    "a lone low surrogate": b'"\\udc00 "',
    "surrogates in the wrong order": b'"\\udf89\\ud83c"',
    "a lone surrogate in a key": b'{"\\ud800": 1}',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "arrays 65 deep": b"[" * 65 + b"]" * 65,
    "objects 65 deep": b'{"a":' * 65 + b"1" + b"}" * 65,
    "both, 66 deep": b'[{"a":' * 33 + b"1" + b"}]" * 33,
    "arrays 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "10,000 arrays that do not end": b"[" * 10_000,
    "an integer of 5,000 digits": b"1" * 5_000,
    "a byte order mark": b"\xef\xbb\xbf1",
    "UTF-16": '"\u00e9"'.encode("utf-16"),
    "Latin-1": b'"\xe9"',
    "an overlong NUL": b'"\xc0\x80"',
    "a bare line break in a text": b'"a\nb"',
    "a comma too many": b"[1,]",
    "single quotation marks": b"{'a': 1}",
    "a comment": b"1 // one",
    "a key without quotation marks": b"{a: 1}",
    "a leading zero": b"01",
    "a plus sign": b"+1",
    "hexadecimal": b"0x10",
    "nothing": b"",
    "two values": b"1 2",
    "a NUL after the end": b"1\x00",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(data)
    with pytest.raises(ValidationError):
        Anything.model_validate_json(data)


def test_taken_as_it_is() -> None:
    deep = b"[" * 64 + b"]" * 64
    assert str(parse_json(deep)).count("[") == 64
    assert parse_json(b'"\\ud83c\\udf89"') == "\U0001f389"
    assert parse_json(b'"[[[[' + b"[" * 100 + b'"').count("[") == 104
    assert parse_json(b"1" * 300) == int("1" * 300)
    assert str(parse_json(b"-0.0")) == "-0.0"
    assert parse_json(b'{"__proto__": 1, "": 2}') == {"__proto__": 1, "": 2}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: {"whole": n},
        lambda n: {"number": n},
        lambda n: {"any": n},
        lambda n: {"any": [{"a": n}]},
        lambda n: {"many": [n]},
        lambda n: {"named": {"a": n}},
        lambda n: {"not declared": n},
        lambda n: {"not declared": {"a": [n]}},
    ],
)
def test_no_model_takes_a_number_that_json_lacks(make: Any, number: float) -> None:
    with pytest.raises(ValidationError):
        Anything.model_validate(make(number))
    with pytest.raises(ValidationError):
        Anything(**make(number))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize("member", ["whole", "number", "any", "not declared"])
def test_no_model_reads_a_number_that_json_lacks(member: str, text: str) -> None:
    with pytest.raises(ValidationError):
        Anything.model_validate_json(f'{{"{member}": {text}}}')


@pytest.mark.parametrize("value", [b"a", {1}, object(), {"a": {1: 2}}, BaseModel, 1j])
def test_no_model_takes_what_is_no_json_value(value: object) -> None:
    for member in ("any", "not declared"):
        with pytest.raises(ValidationError):
            Anything.model_validate({member: value})
