"""Several tokens, out of a file that changes; and whose answers may be given to whom."""

from __future__ import annotations

import hmac
import os
import socket
from pathlib import Path

import pytest

from inference_tasks._runtime.server import tokens
from inference_tasks._runtime.server.tokens import Tokens
from inference_tasks.server import Settings, create_app

from .live import Echo, Live, Serve


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tokens, "CHECK_SECONDS", 0.0)
    path = tmp_path / "tokens"
    path.write_text("# the team\nfirst\n\n  second  \r\n# third\n")
    return path


def status(live: Live, token: str) -> int:
    return live.text("x", authorization=f"Bearer {token}").status_code


def test_every_token_of_the_file_and_that_of_the_settings_opens(serve: Serve, echo: Echo, file: Path) -> None:
    live = serve(echo, token="own", token_file=file)
    assert [status(live, token) for token in ("first", "second", "own")] == [200, 200, 200]
    refused = ("third", "# third", "#", "first\tsecond", "FIRST", "the team", "firs")
    assert [status(live, token) for token in refused] == [401] * len(refused)


def test_a_changed_file_counts_at_once_and_a_lost_one_changes_nothing(serve: Serve, echo: Echo, file: Path) -> None:
    live = serve(echo, token_file=file)
    assert [status(live, token) for token in ("first", "third")] == [200, 401]
    new = file.with_name("new")
    new.write_text("third\n")
    os.replace(new, file)
    assert [status(live, token) for token in ("first", "third")] == [401, 200]
    file.unlink()
    assert [status(live, token) for token in ("first", "third")] == [401, 200]
    file.write_text("# nobody\n")
    assert [status(live, token) for token in ("first", "third")] == [401, 401]


def test_every_token_is_compared_in_constant_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((len(left), len(right)))
        return left == right

    known = Tokens("own", file)
    monkeypatch.setattr(hmac, "compare_digest", compare)
    for token in (b"own", b"second", b"wrong", b"x" * 10_000):
        compared.clear()
        assert (known.owner(token) is not None) is (token in (b"own", b"second"))
        assert compared == [(32, 32)] * 3


@pytest.mark.parametrize(("text", "message"), [(None, "no such file"), ("# none\n", "holds no token")])
def test_a_file_that_lets_nobody_in_is_refused_at_the_start(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "tokens"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=message):
        create_app([Echo()], settings=Settings(token_file=file))


def test_no_token_is_told_what_another_has_asked(serve: Serve, echo: Echo, file: Path) -> None:
    live = serve(echo, token_file=file)
    asked = [("first", "miss"), ("second", "miss"), ("first", "hit"), ("second", "hit")]
    for token, state in asked:
        assert live.text("x", authorization=f"Bearer {token}").headers["x-cache"] == state
    assert len(echo.batches) == 2


def test_a_refused_request_leaves_its_body_unread(serve: Serve, echo: Echo, file: Path) -> None:
    live = serve(echo, token_file=file, receive_timeout=30)
    with socket.create_connection(("127.0.0.1", live.port), timeout=5) as raw:
        head = "POST /tasks/text-classification HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\n"
        raw.sendall(f"{head}content-length: 1000000\r\n\r\n".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 401")
