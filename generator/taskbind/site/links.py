"""Check a static site: what its pages link to and load exists, and nothing is loaded from elsewhere.

Covered are pages, anchors (with those in raw HTML), images, scripts, styles and what styles load, ``srcset``, drawings,
Markdown files, absolute paths and duplicate ids. A site passes that works under any address, also below a folder.
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from ..diagnostics import TaskbindError
from .references import Reference, Use, parse

_SCHEMES: Final = frozenset(("http", "https", "mailto", "sms", "tel"))


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong, where, and what to do about it."""

    file: str
    line: int
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}; {self.todo}"


@dataclass(frozen=True)
class Checked:
    """What a check saw, and the faults that it found, in the order of files and lines."""

    pages: int
    links: int
    faults: tuple[Fault, ...]


def read_site(folder: Path) -> dict[str, bytes]:
    """The files below a folder by relative path; hidden ones are no part of a site. Raises TaskbindError for none."""
    if not folder.is_dir():
        raise TaskbindError(f"{folder}: no such folder")
    out = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            out[relative.as_posix()] = path.read_bytes()
    return out


def check_links(files: Mapping[str, bytes], *, others: Container[str] = (), url: str | None = None) -> Checked:
    """Check `files`, by their paths in the site.

    `others` are paths that are there too, but not to be checked. `url` is the address of the site, if it is known:
    only then may paths be absolute, and links to that address are links within the site.
    """
    site = _Site(files, others, url)
    faults = sorted({fault for name in files for fault in site.faults(name)})
    pages = sum(name.endswith(".html") for name in files)
    return Checked(pages, sum(len(document.references) for document in site.documents.values()), tuple(faults))


class _Site:
    """The files of a site, and what they refer to."""

    def __init__(self, files: Mapping[str, bytes], others: Container[str], url: str | None) -> None:
        self._files = files
        self._others = others
        own = urlsplit(url.rstrip("/") + "/") if url else None
        self._host = (own.scheme, own.netloc) if own else None
        self._base = unquote(own.path) if own else None
        self.documents = {name: document for name in files if (document := parse(name, files[name])) is not None}

    def faults(self, name: str) -> Iterator[Fault]:
        """What is wrong with a file."""
        document = self.documents.get(name)
        if document is None:
            return
        for line, what, todo in document.faults:
            yield Fault(name, line, what, todo)
        for reference in document.references:
            if found := self._fault(name, reference):
                yield Fault(name, reference.line, *found)

    def _fault(self, name: str, reference: Reference) -> tuple[str, str] | None:
        """What is wrong with a reference in the file `name`, and what to do about it."""
        url, loads = reference.url, reference.use is not Use.LINK
        said = f"it loads {url!r}" if loads else f"link to {url!r}"
        try:
            parts = urlsplit(url)
        except ValueError:
            return f"{said}, which is no address", "correct it"
        path, fragment = unquote(parts.path), unquote(parts.fragment).partition(":~:")[0]
        own = (parts.scheme, parts.netloc) == self._host and path.startswith(self._base or "/")
        if (parts.scheme or parts.netloc) and not own:
            return _foreign(said, parts.scheme, loads)
        if loads and not path and not fragment:
            return f"{said}, which names no file", "name the file"
        if not path and name.endswith(".css"):  # an id of the page that the style is for
            return None
        target, problem = self._target(name, path)
        if problem:
            return f"{said}, {problem[0]}", problem[1]
        if target is None:
            known = [posixpath.relpath(other, posixpath.dirname(name) or ".") for other in self._files]
            near = difflib.get_close_matches(path, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else "correct the path, or add the file"
            return f"{said}, and there is no such file", hint
        if reference.use is Use.PART and target != name and target.endswith(".html"):
            return f"{said}, which is a page", "name a file that can be a part of a page"
        return self._anchor(said, target, fragment)

    def _target(self, name: str, path: str) -> tuple[str | None, tuple[str, str] | None]:
        """The file that a path in the file `name` leads to, or why it cannot be one."""
        if not path:
            return name, None
        if path.startswith("/"):
            if self._base is None:
                return None, ("an absolute path, which is wrong for a site below a folder", "write it relative")
            if not path.startswith(self._base):
                return None, (f"which is outside of the site at {self._base}", "write it relative")
            joined = posixpath.normpath(path[len(self._base) :] or ".")
        elif name == "404.html":
            return None, ("a relative path on a page that is shown at any address", "write it absolute")
        else:
            joined = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if joined.split("/")[0] == "..":
            return None, ("which is outside of the site", "link to a file of the site, or to a full address")
        index = "index.html" if joined == "." else f"{joined}/index.html"
        candidates = [index] if path.endswith("/") else [joined, index]
        return next((c for c in candidates if c in self._files or c in self._others), None), None

    def _anchor(self, said: str, target: str, fragment: str) -> tuple[str, str] | None:
        document = self.documents.get(target)
        if not fragment or fragment.lower() == "top" or document is None or not target.endswith((".html", ".svg")):
            return None
        if fragment in document.ids:
            return None
        near = difflib.get_close_matches(fragment, document.ids, 1)
        hint = f"did you mean '#{near[0]}'?" if near else "correct the anchor, or give its target this id"
        return f"{said}, and nothing in {target} has this id", hint


def _foreign(said: str, scheme: str, loads: bool) -> tuple[str, str] | None:
    """What is wrong with an address elsewhere."""
    if loads:
        return None if scheme == "data" else (f"{said} from another host", "make the file a part of the site")
    if scheme and scheme not in _SCHEMES:
        return f"{said}, whose scheme is none for a page", f"use one of {', '.join(sorted(_SCHEMES))}"
    return None
