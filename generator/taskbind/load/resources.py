"""The schema resources of a document: its root, and every schema inside with an `$id`. What each is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

from ..documents import Document
from .dialects import dialect_of
from .walk import subschemas

# A base that no `$id` can collide with (RFC 2606 reserves .invalid); nothing is ever fetched from it.
ROOT: Final = "http://taskbind.invalid/"
RECURSIVE: Final = "$recursiveAnchor"
"""The name under which `$recursiveAnchor: true` is a dynamic anchor; no `$dynamicAnchor` may hold a `$`."""


@dataclass(frozen=True)
class Site:
    """A schema in a document. `schema` is the object itself, not a copy."""

    document: Document
    pointer: str
    schema: dict[str, Any] | bool


@dataclass(eq=False)
class Resource:
    """A schema with a URI of its own (`base`, without fragment) and the names that are valid in it.

    `doubled` are places of anchors whose name is taken.
    """

    site: Site
    base: str
    anchors: dict[str, Site] = field(default_factory=dict)
    dynamic: dict[str, Site] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)


def own_uri(document: Document) -> str:
    """The URI of a document by its path."""
    return ROOT + document.path


def joined(base: str, uri: str) -> str:
    """`uri` resolved against `base`, without fragment; `base` where it is no URI."""
    try:
        return urldefrag(urljoin(base, uri)).url or base
    except ValueError:
        return base


def resources(document: Document) -> Iterator[tuple[Site, Resource]]:
    """Every schema of a document, booleans too, outer before inner, with the resource that it is part of."""
    dialect = dialect_of(document.data) or 2020
    root = Site(document, "", document.data)
    todo = [(root, Resource(root, own_uri(document)))]
    while todo:
        site, resource = todo.pop()
        if isinstance(site.schema, dict):
            resource = _entered(site, site.schema, resource, dialect)
            inner = [Site(document, site.pointer + step, value) for step, value in subschemas(site.schema)]
            todo += [(each, resource) for each in reversed(inner) if isinstance(each.schema, dict | bool)]
        yield site, resource


def _entered(site: Site, schema: dict[str, Any], outer: Resource, dialect: int) -> Resource:
    """The resource of a schema that stands in `outer`; its anchors are noted."""
    resource = outer
    if (declared := _id(schema, dialect)) is not None:
        uri, _, fragment = declared.partition("#")
        base = joined(outer.base, uri) if uri else outer.base
        if base != outer.base:
            resource = Resource(site, base)
        elif uri and site.pointer:
            outer.doubled.append(f"{site.pointer}/{'id' if dialect == 4 else '$id'}")
        if dialect < 2019 and fragment and not fragment.startswith("/"):
            _name(resource, fragment, site, "id" if dialect == 4 else "$id")
    for key, since in (("$anchor", 2019), ("$dynamicAnchor", 2020)):
        if dialect >= since and isinstance(name := schema.get(key), str):
            _name(resource, name, site, key)
            if key == "$dynamicAnchor":
                resource.dynamic.setdefault(name, site)
    if dialect == 2019 and schema.get(RECURSIVE) is True and resource.site.pointer == site.pointer:
        resource.dynamic[RECURSIVE] = site
    return resource


def _name(resource: Resource, name: str, site: Site, key: str) -> None:
    if resource.anchors.setdefault(name, site) is not site:
        resource.doubled.append(f"{site.pointer}/{key}")


def _id(schema: dict[str, Any], dialect: int) -> str | None:
    if dialect < 2019 and "$ref" in schema:  # everything beside a `$ref` is ignored there
        return None
    found = schema.get("id" if dialect == 4 else "$id")
    return found if isinstance(found, str) else None
