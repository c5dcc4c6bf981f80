"""Rules on members: added, removed, renamed, required, optional, and what is said about them."""

from __future__ import annotations

from typing import Final

from .rule import BREAKING, DANGEROUS, SAFE, Rule, both, in_request, in_response, of_x

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}


def _members(*names: str, required: tuple[str, ...] = (), closed: bool = False) -> dict[str, object]:
    out: dict[str, object] = {"type": "object", "properties": dict.fromkeys(names, _TEXT)}
    return (
        out | ({"required": list(required)} if required else {}) | ({"additionalProperties": False} if closed else {})
    )


ADDED: Final[tuple[Rule, ...]] = (
    in_request(
        "member-added",
        "an optional member was added",
        _members("text"),
        _members("text", "language"),
        (SAFE, SAFE, "Callers who do not know it leave it out, and may."),
    ),
    in_response(
        "member-added",
        "a member was added",
        _members("text"),
        _members("text", "language"),
        (SAFE, SAFE, "Readers skip the members that they do not know: the object was open to them."),
    ),
    in_request(
        "required-member-added",
        "a required member was added",
        _members("text"),
        _members("text", "language", required=("language",)),
        (
            BREAKING,
            BREAKING,
            "No caller sends it yet, so every request of theirs is refused. A default does not help: "
            "JSON Schema fills nothing in.",
        ),
    ),
    in_response(
        "required-member-added",
        "a member was added that is always there",
        _members("text"),
        _members("text", "language", required=("language",)),
        (
            SAFE,
            BREAKING,
            "Readers skip it. But Python code that builds such an answer, in a handler or a test, must give it now.",
        ),
    ),
    in_request(
        "free-member-typed",
        "a name that was free is a member now, with a type of its own",
        of_x({"type": "object", "additionalProperties": _NUMBER}),
        of_x({"type": "object", "properties": {"total": {"type": "integer"}}, "additionalProperties": _NUMBER}),
        (BREAKING, BREAKING, "Callers could send any member of this name with any value that the others may have."),
    ),
    in_response(
        "member-added-to-closed",
        "a member was added to a closed object",
        _members("text", closed=True),
        _members("text", "language", closed=True),
        (
            BREAKING,
            SAFE,
            "OLD said that there are no other members, so a strict reader refuses the answer. Leave the "
            "objects of answers open, and they can grow.",
        ),
    ),
)

REMOVED: Final[tuple[Rule, ...]] = (
    in_request(
        "member-removed",
        "a member was removed from an open object",
        _members("text", "language"),
        _members("text"),
        (
            DANGEROUS,
            BREAKING,
            "It is accepted still, as any other member is, and does nothing any more: nobody is told. "
            "In Python the argument is gone.",
        ),
    ),
    in_request(
        "member-refused",
        "a member was removed from a closed object",
        _members("text", "language", closed=True),
        _members("text", closed=True),
        (BREAKING, BREAKING, "Callers who send it are refused, since NEW takes no other members than its own."),
    ),
    in_response(
        "optional-member-removed",
        "a member was removed that could be missing before",
        _members("text", "language"),
        _members("text"),
        (SAFE, BREAKING, "Readers had to do without it at any time. In Python the attribute is gone."),
    ),
    in_response(
        "member-removed",
        "a member was removed that was always there",
        _members("text", "language", required=("language",)),
        _members("text"),
        (BREAKING, BREAKING, "Readers rely on it, and OLD said that they can."),
    ),
    in_response(
        "free-member-untyped",
        "a member is a free name now, with any value that the others may have",
        of_x({"type": "object", "properties": {"total": {"type": "integer"}}, "additionalProperties": _NUMBER}),
        of_x({"type": "object", "additionalProperties": _NUMBER}),
        (BREAKING, BREAKING, "A member of this name may come with a value that OLD did not allow for it."),
    ),
)

