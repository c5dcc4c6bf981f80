"""The real `transformers serve`, with tiny models, in a process of its own.

It needs what `pip install transformers[serving] python-multipart` installs beside the packages that are here anyway.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.support.server import START_SECONDS

NEEDED = {"accelerate": "accelerate", "fastapi": "fastapi", "openai": "openai", "python_multipart": "python-multipart"}
MISSING = sorted(name for module, name in NEEDED.items() if find_spec(module) is None)

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
CALL = '{"name": "get_forecast", "arguments": {"city": "Lisbon", "days_ahead": 1}}'

CHAT = "tiny/chat"
"""Recites the alphabet, one letter a token."""
TOOLS = "tiny/tools"
"""Thinks `hm`, says `One moment.`, and calls the tool `get_forecast`."""
SPEECH = "tiny/speech"
"""Hears a row of `a` in everything."""


@contextmanager
def transformers_serve() -> Iterator[str]:
    """The base URL of a ready server, which ends with the block and loads the models above when they are asked for."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        _make_models(home)
        (home / "cache" / "hub").mkdir(parents=True)
        log = home / "log"
        command = [sys.executable, "-m", "transformers.cli.transformers", "serve"]
        command += ["--host", "127.0.0.1", "--port", "0", "--device", "cpu"]
        with log.open("wb") as output:
            # The names of the models are paths from the directory that the server runs in.
            process = subprocess.Popen(
                command, cwd=home, env=_environment(home), stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield _ready_url(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _make_models(home: Path) -> None:
    import transformers

    from .tiny_models import reciter, stammerer

    reciter(home / CHAT, ALPHABET, transformers.LlamaConfig)
    # Of a Qwen the server knows how it writes thoughts and calls, and takes them apart.
    said = ["<think>", "hm", "</think>", "One moment.", "<tool_call>", CALL, "</tool_call>"]
    reciter(home / TOOLS, said, transformers.Qwen2Config)
    stammerer(home / SPEECH, "a")


def _environment(home: Path) -> dict[str, str]:
    """This process's environment, without proxies and tokens, with nothing to download and an empty cache."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
    return kept | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home / "cache")}


def _ready_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that the server prints once it listens there."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if printed := re.search(r"running on (http://\S+)", log.read_text(encoding="utf-8", errors="replace")):
            return printed[1]
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")
