"""Files that are too large to be held in memory: read while they are sent, and again for each try."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from inference_tasks import AsyncClient, Client, InputError
from tests.support.project import echo_task, generate_project, imported

PNG = b"\x89PNG\r\n\x1a\n"
LARGE = PNG + os.urandom(2_500_000)
OPTIONS: dict[str, dict[str, Any]] = {"raw": {}, "json": {"top_k": 3}}


class Unseekable(io.BytesIO):
    """Like a pipe."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        raise io.UnsupportedOperation("seek")


class Grudging(io.BytesIO):
    """Gives less than it is asked for, as raw files may. `asked` is the most it was asked for, by any of `readers`."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked = 0
        self.readers: set[int] = set()

    def read(self, size: int | None = -1) -> bytes:
        wanted = len(self.getbuffer()) if size is None or size < 0 else size
        self.asked = max(self.asked, wanted)
        self.readers.add(threading.get_ident())
        return super().read(min(wanted, 10_007))


def standing_at(position: int, data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.seek(position)
    return file


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large.wav"
    path.write_bytes(LARGE)
    os.utime(path, (1_000_000, 1_000_000))  # a later change is seen, however coarse the clock of the file system
    return path


def posts(server: Any) -> list[Any]:
    """The calls; the question how much the server takes is none."""
    return [seen for seen in server.seen if seen.method == "POST"]


def media_of(seen: Any) -> bytes:
    if seen.headers["content-type"] == "application/json":
        body = json.loads(seen.body)
        assert body["parameters"] == {"top_k": 3}
        return base64.b64decode(body["inputs"], validate=True)
    assert seen.headers["content-type"] == "image/png"
    return bytes(seen.body)


@pytest.mark.parametrize("way", OPTIONS)
@pytest.mark.parametrize(
    "form",
    [
        lambda path: path,
        str,
        lambda path: path.open("rb"),
        lambda path: path.open("rb", buffering=0),
        lambda path: LARGE,
        lambda path: bytearray(LARGE),
        lambda path: memoryview(LARGE),
        lambda path: Unseekable(LARGE),
        lambda path: Grudging(LARGE),
        lambda path: standing_at(1000, bytes(1000) + LARGE),
        lambda path: "data:;base64," + base64.b64encode(LARGE).decode(),
    ],
    ids="path str file raw-file bytes bytearray memoryview unseekable grudging at data-url".split(),
)
def test_every_form_sends_the_same_bytes(flavour: Any, server: Any, large_file: Path, form: Any, way: str) -> None:
    flavour.call(server.url, "image_classification", form(large_file), **OPTIONS[way])
    (seen,) = posts(server)
    assert media_of(seen) == LARGE
    assert int(seen.headers["content-length"]) == len(seen.body)
    assert "transfer-encoding" not in seen.headers


@pytest.mark.parametrize("length", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 17 << 2, (3 << 17 << 2) + 2])
def test_every_length_is_encoded_right(flavour: Any, server: Any, tmp_path: Path, length: int) -> None:
    data = LARGE[:length]
    (tmp_path / "file").write_bytes(data)
    for source in (tmp_path / "file", data):
        flavour.call(server.url, "image_classification", source, top_k=3)
        assert media_of(server.last) == data


@pytest.mark.parametrize("way", OPTIONS)
@pytest.mark.parametrize(
    "form",
    [str, lambda path: path.open("rb"), lambda path: standing_at(7, bytes(7) + LARGE)],
    ids="path file at".split(),
)
def test_each_try_and_each_redirect_sends_the_same_bytes_again(
    flavour: Any, server: Any, answer: Any, large_file: Path, form: Any, way: str
) -> None:
    server.answer(
        answer({}),  # to the question how much it takes
        answer(status=503),
        answer(status=307, headers={"location": "/a"}),
        answer(status=308, headers={"location": "/b"}),
        answer(status=0),  # hangs up
        answer(),
    )
    flavour.call(server.url, "image_classification", form(large_file), **OPTIONS[way])
    assert [seen.path for seen in posts(server)][-3:-1] == ["/a", "/b"]
    assert [media_of(seen) == LARGE for seen in posts(server)] == [True] * 5


def test_a_large_member_of_an_object_is_sent_whole(flavour: Any, server: Any, answer: Any, large_file: Path) -> None:
    server.answer(answer([]))
    flavour.call(server.url, "visual_question_answering", {"image": large_file, "question": "Wo ist „süß“?"}, top_k=1)
    body = server.last.json
    assert base64.b64decode(body["inputs"].pop("image")) == LARGE
    assert body == {"inputs": {"question": "Wo ist „süß“?"}, "parameters": {"top_k": 1}}


# ------------------------------------------------------------------------------------------------------- changes


def replaced(path: Path) -> None:
    status = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(LARGE)
    os.utime(other, ns=(status.st_mtime_ns, status.st_mtime_ns))
    other.rename(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "grown": lambda path: path.open("ab").write(b"more"),
    "shrunk": lambda path: os.truncate(path, len(LARGE) - 1),
    "emptied": lambda path: os.truncate(path, 0),
    "rewritten": lambda path: path.write_bytes(LARGE[::-1]),
    "replaced": replaced,
    "removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("way", OPTIONS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_between_two_tries_is_not_sent_again(
    flavour: Any, server: Any, answer: Any, large_file: Path, change: str, way: str
) -> None:
    to_come = [CHANGES[change]]

    class Meanwhile(answer):
        @property
        def content(self) -> bytes:
            if to_come:
                to_come.pop()(large_file)
            return b"{}"

    server.answer(answer({}), Meanwhile(status=503), answer())
    with pytest.raises(InputError, match=r"inputs: the file '.*large\.wav' (has changed|can no longer be read)"):
        flavour.call(server.url, "image_classification", large_file, **OPTIONS[way])
    assert [media_of(seen) == LARGE for seen in posts(server)] == [True]


@pytest.mark.parametrize("change", sorted(set(CHANGES) - {"replaced", "removed"}))
def test_a_file_that_changes_while_it_is_sent_never_arrives_whole(large_file: Path, change: str) -> None:
    from inference_tasks._runtime.media import read

    content = iter(read(large_file, "inputs").content)
    got = len(next(content))
    CHANGES[change](large_file)
    with pytest.raises(InputError, match="has changed"):
        for piece in content:
            got += len(piece)
    assert got < len(LARGE)


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_file_that_is_replaced_while_it_is_sent_is_sent_as_it_was(large_file: Path, change: str) -> None:
    from inference_tasks._runtime._body import Body
    from inference_tasks._runtime.media import read

    content = read(large_file, "inputs").content
    assert isinstance(content, Body)
    pieces = iter(content)
    first = next(pieces)
    CHANGES[change](large_file)
    assert first + b"".join(pieces) == LARGE


class Shrinking(io.BytesIO):
    """Ends at half its length once it is being sent."""

    def read(self, size: int | None = -1) -> bytes:
        return b"" if self.tell() > len(LARGE) // 2 else super().read(size)


class Growing(io.BytesIO):
    """Has another byte each time it is read."""

    def read(self, size: int | None = -1) -> bytes:
        place = self.tell()
        self.seek(0, os.SEEK_END)
        self.write(b"+")
        self.seek(place)
        return super().read(size)


class Failing(io.BytesIO):
    """Has a bad block."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 2_000_000:
            raise OSError("bad block")
        return super().read(size)


