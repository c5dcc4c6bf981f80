"""Texts of specs arrive as they are, whatever is in them: programs of hostile examples, run in every language."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from taskbind import ir
from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import TaskbindError
from taskbind.plan import plan
from taskbind.view.languages import LANGUAGES, PREDICT_LANGUAGES
from taskbind.view.predict.programs import predict_programs
from taskbind.view.programs import programs
from tests.support.server import Proxy, recording_proxy

from .programs import Program, need, run

HOSTILE = (
    'It\'s "quoted" and """ thrice, \\ and \\n and \\u202e, `ticks`, é € \U0001f600',
    "%s %% %n $x ${x} {$x} $(exit 3) !! <?php ?> </script> */ //",
    "a\nline\r\n\ttab \x00\x1b\x7f\u0085\u2028\u202e\ufeff \nJSON\n",
    "@here.png",
    " ",
)
PARAMETERS = ir.Object((ir.Field("k%s", ir.Any(), False), ir.Field("mode", ir.Any(), False)), False)
NESTED = {"mode": HOSTILE[0], "k%s": [*HOSTILE, {text: text for text in HOSTILE}, {}, [], {"0": 1}, 1.5, None, True]}
TEXTS = ir.Task(
    "texts",
    "Texts",
    "texts",
    "out",
    examples=(
        *(ir.Example(f"text-{number}", "", inputs=text) for number, text in enumerate(HOSTILE)),
        ir.Example("parameters", "", inputs=HOSTILE[0], parameters=tuple(NESTED.items())),
    ),
)
FILE = "it's %s $x.png"
FILES = ir.Task(
    "files",
    "Files",
    "files",
    "out",
    examples=(
        ir.Example("one", "", inputs={"question%": HOSTILE[0]}, files=(("image", f"files/{FILE}"),)),
        ir.Example("two", "", inputs={"question%": HOSTILE[1]}, files=(("image", f"files/{FILE}"),)),
    ),
)
PNG = b"\x89PNG\r\n\x1a\n rest"
BASE64 = "iVBORw0KGgogcmVzdA=="
API = ir.Api(
    (FILES, TEXTS),
    (
        ir.Definition("f", "F", ir.Object((ir.Field("image", ir.Media("image", "image/*"), True),))),
        ir.Definition("files", "Files", ir.Object((ir.Field("inputs", ir.Ref("f"), True),), False)),
        ir.Definition("out", "Out", ir.Array(ir.Any(), ())),
        ir.Definition("p", "P", PARAMETERS),
        ir.Definition(
            "texts",
            "Texts",
            ir.Object((ir.Field("inputs", ir.Any(), True), ir.Field("parameters", ir.Ref("p"), False)), False),
        ),
    ),
)


