"""Render `typescript/`: the types of all tasks for programs in TypeScript, as a package for npm without any code.

Declarations (`.d.ts`) work wherever they lie: installed, or copied beside the program that imports them.
"""

from __future__ import annotations

import re
from typing import Any, Final

from .. import ir
from ..context import BASE_URL, Context, header
from ..diagnostics import TaskbindError
from ..escape import json_text
from ..plan import Plan
from ..view.typescript import VALUES, typescript_view
from . import Files

_FOLDER: Final = "typescript"
_VERSION: Final = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[.-]?(a|alpha|b|beta|rc|dev)[.-]?(\d+))?")
_PRE: Final = {"a": "alpha", "b": "beta"}


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """A module of types for each of Python's, an index, and the package's own files."""
    index = typescript_view(api, plan)
    view = {
        "header": header("//", "specs/"),
        "name": index.name,
        "imports": index.imports,
        "modules": sorted([VALUES, *(module.name for module in index.modules)]),
        "tasks": index.tasks,
        "package": _name(plan),
        "distribution": plan.distribution,
        "base_url": BASE_URL,
        "comment": f"{header('<!--', 'specs/')} -->",
    }
    out: Files = {
        f"{_FOLDER}/{name}": context.template(f"typescript/{name}.jinja").render(view)
        for name in ("index.d.ts", f"{VALUES}.d.ts", "README.md")
    }
    template = context.template("typescript/module.d.ts.jinja")
    for module in index.modules:
        sources = ", ".join(f"specs/{path}" for path in module.sources)
        out[f"{_FOLDER}/{module.name}.d.ts"] = template.render(header=header("//", sources), module=module)
    out[f"{_FOLDER}/LICENSE"] = context.tree("package")["LICENSE"].read_text(encoding="utf-8")
    out[f"{_FOLDER}/package.json"] = json_text(_package(plan, context), indent=2) + "\n"
    return out


def _name(plan: Plan) -> str:
    return f"{plan.distribution}-types"


def _package(plan: Plan, context: Context) -> dict[str, Any]:
    return {
        "name": _name(plan),
        "version": npm_version(context.config.version),
        "description": f"Types of all requests and answers of {plan.distribution}, for TypeScript",
        "license": context.config.license,
        # No "type": from modules of both kinds, types can be imported of a package that says nothing.
        "types": "./index.d.ts",
        "exports": {".": {"types": "./index.d.ts"}},
        "files": ["*.d.ts"],
    }


def npm_version(version: str) -> str:
    """A version of Python's as npm writes it: ``1.2rc1`` is ``1.2.0-rc.1``.

    Raises TaskbindError for one that npm has nothing like.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise TaskbindError(f"package.version: npm has no version like {version!r}; use one such as 1.2.3 or 1.2.3rc1")
    numbers = ".".join(str(int(part or 0)) for part in match.group(1, 2, 3))
    return f"{numbers}-{_PRE.get(match[4], match[4])}.{int(match[5])}" if match[4] else numbers
