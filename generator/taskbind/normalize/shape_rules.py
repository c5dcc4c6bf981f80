"""Rules for what authors write and mean otherwise: OpenAPI habits, misplaced keywords, misspelt names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ..diagnostics import Severity
from .rule import ANNOTATIONS, ASSERTIONS, COMMENTS, Finding, Place, rule, short, type_names

_BINARY: Final = re.compile(r"\s*type\s*=\s*binary\s*")
_KINDS: Final = {"audio": "audio", "speech": "audio", "image": "image", "picture": "image", "video": "video"}
_NUMBER_FORMAT: Final = re.compile(r"u?int(8|16|32|64)|float|double")
_COMBINATORS: Final = ("$ref", "allOf", "anyOf", "oneOf")
_NUMBERS: Final = frozenset(("number", "integer"))
_STRINGS: Final = frozenset(("string",))
_ARRAYS: Final = frozenset(("array",))
_OBJECTS: Final = frozenset(("object",))
_APPLIES: Final = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _NUMBERS),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"), _STRINGS),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems"), _ARRAYS),
    **dict.fromkeys(("contains", "minContains", "maxContains", "unevaluatedItems"), _ARRAYS),
    **dict.fromkeys(("properties", "required", "additionalProperties", "patternProperties"), _OBJECTS),
    **dict.fromkeys(("propertyNames", "minProperties", "maxProperties", "unevaluatedProperties"), _OBJECTS),
    **dict.fromkeys(("dependentRequired", "dependentSchemas"), _OBJECTS),
}
_NEEDS: Final = {"then": "if", "else": "if", "minContains": "contains", "maxContains": "contains"}
_GROUPS: Final = (
    frozenset(("properties", "patternProperties", "additionalProperties")),
    frozenset(("items", "prefixItems")),
    frozenset(("contains", "minContains", "maxContains")),
    frozenset(("if", "then", "else")),
)
"""Keywords that change what the others of their group mean, so that they cannot be told apart."""
_UNEVALUATED: Final = frozenset(("unevaluatedItems", "unevaluatedProperties"))


@rule("TB210", Severity.WARNING, "binary media marked by a comment", "comment")
def binary_comment(place: Place) -> Iterator[Finding]:
    """`comment: "type=binary"` is a private convention for media. JSON Schema says it with `contentEncoding: base64`
    and `contentMediaType`. Whether it is audio, an image or a video is taken from the name, the description or the
    task, where that is unambiguous; otherwise it is application/octet-stream."""
    comment = place.schema.get("comment")
    types = type_names(place.schema)
    if (
        not isinstance(comment, str)
        or not _BINARY.fullmatch(comment)
        or any(key in place.schema for key in _COMBINATORS)
    ):
        return
    if types and "string" not in types:
        return
    del place.schema["comment"]
    media = _media_kind(place)
    place.schema.setdefault("type", "string")
    place.schema.setdefault("contentEncoding", "base64")
    place.schema.setdefault("contentMediaType", media)
    fix = f'write "type": "string", "contentEncoding": "base64", "contentMediaType": "{media}"'
    yield Finding(f"read as base64 of {media}", fix, "/comment")


def _media_kind(place: Place) -> str:
    description = place.schema.get("description", "")
    for text in (place.name, description if isinstance(description, str) else "", place.task):
        kinds = {_KINDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _KINDS}
        if len(kinds) == 1:
            return f"{kinds.pop()}/*"
    return "application/octet-stream"


@rule("TB211", Severity.INFO, "allOf of one schema unwrapped", "allOf")
def single_all_of(place: Place) -> Iterator[Finding]:
    """An `allOf` with one member says what the member says; generators of OpenAPI documents write it to put a
    description beside a `$ref`. The member takes the place of the `allOf`; of annotations on both, the outer one
    counts."""
    while (inner := _only_member(place.schema)) is not None:
        del place.schema["allOf"]
        place.schema.update({key: value for key, value in inner.items() if key not in place.schema})
        place.work.merged(inner, place.schema)
        yield Finding("`allOf` of one schema is unwrapped", "write the schema without `allOf`", "/allOf")


def _only_member(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The only member of an `allOf`, if it can take the place of the `allOf`."""
    members = schema.get("allOf")
    if not isinstance(members, list) or len(members) != 1 or not isinstance(members[0], dict):
        return None
    inner: dict[str, Any] = members[0]
    silent = ANNOTATIONS | COMMENTS | {"id"}  # in draft-04 `id` is the `$id`
    says_inside, says_outside = inner.keys() - silent, schema.keys() - silent - {"allOf"}
    if says_inside & says_outside or "nullable" in inner:
        return None
    if says_outside - {"$defs", "nullable"} and ("$ref" in inner or not _UNEVALUATED.isdisjoint(inner)):
        return None
    mixed = any(not group.isdisjoint(inner) and not group.isdisjoint(says_outside) for group in _GROUPS)
    return None if mixed else inner


