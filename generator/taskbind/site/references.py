"""What the files of a site refer to: HTML, SVG, CSS, and Markdown."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from html.parser import HTMLParser
from typing import Final
from urllib.parse import quote

from .markdown import Kind, read


class Use(Enum):
    """What a browser does with an address."""

    LINK = auto()
    """Goes there once a reader wants to."""
    FRAME = auto()
    """Goes there by itself; a page may be there."""
    PART = auto()
    """Loads what is there with the page, of which it is a part: a file that is no page."""


_OTHERS: Final = "*"
_ATTRIBUTES: Final[Mapping[str, Mapping[str, Use]]] = {
    "action": {"form": Use.LINK},
    "background": {_OTHERS: Use.PART},
    "data": {"object": Use.FRAME},
    "formaction": {_OTHERS: Use.LINK},
    "href": {"a": Use.LINK, "area": Use.LINK, _OTHERS: Use.PART},  # most are of SVG
    "poster": {"video": Use.PART},
    "src": {"embed": Use.FRAME, "frame": Use.FRAME, "iframe": Use.FRAME, _OTHERS: Use.PART},
    "xlink:href": {"a": Use.LINK, _OTHERS: Use.PART},
}
"""Attributes that are an address, by the elements that have them."""
_SRCSETS: Final = frozenset(("srcset", "imagesrcset"))
_IDS: Final = frozenset(("aria-describedby", "aria-labelledby", "for", "list"))
_STYLED: Final = frozenset(
    "clip-path cursor fill filter marker marker-end marker-mid marker-start mask stroke style".split()
)
_READ: Final = frozenset(("ping", "srcdoc")).union(_ATTRIBUTES, _SRCSETS, _IDS, _STYLED)
_RELS: Final = {
    **dict.fromkeys("apple-touch-icon icon manifest mask-icon modulepreload preload stylesheet".split(), Use.PART),
    **dict.fromkeys("dns-prefetch preconnect prefetch prerender".split(), Use.FRAME),
}
_UNREAD: Final = frozenset(("textarea", "title"))
"""Elements whose text is text, whatever it looks like."""
_CANDIDATE: Final = re.compile(r"([^\s,](?:\S*[^\s,])?)(?:,|\s(?:\([^)]*\)|[^,(])*|$)")
_CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_ESCAPE: Final = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE)
_CSS_ADDRESS: Final = re.compile(
    r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^\s"')]*))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE
)
_CSS_IMAGE_SET: Final = re.compile(r"image-set\(((?:[^()]|\([^()]*\))*)\)", re.IGNORECASE)
_CSS_IMAGE: Final = re.compile(r"""\([^()]*\)|"([^"]*)"|'([^']*)'""")
_SCRIPT_IMPORT: Final = re.compile(r"""\bimport\s*(?:\(\s*|[^"'();]*?\bfrom\s*)?["']((?:https?:)?//[^"']*)["']""")
_INSTRUCTION_HREF: Final = re.compile(r"""\shref=["']([^"']*)["']""")
_REFRESH: Final = re.compile(r"""[\d.\s]*[;,]?\s*(?:url\s*=)?\s*["']?([^"']*)""", re.IGNORECASE)
_PLAIN_TAG: Final = re.compile(
    r'<(?!/?(?:script|style|title|textarea)\b)/?[a-z][a-z0-9]*(?: class="[^"\n]*"| style="[^"\n(\\&]*")?>'
)
"""Tags that refer to nothing and name nothing, by which text ends or begins to look different: most of all tags."""


@dataclass(frozen=True)
class Reference:
    """One address that a file refers to, and what for."""

    url: str
    line: int
    use: Use


@dataclass
class Document:
    """What one file refers to, its ids with their lines, and what is wrong in it: the line, what, and what to do."""

    references: list[Reference] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[int, str, str]] = field(default_factory=list)


def parse(name: str, data: bytes) -> Document | None:
    """What a file refers to; None for files that are only referred to."""
    kind = name.rpartition(".")[2]
    if kind not in ("css", "html", "md", "svg") and posixpath.basename(name) != "llms.txt":
        return None
    text = data.decode("utf-8", errors="replace")
    if kind == "css":
        return Document(list(_styles(text)))
    return _html(_PLAIN_TAG.sub("", text)) if kind in ("html", "svg") else _markdown(text)


