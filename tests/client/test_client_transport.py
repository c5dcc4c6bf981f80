"""Injected clients, connection handling, concurrency."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import httpx2
import pytest

from inference_tasks import APIConnectionError, APITimeoutError, AsyncClient, Client, ConfigurationError, InputError

from .conftest import CERTIFICATE

KINDS = pytest.mark.parametrize("http", [httpx, httpx2], ids=["httpx", "httpx2"])


def made(http: Any, flavour: Any, **settings: Any) -> Any:
    return (http.AsyncClient if flavour.is_async else http.Client)(**settings)


@KINDS
def test_a_client_of_either_kind_can_be_injected(flavour: Any, server: Any, http: Any) -> None:
    mine = made(http, flavour, headers={"x-mine": "1"}, cookies={"id": "1"}, auth=("user", "pw"))
    flavour.call(server.url, "text_classification", "x", settings={"http_client": mine})
    assert not mine.is_closed
    assert server.last.headers["x-mine"] == "1"
    assert server.last.headers["cookie"] == "id=1"
    assert server.last.headers["authorization"].startswith("Basic ")


@KINDS
def test_our_token_wins_over_an_injected_clients_auth(flavour: Any, server: Any, http: Any) -> None:
    settings = {"http_client": made(http, flavour, auth=("user", "pw")), "token": "tok"}
    flavour.call(server.url, "text_classification", "x", settings=settings)
    assert server.last.headers["authorization"] == "Bearer tok"


@KINDS
def test_a_download_shows_nothing_of_an_injected_client(
    flavour: Any, server: Any, other: Any, answer: Any, http: Any
) -> None:
    other.answer(answer(b"GIF89a"))
    mine = made(http, flavour, headers={"x-key": "1"}, cookies={"id": "1"}, auth=("user", "pw"), follow_redirects=True)
    flavour.call(server.url, "image_classification", other.url, settings={"http_client": mine, "token": "tok"})
    assert not {"x-key", "cookie", "authorization"} & set(other.last.headers)


@KINDS
def test_an_injected_client_that_follows_redirects_does_not(
    flavour: Any, server: Any, other: Any, answer: Any, http: Any
) -> None:
    server.answer(answer(status=307, headers={"location": other.url}))
    mine = made(http, flavour, follow_redirects=True)
    with pytest.raises(Exception, match="another origin"):
        flavour.call(server.url, "text_classification", "x", settings={"http_client": mine, "token": "tok"})
    assert other.seen == []


@KINDS
def test_a_download_does_not_fall_back_to_plain_http(flavour: Any, http: Any) -> None:
    seen = []

    def redirect(request: Any) -> Any:
        seen.append(str(request.url))
        return http.Response(302, headers={"location": "http://example.org/a"})

    settings = {"http_client": made(http, flavour, transport=http.MockTransport(redirect))}
    with pytest.raises(InputError, match="from https:// to http://"):
        flavour.call("http://localhost:1", "image_classification", "https://example.org/a", settings=settings)
    assert seen == ["https://example.org/a"]


@KINDS
@pytest.mark.parametrize(
    ("name", "ours", "tries"),
    [
        ("ConnectError", APIConnectionError, 3),
        ("ConnectTimeout", APITimeoutError, 3),
        ("PoolTimeout", APITimeoutError, 3),
        ("ReadTimeout", APITimeoutError, 1),
        ("WriteTimeout", APITimeoutError, 1),
        ("ReadError", APIConnectionError, 3),
        ("RemoteProtocolError", APIConnectionError, 3),
        ("LocalProtocolError", APIConnectionError, 1),
        ("ProxyError", APIConnectionError, 3),
    ],
)
def test_the_errors_of_both_kinds_become_ours(flavour: Any, http: Any, name: str, ours: type, tries: int) -> None:
    seen = []

    def fail(request: Any) -> Any:
        seen.append(request)
        raise getattr(http, name)("boom", request=request)

    settings = {"http_client": made(http, flavour, transport=http.MockTransport(fail)), "token": "tok"}
    with pytest.raises(ours) as caught:
        flavour.call("http://localhost:1", "text_classification", "x", settings=settings)
    assert type(caught.value) is ours
    assert isinstance(caught.value.__cause__, getattr(http, name))
    assert len(seen) == tries


@KINDS
def test_timeouts(flavour: Any, http: Any) -> None:
    seen = []

    def record(request: Any) -> Any:
        seen.append(request.extensions["timeout"])
        return http.Response(200, json=[])

    def timeouts(own: Any, client: float | None, call: float | None) -> Any:
        more = {} if own is None else {"timeout": own}
        mine = made(http, flavour, transport=http.MockTransport(record), **more)
        settings = {"http_client": mine, "timeout": client}
        flavour.call("http://localhost:1", "text_classification", "x", timeout=call, settings=settings)
        return seen[-1]

    assert timeouts(None, None, None) == {"connect": 5, "read": 60, "write": 60, "pool": 60}
    assert timeouts(None, 300, None) == {"connect": 5, "read": 300, "write": 300, "pool": 300}
    assert timeouts(None, 300, 2) == {"connect": 2, "read": 2, "write": 2, "pool": 2}
    assert timeouts(9, None, None) == {"connect": 9, "read": 9, "write": 9, "pool": 9}
    assert timeouts(9, None, 2) == {"connect": 2, "read": 2, "write": 2, "pool": 2}


def test_a_subclass_of_a_client_will_do(server: Any) -> None:
    class Mine(httpx.Client):
        pass

    with Client(server.url, http_client=Mine()) as client:
        assert client.text_classification("x")[0].label == "cat"


def test_anything_else_is_refused(flavour: Any) -> None:
    wrong = httpx.Client() if flavour.is_async else httpx.AsyncClient()
    for client in (wrong, object(), "httpx"):
        with pytest.raises(ConfigurationError, match="http_client must be"):
            flavour.client("http://localhost:1", http_client=client)


def test_one_client_serves_many_threads(server: Any) -> None:
    with Client(server.url) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.text_classification(str(n)), range(64)))
    assert len(answers) == len({seen.body for seen in server.seen}) == 64


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_async_client_serves_many_tasks(server: Any, backend: str, tmp_path: Any) -> None:
    anyio = pytest.importorskip("anyio")
    if backend == "trio":
        pytest.importorskip("trio")
    (tmp_path / "a").write_bytes(b"GIF89a")

    async def main() -> None:
        async with AsyncClient(server.url) as client, anyio.create_task_group() as group:
            for _ in range(16):
                group.start_soon(client.image_classification, tmp_path / "a")

    anyio.run(main, backend=backend)
    assert [seen.body for seen in server.seen] == [b"GIF89a"] * 16


def test_cookies_of_a_server_are_not_kept(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(headers={"set-cookie": "id=1; Path=/"}))
    client = flavour.client(server.url)

    async def twice() -> None:
        await client.text_classification("x")
        await client.text_classification("x")

    if flavour.is_async:
        asyncio.run(twice())
    else:
        client.text_classification("x")
        client.text_classification("x")
    assert all("cookie" not in seen.headers for seen in server.seen)


def test_a_proxy_of_the_environment_never_sees_loopback(
    flavour: Any, server: Any, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", other.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    flavour.call(server.url, "text_classification", "x", settings={"token": "tok"})
    assert len(server.seen) == 1
    assert other.seen == []


def test_a_proxy_of_the_environment_is_used_for_all_others(
    flavour: Any, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", other.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    flavour.call("http://inference.example", "text_classification", "x")
    assert other.last.path == "http://inference.example/tasks/text-classification"


def test_a_certificate_must_be_known(flavour: Any, https: str) -> None:
    with pytest.raises(APIConnectionError, match="certificate"):
        flavour.call(https, "text_classification", "x", settings={"max_retries": 0})


def test_certificates_of_the_environment_are_known(flavour: Any, https: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert flavour.call(https, "text_classification", "x", settings={"token": "tok"})


@KINDS
def test_certificates_of_an_injected_client_are_known(flavour: Any, https: str, http: Any) -> None:
    mine = made(http, flavour, verify=ssl.create_default_context(cafile=CERTIFICATE))
    assert flavour.call(https, "text_classification", "x", settings={"http_client": mine})


def test_importing_and_making_a_client_loads_nothing_heavy() -> None:
    heavy = ("httpx", "pydantic", "anyio", "PIL", "numpy", "inference_tasks.models")
    code = f"""