@rule("TB212", Severity.WARNING, "nullable is OpenAPI 3.0", "nullable")
def nullable(place: Place) -> Iterator[Finding]:
    """JSON Schema does not know `nullable`, so validators reject null where the author allows it. It becomes "null" in
    `type` (and in `enum`), or an `anyOf` with null where a reference or a combination is nullable."""
    schema = place.schema
    value = schema.pop("nullable")
    fix = 'add "null" to `type`, or `anyOf` with {"type": "null"}'
    if value is not True:
        yield Finding("`nullable` that is not true has no effect", "remove it", "/nullable")
        return
    yield Finding("null is admitted", fix, "/nullable")
    held = {key: schema[key] for key in schema if key in ASSERTIONS}
    if not held or ("null" in type_names(schema) and not {"enum", "const"} & held.keys()):
        return
    if "type" in schema and not any(key in held for key in _COMBINATORS):
        declared = schema["type"]
        names = [declared] if isinstance(declared, str) else list(declared) if isinstance(declared, list) else []
        schema["type"] = names if "null" in names else [*names, "null"]
        if "const" in schema:
            schema["enum"] = [schema.pop("const")]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return
    alternatives = held.get("anyOf")
    if len(held) == 1 and isinstance(alternatives, list):
        if {"type": "null"} not in alternatives:
            schema["anyOf"] = [*alternatives, {"type": "null"}]
            place.work.adopt(schema["anyOf"][-1], place)
        return
    for key in held:
        del schema[key]
    schema["anyOf"] = [held, {"type": "null"}]
    for inner in schema["anyOf"]:
        place.work.adopt(inner, place)


@rule("TB213", Severity.ERROR, "length of an array", "minLength", "maxLength")
def array_length(place: Place) -> Iterator[Finding]:
    """`minLength` and `maxLength` count characters and do nothing to arrays. On an array, the author means `minItems`
    and `maxItems`."""
    types = type_names(place.schema)
    if "array" not in types or "string" in types:
        return
    for wrong, right in (("minLength", "minItems"), ("maxLength", "maxItems")):
        if wrong in place.schema:
            value = place.schema.pop(wrong)
            place.schema.setdefault(right, value)
            yield Finding(f"`{wrong}` does nothing to an array; read as `{right}`", f"write `{right}`", f"/{wrong}")


@rule("TB214", Severity.INFO, "number format dropped", "format")
def number_format(place: Place) -> Iterator[Finding]:
    """`format: int32`, `int64`, `float` and their like describe how a program stores a number. They decide nothing
    about the JSON value and are dropped; a range is said with `minimum` and `maximum`."""
    form = place.schema.get("format")
    if isinstance(form, str) and _NUMBER_FORMAT.fullmatch(form) and type_names(place.schema) & _NUMBERS:
        del place.schema["format"]
        yield Finding(f"`format: {form}` decides nothing", "remove it", "/format")