def _html(text: str) -> Document:
    parser = _Parser()
    parser.feed(text)
    parser.close()
    return parser.document


def _markdown(text: str) -> Document:
    """The links of a Markdown file, with those of its HTML; its anchors are each renderer's own."""
    breaks = [match.start() for match in re.finditer("\n", text)]
    found = read(text)
    out = Document()
    for link in found.links:
        use = Use.PART if link.kind is Kind.IMAGE else Use.LINK
        out.references.append(Reference(link.address, 1 + bisect_right(breaks, link.start), use))
    for start, tag in found.tags:
        if "=" in tag:
            line = bisect_right(breaks, start)
            out.references += [Reference(one.url, line + one.line, one.use) for one in _html(tag).references]
    return out


def _styles(text: str, line: int = 1) -> Iterator[Reference]:
    """What CSS loads."""
    text = _CSS_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    found = [(match.start(), match.groups()) for match in _CSS_ADDRESS.finditer(text)]
    for images in _CSS_IMAGE_SET.finditer(text):
        strings = (match.groups() for match in _CSS_IMAGE.finditer(images[1]))
        found += [(images.start(), groups) for groups in strings if any(groups)]
    for start, groups in found:
        url = next((group for group in groups if group), "")
        if "\\" in url:
            url = _CSS_ESCAPE.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)) if match[1] else match[2], url)
        yield Reference(url, line + text.count("\n", 0, start), Use.PART)


class _Parser(HTMLParser):
    """Reads HTML, SVG, and single tags."""

    def __init__(self) -> None:
        super().__init__()
        self.document = Document()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, attributes = self.getpos()[0], {key: (value or "").strip() for key, value in attrs}
        self._inside = tag
        self._identify(tag, attributes, line)
        for key in _READ.intersection(attributes):
            value = attributes[key]
            if uses := _ATTRIBUTES.get(key):
                if tag not in ("link", "base") and (use := uses.get(tag) or uses.get(_OTHERS)):
                    self._refer(value, line, use)
            elif key in _STYLED and "(" in value:
                self.document.references += _styles(value, line)
            elif key in _SRCSETS:
                for candidate in _CANDIDATE.findall(value) or [""]:
                    self._refer(candidate, line, Use.PART)
            elif key in _IDS:
                for id in value.split():
                    self._refer(f"#{quote(id)}", line, Use.LINK)
            elif key == "ping":
                for address in value.split():
                    self._refer(address, line, Use.PART)
            elif key == "srcdoc":
                inner = _html(value).references
                references = [Reference(one.url, line, one.use) for one in inner if not one.url.startswith("#")]
                self.document.references += references
        if tag == "link" and "href" in attributes:
            found = {_RELS.get(rel) for rel in attributes.get("rel", "").lower().split()}
            use = next((use for use in (Use.PART, Use.FRAME) if use in found), Use.LINK)
            self._refer(attributes["href"], line, use)
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            if (match := _REFRESH.match(attributes.get("content", ""))) and match[1].strip():
                self._refer(match[1].strip(), line, Use.FRAME)
        elif tag == "base":
            what = "a <base> changes what every link on the page means"
            self.document.faults.append((line, what, "remove it, and write links relative to the page"))
        elif tag in _UNREAD:
            self.set_cdata_mode(tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag in _UNREAD:  # also one that ends where it begins, as SVG may
            self.clear_cdata_mode()

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.document.references += _styles(data, self.getpos()[0])
        elif self._inside == "script":
            for match in _SCRIPT_IMPORT.finditer(data):
                self._refer(match[1], self.getpos()[0] + data.count("\n", 0, match.start()), Use.PART)

    def handle_pi(self, data: str) -> None:
        if data.startswith("xml-stylesheet") and (match := _INSTRUCTION_HREF.search(data)):
            self._refer(match[1], self.getpos()[0], Use.PART)

    def _identify(self, tag: str, attributes: dict[str, str], line: int) -> None:
        id = attributes.get("id", "")
        if id in self.document.ids:
            what = f"the id {id!r} is there a second time (first in line {self.document.ids[id]})"
            self.document.faults.append((line, what, "give one of the two another id"))
        for name in (id, attributes.get("name", "") if tag == "a" else ""):
            if name:
                self.document.ids.setdefault(name, line)

    def _refer(self, url: str, line: int, use: Use) -> None:
        self.document.references.append(Reference(url, line, use))
