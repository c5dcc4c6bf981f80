"""References between the documents of a spec root: what each `$ref` means, and which ones mean nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from ..diagnostics import Report
from ..documents import Document
from .codes import tell
from .dialects import dialect_of
from .official import official
from .positions import lines, unescape
from .resources import RECURSIVE, ROOT, Resource, Site, own_uri, resources
from .walk import IN_PLACE, subschemas, walk

_MAX_CHAIN: Final = 64
_PLACEHOLDER: Final = re.compile(r"<[^<>]*>")


class RefError(Exception):
    """A reference that does not resolve to a schema: the code and text of its diagnostic."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix


class References:
    """Resolves references among documents, by URI and by path, to a place or to an anchor.

    A relative one counts from the `$id` around it, or from the path of its document, or from the spec root. `broken`
    are paths of files that exist but could not be read; references to them say so. Official meta-schemas that
    something refers to join the documents; they are in :attr:`official` then.
    """

    def __init__(self, documents: Iterable[Document], broken: Collection[str] = ()) -> None:
        self.documents: list[Document] = []
        self.official: list[Document] = []
        self.resources: list[Resource] = []
        self._broken = frozenset(broken)
        self._lines: dict[str, dict[str, int]] = {}
        self._sites: dict[int, Site] = {}
        self._places: dict[tuple[str, str], tuple[Site, Resource]] = {}
        self._by_uri: dict[str, Resource] = {}
        for document in documents:
            self._add(document)

    def _add(self, document: Document) -> None:
        self.documents.append(document)
        for site, resource in resources(document):
            self._places[document.path, site.pointer] = site, resource
            if isinstance(site.schema, dict):
                self._sites.setdefault(id(site.schema), site)
            if resource.site is site:
                self.resources.append(resource)
                self._by_uri.setdefault(resource.base, resource)
            if not site.pointer:
                self._by_uri.setdefault(own_uri(document), resource)

    def resource(self, document: Document, pointer: str) -> Resource:
        """The resource that a schema is part of."""
        return self._places[document.path, pointer][1]

    def resolve(self, document: Document, pointer: str, ref: Any) -> Site:
        """The schema that a reference at a place means. Raises RefError."""
        if not isinstance(ref, str):
            raise RefError("TB134", "the reference is not a string", 'write "#/$defs/Name"')
        around = self.resource(document, pointer)
        path, _, place = ref.partition("#")
        if around.base == own_uri(document) and (path, place) in self._places:
            return self._places[path, place][0]  # the canonical form, which `normalize` writes
        for resource in self._targets(document, around, ref):
            if (site := self._at(resource, ref)) is not None:
                return site
        raise self._problem(document, ref)

    def dynamic(self, document: Document, pointer: str, schema: dict[str, Any], key: str) -> tuple[Site, str]:
        """The schema that a `$dynamicRef` or `$recursiveRef` means at first, and the name by which a dynamic anchor
        further out may replace it: an empty one if none may. Raises RefError."""
        ref = schema[key]
        site = self.resolve(document, pointer, ref)
        target = self.resource(site.document, site.pointer)
        name = RECURSIVE if key == "$recursiveRef" else unquote(str(ref).partition("#")[2])
        return site, name if target.dynamic.get(name) is site else ""

    def _targets(self, document: Document, around: Resource, ref: str) -> Iterator[Resource]:
        if not ref.partition("#")[0]:
            yield around
            return
        for base in dict.fromkeys((around.base, own_uri(document), ROOT)):
            try:
                uri = urldefrag(urljoin(base, ref)).url
            except ValueError:
                continue
            if uri not in self._by_uri and (found := official(uri)) is not None:
                self.official.append(found)
                self._add(found)
            if (resource := self._by_uri.get(uri)) is not None:
                yield resource

    def _at(self, resource: Resource, ref: str) -> Site | None:
        """What the fragment of a reference means in a resource; None if nothing is there."""
        fragment = unquote(ref.partition("#")[2])
        if not fragment:
            return resource.site
        if not fragment.startswith("/"):
            return resource.anchors.get(fragment)
        document, start = resource.site.document, resource.site.pointer
        if (document.path, start + fragment) in self._places:
            return self._places[document.path, start + fragment][0]
        if _exists(resource.site.schema, fragment):
            raise RefError("TB135", f"{_quoted(ref)} is not a schema", "refer to a schema")
        return None

    def _problem(self, document: Document, ref: str) -> RefError:
        try:
            path, fragment = urldefrag(ref)
            scheme = urlsplit(ref).scheme or ("http" if ref.startswith("//") else "")
        except ValueError:
            path, fragment, scheme = ref, "", "http"
        full = posixpath.normpath(posixpath.join(posixpath.dirname(document.path), unquote(path)))
        if not path or (full, "") in self._places or path in self._by_uri:
            return RefError(
                "TB130",
                f"{_quoted(ref)} leads nowhere: no schema stands at #{fragment[:120]}",
                "correct the pointer or the name",
            )
        if scheme and scheme != "file":
            return RefError(
                "TB132", f"{_quoted(ref)} is remote", "copy the schema into the spec root and refer to it there"
            )
        if scheme == "file" or full.startswith("../"):
            return RefError("TB131", f"{_quoted(ref)} leaves the spec root", "refer to a file inside the spec root")
        if full in self._broken or posixpath.normpath(path) in self._broken:
            return RefError("TB130", f"{_quoted(ref)} refers to a file that has errors", "correct that file first")
        return RefError("TB130", f"{_quoted(ref)} leads nowhere: there is no such file", "correct the path")

    # ------------------------------------------------------------------------------------------------- checks

    def check(self, report: Report) -> dict[str, set[str]]:
        """Report every reference that is wrong; return which documents each good document refers to.

        A document with an error of its own is left out of the result.
        """
        bad = {document.path for document in self._ambiguous(report)}
        uses: dict[str, set[str]] = {}
        links: dict[int, list[Site]] = {}
        hubs: dict[str, Site] = {}
        for document in self.documents:  # grows by the official ones
            uses[document.path] = set()
            for pointer, schema in walk(document.data):
                for key in reference_keys(schema, dialect_of(document.data) or 2020):
                    name = ""
                    try:
                        if key == "$ref":
                            site = self.resolve(document, pointer, schema[key])
                        else:
                            site, name = self.dynamic(document, pointer, schema, key)
                    except RefError as error:
                        self._tell(report, document, f"{pointer}/{key}", error)
                        bad.add(document.path)
                    else:
                        links.setdefault(id(schema), []).append(site)
                        uses[document.path].add(site.document.path)
                        if name:  # it may lead to every anchor of the name; one hub for all of them keeps links few
                            hub = hubs.setdefault(name, Site(document, pointer, {key: schema[key]}))
                            links[id(schema)].append(hub)
        for name, hub in hubs.items():
            links[id(hub.schema)] = [each.dynamic[name] for each in self.resources if name in each.dynamic]
        circle = RefError("TB133", "a reference comes back to itself, or its chain is too long", "cut the circle")
        for site, key in self._circles(links):
            self._tell(report, site.document, f"{site.pointer}/{key}", circle)
            bad.add(site.document.path)
        return {path: used for path, used in uses.items() if path not in bad}

    def _tell(self, report: Report, document: Document, pointer: str, error: RefError) -> None:
        if document.path not in self._lines:
            self._lines[document.path] = lines(document.text)
        line = self._lines[document.path].get(pointer, 0)
        tell(report, error.code, document.path, error.message, fix=error.fix, pointer=pointer, line=line)

    def _ambiguous(self, report: Report) -> Iterator[Document]:
        """The documents with a URI or an anchor that stands for something else too."""
        for resource in self.resources:
            site = resource.site
            owner = self._by_uri[resource.base].site
            if owner is not site:
                where = owner.document.path if owner.document is not site.document else f"#{owner.pointer}"
                schema = site.schema if isinstance(site.schema, dict) else {}
                error = RefError("TB123", f"{where} has the same `$id`", "give each schema its own")
                key = "$id" if "$id" in schema else "id"
                self._tell(report, site.document, f"{site.pointer}/{key}", error)
                yield site.document
            for pointer in resource.doubled:
                error = RefError("TB123", "another schema has the same name", "give each schema its own")
                self._tell(report, site.document, pointer, error)
                yield site.document

    def _circles(self, links: dict[int, list[Site]]) -> Iterator[tuple[Site, str]]:
        """Sites with a reference that lies on a circle of in-place applicators, or at the end of a very long chain."""
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
                        yield site, _key(site)
                elif key not in heights:
                    heights[key] = 0
                    todo.append((site, True))
                    for item in inner:
                        if heights.get(id(item.schema)) == 0:
                            on_the_way = (each for each, done in reversed(todo) if done and id(each.schema) in links)
                            blamed = site if key in links else next(on_the_way, site)
                            yield blamed, _key(blamed)
                        else:
                            todo.append((item, False))

    def _in_place(self, site: Site, links: dict[int, list[Site]]) -> list[Site]:
        if not isinstance(site.schema, dict):
            return []
        inner = [each for each in links.get(id(site.schema), ()) if isinstance(each.schema, dict)]
        applied = {key: site.schema[key] for key in IN_PLACE if key in site.schema}
        return inner + [self._sites[id(value)] for _, value in subschemas(applied) if id(value) in self._sites]


