"""Texts of foreign sources as task.toml has them."""

from __future__ import annotations

import re
from typing import Any

from ..escape import visible


def line(value: Any, most: int) -> str:
    """A text as one line of visible characters; empty for what is no text."""
    return visible(" ".join(value.split()))[:most].strip() if isinstance(value, str) else ""


def first_sentence(text: str, most: int) -> str:
    """The first sentence of a text's first paragraph, on one line."""
    return re.split(r"(?<=[.!?]) ", line(text.strip().partition("\n\n")[0], 10 * most))[0][:most].strip()
