"""Models that answer with labels of their configuration; and what those are called in other languages.

Files ``labels.<language>.json`` beside ``config.json`` say so, one for each language, by its tag (``de``, ``pt-BR``,
``zh-Hans``): an object with the name of each label there, ``{"cat": "Katze"}``. Labels that it leaves out keep their
own name; an empty object is for the language in which they are all named already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .base import LocalModel, ModelDirectoryError

TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
MAX_BYTES = 4_000_000
"""Of one file: some 100 000 names."""
MAX_LANGUAGES = 200


class LabelledModel(LocalModel):
    """A model whose answers hold labels of its configuration."""

    def check(self) -> None:
        """Also raises ModelDirectoryError for a file of labels that cannot be used."""
        super().check()
        self.label_names = names_beside(self.directory)

    def load_model(self) -> None:
        """Load the model, and learn its labels."""
        super().load_model()
        self.labels = tuple(dict.fromkeys(self.choices()))
        known = frozenset(self.labels)
        for language, names in self.label_names.items():
            other = next((label for label in names if label not in known), None)
            if other is not None:
                message = f"labels.{language}.json names {other[:80]!r}, which is no label of this model"
                raise ModelDirectoryError(f"{self.directory}: {message}")

    def choices(self) -> Iterable[str]:
        """The labels that answers may hold, once it is loaded."""
        names = self.model.config.id2label
        return [str(names[number]) for number in sorted(names)]


def names_beside(directory: Path) -> dict[str, Mapping[str, str]]:
    """By language, what the files in `directory` call labels. Raises ModelDirectoryError."""
    files = sorted(directory.glob("labels.*.json"))
    if len(files) > MAX_LANGUAGES:
        raise ModelDirectoryError(f"{directory}: has labels in more than {MAX_LANGUAGES} languages")
    return {file.name[len("labels.") : -len(".json")]: _names(file) for file in files}


def _names(file: Path) -> Mapping[str, str]:
    language = file.name[len("labels.") : -len(".json")]
    if not TAG.fullmatch(language):
        raise ModelDirectoryError(f"{file}: {language[:80]!r} is no language tag, such as de or zh-Hans")
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
        names = _object(text) if len(text) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        names = None
    if names is None:
        form = f'a JSON object of at most {MAX_BYTES} bytes with the name of each label, as {{"cat": "Katze"}}'
        raise ModelDirectoryError(f"{file}: must be {form}")
    return names


def _object(text: bytes) -> dict[str, str] | None:
    """The names in `text`, None if they are none. Raises what reading JSON and UTF-8 raises."""
    names: Any = json.loads(text.decode(), object_pairs_hook=_once)
    # What cannot be written in UTF-8, as half of a surrogate pair, could not be answered with.
    fit = isinstance(names, dict) and all(isinstance(name, str) and name.encode() for name in names.values())
    return names if fit else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of `pairs`. Raises ValueError for a name that is there twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)