def reference_keys(schema: dict[str, Any], dialect: int) -> list[str]:
    """The keywords of a schema that are references in its dialect."""
    since = {"$ref": 0, "$recursiveRef": 2019, "$dynamicRef": 2020}
    until = {"$recursiveRef": 2019}
    return [key for key in since if key in schema and since[key] <= dialect <= until.get(key, dialect)]


def _key(site: Site) -> str:
    schema = site.schema if isinstance(site.schema, dict) else {}
    return next((key for key in ("$ref", "$dynamicRef", "$recursiveRef") if key in schema), "$ref")


def _exists(value: Any, pointer: str) -> bool:
    """Whether anything stands at a pointer."""
    for step in map(unescape, pointer.split("/")[1:]):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step[:9]) < len(value):
            value = value[int(step[:9])]
        else:
            return False
    return True


def placeholder(document: Document) -> str | None:
    """The pointer of an `$id` or `$ref` with a placeholder such as ``<TASK_ID>``, which makes a file a template."""
    for pointer, schema in walk(document.data):
        for key in ("$id", "$ref"):
            if isinstance(value := schema.get(key), str) and _PLACEHOLDER.search(value):
                return f"{pointer}/{key}"
    return None


def _quoted(ref: str) -> str:
    return f"{ref[:120]!r}"