RENAMED: Final[tuple[Rule, ...]] = (
    in_request(
        "member-renamed",
        "a member was renamed, and one of its names is needed or refused",
        _members("text", "lang", required=("lang",)),
        _members("text", "language", required=("language",)),
        (
            BREAKING,
            BREAKING,
            "Callers send the old name. Take both for a while: add the new one, deprecate the old one, "
            "and remove it later.",
        ),
    ),
    in_request(
        "optional-member-renamed",
        "an optional member of an open object was renamed",
        _members("text", "lang"),
        _members("text", "language"),
        (
            DANGEROUS,
            BREAKING,
            "The old name is accepted still, as any other member is, and does nothing any more. "
            "In Python the argument is gone.",
        ),
    ),
    in_response(
        "member-renamed",
        "a member was renamed that was always there, or the object was closed",
        _members("text", "lang", required=("lang",)),
        _members("text", "language", required=("language",)),
        (BREAKING, BREAKING, "Readers look for the old name. Send both for a while."),
    ),
    in_response(
        "optional-member-renamed",
        "a member was renamed that could be missing before",
        _members("text", "lang"),
        _members("text", "language"),
        (SAFE, BREAKING, "Readers had to do without it at any time. In Python the attribute is gone."),
    ),
)

PRESENCE: Final[tuple[Rule, ...]] = (
    in_request(
        "member-required",
        "a member is required now",
        of_x(_TEXT),
        of_x(_TEXT, "x"),
        (BREAKING, BREAKING, "Callers who leave it out are refused."),
    ),
    in_response(
        "member-required",
        "a member is always there now",
        of_x(_TEXT),
        of_x(_TEXT, "x"),
        (
            SAFE,
            BREAKING,
            "Readers who look whether it is there find it. But Python code that builds such an answer "
            "must give it now.",
        ),
    ),
    in_request(
        "member-optional",
        "a member may be left out now",
        of_x(_TEXT, "x"),
        of_x(_TEXT),
        (SAFE, SAFE, "Callers may send it as before."),
    ),
    in_response(
        "member-optional",
        "a member may be missing now",
        of_x(_TEXT, "x"),
        of_x(_TEXT),
        (
            BREAKING,
            DANGEROUS,
            "Readers rely on it, and OLD said that they can. In Python the attribute may hold `MISSING` now.",
        ),
    ),
)

SAID: Final[tuple[Rule, ...]] = (
    *both(
        "default-set",
        "a default is said now",
        _NUMBER,
        {"type": "number", "default": 1},
        request=(SAFE, SAFE, "It says what happens without the member, where nothing was said before."),
        response=(SAFE, SAFE, "A default says nothing about answers that have the member, and fills nothing in."),
    ),
    *both(
        "default-changed",
        "the default is another one",
        {"type": "number", "default": 1},
        {"type": "number", "default": 2},
        request=(DANGEROUS, SAFE, "Callers who leave the member out are accepted as before, and get something else."),
        response=(SAFE, SAFE, "A default says nothing about answers that have the member, and fills nothing in."),
    ),
    *both(
        "default-removed",
        "there is no default any more",
        {"type": "number", "default": 1},
        _NUMBER,
        request=(
            DANGEROUS,
            SAFE,
            "Callers who leave the member out are accepted as before; what they get is open now.",
        ),
        response=(SAFE, SAFE, "A default says nothing about answers that have the member, and fills nothing in."),
    ),
    *both(
        "member-deprecated",
        "a member is deprecated now",
        _TEXT,
        {"type": "string", "deprecated": True},
        request=(SAFE, SAFE, "It works as before, and callers are told to stop using it."),
        response=(SAFE, SAFE, "It comes as before, and readers are told to stop using it."),
    ),
    *both(
        "member-undeprecated",
        "a member is no longer deprecated",
        {"type": "string", "deprecated": True},
        _TEXT,
        request=(SAFE, SAFE, "It works as before."),
        response=(SAFE, SAFE, "It comes as before."),
    ),
    *both(
        "reworded",
        "a description or an example changed",
        {"type": "string", "description": "What to say."},
        {"type": "string", "description": "The words to say."},
        request=(SAFE, SAFE, "Only people read it."),
        response=(SAFE, SAFE, "Only people read it."),
    ),
)

MEMBERS: Final = (*ADDED, *REMOVED, *RENAMED, *PRESENCE, *SAID)
