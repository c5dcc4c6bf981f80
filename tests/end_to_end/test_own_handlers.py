"""Handlers that users write: the worked example as it stands, and coroutines."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytest.importorskip("torch", reason="torch is not installed")

from inference_tasks import Client, UnprocessableEntityError

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_handler.py"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, EXAMPLE, str(port)], stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{address}/ready").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def test_the_worked_example_answers(url: str) -> None:
    with Client(url) as client:
        assert [label.label for label in client.text_classification("a wonderful day")] == ["positive", "negative"]
        assert client.text_classification("an awful, awful day", top_k=1)[0].label == "negative"
        sigmoid = client.text_classification("good", function_to_apply="sigmoid")
        assert [round(label.score, 3) for label in sigmoid] == [0.881, 0.119]
        texts = ["good", "bad", " ", "great day"] * 8
        found = list(client.map(client.text_classification, texts, concurrency=8, keep_errors=True))
        assert [type(one).__name__ for one in found] == ["list", "list", "UnprocessableEntityError", "list"] * 8
        with pytest.raises(UnprocessableEntityError, match=r"parameters\.function_to_apply: is not supported"):
            client.text_classification("good", function_to_apply="none")
        assert client.with_raw_response.text_classification("good", model="few-words").status_code == 200
