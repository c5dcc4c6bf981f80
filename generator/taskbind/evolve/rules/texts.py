"""Rules on what texts hold: patterns, formats, and media."""

from __future__ import annotations

from typing import Final

from .rule import BREAKING, BUILT, DANGEROUS, SAFE, Rule, both

_TEXT: Final = {"type": "string"}
_AS_BEFORE: Final = "What callers send is accepted as before."
_FEWER: Final = "Readers get fewer kinds of values than they had to be ready for."
_PNG: Final = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}
_IMAGE: Final = _PNG | {"contentMediaType": "image/*"}
_JPEG: Final = _PNG | {"contentMediaType": "image/jpeg"}

TEXTS: Final[tuple[Rule, ...]] = (
    *both(
        "pattern-set",
        "texts must match a pattern now",
        _TEXT,
        {"type": "string", "pattern": "^[a-z]+$"},
        request=(BREAKING, BREAKING, "Callers who send a text that does not match are refused."),
        response=(SAFE, BREAKING, f"{_FEWER} {BUILT}"),
    ),
    *both(
        "pattern-removed",
        "texts need not match a pattern any more",
        {"type": "string", "pattern": "^[a-z]+$"},
        _TEXT,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, SAFE, "Readers were told what texts look like, and take them apart by that."),
    ),
    *both(
        "pattern-changed",
        "texts must match another pattern",
        {"type": "string", "pattern": "^[a-m]+$"},
        {"type": "string", "pattern": "^[c-z]+$"},
        request=(
            BREAKING,
            BREAKING,
            "It is assumed that the new pattern refuses some of what the old one took, since that "
            "can rarely be told from two patterns. Where it can, the change is safe.",
        ),
        response=(
            BREAKING,
            BREAKING,
            "It is assumed that the new pattern allows some of what the old one did not, since "
            "that can rarely be told from two patterns. Where it can, the change is safe.",
        ),
    ),
    *both(
        "format-set",
        "texts have a format now",
        _TEXT,
        {"type": "string", "format": "date-time"},
        request=(
            DANGEROUS,
            SAFE,
            "In JSON Schema 2020-12 a format is a note: the generated server does not check it. Other servers may.",
        ),
        response=(SAFE, SAFE, _FEWER),
    ),
    *both(
        "format-removed",
        "texts have no format any more",
        {"type": "string", "format": "date-time"},
        _TEXT,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(DANGEROUS, SAFE, "In JSON Schema 2020-12 a format is a note, but readers may parse texts by it."),
    ),
    *both(
        "format-changed",
        "texts have another format",
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        request=(
            DANGEROUS,
            SAFE,
            "In JSON Schema 2020-12 a format is a note: the generated server does not check it. Other servers may.",
        ),
        response=(DANGEROUS, SAFE, "In JSON Schema 2020-12 a format is a note, but readers may parse texts by it."),
    ),
    *both(
        "media-narrowed",
        "fewer types of media are allowed",
        _IMAGE,
        _PNG,
        request=(
            BREAKING,
            SAFE,
            "Callers who send another type of media are refused, or get something odd. A schema "
            "does not look into base64, so no payload can show it.",
        ),
        response=(SAFE, SAFE, _FEWER),
    ),
    *both(
        "media-widened",
        "more types of media are allowed",
        _PNG,
        _IMAGE,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, SAFE, "Readers may be unable to decode the other types of media."),
    ),
    *both(
        "media-changed",
        "media are of another type",
        _PNG,
        _JPEG,
        request=(
            BREAKING,
            SAFE,
            "What callers send cannot be decoded any more. A schema does not look into base64, so "
            "no payload can show it.",
        ),
        response=(BREAKING, SAFE, "Readers may be unable to decode the other type of media."),
    ),
)