@pytest.mark.parametrize("way", OPTIONS)
@pytest.mark.parametrize(
    ("kind", "message"),
    [(Shrinking, "has changed"), (Growing, "has changed"), (Failing, "can no longer be read: bad block")],
)
def test_a_file_object_that_goes_wrong_is_an_input_error(
    flavour: Any, server: Any, kind: type[io.BytesIO], message: str, way: str
) -> None:
    with pytest.raises(InputError, match=f"inputs: the file object {message}"):
        flavour.call(server.url, "image_classification", kind(LARGE), **OPTIONS[way])
    assert flavour.slept == []
    flavour.call(server.url, "image_classification", LARGE)
    assert media_of(server.last) == LARGE


def test_a_file_object_that_is_closed_before_the_next_try_is_an_input_error(
    flavour: Any, server: Any, answer: Any
) -> None:
    file = io.BytesIO(LARGE)

    class Meanwhile(answer):
        @property
        def content(self) -> bytes:
            file.close()
            return b"{}"

    server.answer(answer({}), Meanwhile(status=503), answer())
    with pytest.raises(InputError, match="inputs: the file object can no longer be read"):
        flavour.call(server.url, "image_classification", file)
    assert len(posts(server)) == 1


def test_errors_of_large_files_are_found_before_anything_is_sent(flavour: Any, server: Any, large_file: Path) -> None:
    text = large_file.with_suffix(".txt")
    text.write_text("words " * 300_000)
    with text.open() as file, pytest.raises(InputError, match="text mode"):
        flavour.call(server.url, "image_classification", file)
    with pytest.raises(InputError, match=r"parameters\.top_k: .*greater than or equal to 1"):
        flavour.call(server.url, "image_classification", large_file, top_k=0)
    assert server.seen == []


