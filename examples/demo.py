"""Start the generated server on its demo models, send it every example of the specs with the generated client."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference_tasks import Client

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "specs"
MODELS = {
    "ticket-words": "document-question-answering-words",
    "numbered-classes": "tabular-classification-parts",
    "flat": "tabular-regression-flats",
}
"""Examples that are for another model than the first of their task: their tables, or what they bring, differ."""
LEFT_OUT = {"picture"}
"""Examples for which there is no demo model: the chat model does not see."""
WIDTH = 60


@dataclass(frozen=True)
class Example:
    """One request out of a task's ``task.toml``: what it is about, and all else that the client's method takes."""

    task: str
    name: str
    inputs: Any
    options: dict[str, Any]

    def send(self, client: Client) -> Any:
        """The answer, once the model is loaded."""
        call = getattr(client, self.task.replace("-", "_"))
        return call(*([] if self.inputs is None else [self.inputs]), **self.options, wait_for_model=True)


def examples() -> Iterator[Example]:
    """All examples that a demo model can answer."""
    for file in sorted(SPECS.glob("*/task.toml")):
        task = file.parent.name
        for about in tomllib.loads(file.read_text(encoding="utf-8"))["examples"]:
            name = about["name"]
            if name in LEFT_OUT:
                continue
            inputs = file.parent / about["media"] if "media" in about else about.get("inputs")
            if "files" in about:
                inputs = inputs | {member: file.parent / path for member, path in about["files"].items()}
            model = {"model": MODELS[name]} if name in MODELS else {}
            yield Example(task, name, inputs, about.get("parameters", {}) | model)


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """The generated server in a process of its own; yields its URL, and what it says about its models."""
    command = [sys.executable, "-m", "inference_tasks", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()  # "http://127.0.0.1:8000 serves demo models", as soon as it listens
        if not first:
            sys.exit(f"the server did not start (exit code {process.wait()})")
        about = []
        while (line := process.stdout.readline()).strip():
            about.append(line.strip())
        yield first.split()[0], about
    finally:
        process.terminate()
        process.wait(timeout=30)


def main() -> None:
    """Print one row for each call."""
    rows = []
    with server() as (url, about), Client(url, timeout=60) as client:
        lists = (line.rpartition(": ")[2] for line in about if not line.startswith("left out"))
        served = {name for line in lists for name in line.split(", ")}
        for example in examples():
            if example.task in served:
                answer = repr(example.send(client))
                rows.append((example.task, example.name, answer[:WIDTH] + ("…" if len(answer) > WIDTH else "")))
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    for row in rows:
        print(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}")
    print("", *about, "The docs of these tasks: generated/docs/index.md", sep="\n")


if __name__ == "__main__":
    main()
