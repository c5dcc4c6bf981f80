"""The pages for readers who come from elsewhere: their programs run, and what they say of other clients is true."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

import inference_tasks
from inference_tasks import models
from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import Report
from taskbind.pipeline import read_api
from taskbind.plan import plan
from taskbind.view.migrating.clarifai import ClarifaiView, clarifai_view
from taskbind.view.migrating.hub_client import ERRORS, METHODS, SETTINGS
from taskbind.view.migrating.huggingface import HuggingFaceView, huggingface_view
from taskbind.view.service import STATUSES
from tests.support.project import closed, echo_task, write_specs
from tests.support.server import TOKEN, environment

from .checker import BASE_URL
from .pages import DOCS, ROOT, links, tables, tokens

hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

HUGGINGFACE = DOCS / "migrating-huggingface.md"
CLARIFAI = DOCS / "migrating-clarifai.md"
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
    assert list(programs(CLARIFAI)) == ["many.py"]
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


def test_the_program_for_users_of_clarifai_runs(server_url: str, tmp_path: Path) -> None:
    (name, code), *_ = programs(CLARIFAI).items()
    given = re.findall(r'^    "(.*)",$', code, re.MULTILINE)
    for sample in DOCS.glob("samples/*/*"):
        if sample.name in given:
            shutil.copy(sample, tmp_path)
    lines = run(code, name, server_url, tmp_path).splitlines()
    assert [line.split(" ")[0] for line in lines] == given
    assert not any("failed:" in line for line in lines)


def test_a_failed_input_is_an_error_in_its_place(server_url: str, tmp_path: Path) -> None:
    (name, code), *_ = programs(CLARIFAI).items()
    lines = run(code, name, server_url, tmp_path).splitlines()
    assert lines
    assert all(" failed: " in line for line in lines), "none of the files is there"


BODY = {"inputs": "good"}
REQUESTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "10000": ("/tasks/text-classification", {"json": BODY}, 200),
    "11009": ("/tasks/text-classification", {"json": BODY, "headers": {"authorization": "Key 0"}}, 401),
    "11100": ("/tasks/text-classification", {"content": b"{"}, 400),
    "11101": ("/v2/models", {"json": BODY}, 404),
    "21200": ("/models/nobody/has-this", {"json": BODY}, 404),
    "21202": ("/tasks/text-classification", {"json": BODY | {"parameters": {"top_k": 0}}}, 422),
    "30002": ("/tasks/image-classification", {"json": {"inputs": "https://127.0.0.1/x.png"}}, 422),
    "30101": ("/tasks/image-classification", {"content": b"x", "headers": {"content-type": "text/plain"}}, 415),
    "30104": ("/tasks/text-classification", {"json": {}}, 422),
    "30105": ("/tasks/image-classification", {"content": b"\x89PNG" + bytes(20_000_000)}, 413),
}


@pytest.mark.parametrize("code", REQUESTS)
def test_statuses_are_those_of_the_server(code: str, server_url: str) -> None:
    path, request, status = REQUESTS[code]
    headers = {"authorization": f"Bearer {TOKEN}"} | request.get("headers", {})
    answer = httpx.post(f"{server_url}{path}", **(request | {"headers": headers}), trust_env=False)
    assert answer.status_code == status, answer.text
    listed = {number: row[1] for table in tables(CLARIFAI) for row in table.rows for number in row[0].split(", ")}
    assert listed[code] == str(status)


def test_its_statuses_are_on_our_page() -> None:
    view = view_of(Config(ROOT / "specs", ROOT / "generated"))[1]
    assert view is not None
    assert {here for _, here, _ in view.statuses} <= {*(str(status.code) for status in STATUSES), "200", "–"}


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


def test_a_task_of_ones_own(tmp_path: Path) -> None:
    """Text in and text out has a counterpart at Clarifai; a client of Hugging Face cannot call the server."""
    write_specs(tmp_path / "specs", echo_task())
    huggingface, clarifai = view_of(Config(tmp_path / "specs", tmp_path / "out"))
    assert huggingface is None
    assert clarifai is not None
    assert [(row.there, row.here) for row in clarifai.inputs] == [("`text.raw`", "`inputs`")]
    assert [(row.there, row.here) for row in clarifai.outputs] == [("`text.raw`", "`text`")]
    assert (clarifai.batch, clarifai.without, clarifai.streams) == (None, "", "")
    assert {row.tasks for row in clarifai.options} == {"–"}


def test_no_page_where_nothing_has_a_counterpart(tmp_path: Path) -> None:
    number = closed({"inputs": {"type": "number"}}, "inputs")
    dialect = '[huggingface]\ntitle = "H"\nsummary = "S."\n'
    files = {"double/input.json": number, "double/output.json": number, "dialects.toml": dialect}
    write_specs(tmp_path / "specs", files)
    assert view_of(Config(tmp_path / "specs", tmp_path / "out")) == (None, None)


def test_hostile_names_stay_in_their_cells(tmp_path: Path) -> None:
    hostile = "x|y`z\n## h <script>alert(1)</script> [l](javascript:a) {{ 7*7 }} ```\n| a |"
    given = closed({"inputs": {"type": "string"}, hostile: {"type": "string"}}, "inputs")
    answer = closed({hostile: {"type": "string"}}, hostile)
    toml = f'title = {json.dumps(hostile)}\n[[examples]]\nname = "e"\ntitle = "E"\ninputs = \'a"""; import os\'\n'
    files = {
        "fill-mask/input.json": given,
        "fill-mask/output.json": answer,
        "fill-mask/task.toml": toml,
        "fill-mask/examples/e.written.json": json.dumps({hostile: "a"}),
        "dialects.toml": '[huggingface]\ntitle = "H"\nsummary = "S."\n',
    }
    config = Config(write_specs(tmp_path / "specs", files), tmp_path / "out")
    huggingface, clarifai = view_of(config)
    assert huggingface is not None
    assert clarifai is not None
    (row,) = huggingface.rows
    cells = [row.title, row.there, row.here, row.parameters, row.answer]
    cells += [cell for mapped in (*clarifai.inputs, *clarifai.outputs) for cell in (mapped.here, mapped.tasks)]
    for cell in cells:
        assert "\n" not in cell
        assert not re.search(r"(?<!\\)\||<script|\{\{", cell), cell
    assert huggingface.call is not None
    assert eval(huggingface.call.python_input) == 'a"""; import os'
