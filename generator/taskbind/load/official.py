"""The meta-schemas of JSON Schema itself, as documents: a spec may refer to them, and nothing is fetched for it."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import urlsplit

from ..documents import Document
from .dialects import dialect_of

_HOST: Final = "json-schema.org"


def official(uri: str) -> Document | None:
    """The official schema of a URI without fragment. Its path, like ``json-schema.org/draft-07/schema``, is no file."""
    try:
        split = urlsplit(uri)
    except ValueError:
        return None
    if split.scheme not in ("http", "https") or split.netloc != _HOST:
        return None
    from jsonschema_specifications import REGISTRY

    resource = REGISTRY.get(uri)
    if resource is None or dialect_of(resource.contents) is None:
        return None
    return Document(f"{_HOST}{split.path}", json.dumps(resource.contents, indent=2), resource.contents)


def is_official(document: Document) -> bool:
    """Whether a document is one of those that :func:`official` makes: the paths of spec files have no such folder."""
    return document.path.startswith(f"{_HOST}/")
