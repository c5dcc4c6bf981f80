"""Media by URL: off unless a host is allowed, and nobody gets this machine to connect to where it must not."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from inference_tasks._runtime.server.fetch import Fetcher, public
from inference_tasks._runtime.server.memory import Budget
from inference_tasks._runtime.server.urls import Place, Remote
from inference_tasks._tasks import TASKS
from inference_tasks.models.visual_question_answering import VisualQuestionAnsweringOutputElement
from inference_tasks.models.zero_shot_image_classification import ZeroShotImageClassificationOutputElement
from inference_tasks.server import (
    RequestProblem,
    Settings,
    VisualQuestionAnsweringHandler,
    ZeroShotImageClassificationHandler,
    create_app,
)

from .live import Echo, Live, Serve, Size, b64, blamed, picture, until

CERTIFICATE = Path(__file__).parent.parent / "client" / "localhost.pem"
IMAGE = "/tasks/image-classification"
RED = [{"label": "RGB 6x4 (255, 0, 0)", "score": 0.0}]
HOME = ("localhost", "127.0.0.1", "::1")
METADATA = "http://169.254.169.254/latest/meta-data/"


class Web:
    """A web server on the loopback interface whose pages misbehave; it records the requests that it gets."""

    def __init__(self, *, tls: bool) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.leads: list[str] = []
        """Where ``/moved`` leads, one after the other."""
        self.left = threading.Event()
        web = self

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                try:
                    getattr(web, self.path.strip("/").partition("?")[0], web.picture)(self)
                except OSError:
                    web.left.set()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, page: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"", **headers: str) -> None:
        page.send_response(status)
        for name, value in headers.items():
            page.send_header(name.replace("_", "-"), value)
        page.end_headers()
        page.wfile.write(body)

    def picture(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page, body=picture(), set_cookie="id=1")

    def moved(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page, 302, location=self.leads.pop(0) if self.leads else METADATA)

    def missing(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page, 404, b"internal secret")

    def nothing(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page)

    def compressed(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page, body=b"\x1f\x8b", content_encoding="gzip")

    def claimed(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page, content_length="9" * 18)

    def endless(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page)
        while True:
            page.wfile.write(b"x" * 10_000)

    def slow(self, page: BaseHTTPRequestHandler) -> None:
        self.answer(page, content_length="1000")
        while True:
            page.wfile.write(b"x")
            time.sleep(0.02)


@pytest.fixture(scope="module")
def secure() -> Iterator[Web]:
    web = Web(tls=True)
    yield web
    web.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[Web]:
    web = Web(tls=False)
    yield web
    web.close()


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def ask(live: Live, url: str) -> Any:
    return live.post(IMAGE, json={"inputs": url})


def refusal(settings: Settings, url: str, *addresses: str) -> str:
    """Why a `url`, whose host has `addresses`, is not fetched; the resolver may be asked once only."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return addresses if len(asked) == 1 else ["127.0.0.1"]

    async def get() -> Any:
        payload = {"inputs": url}
        with Budget(10**9).share() as share:
            return await Fetcher(settings, resolve).fill(Remote(payload, (Place(payload, "inputs", "inputs"),)), share)

    with pytest.raises(RequestProblem) as caught:
        asyncio.run(get())
    assert caught.value.status == 422
    assert caught.value.fields[0].field == "inputs"
    assert len(asked) <= 1
    return caught.value.message


# ------------------------------------------------------------------------------------------------ what works


def test_urls_are_refused_by_default_and_say_how_to_allow_them(serve: Serve, secure: Web) -> None:
    before = len(secure.seen)
    answer = ask(serve(Size()), secure.url)
    assert answer.status_code == 422
    assert blamed(answer) == ["inputs"]
    assert "setting fetch" in answer.json()["error"]
    assert len(secure.seen) == before