@rule("TB215", Severity.WARNING, "keyword without effect", "type", *_NEEDS)
def dead_keywords(place: Place) -> Iterator[Finding]:
    """A keyword that applies to one JSON type only (such as `minimum` to numbers) beside a `type` of another one never
    decides anything, nor does `then` without `if` or `minContains` without `contains`. It is dropped; most likely the
    keyword or the type is a slip."""
    types = type_names(place.schema)
    if types:
        for key in [key for key in place.schema if key in _APPLIES and not _APPLIES[key] & types]:
            del place.schema[key]
            said = " or ".join(sorted(types))
            yield Finding(f"`{key}` has no effect on {said}", "remove it, or correct `type`", f"/{key}")
    for key in [key for key in place.schema if _NEEDS.get(key, key) not in place.schema]:
        del place.schema[key]
        yield Finding(f"`{key}` has no effect without `{_NEEDS[key]}`", f"remove it, or add `{_NEEDS[key]}`", f"/{key}")


@rule("TB216", Severity.INFO, "redundant bound", "exclusiveMinimum", "exclusiveMaximum")
def redundant_bound(place: Place) -> Iterator[Finding]:
    """Of an inclusive and an exclusive bound on the same side only the stricter one decides; the other is dropped."""
    schema = place.schema
    for inclusive, exclusive, sign in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        loose, strict = schema.get(inclusive), schema.get(exclusive)
        if loose is not None and strict is not None and _is_number(loose) and _is_number(strict):
            gone = inclusive if loose * sign <= strict * sign else exclusive
            del schema[gone]
            yield Finding(f"`{gone}` is implied by the other bound", "remove it", f"/{gone}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@rule("TB217", Severity.ERROR, "required name in another style", "required")
def required_style(place: Place) -> Iterator[Finding]:
    """`required` names a property that is not declared, but its snake_case form is: `tokenStr` for `token_str`. As it
    stands no instance with the declared property alone is valid. The declared name is meant."""
    names, declared = place.schema.get("required"), place.schema.get("properties")
    if not isinstance(names, list) or not isinstance(declared, dict):
        return
    fixed: list[Any] = []
    for index, name in enumerate(names):
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() if isinstance(name, str) else name
        if isinstance(name, str) and name not in declared and snake in declared:
            yield Finding(
                f"no property {short(name)}; read as {short(snake)}", f'write "{snake}"', f"/required/{index}"
            )
            name = snake
        if name not in fixed:
            fixed.append(name)
    place.schema["required"] = fixed


@rule("TB218", Severity.ERROR, "title of another task", "title")
def foreign_title(place: Place) -> Iterator[Finding]:
    """A title that begins with the name of another task was copied with its schema. It would name a class after the
    wrong task, so it is dropped."""
    title = place.schema.get("title")
    if not place.task or not isinstance(title, str) or _begins(title, place.task):
        return
    for task in place.work.tasks:
        if task != place.task and "-" in task and _begins(title, task):
            del place.schema["title"]
            yield Finding(f"{short(title)} is a title of {task}", "give it a title of its own", "/title")
            return


def _begins(title: str, task: str) -> bool:
    prefix = "".join(word.capitalize() for word in task.split("-"))
    return re.match(rf"{re.escape(prefix)}(?![a-z])", title) is not None


@rule("TB219", Severity.WARNING, "discriminator is OpenAPI", "discriminator")
def discriminator(place: Place) -> Iterator[Finding]:
    """JSON Schema does not know `discriminator`; it decides nothing about validity. The variants tell themselves apart
    by `const` or `enum` of the property that it names."""
    del place.schema["discriminator"]
    yield Finding("`discriminator` decides nothing", "remove it", "/discriminator")


@rule("TB220", Severity.WARNING, "example is OpenAPI 3.0", "example")
def example(place: Place) -> Iterator[Finding]:
    """JSON Schema has a list of `examples`; the single `example` is OpenAPI's. It becomes the first of `examples`."""
    value = place.schema.pop("example")
    held = place.schema.get("examples")
    place.schema["examples"] = [value, *(held if isinstance(held, list) else [])]
    yield Finding("`example` is read as `examples`", "write `examples`, a list", "/example")


RULES = (
    binary_comment,
    single_all_of,
    nullable,
    array_length,
    number_format,
    dead_keywords,
    redundant_bound,
    required_style,
    foreign_title,
    discriminator,
    example,
)
