"""Python names from wire names. Untrusted text goes in; identifiers come out."""

from __future__ import annotations

import keyword
import re
import unicodedata

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_LONGEST = 100  # names come from titles, which may be of any length
_SOFT = {"match", "case", "type", "_", "self", "cls"}


def words(text: str) -> list[str]:
    """The words of a name in any style: ``"topK"``, ``"top_k"``, ``"top-k"`` → ``["top", "k"]``."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return [word.lower() for word in _WORD.findall(ascii_text)]


def pascal(text: str) -> str:
    """A class name. Words that start with a capital keep their inner capitals only if `text` is an identifier."""
    if re.fullmatch(r"[A-Z][A-Za-z0-9]*", text):
        return text[:_LONGEST]
    name = "".join(word.capitalize() for word in words(text[:_LONGEST]))
    return name if name[:1].isalpha() else f"Type{name}"


def snake(text: str) -> str:
    """A variable or module name that is neither a keyword nor a private name."""
    name = text if re.fullmatch(r"[a-z][a-z0-9_]*", text) else "_".join(words(text))
    if not name or not name[0].isalpha():
        name = f"field_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in _SOFT else name


def constant(text: str) -> str:
    """A module constant: ``"image-classification"`` → ``"IMAGE_CLASSIFICATION"``."""
    return snake(text).upper()


def unique(name: str, taken: set[str]) -> str:
    """`name`, or `name` with the first free number behind it; the result is added to `taken`."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}{number}", number + 1
    taken.add(candidate)
    return candidate
