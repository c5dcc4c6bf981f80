"""`manifest.json`: the hash of everything that went into a tree and of everything that came out.

It answers two questions without importing anything heavy: is the tree up to date (all inputs and outputs hash as
listed), and which files are ours (only listed ones are ever overwritten or removed).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from . import __version__
from .commit import MANIFEST, listed, sha256
from .config import Config
from .context import Context
from .evolve.releases import release_files
from .folder import paths
from .render import named_plugins

_VERSION: Final = 1
_TOOLS: Final = ("datamodel-code-generator", "jinja2", "ruff")
_TICK: Final = 20_000_000  # nanoseconds; files written within less of each other may have the same time


def inputs(config: Config) -> dict[str, Any]:
    """Everything that decides an output byte, as versions and hashes."""
    plugins = {plugin.point.name: plugin.state() for plugin in named_plugins(config)}
    hashes = {kind: _hashes(found) for kind, found in _files(config).items()}
    return {"tool": tools(), "plugins": plugins, "config": config.settings(), **hashes}


def tools() -> dict[str, str]:
    """The generator itself: versions, its own and those of the tools that it works with, and the hash of its source."""
    return {"taskbind": __version__, "source": _source_hash(), **{name: version(name) for name in _TOOLS}}


def salt(state: Mapping[str, Any]) -> str:
    """What results of the tool may depend on beside their own data, of the inputs in `state`: its code, as a hash."""
    code = [state["tool"], state["plugins"], sys.version]
    return sha256(json.dumps(code, sort_keys=True).encode())


def stamps(config: Config) -> dict[str, tuple[int, ...]]:
    """What the file system says of each file that is an input: another answer means that it was written in between.

    Where a file was written just now, this waits until the next writing of it will be told by its time.
    """
    found: dict[str, tuple[int, ...]] = {}
    for kind, own in _files(config).items():
        for name, path in own.items():
            with contextlib.suppress(OSError):  # removed meanwhile, which is a change, too
                status = os.stat(path)
                found[f"{kind}/{name}"] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    newest = max((max(stamp[2:]) for stamp in found.values()), default=0)
    if 0 <= (age := time.time_ns() - newest) < _TICK:
        time.sleep((_TICK - age) / 1e9)
    return found


def _files(config: Config) -> dict[str, dict[str, str]]:
    """All inputs that are files by their kind and name, each with its path."""
    return {
        "specs": paths(config.specs),
        # What projects and tasks begin with is in no output.
        "templates": {k: v for k, v in Context(config).tree_paths("").items() if not k.startswith("scaffold/")},
        "releases": {name: os.fspath(path) for name, path in release_files(config.releases).items()},
    }


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
        return all(_hash(os.path.join(config.out, path)) == digest for path, digest in outputs.items())
    except OSError:
        return False


def _hashes(files: Mapping[str, str]) -> dict[str, str]:
    return {name: _hash(path) for name, path in files.items()}


def _hash(path: str) -> str:
    with open(path, "rb", buffering=0) as file:
        return sha256(file.read())


def _source_hash() -> str:
    """One hash over the generator's own modules: a working copy changes without changing its version."""
    root = Path(__file__).parent
    own = {
        name: path for name, path in paths(root).items() if name.endswith(".py") and not name.startswith("templates/")
    }
    return sha256(json.dumps(_hashes(own)).encode())
