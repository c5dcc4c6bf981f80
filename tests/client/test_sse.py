"""Server-sent events: each rule of the standard, what servers make of it, and that the chunking never matters."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from inference_tasks._runtime import _sse
from inference_tasks._runtime._sse import MAX_EVENT, Event, EventParser
from inference_tasks._runtime.streaming import Stream


def read(*chunks: bytes, limit: int = MAX_EVENT) -> list[Event]:
    """The events of a whole stream, its end included."""
    parser = EventParser(limit)
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.close()


def bytewise(stream: bytes) -> list[bytes]:
    return [stream[index : index + 1] for index in range(len(stream))]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        # Data.
        (b"data: a\n\n", [Event("a")]),
        (b"data:a\n\n", [Event("a")]),
        (b"data:  a \n\n", [Event(" a ")]),
        (b"data:\ta\n\n", [Event("\ta")]),
        (b"data: a: b\n\n", [Event("a: b")]),
        (b"data: a\ndata\ndata:\ndata: b\n\n", [Event("a\n\n\nb")]),
        (b"data\n\ndata\ndata\n\n", [Event(""), Event("\n")]),
        (b"data: a\n\ndata: b\n\ndata: c\n\n", [Event("a"), Event("b"), Event("c")]),
        # Line ends, and what is none.
        (b"data: a\r\rdata: b\r\r", [Event("a"), Event("b")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("a"), Event("b")]),
        (b"data: a\r\ndata: b\rdata: c\n\r\n", [Event("a\nb\nc")]),
        (b"data: a\n\rdata: b\n\n", [Event("a"), Event("b")]),
        ("data: \v\f\x1c\x85\u2028\0.\n\n".encode(), [Event("\v\f\x1c\x85\u2028\0.")]),
        # The start.
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [Event("b")]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n", [Event("a"), Event("c")]),
        (b"\n\r\n\r\ndata: a\n\n", [Event("a")]),
        (b"\xef\xbb\xbf\ndata: a\n\n", [Event("a")]),
        # Comments and unknown fields.
        (b": ping\n\n:\n\n:data: a\n\n", []),
        (b"data: a\n: in between\ndata: b\n\n", [Event("a\nb")]),
        (b"Data: a\n data: b\ndata : c\ndatas: d\nwhat\nwhat: e\n\n", []),
        # Names of events.
        (b"event: token\ndata: a\n\ndata: b\n\n", [Event("a", "token"), Event("b")]),
        (b"event: x\nevent: y\ndata: a\n\n", [Event("a", "y")]),
        (b"event: x\nevent\ndata: a\n\n", [Event("a")]),
        (b"data: a\nevent:y\n\n", [Event("a", "y")]),
        (b"event: lost\n\ndata: a\n\n", [Event("a")]),
        # Ids stay until the next one.
        (b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", [Event("a", id="1"), Event("b", id="1"), Event("c")]),
        (b"id: 1\nid: 2\0\ndata: a\n\n", [Event("a", id="1")]),
        (b"id: 1\n\ndata: a\n\n", [Event("a", id="1")]),
        # The pause before the next connection.
        (b"retry: 3000\ndata: a\n\ndata: b\n\n", [Event("a", retry=3000), Event("b")]),
        (b"retry: 007\n\ndata: a\n\n", [Event("a", retry=7)]),
        (b"retry: 5\nretry: 1.5\nretry: -1\nretry: 1s\nretry:\nretry\ndata: a\n\n", [Event("a", retry=5)]),
        ("retry: ٣\nretry: ²\ndata: a\n\n".encode(), [Event("a")]),
        (b"retry: " + b"9" * 5000 + b"\ndata: a\n\n", [Event("a")]),
        # No data, no event.
        (b"", []),
        (b"\n\n\n", []),
        (b"event: x\nid: 1\nretry: 1\n\n", []),
        # UTF-8, whole and broken.
        ("event: é\nid: 日本\ndata: 🎈\n\n".encode(), [Event("🎈", "é", "日本")]),
        (b"event: \xff\nid: \xfe\ndata: \xf0\x9f\n\n", [Event("\ufffd", "\ufffd", "\ufffd")]),
        (b"data: \xe2\x82\ndata: \xac\xc0\xaf\xed\xa0\x80.\n\n", [Event("\ufffd\n" + "\ufffd" * 6 + ".")]),
        (b"\xffdata: a\n\ndata: b\n\n", [Event("b")]),
        # The end without a blank line.
        (b"data: a\n\ndata: b\n", [Event("a"), Event("b")]),
        (b"data: a\n\ndata: b\r", [Event("a"), Event("b")]),
        (b"data: a\n\ndata: b", [Event("a"), Event("b")]),
        (b"event: e\nid: 1\nretry: 2\ndata: a\ndata: b", [Event("a\nb", "e", "1", 2)]),
        (b"data: a\n: bye", [Event("a")]),
        (b"event: e\nid: 1", []),
        (b"\xef\xbb\xbfdata: a", [Event("a")]),
        (b"\xef\xbb\xbf", []),
        ("data: a\n\ndata: é".encode()[:-1], [Event("a")]),
        ("data: a\ndata: é".encode()[:-1], []),
        ("data: a\n: é".encode()[:-1], []),
        (b"data: \xc3\n", [Event("\ufffd")]),
    ],
)
def test_rules(stream: bytes, events: list[Event]) -> None:
    assert read(stream) == events
    assert read(*bytewise(stream)) == events


def test_the_docstrings_tell_the_truth() -> None:
    found = doctest.testmod(_sse)
    assert (found.attempted, found.failed) == (4, 0)


def test_an_event_comes_with_the_byte_that_completes_it() -> None:
    parser = EventParser()
    assert [parser.feed(byte) for byte in bytewise(b"data: a\r\n\r\ndata: b\n\n")] == [
        *[[]] * 9,
        [Event("a")],  # the CR of the blank line is enough; the LF may be long in coming
        *[[]] * 9,
        [Event("b")],
    ]
    assert parser.close() == []


def test_an_empty_chunk_changes_nothing() -> None:
    assert read(b"", b"data: a\r", b"", b"\ndata: b\n", b"", b"\n", b"") == [Event("a\nb")]


def test_a_character_may_come_in_two_chunks() -> None:
    stream = "data: 🎈\n\n".encode()
    for cut in range(len(stream) + 1):
        assert read(stream[:cut], stream[cut:]) == [Event("🎈")]


def test_close_leaves_nothing_behind() -> None:
    parser = EventParser()
    assert parser.feed(b"data: a") == []
    assert [parser.close(), parser.close()] == [[Event("a")], []]
    assert parser.feed(b"data: \xc3") == []
    assert [parser.close(), parser.close()] == [[], []]


@pytest.mark.parametrize(
    "stream",
    [b"data: 45678901", b"data: 4567890\n", b"data: 4\ndata", b"data\ndata\nda", b": 345678901", b"whatever it is"],
)
@pytest.mark.parametrize("size", [1, 5, 99])
def test_what_is_longer_than_the_limit_is_an_error(stream: bytes, size: int) -> None:
    stream = stream.ljust(13, b"x")
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
    with pytest.raises(ValueError, match="an event of the stream is longer than 12 bytes"):
        read(*chunks, limit=12)


@pytest.mark.parametrize("stream", [b"data: 789012345", b"data: 7\ndata: 5", b"event: 89012345\ndata: 7\n: 12345\n"])
def test_each_event_has_the_limit_to_itself(stream: bytes) -> None:
    once = read(stream, limit=15)
    assert len(once) == 1
    assert read(*bytewise(stream + b"\n\n") * 9, limit=15) == once * 9


def test_events_before_the_one_that_is_too_long_are_not_lost() -> None:
    parser = EventParser(limit=12)
    assert parser.feed(b"data: a\n\ndata: 4567890123\n\ndata: b\n\n") == [Event("a")]
    for _ in range(2):
        with pytest.raises(ValueError, match="longer than 12 bytes"):
            parser.feed(b"data: c\n\n")
        with pytest.raises(ValueError, match="longer than 12 bytes"):
            parser.close()


def test_events_are_limited_to_16_mib() -> None:
    piece = b"x" * (1 << 20)
    parser = EventParser()
    assert parser.feed(b"data: ") == []
    for _ in range(15):
        assert parser.feed(piece) == []
    with pytest.raises(ValueError, match="16777216 bytes"):
        parser.feed(piece)


class Content:
    """What a server sends, for a stream to read."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    def chunks(self) -> Iterator[bytes]:
        yield from self._chunks

    def close(self) -> None:
        pass


