"""``run`` for every task: options out of the schema, input in any form, answers for people or for programs."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from hypothesis import given, settings

from inference_tasks._runtime.binding import TaskBinding
from inference_tasks._runtime.cli import main
from inference_tasks._runtime.command import local, options, output, run as command
from inference_tasks._runtime.command.inputs import Primary
from inference_tasks._runtime.command.schema import Schemas
from inference_tasks._runtime.server.problems import RequestProblem
from inference_tasks._runtime.validation import validate_request
from inference_tasks._tasks import TASKS
from inference_tasks.testing import requests

from .live import Echo, Serve, picture

BINDINGS = [pytest.param(binding, id=task) for task, binding in TASKS.items()]


def run(*arguments: str) -> int:
    try:
        return main(TASKS, package="inference_tasks", distribution="inference-tasks", argv=arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


class Asked:
    """Stands in for the model: keeps the request, which must be valid, and gives a fixed answer."""

    def __init__(self) -> None:
        self.payload: Any = None
        self.answer: Any = []

    def replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local.Model, "_answer", lambda model, payload: self(model, payload))

    def __call__(self, model: local.Model, payload: Any) -> Any:
        validate_request(model._binding, payload)
        self.payload = payload
        return self.answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    fake = Asked()
    fake.replace(monkeypatch)
    return fake


def typed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let `data` come from standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def flags(binding: TaskBinding) -> dict[str, tuple[str, options.Option]]:
    """The flag and the option of each parameter."""
    taken = set(command.OURS)
    return {o.name: (options.flag(o, taken), o) for o in options.options(binding, Schemas.of(binding))}


# ------------------------------------------------------------------------------------------------------- the options


@pytest.mark.parametrize("binding", BINDINGS)
def test_every_parameter_has_an_option_with_help(binding: TaskBinding, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", binding.id, "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    found = flags(binding)
    assert list(found) == [*binding.parameters, *binding.options]
    for flag, option in found.values():
        assert f"{flag}, --no-{flag[2:]}" in shown if option.kind == "flag" else f"{flag} {option.metavar}" in shown
        assert len(option.about) > 20


@pytest.mark.parametrize("binding", BINDINGS)
def test_what_is_typed_is_what_is_asked(binding: TaskBinding, tmp_path: Path) -> None:
    """Every valid request can be typed, and arrives as it was meant."""
    found, asked, primary = flags(binding), Asked(), Primary.of(binding, Schemas.of(binding))

    @settings(max_examples=12)
    @given(requests(binding.id))
    def hold(payload: Any) -> None:
        values = payload.get("parameters", {}) | {name: payload[name] for name in binding.options if name in payload}
        values = {name: value for name, value in values.items() if value is not None and name in found}
        values.pop("stream", None)
        inside = {name: value for name, value in values.items() if name in binding.parameters}
        wanted = {name: value for name, value in values.items() if name in binding.options}
        wanted |= {"parameters": inside} if inside else {}
        arguments = [word for name, value in values.items() for word in words(*found[name], value)]
        if (data := payload.get(binding.primary)) is not None:
            if binding.media:
                (tmp_path / "file").write_bytes(b"media")
                data, text = base64.b64encode(b"media").decode(), str(tmp_path / "file")
            elif primary.types == {"string"}:
                text = data
            else:
                text = json.dumps(data)
            wanted[binding.primary] = data
            arguments += ["--", text]
        if wanted.get(binding.primary) == "-" or not accepted(binding, wanted):
            return
        assert run("run", binding.id, "--model", "x", *arguments) == 0
        assert asked.payload == wanted

    with pytest.MonkeyPatch.context() as patch:
        asked.replace(patch)
        hold()


def accepted(binding: TaskBinding, payload: Any) -> bool:
    """Whether `payload` is still valid without what cannot be typed, such as null."""
    try:
        validate_request(binding, payload)
    except ValueError:
        return False
    return True


def words(flag: str, option: options.Option, value: Any) -> Iterator[str]:
    if option.kind == "flag":
        yield flag if value else f"--no-{flag[2:]}"
    elif option.many and value and not any(str(item).lstrip()[:1] == "[" for item in value):
        for item in value:
            yield f"{flag}={item if isinstance(item, str) else json.dumps(item)}"
    else:
        yield f"{flag}={value if option.kind in ('text', 'choice') and not option.many else json.dumps(value)}"


@pytest.mark.parametrize("binding", BINDINGS)
def test_what_is_out_of_range_or_no_choice_is_refused(
    binding: TaskBinding, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    for flag, option in flags(binding).values():
        wrong = ["x\n"] if option.kind in ("integer", "number", "choice") else []
        wrong += ["1.5", "true", "1e999", "1" * 5000] if option.kind == "integer" else []
        for key, value in option.bounds.items():
            wrong.append(str(value + {"minimum": -1, "maximum": 1}.get(key, 0)))
        for text in wrong:
            assert run("run", binding.id, "x", f"{flag}={text}") == 2
            error = capsys.readouterr().err
            assert f"argument {flag}: must be {option.expected}, not " in error
            assert all(str(bound) in error for bound in option.bounds.values())
    assert asked.payload is None


@pytest.mark.parametrize(
    ("schema", "kind", "many", "note"),
    [
        ({"type": "integer", "exclusiveMinimum": 0}, "integer", False, "[at least 1]"),
        ({"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1}, "number", False, "[above 0 and at most 1]"),
        ({"type": "boolean", "default": True}, "flag", False, "[default: true]"),
        ({"enum": ["a", "b", None]}, "choice", False, ""),
        ({"enum": [1, 2]}, "choice", False, ""),
        ({"oneOf": [{"const": "a", "description": "100 % A"}, {"const": "b"}]}, "choice", False, "`a`: 100 %% A"),
        ({"anyOf": [{"$ref": "#/$defs/Named"}, {"type": "null"}]}, "choice", False, "Which one."),
        ({"$ref": "#/$defs/Loop"}, "json", False, "JSON"),
        ({"type": "array", "items": {"type": "integer"}}, "integer", True, "[repeat for more]"),
        ({"type": "array", "items": {"$ref": "#/$defs/Named"}}, "choice", True, "[repeat for more]"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "json", False, "JSON"),
        ({"type": "array", "items": {"type": "object"}}, "json", False, "JSON"),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, "json", False, "JSON"),
        ({"type": "object", "properties": {"a": {}}}, "json", False, '[JSON like {"a": …}, or @FILE with JSON]'),
        ({"type": "string", "contentEncoding": "base64"}, "file", False, ""),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, "integer", False, "[at least 3]"),
        ({"description": "\x1b[31mred"}, "json", False, r"\x1b[31mred"),
        (True, "json", False, "JSON"),
    ],
)
def test_kinds(schema: Any, kind: str, many: bool, note: str) -> None:
    definitions = {
        "Named": {"description": "Which one.", "enum": ["a", "b"]},
        "Loop": {"$ref": "#/$defs/Loop"},
    }
    option = options.option(Schemas(definitions), "x", schema)
    assert (option.kind, option.many) == (kind, many)
    assert note in option.help


def test_names_never_meet() -> None:
    taken = set(command.OURS)
    names = ["json", "top_k", "top-k", "no_json", "a=b c", "%", "parameter_json"]
    assert [options.flag(options.Option(name, "text"), taken) for name in names] == [
        "--parameter-json",
        "--top-k",
        "--parameter-top-k",
        "--no-json",
        "--a-b-c",
        "--value",
        "--parameter-parameter-json",
    ]
    assert options.flag(options.Option("no_cut", "flag"), taken) == "--parameter-no-cut"
    assert options.flag(options.Option("json", "flag"), taken) == "--parameter-parameter-parameter-json"


def test_no_schema_is_read_before_its_task_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read: list[str] = []
    original = Schemas.of
    monkeypatch.setattr(Schemas, "of", lambda binding: read.append(binding.id) or original(binding))
    assert run("--help") == run("run", "--help") == 0
    assert read == []
    assert run("run", "fill-mask", "--help") == 0
    assert read == ["fill-mask"]


def test_lists_are_repeated_or_json(asked: Asked) -> None:
    arguments = ["run", "zero-shot-classification", "a text", "--model", "x"]
    for labels, wanted in (
        (["cat", "dog"], ["cat", "dog"]),
        (['["cat", "dog"]', "owl"], ["cat", "dog", "owl"]),
        (["[", "[1]", '{"a": 1}'], ["[", "[1]", '{"a": 1}']),
    ):
        assert run(*arguments, *(f"--candidate-labels={label}" for label in labels)) == 0
        assert asked.payload["parameters"] == {"candidate_labels": wanted}
    assert run(*arguments) == 2


def test_a_flag_says_yes_or_no(asked: Asked) -> None:
    arguments = ["run", "token-classification", "a text", "--model", "x"]
    assert run(*arguments) == 0
    assert "parameters" not in asked.payload
    arguments = ["run", "feature-extraction", "a text", "--model", "x"]
    assert run(*arguments, "--normalize") == 0
    assert asked.payload == {"inputs": "a text", "normalize": True}
    assert run(*arguments, "--no-normalize") == 0
    assert asked.payload == {"inputs": "a text", "normalize": False}


# --------------------------------------------------------------------------------------------------------- the input


def test_standard_input(asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed(monkeypatch, b"\x00\xff")
    assert run("run", "image-classification", "-") == 0
    assert asked.payload == {"inputs": base64.b64encode(b"\x00\xff").decode()}
    typed(monkeypatch, "schön".encode())
    assert run("run", "text-classification", "-") == 0
    assert asked.payload == {"inputs": "schön"}
    typed(monkeypatch, b"@no/such/file")
    assert run("run", "feature-extraction", "-", "--model", "x") == 0
    assert asked.payload == {"inputs": "@no/such/file"}
    typed(monkeypatch, b'{"question": "q", "context": "c"}')
    assert run("run", "question-answering", "-", "--model", "x") == 0
    assert asked.payload == {"inputs": {"question": "q", "context": "c"}}
    capsys.readouterr()
    typed(monkeypatch, b"\xff")
    assert run("run", "text-classification", "-") == 2
    assert "standard input is not UTF-8" in capsys.readouterr().err


def test_json_and_files(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "messages.json").write_text('[{"role": "user", "content": "hello"}]')
    assert run("run", "chat-completion", f"@{tmp_path}/messages.json", "--model", "x", "--tool-choice", "auto") == 0
    assert asked.payload == {"messages": [{"role": "user", "content": "hello"}], "tool_choice": "auto"}
    assert run("run", "feature-extraction", '["a", "b"]', "--model", "x") == 0
    assert asked.payload == {"inputs": ["a", "b"]}
    (tmp_path / "page=1.png").write_bytes(b"page")
    arguments = ["run", "document-question-answering", '{"question": "who?"}', "--model", "x"]
    assert run(*arguments, "--file", f"image={tmp_path}/page=1.png") == 0
    assert asked.payload == {"inputs": {"question": "who?", "image": base64.b64encode(b"page").decode()}}


def test_an_optional_input_may_be_missing(asked: Asked) -> None:
    assert run("run", "image-text-to-image", "--model", "x", "--prompt", "a boat") == 0
    assert asked.payload == {"parameters": {"prompt": "a boat"}}
    assert run("run", "image-text-to-image", "--model", "x", "--prompt", "a boat", __file__, "--seed", "1") == 0
    assert asked.payload["inputs"] == base64.b64encode(Path(__file__).read_bytes()).decode()
    assert run("run", "image-classification") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["question-answering", "{"], "INPUT '{': must be JSON, or @FILE with JSON: "),
        (["question-answering", '{"a": 1, "a": 2}'], "duplicate key"),
        (["question-answering", "@/no/such/file"], "/no/such/file: No such file"),
        (["question-answering", "@" + "x" * 5000], "File name too long"),
        (["image-classification", "/no\x1b"], r"/no\x1b: No such file"),
        (["image-classification", "a\0b"], "embedded null byte"),
        (["chat-completion", "[]", "--logit-bias", "{"], "argument --logit-bias: must be JSON, not '{': "),
        (["chat-completion", "[]", "--tools", "@/no/such"], "argument --tools: cannot read '/no/such'"),
        (["chat-completion", "[]", "--stream"], "--stream: a model that runs here answers whole; name a server"),
        (["chat-completion", "[]", "[]", "--url", "http://127.0.0.1:9", "--stream"], "--stream: takes one INPUT"),
        (["text-classification", "-", "x", "-"], "standard input can be read once"),
        (["text-classification", "x", "y", "--concurrency", "2"], "only of use with a server (--url)"),
        (
            ["text-classification", "x", "--url", "http://127.0.0.1:9", "--concurrency", "0"],
            "an integer from 1 to 9999",
        ),
        (["visual-question-answering"], "INPUT is required"),
        (["visual-question-answering", "{}", "--file", "picture=x"], "must be image=PATH"),
        (["visual-question-answering", "{}", "--file", "image=/no/such"], "/no/such: No such file"),
        (["visual-question-answering", "[]", "--file", f"image={__file__}"], "INPUT must be a JSON object"),
        (["text-to-image", "a boat", "--save", "/no/such/dir/boat.png"], "there is no such directory"),
        (["text-classification", "x", "--save", "boat.png"], "unrecognized arguments"),
        (["text-classification", "x", "--token-env", "PATH"], "only of use with a server (--url)"),
        (["text-classification", "x", "--url", "localhost"], "not an http:// or https:// URL"),
        (["text-classification", "x", "--url", "http://localhost", "--token-env", "NO_SUCH"], "NO_SUCH is not set"),
        (["translation", "x", "--model", "/no/such"], "/no/such: no such directory"),
    ],
)
def test_wrong_commands(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", *arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["question-answering", "[]"], "inputs: input should be a valid dictionary"),
        (["question-answering", '{"question": "q"}'], "inputs.context: is required"),
        (
            ["zero-shot-classification", "x", "--candidate-labels", "[]"],
            "parameters.candidate_labels: list should have",
        ),
        (["translation", "\udcff"], "inputs: "),
    ],
)
def test_bad_requests_are_exit_code_1(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--model", "/no/such"], ["--url", "http://127.0.0.1:9"]):
        assert run("run", *arguments, *more) == 1
        error = capsys.readouterr().err
        assert message in error or "cannot be written as JSON" in error
        assert error.count("\n") == 1


# -------------------------------------------------------------------------------------------------------- the answer


def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)


def test_a_terminal_gets_tables(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.answer = [{"label": "Katze", "score": 0.98765}, {"label": "猫\x1b[2J", "score": 1}]
    arguments = ["run", "text-classification", "x"]
    assert run(*arguments) == 0
    assert json.loads(capsys.readouterr().out) == asked.answer
    terminal(monkeypatch)
    assert run(*arguments) == 0
    assert capsys.readouterr().out.splitlines() == [
        "label       score",
        "Katze      0.9877",
        r"猫\x1b[2J       1",
    ]
    assert run(*arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out) == asked.answer


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ([], ["[]"]),
        ({}, ["{}"]),
        (["a", "b"], ["a", "b"]),
        ([0.5, 1], ["0.5000", "1"]),
        ([0.25] * 100, ["[" + "0.2500, " * 8 + "… 92 more]"]),
        ("text", ["text"]),
        (None, ["null"]),
        (
            {"text": "x" * 100, "n": 1.0, "chunks": [{"text": "a", "at": [0.0, 1.5]}, {"text": "b", "end": True}]},
            [
                "text:    " + "x" * 100,
                "n:       1.0000",
                "chunks:",
                "  text  at                end",
                "  a     [0.0000, 1.5000]",
                "  b                       true",
            ],
        ),
        ([{"a": {"b": ["c" * 100]}}], ["a", '{"b": ["' + "c" * 51 + "…"]),
    ],
)
def test_answers_for_people(value: Any, lines: list[str]) -> None:
    assert output.shown(value).splitlines() == lines


def test_media_are_shown_and_saved(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sound = base64.b64encode(b"x" * 12_345).decode()
    target = tmp_path / "sound.wav"
    asked.answer = {"audio": sound, "sampling_rate": 16000}
    assert run("run", "text-to-speech", "hi", "--model", "x", "--save", str(target)) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == asked.answer
    assert printed.err == f"{target}: audio, 12.3 kB\n"
    assert target.read_bytes() == b"x" * 12_345
    terminal(monkeypatch)
    parts = [{"label": "voice", "blob": sound, "content-type": "audio/wav"}] * 2
    asked.answer = [dict(part) for part in parts]
    assert run("run", "audio-to-audio", __file__, "--model", "x", "--save", str(target)) == 0
    assert "<audio, 12.3 kB>" in capsys.readouterr().out
    assert (tmp_path / "sound-2.wav").read_bytes() == (tmp_path / "sound-1.wav").read_bytes() == b"x" * 12_345
    asked.answer = {"audio": "http://example.com/sound.wav", "sampling_rate": 16000}
    assert run("run", "text-to-speech", "hi", "--model", "x", "--save", str(target)) == 2
    printed = capsys.readouterr()
    assert "<audio>" in printed.out
    assert "is not base64" in printed.err


def test_a_narrow_encoding_breaks_nothing(monkeypatch: pytest.MonkeyPatch, asked: Asked) -> None:
    asked.answer = [{"label": "schön…", "score": 1.0}]
    for more in ([], ["--help"]):
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", out)
        assert run("run", "text-classification", "x", *more) == 0
        out.flush()
        shown = out.buffer.getvalue()
        assert b"usage" in shown if more else json.loads(shown) == asked.answer


# --------------------------------------------------------------------------------------------------------- a server


def test_a_server_is_asked(
    serve: Serve, echo: Echo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "s3cret")
    live = serve(echo, token="s3cret")
    arguments = ["run", "text-classification", "hello", "--url", live.url, "--token-env", "SOME_TOKEN"]
    assert run(*arguments, "--top-k", "3") == 0
    assert json.loads(capsys.readouterr().out) == [{"label": "hello", "score": 3.0}]
    assert run(*arguments[:-2]) == 1
    assert "a valid token is required" in capsys.readouterr().err
    assert run(*arguments, "--model", "other") == 1
    assert "no such model" in capsys.readouterr().err


def test_media_are_sent(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from inference_tasks.server import VisualQuestionAnsweringHandler

    class Looks(VisualQuestionAnsweringHandler):
        def __call__(self, inputs: Any, parameters: Any) -> Any:
            if base64.b64decode(inputs.image) != picture():
                raise RequestProblem("is another one", field="inputs.image")
            return [{"answer": inputs.question, "score": 1.0}]

    live = serve(Looks())
    (tmp_path / "red.png").write_bytes(picture())
    arguments = ["run", "visual-question-answering", "--url", live.url]
    assert run(*arguments, '{"question": "red?"}', "--file", f"image={tmp_path}/red.png") == 0
    assert json.loads(capsys.readouterr().out) == [{"answer": "red?", "score": 1.0}]
    text = json.dumps({"question": "red?", "image": base64.b64encode(picture()).decode()})
    assert run(*arguments, text) == 0
    assert run(*arguments, '{"question": "red?", "image": "/etc/hostname"}') == 2
    assert "image is not valid base64" in capsys.readouterr().err


def test_a_server_may_be_asked_in_a_dialect(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            body = b'[{"summary_text": "short"}]'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        code = run("run", "summarization", "long", "--dialect", "huggingface", "--url", url, "--model", "a/b")
    finally:
        server.shutdown()
        server.server_close()
    assert (code, json.loads(capsys.readouterr().out)) == (0, {"summary_text": "short"})
    assert asked == [("/models/a/b", b'{"inputs":"long"}')]
    assert run("run", "summarization", "long", "--dialect", "huggingface") == 1
    assert "model: Hugging Face has many; say which" in capsys.readouterr().err
    assert run("run", "summarization", "long", "--dialect", "klingon") == 2
    assert "huggingface" in capsys.readouterr().err