def test_a_picture_is_fetched_from_an_allowed_host(serve: Serve, secure: Web) -> None:
    live = serve(Size(), fetch=HOME)
    url = secure.url.upper().replace("HTTPS", "httpS") + "/cats/1.png?size=2#top"
    answer = live.post(IMAGE, json={"inputs": url, "parameters": {"top_k": 3}})
    assert answer.json() == [{**RED[0], "score": 3.0}], answer.text
    path, headers = secure.seen[-1]
    assert path == "/cats/1.png?size=2"
    assert headers["host"].lower() == f"localhost:{secure.port}"
    assert headers["accept-encoding"] == "identity"
    assert not {"cookie", "authorization", "x-request-id"} & headers.keys()


def test_nothing_of_the_environment_or_of_earlier_answers_is_sent(
    serve: Serve, secure: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password s3cret")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    live = serve(Size(), fetch=HOME)
    for number in range(2):
        assert ask(live, f"{secure.url}/{number}").json() == RED
    assert not {"cookie", "authorization"} & secure.seen[-1][1].keys()


def test_an_answer_is_kept_by_what_was_fetched_and_not_by_its_url(serve: Serve, secure: Web) -> None:
    live = serve(Size(), fetch=HOME)
    assert ask(live, f"{secure.url}/a").headers["x-cache"] == "miss"
    before = len(secure.seen)
    assert ask(live, f"{secure.url}/a").headers["x-cache"] == "hit"
    assert live.post(IMAGE, content=picture()).headers["x-cache"] == "hit"
    assert len(secure.seen) == before + 1, "what is at the URL may have changed"


class Look(VisualQuestionAnsweringHandler):
    """Answers what it is asked about."""

    def __call__(self, inputs: Any, parameters: Any) -> list[VisualQuestionAnsweringOutputElement]:
        return [VisualQuestionAnsweringOutputElement(answer=str(inputs.image), score=1.0)]


def test_pictures_inside_of_objects_are_fetched(serve: Serve, secure: Web) -> None:
    live = serve(Look(), fetch=HOME)
    question = {"question": f"{secure.url}/question"}
    before = len(secure.seen)
    bodies: list[tuple[str, Any]] = [
        ("", {"inputs": {"image": secure.url, **question}}),
        ("/huggingface", {"image": secure.url, **question}),
        ("/huggingface", {"inputs": secure.url, **question}),
    ]
    for prefix, body in bodies:
        answer = live.post(f"{prefix}/tasks/visual-question-answering", json=body)
        assert answer.json()[0]["answer"] == b64(picture()), answer.text
    assert {path for path, _ in secure.seen[before:]} == {"/"}, "a question is no picture"


class Pick(ZeroShotImageClassificationHandler):
    """Answers with the first label and the width of the picture."""

    def __call__(self, inputs: Any, parameters: Any) -> list[ZeroShotImageClassificationOutputElement]:
        label = parameters.candidate_labels[0]
        return [ZeroShotImageClassificationOutputElement(label=label, score=float(inputs.width))]


def test_pictures_that_a_dialect_wraps_are_fetched_and_labels_are_not(serve: Serve, secure: Web) -> None:
    live = serve(Pick(), fetch=HOME)
    before = len(secure.seen)
    for prefix, inputs in (("", secure.url), ("/huggingface", {"image": secure.url})):
        body = {"inputs": inputs, "parameters": {"candidate_labels": [f"{secure.url}/label"]}}
        answer = live.post(f"{prefix}/tasks/zero-shot-image-classification", json=body)
        assert answer.json() == [{"label": f"{secure.url}/label", "score": 6.0}], answer.text
    assert {path for path, _ in secure.seen[before:]} == {"/"}


def test_texts_that_are_urls_stay_texts(serve: Serve, secure: Web) -> None:
    live = serve(Echo(), fetch=HOME)
    before = len(secure.seen)
    assert live.text(secure.url).json()[0]["label"] == secure.url
    assert len(secure.seen) == before


# ------------------------------------------------------------------------------------------------ where to


def test_only_allowed_hosts(serve: Serve, plain: Web) -> None:
    for allowed in (("example.org",), ("localhost.example",), ("10.0.0.0/8",)):
        assert "not fetch from" in refusal(Settings(fetch=allowed), plain.url, "127.0.0.1")
    answer = ask(serve(Size(), fetch=("example.org",)), plain.url)
    assert "host" in answer.json()["error"]


def test_http_and_ports_are_for_named_hosts(plain: Web, serve: Serve) -> None:
    assert ask(serve(Size(), fetch=HOME), plain.url).json() == RED
    anywhere = Settings(fetch=("*",))
    for url in ("http://example.org/x.png", "https://example.org:8443/x.png", "http://example.org:443/"):
        assert "https:// URL with no port" in refusal(anywhere, url, "8.8.8.8")


PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "2002:808:808::", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_not_connected_to(address: str) -> None:
    assert not public(ipaddress.ip_address(address))
    assert "address" in refusal(Settings(fetch=("*",)), "https://cats.example/1.png", address)
    assert "address" in refusal(Settings(fetch=("cats.example",)), "https://cats.example/1.png", address)
    assert "address" in refusal(Settings(fetch=("*",)), "https://cats.example/1.png", "8.8.8.8", address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::8.8.8.8"])
def test_public_addresses_are(address: str) -> None:
    assert public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]", "localhost", "localhost.", "LOCALHOST", "127.0.0.1.", "[::]", "%31%32%37.0.0.1",
        "①②⑦.0.0.1", "example.org@127.0.0.1", "user:password@localhost", "example.org\\@127.0.0.1", "", " 127.0.0.1",
        "127.0.0.1\t", "[fe80::1%25lo]", "[::1", "a" * 9000, "\0", "..",
    ],
)  # fmt: skip
def test_odd_spellings_of_this_machine_are_refused(serve: Serve, host: str) -> None:
    live = serve(Size(), fetch=("*",))
    answer = ask(live, f"https://{host}/x.png")
    assert answer.status_code == 422, answer.text
    assert blamed(answer) == ["inputs"]
    assert "127.0.0.1" not in answer.text


