"""A project made of inline specs, for tests that generate, import and call."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from taskbind.config import Config
from taskbind.pipeline import Outcome, generate

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def write_specs(root: Path, files: dict[str, Any]) -> Path:
    """Write spec files; JSON values get the 2020-12 dialect, texts are written as they are."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps({"$schema": DIALECT, **content}, indent=2)
        path.write_text(text, encoding="utf-8")
    return root


def closed(properties: dict[str, Any], *required: str, **rest: Any) -> dict[str, Any]:
    """An object schema that knows just these members."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **rest,
    }


def echo_task(parameters: dict[str, Any] | None = None, output: dict[str, Any] | None = None) -> dict[str, Any]:
    """The two files of a task `echo` that takes a text."""
    members: dict[str, Any] = {"inputs": {"type": "string", "description": "What to say."}}
    if parameters is not None:
        members["parameters"] = closed(parameters, title="EchoParameters", description="How to say it.")
    answer = output or closed({"text": {"type": "string", "description": "What was said."}}, "text")
    return {
        "echo/input.json": closed(members, "inputs", title="EchoInput", description="A request."),
        "echo/output.json": {"title": "EchoOutput", "description": "An answer.", **answer},
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by its path there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def generate_project(tmp_path: Path, files: dict[str, Any], package: str = "made") -> tuple[Config, Outcome]:
    """Generate a package from inline specs into ``tmp_path/out``."""
    config = Config(write_specs(tmp_path / "specs", files), tmp_path / "out", package=package)
    return config, generate(config)


@contextmanager
def imported(config: Config) -> Iterator[ModuleType]:
    """The generated package, imported for as long as the context lasts."""
    sys.path.insert(0, str(config.out))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(config.package)
    finally:
        sys.path.remove(str(config.out))
        for name in [name for name in sys.modules if name.partition(".")[0] == config.package]:
            del sys.modules[name]