import sys
import inference_tasks
assert "inference_tasks._client" not in sys.modules
inference_tasks.Client("http://localhost:1", token="tok")
inference_tasks.AsyncClient("http://localhost:1")
print([name for name in {heavy!r} if name in sys.modules])
assert "Client" in dir(inference_tasks)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_value_that_an_enum_does_not_know_yet_is_kept_unless_strict(server: Any, answer: Any) -> None:
    """The client's half of it: answers are validated in the context that open enums look for."""
    from inference_tasks import ResponseValidationError
    from inference_tasks._runtime.binding import TaskBinding

    binding = TaskBinding("open", __name__, "Anything", "Open", "inputs")
    server.answer(answer("new"))
    with Client(server.url) as tolerant, Client(server.url, strict_responses=True) as strict:
        assert tolerant._call(binding, "x", {}, {}) == "new"
        with pytest.raises(ResponseValidationError):
            strict._call(binding, "x", {}, {})


def __getattr__(name: str) -> Any:
    if name == "Anything":
        return object
    if name != "Open":
        raise AttributeError(name)
    from typing import Annotated, Literal

    from pydantic import ValidationError, ValidationInfo, WrapValidator

    def keep(value: Any, handler: Any, info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError:
            if info.context and info.context.get("open_enums") and isinstance(value, str):
                return value
            raise

    return Annotated[Literal["old"], WrapValidator(keep)]