def test_a_name_is_resolved_once_and_tls_is_for_the_name(secure: Web, plain: Web) -> None:
    settings = Settings(fetch=("cats.example", "127.0.0.1"))
    before = len(secure.seen)
    assert refusal(settings, f"https://cats.example:{secure.port}/", "127.0.0.1") == "could not be fetched"
    assert len(secure.seen) == before, "a certificate for localhost is none for cats.example"
    names = {"cats.example": ["127.0.0.1"]}

    async def resolve(host: str, port: int) -> Sequence[str]:
        return names.pop(host)

    async def get() -> Any:
        payload = {"inputs": f"http://CATS.example.:{plain.port}/"}
        with Budget(10**9).share() as share:
            return await Fetcher(settings, resolve).fill(Remote(payload, (Place(payload, "inputs", "inputs"),)), share)

    assert asyncio.run(get()) == {"inputs": b64(picture())}
    assert plain.seen[-1][1]["host"] == f"cats.example.:{plain.port}"


def test_an_unknown_authority_is_not_believed(
    serve: Serve, secure: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    assert ask(serve(Size(), fetch=HOME), secure.url).status_code == 422


@pytest.mark.parametrize("allowed", ["https://example.org", "example.org/cats", "example.org:443", "", "*.example.org"])
def test_what_is_no_host_is_refused_at_the_start(allowed: str) -> None:
    with pytest.raises(ValueError, match=r"fetch: .* is no host"):
        create_app([Size()], settings=Settings(fetch=(allowed,)))


# ------------------------------------------------------------------------------------------------ what comes back


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("moved", "leads on to another URL, which is at a host"),
        ("missing", "404"),
        ("nothing", "empty"),
        ("compressed", "compressed"),
        ("claimed", "more than 100000 bytes"),
        ("endless", "more than 100000 bytes"),
        ("slow", "within 0.5 seconds"),
    ],
)
def test_answers_that_are_not_taken(serve: Serve, secure: Web, page: str, message: str) -> None:
    live = serve(Size(), fetch=HOME, max_body=100_000, fetch_timeout=0.5)
    answer = ask(live, f"{secure.url}/{page}")
    assert answer.status_code == 422
    assert message in answer.json()["error"]
    assert "secret" not in answer.text
    assert "inference_pending_bytes 0.0" in live.client.get("/metrics").text
    assert live.post(IMAGE, content=picture()).status_code == 200


