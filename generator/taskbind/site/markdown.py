"""The links of Markdown, by one reading of it: for the check of links, and for pages that move."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from html import unescape
from typing import Final

_ADDRESS: Final = r"(?:<(?P<{0}_quoted>[^<>\n]*)>|(?P<{0}_plain>(?:[^\s<>()\\]|\\.|\((?:[^\s()\\]|\\.)*\))+))"
_TITLE: Final = r"""(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?"""
_TOKEN: Final = re.compile(
    rf"""
    [^\\`<!\[\]\n]*+(?:
    # What stands for itself: fenced code, punctuation after a backslash, code spans, ticks without a match, comments.
    \n[ \t]*(?P<fence>`{{3,}}(?=[^`\n]*$)|~{{3,}}).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)
    | \\[!-/:-@\[-`{{-~]
    | (?P<ticks>`+)(?!`)(?:[^`\n]|\n(?![ \t]*\n)|(?!(?P=ticks)(?!`))`++)*+(?P=ticks)(?!`)
    | `+
    | <!--.*?-->
    | (?P<tag><[A-Za-z/][^<>]*>)
    | (?P<blank>\n(?=[ \t]*\n))
    | (?P<definition>\n[ ]{{0,3}}\[(?P<name>[^\[\]\n]+)\]:[ \t]*{_ADDRESS.format("definition")})
    | (?P<opening>!?\[)
    | (?P<link>\]\(\s*{_ADDRESS.format("link")}{_TITLE}\s*\))
    | (?P<use>\]\[(?P<used>[^\[\]\n]+)\])
    | (?P<closing>\])
    | .
    )
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(r'\s(?:href|src)="([^"]*)"')
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")


class Kind(Enum):
    """How an address stands in Markdown: to be followed, as an image, or in an attribute of HTML."""

    LINK = auto()
    IMAGE = auto()
    ATTRIBUTE = auto()


@dataclass(frozen=True)
class Link:
    """An address in Markdown, and where in the text it stands, as it is written there."""

    address: str
    start: int
    end: int
    kind: Kind


@dataclass(frozen=True)
class Read:
    """The links of a text, but for those in its HTML; and its HTML tags with where each begins."""

    links: tuple[Link, ...]
    tags: tuple[tuple[int, str], ...]


def read(text: str) -> Read:
    """What GFM takes for links and HTML in `text`; a reference counts where its address is defined."""
    links: list[Link] = []
    tags: list[tuple[int, str]] = []
    images: list[bool] = []  # of the brackets that are open, whether each is an image's
    shown: set[str] = set()  # names of addresses that images have
    defined: list[tuple[str, re.Match[str]]] = []
    for match in _TOKEN.finditer(f"\n{text}"):  # so that every line has a break before it
        match match.lastgroup:
            case "tag":
                tags.append((match.start("tag") - 1, match["tag"]))
            case "blank":  # a paragraph ends, and with it what it left open
                images.clear()
            case "opening":
                images.append(match["opening"] == "![")
            case "link" if images:
                links.append(_link(match, "link", image=images.pop()))
            case "use" if images:
                if images.pop():
                    shown.add(match["used"].casefold())
            case "closing" if images:
                images.pop()
            case "definition":
                defined.append((match["name"].casefold(), match))
    links += [_link(match, "definition", image=name in shown) for name, match in defined]
    return Read(tuple(links), tuple(tags))


def moved(text: str, move: Callable[[str], str]) -> str:
    """`text` with every address in it, in Markdown and in HTML, as `move` makes it of what is written there."""
    found = read(text)
    out, at = [], 0
    for link in sorted([*found.links, *_attributes(found)], key=lambda link: link.start):
        out += [text[at : link.start], move(text[link.start : link.end])]
        at = link.end
    return "".join([*out, text[at:]])


def _attributes(found: Read) -> Iterator[Link]:
    for start, tag in found.tags:
        for match in _ATTRIBUTE.finditer(tag):
            yield Link(unescape(match[1]), start + match.start(1), start + match.end(1), Kind.ATTRIBUTE)


def _link(match: re.Match[str], group: str, *, image: bool) -> Link:
    group += "_plain" if match[f"{group}_quoted"] is None else "_quoted"
    address = unescape(_ESCAPED.sub(r"\1", match[group]))
    return Link(address, match.start(group) - 1, match.end(group) - 1, Kind.IMAGE if image else Kind.LINK)
