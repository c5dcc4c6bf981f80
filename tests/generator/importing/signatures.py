"""Method signatures as Clarifai's API has them: written out, and drawn, well made, odd and broken."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from taskbind.importing.clarifai import read
from taskbind.importing.clarifai.fields import DATA, DATA_TYPES
from taskbind.importing.clarifai.messages import camel
from taskbind.importing.clarifai.model_types import FIELD_TYPES
from taskbind.importing.write import Imported, write

Json = Any

PROMPT = {"name": "prompt", "type": "STR", "required": True}
TEXT = {"name": "return", "type": "STR"}


def signature(*fields: Json, output: Json = TEXT, **more: Json) -> Json:
    made = {"name": "predict", "method_type": "UNARY_UNARY", "input_fields": list(fields), "output_fields": [output]}
    return made | more


def imported(tmp_path: Path, value: Json, model: str = "") -> Imported:
    """What a file becomes; it is proven, too."""
    file = tmp_path / "signatures.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    made = read(file, model)
    with TemporaryDirectory() as folder:
        write(made, Path(folder) / "specs")
    return made


_PLAIN = ("STR", "TEXT", "INT", "FLOAT", "BOOL", "BYTES", "IMAGE", "AUDIO", "VIDEO", "JSON_DATA", "NDARRAY", "REGION")
_NAMES = st.sampled_from("prompt image audio top_k temperature max_tokens seed language _x naïve X1".split())
_ODD = st.sampled_from(["inputs", "parameters", "stream", "model", "timeout", "self", "class", "extra_body", "x y", ""])
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_NUMBERS = st.integers(-5, 50) | st.sampled_from([0.1, 0.10000000149011612, 0.5, 2.0, 1e30, 16777217, -1])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_SPELT = [
    "",
    "null",
    "0.0",
    "1",
    "512",
    "-1",
    "true",
    "False",
    "nan",
    "Infinity",
    "1e400",
    "1e30",
    "en",
    "[",
    "b''",
    "{}",
]
_HOSTILE = ["[" * 100 + "]" * 100, '["\\ud800"]', '{"a": 1, "a": 2}', "9" * 400]
DEFAULTS = st.sampled_from([*_SPELT, *_HOSTILE]) | _TEXTS | _VALUES.map(json.dumps)


def _optional(keys: dict[str, st.SearchStrategy[Json]]) -> st.SearchStrategy[dict[str, Json]]:
    return st.fixed_dictionaries({}, optional=keys)


_OPTIONS = st.lists(
    _optional({"id": st.sampled_from(["1", "2", "en", "0.5", ""]) | _TEXTS, "description": _TEXTS})
    | _optional({"id": _TEXTS, "aliases": st.just([{"id_int": 1}]), "internal_only": st.booleans()}),
    max_size=3,
)
_RANGES = _optional({"min": _NUMBERS, "max": _NUMBERS, "step": _NUMBERS})


@st.composite
def types(draw: st.DrawFn, depth: int = 2) -> Json:
    """The type of a field, with the types in it."""
    name = draw(
        st.sampled_from((*_PLAIN, *(("LIST", "TUPLE", "NAMED_FIELDS", "CONCEPT", "FRAME") * 2 if depth else ())))
    )
    said: Json = {"type": draw(st.sampled_from([name, DATA_TYPES.index(name)]))}
    if name in ("LIST", "TUPLE", "NAMED_FIELDS"):
        count = draw(st.integers(1, 1 if name == "LIST" else 3))
        said["type_args"] = [{"name": f"{draw(_NAMES)}{n}", **draw(types(depth - 1))} for n in range(count)]
    return said


@st.composite
def fields(draw: st.DrawFn, odd: bool = False) -> Json:
    """A field of a request; an `odd` one may be called anything and say anything of its values."""
    name = draw(_NAMES | _ODD if odd else _NAMES)
    more: dict[str, Any] = {"required": st.booleans(), "is_param": st.booleans(), "description": _TEXTS}
    more |= {"default": DEFAULTS, "model_type_range_info": _RANGES}
    if odd:
        more |= {"model_type_enum_options": _OPTIONS, "internal_only": st.booleans(), "iterator": st.booleans()}
        more |= {"placeholder": _TEXTS, "unheard_of": _VALUES}
    return {"name": name, **draw(types()), **draw(_optional(more))}


@st.composite
def signatures(draw: st.DrawFn, odd: bool = False) -> Json:
    """A method signature, in either spelling of names. What is not `odd` can always be said, unless names are alike."""
    streams = draw(st.booleans())
    inputs = draw(st.lists(fields(odd), min_size=1, max_size=5, unique_by=lambda each: each["name"]))
    answer = {"name": "return", **draw(types()), **({"iterator": True} if streams else {})}
    kinds = (["UNARY_STREAMING", 2] if streams else ["UNARY_UNARY", 1]) + (["STREAMING_STREAMING"] if odd else [])
    made = {
        "name": draw(st.sampled_from(["predict", "generate", "to_text", "__init__", "-"]) | _TEXTS),
        "method_type": draw(st.sampled_from(kinds)),
        "description": draw(_TEXTS),
        "input_fields": inputs,
        "output_fields": [answer, answer] if odd and draw(st.booleans()) else [answer],
    }
    return camelled(made) if draw(st.booleans()) else made


@st.composite
def model_types(draw: st.DrawFn) -> Json:
    """A type of models, as older ones have it."""
    field = st.fixed_dictionaries(
        {
            "path": st.sampled_from(
                ["output_info.params.", "output_info.output_config.", "train_info.params."]
            ).flatmap(lambda start: _NAMES.map(lambda name: start + name)),
            "field_type": st.sampled_from(FIELD_TYPES) | st.integers(0, 24),
        },
        optional={
            "default_value": _VALUES,
            "description": _TEXTS,
            "required": st.booleans(),
            "model_type_range_info": _RANGES,
            "model_type_enum_options": _OPTIONS,
        },
    )
    kinds = st.sampled_from([*DATA, "regions[...].data.concepts", "regions[...].region_info.bounding_box", "clusters"])
    return {
        "id": draw(st.sampled_from(["visual-classifier", "text-to-text", ""]) | _TEXTS),
        "title": draw(_TEXTS),
        "input_fields": draw(st.lists(kinds, min_size=1, max_size=2)),
        "output_fields": draw(st.lists(kinds, min_size=1, max_size=3)),
        "model_type_fields": draw(st.lists(field, max_size=4, unique_by=lambda each: each["path"])),
    }


def camelled(value: Json) -> Json:
    """A message with its members called as proto3's JSON has them by default."""
    if isinstance(value, list):
        return [camelled(item) for item in value]
    if isinstance(value, dict):
        return {camel(key): camelled(item) for key, item in value.items()}
    return value


