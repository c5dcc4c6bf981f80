"""Rules of style, for `taskbind lint` alone: they change nothing, and see schemas as their authors wrote them.

Each rule here looks at one schema; those that compare several are in :mod:`.style_across`. Like that of a rule that
repairs, the docstring of each is what ``taskbind explain CODE`` prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final

from ..diagnostics import Code, Report, Severity
from ..documents import SpecTree
from ..load.official import is_official
from ..load.walk import IN_PLACE, NAMED, subschemas
from .rule import ASSERTIONS, TRANSLATED, Finding, Place, rule, short, type_names
from .style_across import ACROSS
from .work import Work

_W, _I = Severity.WARNING, Severity.INFO
_SAYS: Final = ASSERTIONS | TRANSLATED
_BINARY_COMMENT: Final = re.compile(r"\s*type\s*=\s*binary\s*")
_ENCODED: Final = re.compile(r"\bbase64\b|\braw bytes\b", re.IGNORECASE)
_MEDIUM: Final = re.compile(r"\b(audio|image|picture|photo|video|recording)s?\b", re.IGNORECASE)
_COUNTS: Final = re.compile(
    r"(num|n|nb|number)_.+|.+_(count|steps)|(max|min)_(new_)?tokens|top_k|seed|width|height|(sampl(e|ing)|frame)_rate"
)
# Lengths are bounded, so that long texts of half a link cost no more than others.
_MOVING_LINK: Final = re.compile(
    r"https?://[^\s/]{1,100}/[^\s]{0,200}?/(?:blob|tree|raw)/(?:main|master|HEAD|develop)/[^\s)>\]\"']{0,400}"
)
_MOST: Final = 64
_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_BETWEEN: Final = re.compile(
    rf"\bbetween {_NUMBER} and {_NUMBER}\b|(?<![\w.]){_NUMBER} ?(?:->|→|…|\.\.) ?{_NUMBER}\b", re.I
)
_UP_TO: Final = re.compile(r"(?<!add )(?<!adds )(?<!sum )(?<!sums )\bup to \d+\b", re.IGNORECASE)
_KINDS: Final = frozenset(("type", "$ref", "enum", "const", "comment", "contentEncoding", *IN_PLACE))
_LOWER: Final = frozenset(("minimum", "exclusiveMinimum", "minItems", "minLength", "minProperties"))
_UPPER: Final = frozenset(("maximum", "exclusiveMaximum", "maxItems", "maxLength", "maxProperties"))
_COUNTED: Final = frozenset(
    key for key in _LOWER | _UPPER if key.startswith(("min", "max")) and not key.endswith("imum")
)


@rule("TB260", _W, "object without a title", "properties")
def untitled_object(place: Place) -> Iterator[Finding]:
    """An object with members stands inline and has no `title`, so the name of its class is made up from its place, and
    changes when the schema is moved. A title, or a definition under `$defs`, settles it."""
    inline = place.pointer and _holder(place) not in ("$defs", "definitions")
    members = inline and "object" in type_names(place.schema) and place.schema["properties"]
    if members and "title" not in place.schema:
        yield Finding("this object has no title to name its class", "give it a `title`", "", repaired=False)


@rule("TB261", _W, "member without a type")
def untyped(place: Place) -> Iterator[Finding]:
    """Nothing is said about the value of a member, so everything is valid and its Python type is `Any`. Say what it
    is."""
    if _holder(place) == "properties" and not place.schema.keys() & _SAYS:
        yield Finding(f"{short(place.name)} has no type", "say its `type`", "", repaired=False)


@rule("TB262", _W, "media that is not marked", "description")
def unmarked_media(place: Place) -> Iterator[Finding]:
    """The description speaks of an image, of audio or video, or of bytes, but no keyword does, so clients cannot take a
    file for it. Mark media with `"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"`."""
    text, types = place.schema["description"], type_names(place.schema)
    marked = place.schema.keys() & {
        "comment",
        "contentEncoding",
        "contentMediaType",
        "enum",
        "const",
        "pattern",
        "format",
    }
    if _holder(place) != "properties" or not isinstance(text, str) or marked or "url" in text.lower():
        return
    open_ended = not place.schema.keys() & _SAYS
    if (_ENCODED.search(text) and (open_ended or types == {"string"})) or (open_ended and _MEDIUM.search(text)):
        fix = "write `contentEncoding` and `contentMediaType`"
        yield Finding(f"{short(place.name)} reads like media and is not marked", fix, "", repaired=False)


@rule("TB263", _W, "media without a type", "comment", "contentEncoding", "contentMediaType")
def untyped_media(place: Place) -> Iterator[Finding]:
    """Media is marked, but `"type": "string"` is missing, so a number or an object is valid too."""
    if _is_media(place.schema) and not type_names(place.schema):
        yield Finding(f"{short(place.name)} is media without a type", 'write "type": "string"', "", repaired=False)


@rule("TB264", _W, "media marked by a comment below the root", "comment")
def nested_media(place: Place) -> Iterator[Finding]:
    """`comment: "type=binary"` is a private convention, and the tools that know it look at the members of the request
    alone: media further down is a plain value to them. `contentEncoding` is seen everywhere."""
    at_root = re.fullmatch(r"/properties/[^/]*", place.pointer) is not None
    if _is_media(place.schema) and not at_root:
        fix = "write `contentEncoding` and `contentMediaType`"
        yield Finding(f"the mark on {short(place.name)} is not seen down here", fix, "/comment", repaired=False)


@rule("TB265", _W, "number that counts", "type")
def number_that_counts(place: Place) -> Iterator[Finding]:
    """The name says that something is counted, and the type lets through 2.5 of it. Write `integer`."""
    if _holder(place) == "properties" and "number" in type_names(place.schema) and _COUNTS.fullmatch(place.name):
        yield Finding(f"{short(place.name)} is a count", 'write "type": "integer"', "/type", repaired=False)


@rule("TB266", _W, "object that says nothing", "type")
def empty_object(place: Place) -> Iterator[Finding]:
    """An object with neither members nor `additionalProperties`: it may be a definition that was never filled in, or an
    object of free form. If it is free, `additionalProperties` says that it is meant."""
    schema = place.schema
    told = schema.get("properties") or schema.keys() & {"additionalProperties", "$ref", "enum", "const", *IN_PLACE}
    if type_names(schema) == {"object"} and not told and place.work.enclosing(schema) is None:
        fix = "list its members, or write `additionalProperties`"
        yield Finding("this object has no members", fix, "", repaired=False)


@rule("TB269", _W, "request with nothing required", "properties")
def request_of_nothing(place: Place) -> Iterator[Finding]:
    """No member of the request is required, so `{}` is valid. If one of several is needed, say so: `"anyOf":
    [{"required": ["a"]}, {"required": ["b"]}]`."""
    if not place.pointer and PurePosixPath(place.document.path).stem == "input" and _admits_nothing(place.schema):
        yield Finding("an empty request is valid", "list what is needed in `required`", "", repaired=False)


@rule("TB270", _W, "response with nothing required", "properties")
def response_of_nothing(place: Place) -> Iterator[Finding]:
    """No member of the response is required, so `{}` is valid and whoever reads it has to expect that everything is
    missing."""
    stem = PurePosixPath(place.document.path).stem
    if not place.pointer and stem in ("output", "stream_output") and _admits_nothing(place.schema):
        yield Finding("an empty response is valid", "list in `required` what is always there", "", repaired=False)


@rule("TB271", _W, "title in lower case", "title")
def lower_case_title(place: Place) -> Iterator[Finding]:
    """A title names a class, so it is written like one: `GenerateParameters`, not `generateParameters`."""
    title = place.schema["title"]
    if isinstance(title, str) and title[:1].islower():
        fix = f"write {title[:1].upper()}{title[1:40]}"
        yield Finding(f"title {short(title)} is no name of a class", fix, "/title", repaired=False)


@rule("TB273", _W, "link into a branch", "description")
def moving_link(place: Place) -> Iterator[Finding]:
    """The description links to a file on a branch of a repository. When the file moves there, the link is dead, and
    nothing in the spec shows it (whether it is dead today, a linter without a network cannot tell). Link to a commit,
    a release or a page that stays."""
    text = place.schema["description"]
    for link in _MOVING_LINK.findall(text) if isinstance(text, str) else ():
        yield Finding(f"{short(link.rstrip('.,;'))} can move away", "link to a commit", "/description", repaired=False)


@rule("TB274", _I, "member without a description")
def undescribed(place: Place) -> Iterator[Finding]:
    """Neither the member nor the schema that it refers to has a `description`, so its row in the docs is empty."""
    schema = place.schema
    refines = bool(schema.keys() & _SAYS) and not schema.keys() & _KINDS  # what a branch of an `anyOf` adds, say
    if _holder(place) != "properties" or refines:
        return
    while not schema.get("description"):
        target = place.work.target(schema)
        if target is None:
            yield Finding(f"{short(place.name)} has no description", "say what it is in a sentence", "", repaired=False)
            return
        schema = target


@rule("TB275", _I, "bound in prose only", "description")
def bound_in_prose(place: Place) -> Iterator[Finding]:
    """The description says "between 0 and 5" or "up to 4", and no keyword does, so nothing checks it. State bounds with
    `minimum`, `maximum`, `maxItems` and their like as well."""
    text = place.schema["description"]
    if not isinstance(text, str) or _holder(place) != "properties":
        return
    both, most = _BETWEEN.search(text), _UP_TO.search(text)
    if (both and not _bounded(place, _LOWER, _UPPER)) or (most and not _bounded(place, _UPPER)):
        said = (both or most or [""])[0]
        fix = "add the bounds as keywords"
        yield Finding(f"{short(said)} is said in prose alone", fix, "/description", repaired=False)


def _bounded(place: Place, *sides: frozenset[str]) -> bool:
    """Whether a schema, or what it refers to, combines or holds, has a keyword for each of these sides or lists values.

    The keywords that count items or characters are those of the value itself; numbers may be inside of it.
    """
    todo: list[tuple[dict[str, Any], bool]] = [(place.schema, True)]
    seen: set[int] = set()
    while todo and len(seen) < _MOST:
        schema, own = todo.pop()
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        keys = schema.keys() if own else schema.keys() - _COUNTED
        if "enum" in keys or "const" in keys or all(side & keys for side in sides):
            return True
        if (target := place.work.target(schema)) is not None:
            todo.append((target, own))
        inside = islice(subschemas(schema), _MOST)
        todo += [(v, own and step.split("/")[1] in IN_PLACE) for step, v in inside if isinstance(v, dict)]
    return bool(todo)  # too much to look at, so it is not told


@rule("TB276", _I, "blanks around a text", "title", "description")
def outer_blanks(place: Place) -> Iterator[Finding]:
    """A title or description begins or ends with a blank or an empty line, which shows in whatever it is printed in."""
    for key in ("title", "description"):
        text = place.schema.get(key)
        if isinstance(text, str) and text != text.strip():
            yield Finding(f"blanks around the {key}", "remove them", f"/{key}", repaired=False)


def _holder(place: Place) -> str:
    """The keyword that holds the schema by a name: `properties` for a member; an empty string for an item or branch."""
    holder = pending = ""
    for step in place.pointer.split("/")[1:]:
        # After such a keyword comes a name, even if that is the name of a keyword.
        holder, pending = (pending, "") if pending else ("", step if step in NAMED else "")
    return holder


def _is_media(schema: dict[str, Any]) -> bool:
    comment = schema.get("comment")
    said = isinstance(comment, str) and _BINARY_COMMENT.fullmatch(comment) is not None
    return said or "contentEncoding" in schema or "contentMediaType" in schema


def _admits_nothing(schema: dict[str, Any]) -> bool:
    """Whether an object schema with members takes `{}`, as far as it says itself."""
    return bool(schema["properties"]) and not schema.get("required") and not schema.keys() & {*IN_PLACE, "$ref"}


RULES: Final = (
    untitled_object,
    untyped,
    unmarked_media,
    untyped_media,
    nested_media,
    number_that_counts,
    empty_object,
    request_of_nothing,
    response_of_nothing,
    lower_case_title,
    moving_link,
    undescribed,
    bound_in_prose,
    outer_blanks,
)
CODES: Final[tuple[Code, ...]] = tuple(sorted((each.code for each in (*RULES, *ACROSS)), key=lambda code: code.code))


def check_style(tree: SpecTree, report: Report) -> None:
    """Report what is poor style in a tree as it was loaded. Changes nothing.

    A schema with ``"$comment": "lint: TB267 …"`` is meant as it is: the codes that stand there are not reported of it.
    """
    work = Work(tree, report)
    work.places = [place for place in work.places if not is_official(place.document)]  # of those nobody here is author
    for place in work.places:
        for each in RULES:
            if not each.keys or not each.keys.isdisjoint(place.schema):
                _note(work, each.code, ((place, finding) for finding in each.apply(place)))
    for across in ACROSS:
        _note(work, across.code, across.apply(work))


def _note(work: Work, code: Code, found: Iterable[tuple[Place, Finding]]) -> None:
    for place, finding in found:
        if code.code not in _meant(place.schema):
            work.note(code, place, finding)


def _meant(schema: dict[str, Any]) -> frozenset[str]:
    comment = schema.get("$comment")
    if not isinstance(comment, str) or not comment.lower().startswith("lint:"):
        return frozenset()
    return frozenset(re.findall(r"\bTB\d{3}\b", comment))
