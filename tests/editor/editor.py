"""What an editor asks of Taplo, the engine of Even Better TOML: completions and hovers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = Path(__file__).with_name("taplo.mjs")


class Editor:
    """A running language server with a folder open; no file is saved, each is what the editor says."""

    def __init__(self, packages: Path, folder: Path) -> None:
        self._folder = folder
        self._packages = packages
        self._count = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", "--input-type=module", "--eval", PROGRAM.read_text(encoding="utf-8")],
            cwd=self._packages,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        folders = [{"uri": self._folder.as_uri(), "name": "project"}]
        self._ask("initialize", {"processId": None, "capabilities": {}, "workspaceFolders": folders})
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait(20)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def completions(self, path: Path, text: str, line: int, character: int = 0) -> list[str]:
        """What is offered at a place in a file; lines and characters count from 0."""
        self._open(path, text)
        found = self._ask("textDocument/completion", _at(path, line, character))
        return [item["label"] for item in (found["items"] if isinstance(found, dict) else found or [])]

    def hover(self, path: Path, text: str, line: int) -> str:
        """What is shown about the beginning of a line of a file."""
        self._open(path, text)
        found = self._ask("textDocument/hover", _at(path, line))
        return str(found["contents"]["value"]) if found else ""

    def _open(self, path: Path, text: str) -> None:
        self._count += 1
        document = {"uri": path.as_uri(), "languageId": "toml", "version": self._count, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def _ask(self, method: str, parameters: dict[str, Any]) -> Any:
        self._count += 1
        self._send({"id": self._count, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if message.get("id") == self._count and "method" not in message:
                assert "error" not in message, message
                return message.get("result")

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the language server ended"
        message: dict[str, Any] = json.loads(line)
        if "id" in message and "method" in message:  # it asks for settings, and gets none
            self._send({"id": message["id"], "result": [{} for _ in message["params"].get("items", ())]})
        return message


def _at(path: Path, line: int, character: int = 0) -> dict[str, Any]:
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": character}}