@st.composite
def files(draw: st.DrawFn) -> Json:
    """What a file may hold: signatures by themselves, or in answers of the API, and some that are broken."""
    made = draw(st.lists(signatures(odd=draw(st.booleans())), min_size=1, max_size=3))
    version = {"id": "v1", "method_signatures": made}
    model = {"id": draw(st.sampled_from(["whisper", "a/b", "404", ""]) | _TEXTS), "name": draw(_TEXTS)}
    whole = draw(
        st.sampled_from(
            [
                made[0],
                made,
                {"method_signatures": made},
                {"status": {"code": 10000}, "model_version": version},
                {"status": {"code": 10000}, "model": {**model, "model_version": version}},
                {"models": [{**model, "model_version": version}, {"id": "bare", "model_version": {"id": "v2"}}]},
                {f"m{n}": each for n, each in enumerate(made)},
                {"model_versions": [version]},
            ]
        )
        | model_types()
        | st.builds(lambda each: {"model_types": [each]}, model_types())
    )
    return draw(st.sampled_from([whole, camelled(whole)]) | st.just(whole).flatmap(_broken))


@st.composite
def _broken(draw: st.DrawFn, whole: Json) -> Json:
    """A value with another one in the place of some part of it."""
    copy = json.loads(json.dumps(whole))
    places: list[tuple[Any, Any]] = []
    todo = [copy]
    for item in todo:
        inner = (
            list(item.items()) if isinstance(item, dict) else list(enumerate(item)) if isinstance(item, list) else []
        )
        places += [(item, key) for key, _ in inner]
        todo += [value for _, value in inner]
    holder, key = draw(st.sampled_from(places))
    holder[key] = draw(_VALUES)
    return copy