def payloads(content: Any) -> list[str]:
    """The data of the events that a stream gives out."""
    return list(Stream(content, lambda event: event.data))


def test_payloads_end_where_the_server_says_so() -> None:
    class Watched(Content):
        def chunks(self) -> Iterator[bytes]:
            yield b'event: ping\ndata\n\ndata: {"a": 1}\n\ndata: [DONE] x\n\ndata:[DONE]\n\n'
            raise AssertionError("read past the end")

    assert payloads(Watched()) == ['{"a": 1}', "[DONE] x"]


@pytest.mark.parametrize("last", [b"data:[DONE]", b"data: [DONE] \r\n\r\n", b"data: [DONE]\ndata\n\n"])
def test_the_end_may_have_blanks_around_it(last: bytes) -> None:
    assert payloads(Content(b"data: 1\n\n", last)) == ["1"]


def test_payloads_need_no_end() -> None:
    assert payloads(Content(b"data: 1\n\n: ping\n\ndata: \n\ndata:  \n\ndata: 2")) == ["1", " ", "2"]
    assert payloads(Content()) == []


FRAGMENTS = [b"data", b"event", b"id", b"retry", b":", b" ", b"7", b"\0", b"x", b"\r", b"\n", b"\r\n", b"\n\n"]
FRAGMENTS += [b"data: ", b"id: ", b"\xef\xbb\xbf", "é".encode(), "🎈".encode(), b"\xe2\x82", b"\xff", b"\x85", b"\x0b"]
STREAMS = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=4), max_size=40).map(b"".join)


