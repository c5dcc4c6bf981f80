"""The routes of the pages over HTTP: what they send, how it is labelled, and what they do not give away."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from inference_tasks._tasks import TASKS
from inference_tasks.server import Settings, create_app
from tests.docs.example_server import handler
from tests.support.server import TOKEN

from .conftest import MANIFEST, PACKAGE, PAGES

SAMPLES = sorted(path for path in (PACKAGE / "_samples").rglob("*") if path.is_file())
ASSETS = sorted(PAGES.glob("playground/*.*")) + sorted(PAGES.glob("swagger/*"))
TYPES = {
    "": "application/octet-stream",
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
}
ROUTES = ("/", "/docs", "/playground", "/playground/manifest.json", "/samples/image-classification/three.png")


@pytest.fixture(scope="module")
def client(server_url: str) -> Any:
    with httpx.Client(base_url=server_url, trust_env=False, timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/docs", "/playground"])
def test_a_page_may_load_only_what_is_its_own(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script>|<style|style=|\son\w+=|//", answer.text), "nothing inline, nothing from elsewhere"
    for name in re.findall(r'(?:src|href)="([^"#]+)"', answer.text):
        assert client.get(f"/{name}").status_code == 200, name


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
def test_each_part_of_a_page_comes_as_what_it_is(client: httpx.Client, path: Path) -> None:
    route = "docs" if path.parent.name == "swagger" else "playground"
    answer = client.get(f"/{route}/assets/{path.name}")
    assert answer.content == path.read_bytes()
    assert answer.headers["content-type"].split(";")[0] == TYPES[path.suffix]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = client.get(f"/{route}/assets/{path.name}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = client.head(f"/{route}/assets/{path.name}")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_each_sample_comes_byte_for_byte(client: httpx.Client, path: Path) -> None:
    answer = client.get(f"/samples/{path.parent.name}/{path.name}")
    assert answer.content == path.read_bytes()
    media = {".png": "image/png", ".flac": "audio/flac", ".wav": "audio/wav", ".mp4": "video/mp4"}
    types = media | {".txt": "text/plain; charset=utf-8"}
    assert answer.headers["content-type"] == types[path.suffix]
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("prefix", ["/samples/", "/docs/assets/", "/playground/assets/"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../openapi.json",
        "..%2fopenapi.json",
        "%2e%2e/%2e%2e/openapi.json",
        "image-classification",
        "image-classification/",
        "image-classification/../../openapi.json",
        "image-classification/nothing.png",
        "..%5c..%5copenapi.json",
        "/etc/passwd",
        "%00",
        "../__init__.py",
        "../../routes.py",
    ],
)
def test_nothing_else_can_be_reached(server_url: str, prefix: str, path: str) -> None:
    # Not httpx, which tidies paths up.
    connection = HTTPConnection(urlsplit(server_url).netloc, timeout=30)
    connection.request("GET", prefix + path)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (404, {"error": "no such page"})
    connection.close()


def test_pages_are_read_only(client: httpx.Client) -> None:
    for path in ROUTES:
        assert client.post(path).status_code == 405, path


def test_the_root_leads_to_the_playground(client: httpx.Client) -> None:
    for method in ("GET", "HEAD"):
        answer = client.request(method, "/")
        # Relative: a proxy may have taken a prefix off that nobody told the server of.
        assert (answer.status_code, answer.headers["location"]) == (307, "playground")


def test_the_manifest_says_what_this_server_serves_and_no_secret(client: httpx.Client) -> None:
    answer = client.get("/playground/manifest.json")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    server = told.pop("server")
    assert told == MANIFEST
    assert server["served"].keys() == TASKS.keys()
    assert server["token"] is True
    assert TOKEN not in answer.text
    again = client.get("/playground/manifest.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_sample_of_the_manifest_is_there(client: httpx.Client) -> None:
    paths = [sample["path"] for task in MANIFEST["tasks"] for call in task["examples"] for sample in call["samples"]]
    assert paths
    for path in paths:
        assert client.head(f"/samples/{path}").status_code == 200, path


@pytest.mark.anyio
async def test_an_operator_can_turn_them_off() -> None:
    app = create_app([handler(TASKS["text-classification"])], settings=Settings(pages=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        for path in ROUTES:
            # 405 at the root: this server has one model, which is asked there.
            assert (await client.get(path)).status_code == (404 if path != "/" else 405), path
        assert (await client.get("/openapi.json")).status_code == 200


@pytest.mark.anyio
async def test_below_a_prefix_the_root_leads_to_the_playground_there() -> None:
    app = create_app([handler(TASKS["text-classification"])])
    transport = httpx.ASGITransport(app, root_path="/models")
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/models/")
        assert (answer.status_code, answer.headers["location"]) == (307, "/models/playground")


def test_swagger_ui_is_as_its_authors_publish_it(root: Path) -> None:
    own = {"index.html", "start.js"}
    vendored = root / "templates" / "runtime" / "server" / "pages" / "swagger"
    lines = (Path(__file__).parent / "swagger.sha256").read_text().splitlines()
    sums = {name: digest for digest, name in map(str.split, lines)}
    assert {path.name for path in vendored.iterdir()} == own | sums.keys()
    for name, digest in sums.items():
        assert sha256((vendored / name).read_bytes()).hexdigest() == digest, name


def test_the_manifest_holds_each_request_schema_whole() -> None:
    for task in MANIFEST["tasks"]:
        names = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(task["schema"])))
        assert names == task["schema"]["$defs"].keys(), task["id"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
