"""The pages for readers who come from elsewhere: their programs run, and what they say of other clients is true."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

import inference_tasks
from inference_tasks import models
from inference_tasks._runtime.clarifai.codes import Code, http_status
from inference_tasks._runtime.server.clarifai import options
from inference_tasks._runtime.server.clarifai.inputs import MAX_INPUTS, MEDIA
from inference_tasks._runtime.server.settings import MEGABYTE
from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import Report
from taskbind.jsonpath import written
from taskbind.pipeline import read_api
from taskbind.plan import plan
from taskbind.view.migrating.clarifai import OPTIONS, STATUSES as STATUSES_THERE, ClarifaiView, clarifai_view
from taskbind.view.migrating.hub_client import ERRORS, METHODS, SETTINGS
from taskbind.view.migrating.huggingface import HuggingFaceView, huggingface_view
from tests.support.project import closed, echo_task, write_specs
from tests.support.server import DEMO_SERVER, TOKEN, environment, recording_proxy, running_server

from .checker import BASE_URL
from .pages import DOCS, ROOT, links, tables_under, tokens
from .predicted import DIALECT

hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

HUGGINGFACE = DOCS / "migrating-huggingface.md"
CLARIFAI = DOCS / "migrating-clarifai.md"
GRPC_PORT = 18080
NODE = ROOT / ".nox" / "js"
SECONDS = 90


def programs(page: Path) -> dict[str, str]:
    """The programs of a page by the names in the comments before them."""
    found = {}
    for comment, block in pairwise(tokens(page)):
        name = (
            re.fullmatch(r"<!-- program: (\S+) -->", comment.content.strip()) if comment.type == "html_block" else None
        )
        if name:
            assert block.type == "fence"
            found[name[1]] = block.content
    return found


def run(code: str, name: str, url: str, directory: Path) -> str:
    """What a program prints, as printed on its page but for the base URL."""
    assert BASE_URL in code
    code = code.replace(BASE_URL, url)
    command = {".py": [sys.executable, "-c", code], ".sh": ["bash", "-ec", code]}.get(Path(name).suffix)
    if command is None:
        command, directory = ["node", "--input-type=module", "--eval", code], NODE
    done = subprocess.run(
        command, cwd=directory, env=environment(), capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


# -------------------------------------------------------------------------------------------------------- Hugging Face


@pytest.mark.parametrize("name", programs(HUGGINGFACE))
def test_programs_for_users_of_hugging_face_run(name: str, server_url: str, tmp_path: Path) -> None:
    if name.endswith(".mjs") and not (NODE / "node_modules").exists():
        pytest.skip("@huggingface/inference is not installed: run nox -s javascript")
    printed = run(programs(HUGGINGFACE)[name], name, server_url, tmp_path)
    answer = json.loads((DOCS.parent.parent / RECORDED).read_text(encoding="utf-8"))
    for element in answer:
        assert element["label"] in printed
        assert f"{element['score']:.4f}"[:5] in printed


RECORDED = "specs/text-classification/examples/review.response.json"


def test_every_way_is_shown() -> None:
    assert list(programs(HUGGINGFACE)) == [
        "huggingface-hub.py",
        "huggingface-inference.mjs",
        "huggingface.curl.sh",
        "client.py",
    ]
    assert list(programs(CLARIFAI)) == ["clarifai-json.py", "clarifai-grpc.py", "many.py"]
    for page in (HUGGINGFACE, CLARIFAI):
        fences = [token for token in tokens(page) if token.type == "fence"]
        assert len(fences) == len(programs(page)), "a block that no test runs"


def test_the_table_has_all_methods_of_the_installed_client() -> None:
    own = {"chat", "close", "get_endpoint_info", "health_check"}
    found = dict(inspect.getmembers(hub.InferenceClient, inspect.isfunction))
    assert METHODS.keys() == {name for name in found if not name.startswith("_")} - own
    for name, known in METHODS.items():
        signature = inspect.signature(found[name])
        passed = [p for p in signature.parameters.values() if p.name not in ("self", "model", "extra_body", "kwargs")]
        inputs = [p.name for p in passed if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert inputs == known.inputs.split()
        assert sorted(known.names) == sorted(p.name for p in passed)
        returned = str(signature.return_annotation)
        for word in re.findall(r"\w+$|\w+(?=\])", known.answer.replace("numpy", "np").replace("PIL.Image.", "")):
            assert word in returned, f"{name}: {word} in {returned}"


def test_answers_of_the_same_class_have_the_same_members() -> None:
    """What the page shows as one and the same class is read in the same way there and here."""
    types = hub.inference._generated.types
    compared = 0
    for name in {name for method in METHODS.values() for name in re.findall(r"\w+Output\w*", method.answer)}:
        there = {field.replace("_", "-") for field in getattr(types, name).__dataclass_fields__}
        model = getattr(models, name)
        here = {field.replace("_", "-") for field in model.model_fields}
        assert here <= there, name
        compared += len(here)
    assert compared > 50


def test_the_settings_and_errors_are_those_of_the_installed_client() -> None:
    parameters = [*inspect.signature(hub.InferenceClient).parameters]
    assert sorted(row.there for row in SETTINGS) == sorted(parameters)
    names = {name for row in SETTINGS for name in re.findall(r"`(\w+)`", row.here)}
    assert names <= {*inspect.signature(inference_tasks.Client).parameters}
    for row in ERRORS:
        assert issubclass(getattr(hub.errors, row.there), Exception)
        for name in re.findall(r"`(\w+)`", row.here):
            assert issubclass(getattr(inference_tasks, name), inference_tasks.InferenceError)


def test_its_answers_are_dictionaries_and_ours_can_be_made_ones(server_url: str) -> None:
    client = hub.InferenceClient(f"{server_url}/huggingface/tasks/text-classification", token=TOKEN)
    there = client.text_classification("good")
    assert there[0]["label"] == there[0].label
    with inference_tasks.Client(server_url, token=TOKEN) as ours:
        assert ours.text_classification("good")[0].model_dump() == dict(there[0])


# ------------------------------------------------------------------------------------------------------------ Clarifai


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def concepts_of(printed: str) -> dict[str, float]:
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in printed.splitlines())}


@pytest.fixture(scope="module")
def recorded_concepts() -> dict[str, float]:
    answer = json.loads((DOCS.parent.parent / RECORDED).read_text(encoding="utf-8"))
    return {element["label"]: pytest.approx(element["score"], abs=1e-3) for element in answer}


def test_clarifais_own_client_runs_as_printed(
    server_url: str, tmp_path: Path, recorded_concepts: dict[str, float]
) -> None:
    printed = run(programs(CLARIFAI)["clarifai-json.py"], "clarifai-json.py", server_url, tmp_path)
    assert concepts_of(printed) == recorded_concepts


def test_it_runs_over_grpc(tmp_path: Path, recorded_concepts: dict[str, float]) -> None:
    code, port = programs(CLARIFAI)["clarifai-grpc.py"], free_port()
    assert f'"localhost", {GRPC_PORT}' in code
    with running_server((*DEMO_SERVER, "--grpc-port", f"{port}")):
        code = code.replace(f'"localhost", {GRPC_PORT}', f'"127.0.0.1", {port}')
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert concepts_of(done.stdout) == recorded_concepts
    assert f"serve --grpc-port {GRPC_PORT}" in CLARIFAI.read_text(encoding="utf-8")


def test_its_error_is_told(server_url: str, tmp_path: Path) -> None:
    code = programs(CLARIFAI)["clarifai-json.py"].replace("os.environ['INFERENCE_TASKS_TOKEN']", "'wrong'")
    assert "'wrong'" in code
    with pytest.raises(AssertionError, match="The request has no key that is known"):
        run(code, "clarifai-json.py", server_url, tmp_path)


def test_many_inputs_are_one_call(server_url: str, tmp_path: Path) -> None:
    code = programs(CLARIFAI)["many.py"]
    given = re.findall(r'^    "(.*)",$', code, re.MULTILINE)
    assert len(given) > 1
    for sample in DOCS.glob("samples/*/*"):
        if sample.name in given:
            shutil.copy(sample, tmp_path)
    with recording_proxy(server_url) as proxy:
        channel = proxy.channel()
        lines = run(code, "many.py", channel.url, tmp_path).splitlines()
    assert [line.split(" ")[0] for line in lines] == given
    assert not any("failed:" in line for line in lines), lines
    (sent,) = channel.sent
    assert len(json.loads(sent.body)["inputs"]) == len(given)


def test_a_failed_input_is_an_error_in_its_place(server_url: str, tmp_path: Path) -> None:
    lines = run(programs(CLARIFAI)["many.py"], "many.py", server_url, tmp_path).splitlines()
    assert lines
    assert all(" failed: " in line for line in lines), "none of the files is there"


TEXT = {"data": {"text": {"raw": "good"}}}
IMAGE = "image-classification"


def image(**medium: str) -> dict[str, Any]:
    return {"inputs": [{"data": {"image": medium}}]}


def params(**options: Any) -> dict[str, Any]:
    return {"inputs": [TEXT], "model": {"model_version": {"output_info": {"params": options}}}}


# A model, what is asked of it, and whether the code is that of the output.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "10000": ("text-classification", {"json": {"inputs": [TEXT]}}),
    "10010": ("text-classification", {"json": {"inputs": [TEXT, {}]}}),
    "10020": ("text-classification", {"json": {"inputs": [{}]}}),
    "11008": ("text-classification", {"json": {"inputs": [TEXT]}, "headers": {"authorization": f"Bearer {TOKEN}"}}),
    "11009": ("text-classification", {"json": {"inputs": [TEXT]}, "headers": {"authorization": "Key no"}}),
    "11100": ("text-classification", {"content": b"{"}),
    "11101": ("text-classification/nothing", {"json": {}}),
    "11102": ("text-classification", {"content": b"x", "headers": {"content-encoding": "gzip"}}),
    "21200": ("nobodys", {"json": {"inputs": [TEXT]}}),
    "21202": ("text-classification", {"json": params(top_p=1)}),
    "30002": (IMAGE, {"json": image(url="http://127.0.0.1:1/x.png")}),
    "30101": (IMAGE, {"json": {"inputs": [TEXT]}}),
    "30104": ("text-classification", {"json": {"inputs": [{}]}}),
    "30105": (IMAGE, {"json": {"inputs": [{"data": {"video": {"base64": "A" * 16_000_000}}}]}}),
    "30106": (IMAGE, {"json": image(url="ftp://x")}),
    "30300": (IMAGE, {"json": image(base64="AAAA")}),
    "40001": ("text-classification", {"json": {"inputs": []}}),
    "40033": (IMAGE, {"json": image(base64="A" * 21_000_000)}),
}


@pytest.mark.parametrize("code", CALLS)
def test_codes_are_those_of_the_server(code: str, server_url: str) -> None:
    model, request = CALLS[code]
    headers = {"authorization": f"Key {TOKEN}"} | request.get("headers", {})
    url = f"{server_url}/v2/models/{model}/outputs"
    answer = httpx.post(url, **(request | {"headers": headers}), timeout=60, trust_env=False)
    body = answer.json()
    codes = {body["status"]["code"], *(output["status"]["code"] for output in body.get("outputs", ()))}
    assert codes & {int(code), TWINS.get(int(code))}, answer.text[-2000:]
    listed = {number: int(http) for numbers, http, _ in STATUSES_THERE for number in numbers.split(", ")}
    assert answer.status_code == listed[f"{body['status']['code']}"]


TWINS = {30105: 31105}
"""Of a video, which alone may be larger than the published limit within the limit of a body."""


def test_the_codes_are_those_of_the_runtime() -> None:
    listed = {int(number): http for numbers, http, _ in STATUSES_THERE for number in numbers.split(", ")}
    assert {number: http_status(number) for number in listed} == listed
    server = ROOT / "templates" / "runtime" / "server" / "clarifai"
    text = "".join(path.read_text(encoding="utf-8") for path in server.glob("*.py"))
    used = {Code[name] for name in re.findall(r"Code\.([A-Z_]+)\b", text)}
    assert used - {Code.MODEL_TRAINED} == listed.keys()
    assert set(CALLS) <= {f"{number}" for number in listed}


def test_its_options_and_limits_are_those_of_the_runtime() -> None:
    listed = {name: values for name, values, _ in OPTIONS}
    assert tuple(listed) == tuple(options.READ)
    assert listed["max_concepts"] == f"1 to {options.MAX_CONCEPTS}; {options.DEFAULT_CONCEPTS}"
    milliseconds = f"{options.MIN_SAMPLE_MS} to {options.MAX_SAMPLE_MS}; {options.DEFAULT_SAMPLE_MS}"
    assert listed["sample_ms"] == milliseconds
    (table,) = tables_under(CLARIFAI, "Limits")
    there = [row[0] for row in table.rows]
    assert there[0] == f"1 to {MAX_INPUTS} inputs in a call"
    sizes = {medium: (one.most // MEGABYTE, one.most_fetched // MEGABYTE) for medium, one in MEDIA.items()}
    assert sizes == {"image": (20, 20), "audio": (20, 20), "text": (20, 20), "video": (10, 100)}
    assert there[1] == "20 MB for an image, a recording or a text; 10 MB for a video, or 100 MB by URL"


def test_every_place_of_the_wires_is_on_the_page() -> None:
    text = CLARIFAI.read_text(encoding="utf-8")
    for wire in DIALECT.wires.values():
        for _, there in [pair for form in (*wire.requests, *wire.answers) for pair in form]:
            if there[0] != "params":
                name = re.sub(r"^(data\.)?", "", "".join(step_text(step) for step in there).lstrip("."))
                assert f"`{name}`" in text
        assert all(f"`{member}`" in text for member in wire.missing)


def step_text(step: Any) -> str:
    return f".{step}" if isinstance(step, str) else f"[{step}]" if isinstance(step, int) else "[]"


# ------------------------------------------------------------------------------------------------- anybody's own specs


def view_of(config: Config) -> tuple[HuggingFaceView | None, ClarifaiView | None]:
    api = read_api(config, Report())
    names, context = plan(api, config), Context(config)
    return huggingface_view(api, names, context), clarifai_view(api, names, context)


def test_paragraphs_do_not_run_together() -> None:
    """Each is one line in the templates: two lines beside each other are one paragraph to readers."""
    for page in (HUGGINGFACE, CLARIFAI):
        paragraphs = [token for one, token in pairwise(tokens(page)) if one.type == "paragraph_open"]
        assert not [token.content for token in paragraphs if "\n" in token.content]


def test_every_task_of_ours_is_on_both_pages() -> None:
    tasks = {path.parent.name for path in (ROOT / "specs").glob("*/task.toml")}
    for page in (HUGGINGFACE, CLARIFAI):
        linked = {link.removesuffix(".md") for link in links(page)}
        assert tasks <= linked


CLARIFAIS = """
[clarifais]
title = "Clarifai's"
summary = "S."
protocol = "clarifai"
auth = "Key"
closed = true
named_only = true
"""


def test_a_task_of_ones_own(tmp_path: Path) -> None:
    """The page names what the wires name; a client of Hugging Face cannot call the server."""
    wire = """
