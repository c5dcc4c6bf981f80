"""Check a static site: what its pages link to and load exists, and nothing is loaded from elsewhere.

Covered are pages, anchors (with those in raw HTML), images, scripts, styles and what styles load, ``srcset``, drawings,
Markdown files, absolute paths and duplicate ids. A site passes that works under any address, also below a folder.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from ..diagnostics import TaskbindError

_LOADS: Final = frozenset(
    {
        ("audio", "src"),
        ("embed", "src"),
        ("feimage", "href"),
        ("feimage", "xlink:href"),
        ("frame", "src"),
        ("iframe", "src"),
        ("image", "href"),
        ("image", "xlink:href"),
        ("img", "src"),
        ("input", "src"),
        ("object", "data"),
        ("script", "href"),
        ("script", "src"),
        ("source", "src"),
        ("track", "src"),
        ("use", "href"),
        ("use", "xlink:href"),
        ("video", "poster"),
        ("video", "src"),
    }
)
_LINKS: Final = frozenset({("a", "href"), ("a", "xlink:href"), ("area", "href"), ("form", "action")})
_SRCSETS: Final = frozenset({("img", "srcset"), ("link", "imagesrcset"), ("source", "srcset")})
_LOADING_RELS: Final = frozenset(
    "apple-touch-icon dns-prefetch icon manifest mask-icon modulepreload preconnect prefetch preload stylesheet".split()
)
_SCHEMES: Final = frozenset(("http", "https", "mailto", "tel"))
_CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_URL: Final = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^\s"')]*))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""")
_PLAIN_TAG: Final = re.compile(r'<(?!/?(?:script|style|title|textarea)\b)/?[a-z][a-z0-9]*(?: class="[^"\n]*")?>')
"""Tags that refer to nothing and name nothing, by which text ends or begins to look different: most of all tags."""
_MARKDOWN_CODE: Final = re.compile(
    r"^([ \t]*)(`{3,}|~{3,})[^\n]*\n.*?^\1\2[ \t]*$|(`+)(?!`).*?(?<!`)\3(?!`)", re.M | re.S
)
_MARKDOWN_LINK: Final = re.compile(r"\]\(<?([^()\s<>]+)>?(?:\s+\"[^\"]*\")?\)")


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


@dataclass(frozen=True)
class _Reference:
    """One link, or something that a browser `loads` with the page."""

    url: str
    line: int
    loads: bool


@dataclass
class _Document:
    """What one file refers to, and its ids with their lines."""

    references: list[_Reference] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[int, str, str]] = field(default_factory=list)


class _Parser(HTMLParser):
    """Reads HTML, SVG, and the HTML in Markdown."""

    def __init__(self) -> None:
        super().__init__()
        self.document = _Document()
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, attributes = self.getpos()[0], {key: (value or "").strip() for key, value in attrs}
        self._style = tag == "style"
        self._identify(tag, attributes, line)
        rels = set(attributes.get("rel", "").lower().split())
        for key, value in attributes.items():
            if (tag, key) in _LOADS:
                self._refer(value, line, loads=True)
            elif (tag, key) in _LINKS:
                self._refer(value, line, loads=False)
            elif (tag, key) in _SRCSETS:
                for candidate in value.split(","):
                    self._refer(candidate.split()[0] if candidate.split() else "", line, loads=True)
            elif key == "style":
                self._styles(value, line)
        if tag == "link" and "href" in attributes:
            self._refer(attributes["href"], line, loads=bool(rels & _LOADING_RELS))
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            self._refer(attributes.get("content", "").partition("=")[2].strip("'\" "), line, loads=False)
        elif tag == "base":
            what = "a <base> changes what every link on the page means"
            self.document.faults.append((line, what, "remove it, and write links relative to the page"))

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self._styles(data, self.getpos()[0])

    def _identify(self, tag: str, attributes: dict[str, str], line: int) -> None:
        id = attributes.get("id", "")
        if id in self.document.ids:
            what = f"the id {id!r} is there a second time (first in line {self.document.ids[id]})"
            self.document.faults.append((line, what, "give one of the two another id"))
        for name in (id, attributes.get("name", "") if tag == "a" else ""):
            if name:
                self.document.ids.setdefault(name, line)

    def _refer(self, url: str, line: int, *, loads: bool) -> None:
        self.document.references.append(_Reference(url, line, loads))

    def _styles(self, text: str, line: int) -> None:
        self.document.references += _style_references(text, line)


def _style_references(text: str, line: int = 1) -> Iterator[_Reference]:
    text = _CSS_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in _CSS_URL.finditer(text):
        url = next((group for group in match.groups() if group), "")
        yield _Reference(url, line + text.count("\n", 0, match.start()), loads=True)


def _markdown(text: str) -> _Document:
    """The links of a Markdown file, outside of its code; its anchors are each renderer's own."""
    text = _MARKDOWN_CODE.sub(lambda match: "\n" * match[0].count("\n"), text)
    parser = _Parser()
    parser.feed(text)
    for match in _MARKDOWN_LINK.finditer(text):
        image = text.rfind("![", 0, match.start()) > text.rfind("]", 0, match.start())
        line = 1 + text.count("\n", 0, match.start())
        parser.document.references.append(_Reference(match[1], line, loads=image))
    return _Document(parser.document.references)


class _Site:
    """The files of a site, and what they refer to."""

    def __init__(self, files: Mapping[str, bytes], others: Container[str], url: str | None) -> None:
        self._files = files
        self._others = others
        self._url = url.rstrip("/") + "/" if url else None
        self._base = urlsplit(self._url).path if self._url else None
        self.documents = {name: document for name in files if (document := _parse(name, files[name])) is not None}

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

    def _fault(self, name: str, reference: _Reference) -> tuple[str, str] | None:
        """What is wrong with a reference in the file `name`, and what to do about it."""
        url, loads = reference.url, reference.loads
        said = f"it loads {url!r}" if loads else f"link to {url!r}"
        own = self._url is not None and url.startswith(self._url)
        try:
            parts = urlsplit(url)
        except ValueError:
            return f"{said}, which is no address", "correct it"
        if (parts.scheme or parts.netloc) and not own:
            return _foreign(said, parts.scheme, loads)
        path, fragment = unquote(parts.path), unquote(parts.fragment).partition(":~:")[0]
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
        if not fragment or fragment == "top" or document is None or not target.endswith((".html", ".svg")):
            return None
        if fragment in document.ids:
            return None
        near = difflib.get_close_matches(fragment, document.ids, 1)
        hint = f"did you mean '#{near[0]}'?" if near else "correct the anchor, or give its target this id"
        return f"{said}, and nothing in {target} has this id", hint


def _parse(name: str, data: bytes) -> _Document | None:
    """What a file refers to; None for files that are only referred to."""
    kind = name.rpartition(".")[2]
    if kind not in ("css", "html", "md", "svg") and posixpath.basename(name) != "llms.txt":
        return None
    text = data.decode("utf-8", errors="replace")
    if kind == "css":
        return _Document(list(_style_references(text)))
    if kind not in ("html", "svg"):
        return _markdown(text)
    parser = _Parser()
    parser.feed(_PLAIN_TAG.sub("", text))
    parser.close()
    return parser.document


def _foreign(said: str, scheme: str, loads: bool) -> tuple[str, str] | None:
    """What is wrong with an address elsewhere."""
    if loads:
        return None if scheme == "data" else (f"{said} from another host", "make the file a part of the site")
    if scheme and scheme not in _SCHEMES:
        return f"{said}, whose scheme is none for a page", f"use one of {', '.join(sorted(_SCHEMES))}"
    return None