@st.composite
def chunked(draw: st.DrawFn) -> list[bytes]:
    """A stream of whatever bytes, cut anywhere, between the same two bytes more than once too."""
    stream = draw(STREAMS)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def outcome(chunks: Iterable[bytes], limit: int) -> tuple[list[Event], bool]:
    """The events of a stream, and whether one of them was too long."""
    parser = EventParser(limit)
    events: list[Event] = []
    try:
        for chunk in chunks:
            events += parser.feed(chunk)
        events += parser.close()
    except ValueError:
        return events, True
    return events, False


@given(chunked(), st.integers(0, 30) | st.just(MAX_EVENT))
@example([b"data: a\r", b"", b"\n\r", b"\ndata: b"], 30)
@example([b"\xef", b"\xbb", b"\xbfdata: \xf0\x9f", b"\x8e\x88\n\n"], 30)
@example([b"data: a\n\ndata: 45", b"67\n\n"], 8)
def test_chunks_do_not_matter(chunks: list[bytes], limit: int) -> None:
    stream = b"".join(chunks)
    once = outcome([stream], limit)
    assert outcome(chunks, limit) == once
    assert outcome(bytewise(stream), limit) == once


@given(st.binary() | STREAMS)
def test_no_bytes_break_it(stream: bytes) -> None:
    for event in read(stream):
        assert "\r" not in event.data + event.event + event.id
        assert "\n" not in event.event + event.id
        assert event.event
        event.data.encode()


def by_the_standard(stream: bytes) -> list[tuple[str, str, str]]:
    """Data, type and id of the events of a whole stream, word by word after the standard."""
    data, kind, last = "", "", ""
    events = []
    text = stream.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    for line in re.split("\r\n|\n|\r", text)[:-1]:
        if line == "":
            if data != "":
                events.append((data.removesuffix("\n"), kind or "message", last))
            data, kind = "", ""
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value[:1] == " " else value
        if field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last = value
    return events


@given(STREAMS)
def test_complete_events_are_those_of_the_standard(stream: bytes) -> None:
    events = EventParser().feed(stream)
    assert [(event.data, event.event, event.id) for event in events] == by_the_standard(stream)


LINE_ENDS = st.sampled_from(["\n", "\r", "\r\n"])
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)
EVENTS = st.builds(
    Event,
    data=st.lists(VALUES, min_size=1, max_size=3).map("\n".join),
    event=VALUES.map(lambda name: name or "message"),
    id=VALUES.map(lambda text: text.replace("\0", "")),
    retry=st.none() | st.integers(0, 10**9),
)


@st.composite
def encoded(draw: st.DrawFn, event: Event) -> str:
    """`event` in one of its many spellings."""
    blank = st.sampled_from([": ", ":"])

    def field(name: str, value: str) -> str:
        colon = ": " if value.startswith(" ") else draw(blank)
        return name + colon + value

    lines = [field("data", line) for line in event.data.split("\n")]
    others = [field("id", event.id)]
    if event.event != "message" or draw(st.booleans()):
        others.append(field("event", event.event))
    if event.retry is not None:
        others.append(field("retry", str(event.retry)))
    others += draw(st.lists(st.sampled_from([": ping", ":", "unknown: x", "data-: x"]), max_size=2))
    for other in others:
        lines.insert(draw(st.integers(0, len(lines))), other)
    return "".join(line + draw(LINE_ENDS) for line in lines)


@given(st.data(), st.lists(EVENTS, max_size=4), st.booleans())
def test_what_is_written_is_read_back(data: st.DataObject, events: list[Event], bom: bool) -> None:
    text = "\ufeff" if bom else ""
    for event in events:
        text += data.draw(encoded(event))
        # After a line's CR, an LF alone would belong to that line and leave no blank one.
        text += data.draw(st.sampled_from(["\r", "\r\n"]) if text.endswith("\r") else LINE_ENDS)
    assert read(text.encode()) == events
    assert EventParser().feed(text.encode()) == events