[[clarifais.requests]]
"$.inputs" = "$.data.text.raw"
[[clarifais.answers]]
"$.text" = "$.text.raw"
"""
    files = echo_task() | {"echo/wire.toml": wire, "dialects.toml": CLARIFAIS}
    write_specs(tmp_path / "specs", files)
    huggingface, clarifai = view_of(Config(tmp_path / "specs", tmp_path / "out"))
    assert huggingface is None
    assert clarifai is not None
    assert (clarifai.title, clarifai.method) == ("Clarifai's", "Client.clarifais")
    assert [(row.there, row.here) for row in clarifai.inputs] == [("`text.raw`", "`inputs`")]
    assert [(row.there, row.here) for row in clarifai.outputs] == [("`text.raw`", "`text`")]
    assert (clarifai.call, clarifai.batch, clarifai.renamed, clarifai.uncalled) == (None, None, (), ())
    assert (clarifai.without, clarifai.streams, clarifai.frames, clarifai.url) == ("", "", False, "")


def test_no_page_where_nobody_speaks_so(tmp_path: Path) -> None:
    number = closed({"inputs": {"type": "number"}}, "inputs")
    dialect = '[huggingface]\ntitle = "H"\nsummary = "S."\n'
    files = {"double/input.json": number, "double/output.json": number, "dialects.toml": dialect}
    write_specs(tmp_path / "specs", files)
    assert view_of(Config(tmp_path / "specs", tmp_path / "out")) == (None, None)


def test_hostile_names_stay_in_their_cells(tmp_path: Path) -> None:
    hostile = "x|y`z\n## h <script>alert(1)</script> [l](javascript:a) {{ 7*7 }} ```\n| a |"
    given = closed({"inputs": {"type": "string"}, hostile: {"type": "string"}}, "inputs")
    answer = closed({hostile: {"type": "string"}}, hostile)
    place = json.dumps(written((hostile,)))
    toml = f'title = {json.dumps(hostile)}\n[[examples]]\nname = "e"\ntitle = "E"\ninputs = \'a"""; import os\'\n'
    files = {
        "fill-mask/input.json": given,
        "fill-mask/output.json": answer,
        "fill-mask/task.toml": toml,
        "fill-mask/examples/e.written.json": json.dumps({hostile: "a"}),
        "fill-mask/wire.toml": (
            f'[[clarifais.requests]]\n"$.inputs" = "$.data.text.raw"\n{place} = "$.params.x"\n'
            f'[[clarifais.answers]]\n{place} = "$.text.raw"\n'
        ),
        "dialects.toml": f'[huggingface]\ntitle = "H"\nsummary = "S."\n{CLARIFAIS}',
    }
    config = Config(write_specs(tmp_path / "specs", files), tmp_path / "out")
    huggingface, clarifai = view_of(config)
    assert huggingface is not None
    assert clarifai is not None
    (row,) = huggingface.rows
    cells = [row.title, row.there, row.here, row.parameters, row.answer]
    rows = (*clarifai.inputs, *clarifai.outputs, *clarifai.renamed)
    assert len(rows) == 3
    cells += [cell for mapped in rows for cell in (mapped.there, mapped.here, mapped.tasks)]
    for cell in cells:
        assert "\n" not in cell
        assert not re.search(r"(?<!\\)\||<script|\{\{", cell), cell
    assert huggingface.call is not None
    assert eval(huggingface.call.python_input) == 'a"""; import os'
