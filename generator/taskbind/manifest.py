"""`manifest.json`: the hash of everything that went into a tree and of everything that came out.

It answers two questions without importing anything heavy: is the tree up to date (all inputs and outputs hash as
listed), and which files are ours (only listed ones are ever overwritten or removed).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any, Final

from . import __version__
from .commit import MANIFEST, listed, sha256
from .config import Config
from .context import Context
from .evolve.releases import release_files
from .render import PLUGINS

_VERSION: Final = 1
_TOOLS: Final = ("datamodel-code-generator", "jinja2", "ruff")


def inputs(config: Config) -> dict[str, Any]:
    """Everything that decides an output byte, as versions and hashes."""
    context = Context(config)
    return {
        "tool": {"taskbind": __version__, "source": _source_hash(), **{name: version(name) for name in _TOOLS}},
        "plugins": {point.name: point.dist.version if point.dist else "" for point in entry_points(group=PLUGINS)},
        "config": config.settings(),
        "specs": _hashes(spec_files(config.specs)),
        "templates": _hashes(context.tree(".")),
        "releases": _hashes(release_files(config.releases)),
    }


def spec_files(root: Path) -> dict[str, Path]:
    """The files of a spec root by relative path, sorted; hidden files and folders are not part of it."""
    out = {}
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            out[relative.as_posix()] = path
    return dict(sorted(out.items()))


def render_manifest(state: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """The manifest of `files`, made from inputs in `state`."""
    outputs = {path: sha256(data) for path, data in sorted(files.items())}
    return (json.dumps({"version": _VERSION, **state, "outputs": outputs}, indent=1, sort_keys=True) + "\n").encode()


def is_current(config: Config, state: Mapping[str, Any]) -> bool:
    """Whether the output directory is exactly what generating from inputs in `state` would write.

    Reads and hashes files, nothing else.
    """
    try:
        data = json.loads((config.out / MANIFEST).read_text(encoding="utf-8"))
        outputs = listed(config.out)
    except (OSError, ValueError):
        return False
    if data != {"version": _VERSION, **state, "outputs": outputs}:
        return False
    try:
        return all(sha256((config.out / path).read_bytes()) == digest for path, digest in outputs.items())
    except OSError:
        return False


def _hashes(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: sha256(path.read_bytes()) for name, path in files.items()}


def _source_hash() -> str:
    """One hash over the generator's own modules: a working copy changes without changing its version."""
    root = Path(__file__).parent
    modules = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*.py"))}
    own = {name: path for name, path in modules.items() if not name.startswith("templates/")}
    return sha256(json.dumps(_hashes(own)).encode())