def test_a_file_object_is_where_it_was_after_a_call_that_was_refused(flavour: Any, server: Any) -> None:
    file = standing_at(5, bytes(5) + LARGE)
    with pytest.raises(InputError, match="top_k"):
        flavour.call(server.url, "image_classification", file, top_k=0)
    flavour.call(server.url, "image_classification", file)
    assert media_of(server.last) == LARGE


# -------------------------------------------------------------------------------------------------------- memory


@pytest.fixture
def sink() -> Iterator[str]:
    """The URL of a server that keeps nothing."""

    class Sink(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            left = int(self.headers.get("content-length", 0))
            while left:
                left -= len(self.rfile.read(min(left, 1 << 16)))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        do_GET = do_POST = answer  # noqa: N815 (the base class looks for these names)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("way", OPTIONS)
def test_a_large_file_is_never_held_as_a_whole(flavour: Any, sink: str, tmp_path: Path, way: str) -> None:
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(64_000_000)
    flavour.call(sink, "image_classification", PNG, **OPTIONS[way])  # whatever is imported and built once
    for source in (path, path.open("rb")):
        tracemalloc.start()
        flavour.call(sink, "image_classification", source, **OPTIONS[way])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8_000_000


@pytest.mark.parametrize("way", OPTIONS)
def test_the_event_loop_reads_no_file(server: Any, way: str) -> None:
    file = Grudging(LARGE)

    async def run() -> None:
        async with AsyncClient(server.url) as client:
            await client.image_classification(file, **OPTIONS[way])

    asyncio.run(run())
    assert media_of(server.last) == LARGE
    assert threading.get_ident() not in file.readers
    assert file.asked < 1 << 20


def test_large_files_go_out_on_trio_too(server: Any, large_file: Path) -> None:
    import trio

    async def run() -> None:
        async with AsyncClient(server.url) as client:
            await client.image_classification(large_file)

    trio.run(run)
    assert media_of(server.last) == LARGE


@pytest.mark.parametrize("module", ["httpx", "httpx2"])
def test_an_injected_client_sends_large_files_too(server: Any, large_file: Path, module: str) -> None:
    http = pytest.importorskip(module)
    with http.Client(auth=http.DigestAuth("me", "secret")) as inner, Client(server.url, http_client=inner) as client:
        client.image_classification(large_file)
        client.image_classification(large_file, top_k=3)
    assert [media_of(seen) == LARGE for seen in posts(server)] == [True, True]


# --------------------------------------------------------------------------------------------- checking by stand-in


def written(task: str, primary: Any, parameters: Any = None, **options: Any) -> tuple[Any, Any]:
    """A request's content, and its JSON."""
    from inference_tasks import _tasks
    from inference_tasks._runtime._ask import Ask
    from inference_tasks._runtime._payload import payload

    content, content_type = payload(Ask(getattr(_tasks, task), parameters or {}, {}, **options), primary)
    assert content_type == "application/json"
    text = content if isinstance(content, bytes) else b"".join(content)
    assert len(content) == len(text)
    return content, json.loads(text)


def test_another_dialect_moves_a_file_that_is_not_there_yet(large_file: Path) -> None:
    from inference_tasks._runtime._body import Body
    from inference_tasks._runtime.dialect import Wire
    from inference_tasks._runtime.media import read

    moves = ((("inputs", "image"), ("pictures", 0)), (("inputs", "question"), ("query",)))
    wire = Wire(model="model", requests=(moves,))
    primary = {"image": read(large_file, "image"), "question": "„?“"}
    given: dict[str, Any] = {"wire": wire, "model": "a/b", "extra": {"x": 1}}
    content, body = written("VISUAL_QUESTION_ANSWERING", primary, {"top_k": 1}, **given)
    assert isinstance(content, Body)
    assert [base64.b64decode(picture) for picture in body.pop("pictures")] == [LARGE]
    assert body == {"query": "„?“", "parameters": {"top_k": 1}, "model": "a/b", "x": 1}


@pytest.mark.parametrize(
    ("task", "parameters"),
    [
        ("AUTOMATIC_SPEECH_RECOGNITION", {"return_timestamps": True}),
        ("IMAGE_TEXT_TO_IMAGE", {"prompt": "a cat"}),  # checked as a whole, for it needs an image or a prompt
        ("VIDEO_CLASSIFICATION", {"top_k": 1}),
    ],
)
def test_what_is_checked_is_all_but_the_file(large_file: Path, task: str, parameters: Any) -> None:
    from inference_tasks._runtime._body import Body
    from inference_tasks._runtime.media import read

    content, body = written(task, read(large_file, "inputs"), parameters)
    assert isinstance(content, Body)
    assert base64.b64decode(body["inputs"]) == LARGE
    assert body["parameters"] == parameters
    with pytest.raises(InputError, match=r"unknown name 'colour'|breaks its schema"):
        written(task, read(large_file, "inputs"), {"colour": "red"})


TEXT = {"type": "string", "contentEncoding": "base64"}


@pytest.mark.parametrize(
    ("indifferent", "schema"),
    [
        (True, TEXT),
        (True, {"anyOf": [TEXT, {"type": "null"}], "description": "…", "default": None}),
        (True, {"$ref": "#/$defs/Text"}),
        (True, {"$ref": "#/$defs/Loop"}),
        (True, True),
        (False, {**TEXT, "maxLength": 9}),
        (False, {**TEXT, "minLength": 9}),
        (False, {**TEXT, "pattern": "^A"}),
        (False, {**TEXT, "format": "byte"}),
        (False, {"enum": ["AAAA"]}),
        (False, {"not": {"const": "AAAA"}}),
        (False, {"$ref": "#/$defs/Short"}),
        (False, {"allOf": [TEXT, {"$ref": "#/$defs/Short"}]}),
        (False, {"if": {"pattern": "A"}, "then": False}),
        (False, {"dependentSchemas": {"a": {"oneOf": [{"maxLength": 1}]}}}),
    ],
)
@pytest.mark.parametrize("place", ["root", "beside", "member", "pattern", "rest", "alternative", "or text"])
def test_a_spec_that_looks_into_a_text_is_known(indifferent: bool, schema: Any, place: str) -> None:
    from inference_tasks._runtime._texts import _tells

    definitions = {
        "Text": TEXT,
        "Short": {"maxLength": 3},
        "Loop": {"allOf": [{"$ref": "#/$defs/Loop"}, TEXT]},
    }
    other = {"image": TEXT, "note": {"maxLength": 3, "enum": ["x"]}}  # which is about another member
    around: Any = {
        "root": {"properties": {**other, "image": schema}},
        "beside": {"properties": other, "allOf": [{"properties": {"image": schema}}]},
        "member": {"$ref": "#/$defs/Around"},
        "pattern": {"properties": other, "patternProperties": {"^im": schema}},
        "rest": {"properties": {"note": other["note"]}, "additionalProperties": schema},
        "alternative": {"anyOf": [{"properties": other}, {"properties": {"image": schema}}]},
        "or text": {"anyOf": [{"type": "string", "maxLength": 3}, {"properties": {"image": schema}}]},
    }
    definitions["Around"] = around["root"]
    assert _tells(definitions, around[place], ("image",), frozenset()) is not indifferent
    nested = {"properties": {"inputs": around[place], "other": {"maxLength": 1}}}
    assert _tells(definitions, nested, ("inputs", "image"), frozenset()) is not indifferent


def test_an_object_that_must_be_one_of_a_few_is_looked_into() -> None:
    from inference_tasks._runtime._texts import _tells

    assert _tells({}, {"enum": [{"image": "AAAA"}]}, ("image",), frozenset())


LENGTH = -(-len(LARGE) // 3) * 4


@pytest.mark.parametrize(
    ("said", "valid"),
    [
        ({}, True),
        ({"not": {"maxLength": LENGTH - 1}}, True),
        ({"not": {"maxLength": LENGTH}}, False),
        ({"not": {"minLength": LENGTH + 1}}, True),
        ({"not": {"minLength": LENGTH}}, False),
        ({"not": {"pattern": "^AAAA"}}, True),
        ({"not": {"pattern": "^iVBOR"}}, False),
    ],
)
def test_a_spec_that_bounds_a_file_is_kept(
    server: Any, tmp_path: Path, large_file: Path, said: dict[str, Any], valid: bool
) -> None:
    files = echo_task({"loud": {"type": "boolean", "description": "Whether to shout."}})
    files["echo/input.json"]["properties"]["inputs"] = {**TEXT, "contentMediaType": "image/*", **said}
    config, _ = generate_project(tmp_path, files)
    with imported(config) as made, made.Client(server.url) as client:
        server.answers[0].body = {"text": ""}
        if valid:
            client.echo(large_file, loud=True)
            assert base64.b64decode(server.last.json["inputs"]) == LARGE
        else:
            with pytest.raises(made.InputError, match="echo: input breaks its schema: inputs: "):
                client.echo(large_file, loud=True)
            assert server.seen == []