@pytest.fixture(scope="module")
def answering() -> Iterator[Proxy]:
    """A proxy before a server whose answer is always the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("access-control-allow-origin", "*")
            self.end_headers()
            self.wfile.write(b"[]")

        def do_OPTIONS(self) -> None:
            self.send_response(204)
            self.send_header("access-control-allow-origin", "*")
            self.send_header("access-control-allow-headers", "authorization")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    with recording_proxy(f"http://127.0.0.1:{server.server_port}") as proxy:
        yield proxy
    server.shutdown()
    server.server_close()
    thread.join()


def expected(program: Program) -> list[object]:
    """The requests that a program must send."""
    if program.task == "texts":
        if program.way == "several":
            return [{"inputs": HOSTILE[0]}, {"inputs": HOSTILE[1]}]
        if program.example == "parameters":
            return [{"inputs": HOSTILE[0], "parameters": NESTED}]
        return [{"inputs": HOSTILE[int(program.example[-1])]}]
    questions = HOSTILE[:2] if program.way == "several" else (HOSTILE[program.example == "two"],)
    image = "{}/samples/files/it%27s%20%25s%20%24x.png" if program.way == "url" else BASE64
    return [{"inputs": {"question%": question, "image": image}} for question in questions]


# Our client has no methods for these tasks.
@pytest.mark.parametrize("language", [language.id for language in LANGUAGES if language.id != "client"])
def test_hostile_texts_arrive(language: str, answering: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(language)
    for folder in ("specs/files", "docs/samples/files", "run"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / FILE).write_bytes(PNG)
    (tmp_path / "run" / FILE).unlink()
    monkeypatch.setattr("tests.docs.programs.DOCS", tmp_path / "docs")
    config = Config(tmp_path / "specs", tmp_path)
    made = programs(API, plan(API, config), Context(config))
    own = [
        Program(p.id, p.task, p.example, p.way, language, p.file, p.needs, p.code)
        for p in made
        if p.language.id == language
    ]
    jobs = [(program, answering.channel()) for program in own]
    assert len(jobs) == 11
    for (program, channel), outcome in zip(jobs, run(language, jobs, tmp_path / "run"), strict=True):
        assert outcome.status == 0, outcome.stderr.decode()
        sent = json.dumps([json.loads(request.body) for request in outcome.sent])
        assert json.loads(sent.replace(channel.url, "{}")) == expected(program), program.file


DIALECT = ir.Dialect("hostile", "H", "S.", protocol="clarifai", auth="Key", closed=True, named_only=True)
PARAMS = ir.Wire(
    "hostile",
    requests=(
        (("$.inputs", "$.data.text.raw"), ("$.parameters", "$.params"), ("$.parameters.mode", "$.params['%s']")),
    ),
)
PICTURE = ir.Wire(
    "hostile",
    requests=((("$.inputs.image", "$.data.image.base64"), ("$.inputs['question%']", "$.data['it\\'s %s $x']")),),
)
LAST = replace(TEXTS, examples=TEXTS.examples[-1:], wires=(PARAMS,))
PREDICTED = replace(API, tasks=(replace(FILES, wires=(PICTURE,)), LAST), dialects=(DIALECT,))
PARAMETER_PARAMS = {("%s" if name == "mode" else name): value for name, value in NESTED.items()}


@pytest.mark.parametrize(("name", "alike"), [("parameters-2", False), ("parameters-hostile-data", True)])
def test_two_programs_are_not_called_alike(name: str, alike: bool, tmp_path: Path) -> None:
    (example,) = LAST.examples
    api = replace(PREDICTED, tasks=(replace(LAST, examples=(example, replace(example, name=name))),))
    config = Config(tmp_path, tmp_path)
    if alike:
        with pytest.raises(TaskbindError, match=r"another program is called texts/parameters-hostile-data\.curl\.sh"):
            predict_programs(api, plan(api, config), Context(config))
    else:
        assert len(predict_programs(api, plan(api, config), Context(config))) == 2 * len(PREDICT_LANGUAGES)


def called(program: Program) -> object:
    """The call that a program must make."""
    by_url = program.way == "predict-url"
    if program.task == "texts":
        text = {"url": "{}/samples/texts/parameters.txt"} if by_url else {"raw": HOSTILE[0]}
        model = {"model_version": {"output_info": {"params": PARAMETER_PARAMS}}}
        return {"inputs": [{"data": {"text": text}}], "model": model}
    image = {"url": "{}/samples/files/it%27s%20%25s%20%24x.png"} if by_url else {"base64": BASE64}
    return {"inputs": [{"data": {"it's %s $x": HOSTILE[0], "image": image}}]}


@pytest.mark.parametrize("language", [language.id for language in PREDICT_LANGUAGES])
def test_hostile_texts_arrive_in_predict_calls(
    language: str, answering: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(language)
    for folder in ("specs/files", "docs/samples/files", "run"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / FILE).write_bytes(PNG)
    (tmp_path / "run" / FILE).unlink()
    monkeypatch.setattr("tests.docs.programs.DOCS", tmp_path / "docs")
    config = Config(tmp_path / "specs", tmp_path)
    made = predict_programs(PREDICTED, plan(PREDICTED, config), Context(config))
    own = [
        Program(p.id, p.task, p.example, p.way, language, p.file, p.needs, p.code)
        for p in made
        if p.language.id == language
    ]
    jobs = [(program, answering.channel()) for program in own]
    assert len(jobs) == 4
    for (program, channel), outcome in zip(jobs, run(language, jobs, tmp_path / "run"), strict=True):
        assert outcome.status == 0, outcome.stderr.decode()
        (sent,) = [sent for sent in outcome.sent if sent.method == "POST"]
        body = json.dumps(json.loads(sent.body))
        assert json.loads(body.replace(channel.url, "{}")) == called(program), program.file
