"""References between the documents of a spec root: what each `$ref` means, and which ones mean nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from ..diagnostics import Report
from ..documents import Document
from .codes import tell
from .dialects import id_of
from .positions import lines
from .walk import IN_PLACE, subschemas, walk

# A base that no `$id` can collide with (RFC 2606 reserves .invalid); nothing is ever fetched from it.
_BASE: Final = "http://taskbind.invalid/"
_MAX_CHAIN: Final = 64
_PLACEHOLDER: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Site:
    """A schema in a document. `schema` is the object itself, not a copy."""

    document: Document
    pointer: str
    schema: dict[str, Any]


class RefError(Exception):
    """A `$ref` that does not resolve to a schema: the code and text of its diagnostic."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix


class References:
    """Resolves `$ref`s among documents: by `$id`, by path relative to the document or to the spec root, or inside it.

    `broken` are paths of files that exist but could not be read; references to them say so.
    """

    def __init__(self, documents: Iterable[Document], broken: Collection[str] = ()) -> None:
        from referencing import Registry, Specification

        self._documents = {document.path: document for document in documents}
        self._broken = frozenset(broken)
        self._lines: dict[str, dict[str, int]] = {}
        self._sites: dict[int, Site] = {}
        self._by_text: dict[str, Site] = {}
        for document in self._documents.values():
            for pointer, schema in walk(document.data):
                site = Site(document, pointer, schema)
                self._sites.setdefault(id(schema), site)
                self._by_text[f"{document.path}#{pointer}"] = site
        # Opaque: `referencing` need not look for `$id`s and anchors inside, which `check_dialect` has refused.
        opaque = Specification[Any].OPAQUE
        resources = [
            (uri, opaque.create_resource(document.data))
            for document in self._documents.values()
            for uri in {self._base(document), _BASE + document.path}
        ]
        self._registry: Registry[Any] = Registry[Any]().with_resources(resources)

    def resolve(self, document: Document, ref: Any) -> Site:
        """The schema that a `$ref` in a document means. Raises RefError."""
        if not isinstance(ref, str):
            raise RefError("TB134", "`$ref` is not a string", 'write "#/$defs/Name"')
        if (site := self._by_text.get(ref)) is not None:  # the canonical form, which `normalize` writes
            return site
        fragment = urldefrag(ref).fragment
        if fragment and not unquote(fragment).startswith("/"):
            raise RefError("TB134", f"{_quoted(ref)} refers to an anchor", "refer to it by its JSON Pointer")
        bases = dict.fromkeys((self._base(document), _BASE + document.path, _BASE))
        for base in bases if not ref.startswith("#") else [_BASE + document.path]:
            found = self._lookup(base, ref)
            if found is not None:
                site = self._sites.get(id(found[0]))
                if site is None:
                    raise RefError("TB135", f"{_quoted(ref)} is not a schema object", "refer to a schema object")
                return site
        raise self._problem(document, ref)

    def _lookup(self, base: str, ref: str) -> tuple[Any] | None:
        from referencing.exceptions import Unresolvable

        try:
            return (self._registry.resolver(base).lookup(ref).contents,)
        except (Unresolvable, ValueError, LookupError, TypeError):
            return None

    def _base(self, document: Document) -> str:
        own = _BASE + document.path
        declared = id_of(document.data)
        if not declared:
            return own
        try:
            return urldefrag(urljoin(own, declared)).url or own
        except ValueError:
            return own

    def _problem(self, document: Document, ref: str) -> RefError:
        path, fragment = urldefrag(ref)
        try:
            scheme = urlsplit(ref).scheme or ("http" if ref.startswith("//") else "")
        except ValueError:
            scheme = "http"
        if scheme and scheme != "file":
            return RefError(
                "TB132", f"{_quoted(ref)} is remote", "copy the schema into the spec root and refer to it there"
            )
        full = posixpath.normpath(posixpath.join(posixpath.dirname(document.path), unquote(path)))
        if scheme == "file" or full.startswith("../"):
            return RefError("TB131", f"{_quoted(ref)} leaves the spec root", "refer to a file inside the spec root")
        if full in self._broken or posixpath.normpath(path) in self._broken:
            return RefError("TB130", f"{_quoted(ref)} refers to a file that has errors", "correct that file first")
        target = (
            f"no schema stands at #{fragment[:120]}" if not path or full in self._documents else "there is no such file"
        )
        return RefError("TB130", f"{_quoted(ref)} leads nowhere: {target}", "correct the path or the pointer")

    # ------------------------------------------------------------------------------------------------- checks

    def check(self, report: Report) -> dict[str, set[str]]:
        """Report every `$ref` that is wrong; return which documents each good document refers to.

        A document with an error of its own is left out of the result.
        """
        uses: dict[str, set[str]] = {path: set() for path in self._documents}
        links: dict[int, Site] = {}
        for document in self._unambiguous(report, uses):
            for pointer, schema in walk(document.data):
                for key in ("$dynamicRef", "$recursiveRef"):
                    if key in schema:
                        error = RefError("TB134", f"`{key}` is not supported", "use `$ref` with a JSON Pointer")
                        self._tell(report, document, f"{pointer}/{key}", error)
                        uses.pop(document.path, None)
                if "$ref" not in schema:
                    continue
                try:
                    site = self.resolve(document, schema["$ref"])
                except RefError as error:
                    self._tell(report, document, f"{pointer}/$ref", error)
                    uses.pop(document.path, None)
                else:
                    links[id(schema)] = site
                    if document.path in uses:
                        uses[document.path].add(site.document.path)
        circle = RefError("TB133", "a reference comes back to itself, or its chain is too long", "cut the circle")
        for site in self._circles(links):
            self._tell(report, site.document, f"{site.pointer}/$ref", circle)
            uses.pop(site.document.path, None)
        return uses

    def _tell(self, report: Report, document: Document, pointer: str, error: RefError) -> None:
        if document.path not in self._lines:
            self._lines[document.path] = lines(document.text)
        line = self._lines[document.path].get(pointer, 0)
        tell(report, error.code, document.path, error.message, fix=error.fix, pointer=pointer, line=line)

    def _unambiguous(self, report: Report, uses: dict[str, set[str]]) -> Iterator[Document]:
        owners: dict[str, str] = {}
        for document in self._documents.values():
            owner = owners.setdefault(self._base(document), document.path)
            if owner != document.path:
                error = RefError("TB123", f"{owner} has the same `$id`", "give each file its own")
                self._tell(report, document, "/id" if "id" in document.data else "/$id", error)
                uses.pop(document.path, None)
            yield document

    def _circles(self, links: dict[int, Site]) -> Iterator[Site]:
        """Sites with a `$ref` that lies on a circle of in-place applicators, or at the end of a very long chain."""
        heights: dict[int, int] = {}  # how many steps down from a schema that is done; 0 while it is being visited
        for start in list(self._sites.values()):
            if id(start.schema) in heights:
                continue
            todo: list[tuple[Site, bool]] = [(start, False)]
            while todo:
                site, done = todo.pop()
                key = id(site.schema)
                inner = self._in_place(site, links)
                if done:
                    heights[key] = 1 + max((heights.get(id(item.schema), 0) for item in inner), default=0)
                    if heights[key] == _MAX_CHAIN + 1 and key in links:
                        yield site
                elif key not in heights:
                    heights[key] = 0
                    todo.append((site, True))
                    for item in inner:
                        if heights.get(id(item.schema)) == 0:
                            yield site if key in links else next(self._on_the_way(todo, links), site)
                        else:
                            todo.append((item, False))

    @staticmethod
    def _on_the_way(todo: list[tuple[Site, bool]], links: dict[int, Site]) -> Iterator[Site]:
        return (site for site, done in reversed(todo) if done and id(site.schema) in links)

    def _in_place(self, site: Site, links: dict[int, Site]) -> list[Site]:
        inner = [links[id(site.schema)]] if id(site.schema) in links else []
        for step, value in subschemas(site.schema):
            if step.split("/")[1] in (*IN_PLACE, "not", "if", "then", "else", "dependentSchemas"):
                found = self._sites.get(id(value))
                inner += [found] if found is not None else []
        return inner


def placeholder(document: Document) -> str | None:
    """The pointer of an `$id` or `$ref` with a placeholder such as ``<TASK_ID>``, which makes a file a template."""
    for pointer, schema in walk(document.data):
        for key in ("$id", "$ref"):
            if isinstance(value := schema.get(key), str) and _PLACEHOLDER.search(value):
                return f"{pointer}/{key}"
    return None


def _quoted(ref: str) -> str:
    return f"{ref[:120]!r}"
