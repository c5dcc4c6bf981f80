"""TypeScript's compiler, which `nox -s openapi` installs, and programs for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from taskbind.escape import js, js_key
from tests.conftest import ROOT

TSC: Final = ROOT / ".nox" / "openapi-js" / "node_modules" / ".bin" / "tsc"
STRICTEST: Final = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "noPropertyAccessFromIndexSignature": True,
    "noImplicitOverride": True,
    "verbatimModuleSyntax": True,
    "isolatedModules": True,
    "skipLibCheck": False,
}
"""What the strictest of projects switch on."""
_FINDING: Final = re.compile(r"^(?P<file>[^\s(]+)\((?P<line>\d+),\d+\): error (?P<code>TS\d+): (?P<message>.*)$")


@dataclass(frozen=True)
class Finding:
    """What the compiler says of a line."""

    file: str
    line: int
    code: str
    message: str


def need_compiler() -> None:
    """Skip the test where there is none."""
    if shutil.which("node") is None or not TSC.exists():
        pytest.skip("TypeScript is not installed: run nox -s openapi")


def findings(folder: Path, files: Iterable[str] = ("**/*",), **options: Any) -> list[Finding]:
    """What the compiler finds in files of a folder, with the strictest options if no others are given."""
    compiler = {"target": "es2022", "lib": ["es2022", "dom"], "types": [], "noEmit": True, "pretty": False}
    settings = {"compilerOptions": compiler | (options or STRICTEST | {"module": "nodenext"}), "include": list(files)}
    (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run([TSC, "--project", folder], cwd=folder, capture_output=True, text=True)
    found = [
        Finding(match["file"], int(match["line"]), match["code"], match["message"])
        for line in done.stdout.splitlines()
        if (match := _FINDING.match(line))
    ]
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return found


def variable(value: Any) -> str:
    """An expression for a JSON value of which members that a type does not declare are no error, as of a variable's."""
    if isinstance(value, dict):
        return f"{{ ...{{ {', '.join(f'{js_key(key)}: {variable(each)}' for key, each in value.items())} }} }}"
    return f"[{', '.join(map(variable, value))}]" if isinstance(value, list) else js(value)


def program(folder: Path, name: str, imports: Mapping[str, str], lines: Iterable[tuple[str, str]]) -> None:
    """Write a module with one line for each type and expression: whether the one has the other is asked.

    `imports` are modules by the names that these types come from.
    """
    head = "".join(f'import type {names} from "{module}"; ' for names, module in imports.items())
    body = [f"export const v{number}: {type} = {value};" for number, (type, value) in enumerate(lines, 2)]
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([head, *body, ""]), encoding="utf-8")
