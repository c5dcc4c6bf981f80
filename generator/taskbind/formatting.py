"""Format a rendered tree and prove that it is Python, before a byte of it reaches the output directory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Final

from ruff import find_ruff_bin

from .context import Context
from .diagnostics import TaskbindError
from .render import Files, joined

_CONFIG: Final = """\
line-length = 120
target-version = "py311"
[lint]
select = ["I", "F401", "UP006", "UP007"]
[lint.isort]
combine-as-imports = true
"""


def format_tree(made: Mapping[str, Files], context: Context, *, skip: tuple[str, ...] = ()) -> Files:
    """The files of the renderers by name, joined, with every Python file formatted by `ruff`, and compiled.

    Copied code, under `skip`, passes unchanged. Raises TaskbindError with renderer, file and line of what is no Python.
    """
    files = joined(made)
    sources = {path: text for path, text in files.items() if path.endswith(".py") and not path.startswith(skip)}
    # How imports are sorted depends on the packages that a file is part of, and on nothing else outside of it.
    keys = {path: context.key("format", path, _packages(path, sources), text) for path, text in sources.items()}
    formatted = {path: found.text for path, key in keys.items() if (found := context.memo.get(key))}
    if missing := {path: text for path, text in sources.items() if path not in formatted}:
        try:
            now = _formatted(missing, {package for path in missing for package in _packages(path, sources)})
        except TaskbindError:
            _compile(missing, made)  # which says more
            raise
        _compile(now, made)
        for path, text in now.items():
            context.memo.put(keys[path], text)
        formatted |= now
    return files | formatted


def _packages(path: str, sources: Iterable[str]) -> list[str]:
    """The folders around a file that are packages, each as its `__init__.py`."""
    own = (f"{parent.as_posix()}/__init__.py".removeprefix("./") for parent in PurePosixPath(path).parents)
    return [package for package in own if package in sources]


def _formatted(sources: Files, packages: Iterable[str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="taskbind-") as name:
        root = Path(name)
        (root / "ruff.toml").write_text(_CONFIG, encoding="utf-8")
        for path, text in {**dict.fromkeys(packages, ""), **sources}.items():
            target = root / "tree" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_bytes(text))
        _ruff(root, "check", "--fix-only", "--quiet")
        _ruff(root, "format")
        return {path: (root / "tree" / path).read_text(encoding="utf-8") for path in sources}


def _ruff(root: Path, *arguments: str) -> None:
    command = [find_ruff_bin(), *arguments, "--no-cache", "--config", str(root / "ruff.toml"), str(root / "tree")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        said = result.stderr.strip().replace(str(root / "tree") + os.sep, "")
        raise TaskbindError(f"ruff {version('ruff')} refused the rendered code (a bug in a template):\n{said}")


def _compile(sources: Mapping[str, str | bytes], made: Mapping[str, Files]) -> None:
    for path, text in sources.items():
        try:
            compile(_bytes(text), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            writer = next(name for name, files in made.items() if path in files)
            where = f"{path}:{getattr(error, 'lineno', None) or 1}"
            why = error.msg if isinstance(error, SyntaxError) else str(error)
            raise TaskbindError(
                f"renderer {writer!r} writes {where}, which is not Python: {why}; correct it, or its template"
            ) from error


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8")
