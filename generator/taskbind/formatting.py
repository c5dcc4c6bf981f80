"""Format a rendered tree and prove that it is Python, before a byte of it reaches the output directory."""

from __future__ import annotations

import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ruff import find_ruff_bin

from .diagnostics import TaskbindError
from .render import Files

_CONFIG: Final = """\
line-length = 120
target-version = "py311"
[lint]
select = ["I", "F401", "UP006", "UP007"]
[lint.isort]
combine-as-imports = true
"""


def format_tree(files: Files, *, skip: tuple[str, ...] = ()) -> Files:
    """`files` with every Python file formatted by `ruff`, and compiled. Copied code, under `skip`, passes unchanged.

    Raises TaskbindError naming the file and line of anything that is not Python: a bug in a template or a renderer.
    """
    sources = {path: text for path, text in files.items() if path.endswith(".py") and not path.startswith(skip)}
    with tempfile.TemporaryDirectory(prefix="taskbind-") as name:
        root = Path(name)
        (root / "ruff.toml").write_text(_CONFIG, encoding="utf-8")
        for path, text in sources.items():
            target = root / "tree" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_bytes(text))
        _ruff(root, "check", "--fix-only", "--quiet")
        _ruff(root, "format")
        formatted: Files = {path: (root / "tree" / path).read_text(encoding="utf-8") for path in sources}
    for path, text in formatted.items():
        _compile(path, _bytes(text))
    return files | formatted


def _ruff(root: Path, *arguments: str) -> None:
    command = [find_ruff_bin(), *arguments, "--no-cache", "--config", str(root / "ruff.toml"), str(root / "tree")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        raise TaskbindError(
            f"ruff {version('ruff')} refused the rendered code (a bug in a template):\n{result.stderr.strip()}"
        )


def _compile(path: str, data: bytes) -> None:
    try:
        compile(data, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0)
        raise TaskbindError(
            f"{path}:{line}: rendered code is not Python ({error}); this is a bug in a renderer"
        ) from error


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8")
