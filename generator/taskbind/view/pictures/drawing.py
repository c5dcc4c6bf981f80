"""Drawing a card of a picture from its top to its bottom: texts, bars, images, waveforms as SVG elements.

Nothing here knows tasks. All texts are escaped and shortened, files stand in the drawing itself, and equal input gives
equal bytes. Lengths are in units of the drawing, in which fonts have 14 or more.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, takewhile
from typing import Final

from ...escape import html
from ..ways import media_type
from . import media

WIDTH: Final = 248
HEIGHT: Final = 172
"""The inside of a card."""
SIZE: Final = 15
SMALL: Final = 14
LARGE: Final = 18
COLOURS: Final = 5
"""How many colours there are to tell things apart: the classes `c0` to `c4` (fills) and `s0` to `s4` (strokes)."""

LINE: Final = 19
"""From one line of text to the next."""
AROUND: Final = 22
"""What a bubble takes beside its lines."""

_NARROW: Final = frozenset("ijl.,:;'|!()[]I/ftr‘’“” ")
_WIDE: Final = frozenset("mMWOQ@%—…")
_LOOKS: Final = {SIZE: "", SMALL: "small", LARGE: "large"}
_READ: Final = 2000
"""Characters of a text that may come into a drawing; the rest would not fit anyway."""
_ENVELOPE: Final = (2, 4, 9, 6, 12, 8, 15, 10, 6, 13, 9, 5, 8, 4, 2)
"""The bars of a sound that was not listened to."""


def width(text: str, size: int = SIZE) -> float:
    """About how wide a text is; rather too much than too little, as fonts differ."""
    return size * sum(map(_em, text))


def _em(char: str) -> float:
    if ord(char) >= 0x1100 and char not in _NARROW and char not in _WIDE:
        return 1.0
    return 0.36 if char in _NARROW else 0.96 if char in _WIDE else 0.7 if char.isupper() or char == "w" else 0.61


def short(text: str, room: float, size: int = SIZE) -> str:
    """A text on one line, with … for what does not fit into `room`."""
    text = " ".join(text[:_READ].split())
    if (fits := _fitting(text, room, size)) == len(text):
        return text
    fits = _fitting(text[:fits], room - width("…", size), size)
    return f"{text[:fits].rstrip()}…"


def _fitting(text: str, room: float, size: int) -> int:
    """How many characters of a text fit."""
    ends = accumulate(map(_em, text))
    return sum(1 for _ in takewhile(lambda end: end * size <= room, ends))


def wrap(text: str, room: float, most: int, size: int = SIZE) -> list[str]:
    """A text as at most `most` lines, the last of which ends in … if there is more."""
    lines: list[str] = []
    words = text[:_READ].split()
    while words and len(lines) < most:
        line = words.pop(0)
        while words and width(f"{line} {words[0]}", size) <= room:
            line = f"{line} {words.pop(0)}"
        if width(line, size) > room and len(lines) < most - 1 and len(line) > 1:
            # A word that is longer than a line goes on in the next one.
            fits = max(1, _fitting(line, room, size))
            words.insert(0, line[fits:])
            line = line[:fits]
        lines.append(line)
    if words:
        lines[-1] = f"{lines[-1]}…"
    return [short(line, room, size) for line in lines]


@dataclass
class Assets:
    """The files of one picture: how many bytes of them may still be drawn."""

    left: int
    images: dict[bytes, str] = field(default_factory=dict)

    def image(self, data: bytes) -> tuple[str, float, float] | None:
        """The id of an image in the drawing and its size; None for what is no image or would be too much."""
        kind, size = media_type(data), media.image_size(data)
        if kind is None or not kind.startswith("image/") or size is None:
            return None
        if data not in self.images:
            if len(data) > self.left:
                return None
            self.left -= len(data)
            self.images[data] = f"i{len(self.images)}"
        return self.images[data], *size

    def definitions(self) -> Iterator[str]:
        """The elements that hold the images."""
        for data, id in self.images.items():
            wide, high = media.image_size(data) or (1, 1)
            uri = f"data:{media_type(data)};base64,{base64.b64encode(data).decode()}"
            yield f'<image id="{id}" width="{wide}" height="{high}" href="{uri}"/>'


@dataclass
class Card:
    """The inside of a card. `y` is where the next thing goes; `said` are the texts in it, for those who cannot see."""

    assets: Assets
    parts: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    y: float = 0

    @property
    def room(self) -> float:
        """The height that is left."""
        return HEIGHT - self.y

    def put(self, text: str, x: float, y: float, look: str = "", size: int = SIZE, end: bool = False) -> None:
        """One line of text, which must fit; `y` is its baseline."""
        look = f"{look} {_LOOKS[size]}".strip()
        attributes = f' class="{look}"' if look else ""
        attributes += ' text-anchor="end"' if end else ""
        self.parts.append(f'<text x="{_n(x)}" y="{_n(y)}"{attributes}>{html(text)}</text>')

    def box(self, x: float, y: float, wide: float, high: float, look: str, round: float = 6) -> None:
        """A filled rectangle."""
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}"'
        self.parts.append(f'<rect {place} rx="{_n(round)}" class="{look}"/>')

    def say(self, text: str) -> None:
        """Add to what is said instead of the picture."""
        self.said.append(" ".join(text[:_READ].split()))

    def lines(self, text: str, most: int = 8, look: str = "", size: int = SIZE) -> None:
        """A paragraph."""
        most = min(most, int(self.room // LINE))
        if most < 1:
            return
        for line in wrap(text, WIDTH, most, size):
            self.put(line, 0, self.y + 14, look, size)
            self.y += LINE
        self.say(text)

    def bubble(self, text: str, look: str = "said", most: int = 8, right: bool = False) -> None:
        """A text that somebody says."""
        most = min(most, int((self.room - AROUND + 8) // LINE))
        if most < 1 or not text.strip():
            return
        # Little text, which has a card of its own, is written large.
        large = most > 3 and len(wrap(text, WIDTH - 24, 4, LARGE)) < 4
        size, line = (LARGE, LINE + 4) if large else (SIZE, LINE)
        lines = wrap(text, WIDTH - 24, most, size)
        wide = min(WIDTH, max((width(text, size) for text in lines), default=0) + 24)
        x = WIDTH - wide if right else 0
        self.box(x, self.y, wide, len(lines) * line + AROUND - 8, look, 10)
        for number, said in enumerate(lines):
            self.put(said, x + 12, self.y + size + 6 + number * line, "", size)
        self.y += len(lines) * line + AROUND
        self.say(text)

    def bar(self, label: str, value: str, share: float) -> None:
        """A label with its value, and a bar that is `share` (0 to 1) of the card's width."""
        room = WIDTH - width(value) - 10
        self.put(short(label, room), 0, self.y + 14)
        self.put(value, WIDTH, self.y + 14, "mute", end=True)
        self.box(0, self.y + 20, WIDTH, 5, "rail", 2.5)
        self.box(0, self.y + 20, max(3.0, WIDTH * min(1.0, max(0.0, share))), 5, "c0", 2.5)
        self.y += 34
        self.say(f"{label} {value}")

    def row(self, left: str, right: str = "") -> None:
        """A line with a muted text before it."""
        at = min(width(left) + 8, WIDTH / 2 if right else WIDTH) if left else 0
        if left:
            self.put(short(left, at - 8), 0, self.y + 14, "mute")
        if right:
            self.put(short(right, WIDTH - at), at, self.y + 14)
        self.y += 23
        self.say(f"{left} {right}".strip())

    def image(
        self, data: bytes | None, name: str, keep: float = 0, look: str = ""
    ) -> tuple[float, float, float] | None:
        """An image as large as there is room but for `keep`; its place and scale. An icon where it cannot be shown."""
        found = self.assets.image(data) if data is not None else None
        self.say(name)
        if found is None:
            self.icon('<path d="M0 0h84v60H0zM10 48l20-24 14 16 10-10 20 18z"/><circle cx="62" cy="16" r="6"/>', keep)
            return None
        id, wide, high = found
        scale = min(WIDTH / wide, (self.room - keep - 8) / high)
        x, y = (WIDTH - wide * scale) / 2, self.y
        attributes = f' class="{look}"' if look else ""
        move = f"translate({_n(x)} {_n(y)}) scale({scale:.4f})"
        self.parts.append(f'<use href="#{id}" transform="{move}"{attributes}/>')
        self.y += high * scale + 8
        return x, y, scale

    def icon(self, shapes: str, keep: float = 0) -> None:
        """A line drawing, given as 84 by 60."""
        scale = min(1.6, max(0.5, (self.room - keep) / 60))
        move = f"translate({_n((WIDTH - 84 * scale) / 2)} {_n(self.y)}) scale({_n(scale)})"
        self.parts.append(f'<g class="icon" transform="{move}">{shapes}</g>')
        self.y += 60 * scale + 8

    def note(self, text: str) -> None:
        """A line below what it is about."""
        self.put(short(text, WIDTH, SMALL), WIDTH / 2, self.y + 14, "mute middle", SMALL)
        self.y += LINE + 4
        self.say(text)

    def film(self, name: str, keep: float = 0) -> None:
        """A strip of film."""
        holes = "".join(f"M{x} 6h8v6h-8zM{x} 48h8v6h-8z" for x in range(6, 78, 16))
        self.icon(f'<path d="M0 0h84v60H0zM0 18h84M0 42h84{holes}M37 23l12 7-12 7z"/>', keep + LINE + 12)
        if name:
            self.note(name)

    def sound(self, data: bytes | None, name: str, keep: float = 0) -> None:
        """A waveform: the sound's own where it can be read cheaply."""
        high = max(20.0, min(112.0, self.room - keep - LINE - 12))
        own = media.loudness(data, 50) if data else None
        levels = own or [level / max(_ENVELOPE) for level in _ENVELOPE * 3]
        step = WIDTH / len(levels)
        middle = self.y + high / 2
        for number, level in enumerate(levels):
            tall = max(3.0, high * level)
            self.box(number * step, middle - tall / 2, step - 2, tall, "c0" if own else "c0 faint", 1.5)
        self.y += high + 8
        length = media.seconds(data) if data else None
        self.note(f"{name}, {length:.1f} s" if length else name)

    def strip(self, numbers: Sequence[float]) -> None:
        """Numbers as bars up and down from a line."""
        top = max(map(abs, numbers), default=0) or 1.0
        high, step = self.room - 30, WIDTH / max(1, len(numbers))
        middle = self.y + high / 2
        for number, value in enumerate(numbers):
            tall = max(2.0, abs(value) / top * high / 2)
            y = middle - tall if value >= 0 else middle
            self.box(number * step, y, max(2.0, min(24.0, step - 2)), tall, "c0" if value >= 0 else "c1", 1.5)
        self.parts.append(f'<path class="line" d="M0 {_n(middle)}H{WIDTH}"/>')
        self.y += high + 4

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], keep: float = 0) -> None:
        """A small table: as many columns and rows as can be read, above `keep` that stay free."""
        shown = list(columns[:3])
        most = max(1, int((self.room - keep) // 24) - 1)
        lines = [[*row[:3]] for row in (rows if len(rows) <= most else rows[: most - 1])]
        if len(rows) > most:
            lines.append(["…"])
        if len(columns) > 3:
            shown[2] = f"{shown[2]} …"
        columns_of = ([name, *(line[i] for line in lines if i < len(line))] for i, name in enumerate(shown))
        wanted = [max(width(cell[:40], SMALL) for cell in column) + 10 for column in columns_of]
        wide = [WIDTH * each / sum(wanted) for each in wanted]
        for number, line in enumerate([shown, *lines]):
            y = self.y + number * 24
            for column, cell in enumerate(line[: len(shown)]):
                look = "mute" if number == 0 else ""
                self.put(short(cell, wide[column] - 8, SMALL), sum(wide[:column]), y + 15, look, SMALL)
            self.parts.append(f'<path class="line" d="M0 {_n(y + 21)}H{WIDTH}"/>')
            self.say(", ".join(line))
        self.y += (len(lines) + 1) * 24 + 6


def _n(value: float) -> str:
    """A length with one decimal at most; never nan or infinite."""
    return f"{value:.1f}".removesuffix(".0") if math.isfinite(value) else "0"