def test_redirects_are_followed(serve: Serve, secure: Web, plain: Web) -> None:
    live = serve(Size(), fetch=HOME)
    secure.leads = ["/moved?2", f"{plain.url}/elsewhere", "never"]
    assert ask(live, f"{secure.url}/moved").json() == RED
    assert secure.leads == ["never"]
    assert (secure.seen[-1][0], plain.seen[-1][0]) == ("/moved?2", "/elsewhere")
    secure.leads = ["/moved", "/moved", "/picture"]
    assert ask(live, f"{secure.url}/moved").json() == RED
    secure.leads = ["/moved"] * 4
    before = len(secure.seen)
    assert "leads on more than 3 times" in ask(live, f"{secure.url}/moved").json()["error"]
    assert len(secure.seen) == before + 4


@pytest.mark.parametrize(
    ("leads", "message"),
    [
        (METADATA, "is at a host"),
        ("http://127.0.0.2/", "is at a host"),
        ("//example.org/", "is at a host"),
        ("file:///etc/passwd", "is no URL"),
        ("ftp://localhost/", "is no URL"),
        ("https://[::1", "is no URL"),
        ("http://user:password@localhost/", "must not hold"),
        ("/endless", "more than 100000 bytes"),
        ("/missing", "404"),
    ],
)
def test_each_address_on_the_way_is_checked(serve: Serve, secure: Web, leads: str, message: str) -> None:
    live = serve(Size(), fetch=HOME, max_body=100_000)
    secure.leads = [leads]
    answer = ask(live, f"{secure.url}/moved")
    assert answer.status_code == 422
    found = answer.json()["error"]
    assert found.startswith("inputs: leads on to another URL, which ")
    assert message in found
    assert blamed(answer) == ["inputs"]


def test_a_name_on_the_way_may_not_have_an_address_inside(plain: Web) -> None:
    """A public host that leads to one whose name has an address of this machine's network."""
    plain.leads = [f"http://inside.example:{plain.port}/"]

    async def resolve(host: str, port: int) -> Sequence[str]:
        return {"cats.example": ["127.0.0.1"], "inside.example": ["10.0.0.1"]}[host]

    async def get() -> Any:
        payload = {"inputs": f"http://cats.example:{plain.port}/moved"}
        allowed = Settings(fetch=("cats.example", "inside.example", "127.0.0.1"))
        with Budget(10**9).share() as share:
            return await Fetcher(allowed, resolve).fill(Remote(payload, (Place(payload, "inputs", "inputs"),)), share)

    with pytest.raises(RequestProblem, match="leads on to another URL, which is at an address"):
        asyncio.run(get())


def test_what_is_fetched_counts_as_memory(serve: Serve, secure: Web) -> None:
    live = serve(Size(), fetch=HOME, max_pending=50_000)
    assert ask(live, f"{secure.url}/endless").status_code == 429


def test_a_client_that_leaves_ends_the_fetch(serve: Serve, secure: Web) -> None:
    live = serve(Size(), fetch=HOME)
    secure.left.clear()
    body = f'{{"inputs": "{secure.url}/slow"}}'.encode()
    before = len(secure.seen)
    with socket.create_connection(("127.0.0.1", live.port)) as raw:
        raw.sendall(f"POST {IMAGE} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: len(secure.seen) > before)
    assert secure.left.wait(5), "long before its time is over"


def test_tasks_have_no_media_that_could_not_be_fetched() -> None:
    """The places looked at are those that the tasks have: a new kind of media member must be thought of here."""
    found: Callable[[Any], bool] = lambda binding: bool(binding.media or binding.media_members)  # noqa: E731
    members = {name for binding in TASKS.values() if found(binding) for name, _ in binding.media_members}
    assert members == {"image"}
