"""`taskbind.toml`: where the specs are, what the generated package is called, and what goes into it."""

from __future__ import annotations

import difflib
import keyword
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from .diagnostics import LOOSENABLE, TaskbindError

FILE: Final = "taskbind.toml"
_KEYS: Final = {
    "specs": str,
    "out": str,
    "templates": str,
    "releases": str,
    "demo": bool,
    "allow_loose": list,
    "docs": list,
    "package": dict,
}
_FLAVOURS: Final = ("github", "site", "hf")
_PACKAGE_KEYS: Final = {"name": str, "version": str, "summary": str, "license": str}


@dataclass(frozen=True)
class Config:
    """One project. Paths are absolute.

    `package` is the import name, `version` that of the generated distribution. `templates` overrides built-in
    templates file by file. `releases` is the folder with the IRs of past releases, which need not be there yet. `demo`
    packs the embedded demo models of those tasks that have one. `allow_loose` are the codes of refusals that generation
    goes on past, without the keyword that was refused. `docs` are the flavours of the docs: ``github`` (plain GFM,
    always there), ``site`` (for Zensical and MkDocs) and ``hf`` (for doc-builder).
    """

    specs: Path
    out: Path
    package: str = "inference_tasks"
    version: str = "0.1.0"
    summary: str = "Typed models, client and local server for ML inference tasks."
    license: str = "Apache-2.0"
    templates: Path | None = None
    releases: Path | None = None
    demo: bool = False
    allow_loose: tuple[str, ...] = ()
    docs: tuple[str, ...] = ("github", "site")

    @property
    def distribution(self) -> str:
        """The distribution's name: ``inference-tasks``."""
        return self.package.replace("_", "-")

    @property
    def env_prefix(self) -> str:
        """The prefix of the client's environment variables: ``INFERENCE_TASKS``."""
        return self.package.upper()

    def settings(self) -> dict[str, Any]:
        """What of the configuration decides output bytes: everything but where it lies on this machine."""
        own = {key: getattr(self, key) for key in ("package", "version", "summary", "license", "demo")}
        return own | {"allow_loose": list(self.allow_loose), "docs": list(self.docs)}


def load_config(
    directory: Path,
    *,
    specs: Path | None = None,
    out: Path | None = None,
    package: str | None = None,
    allow_loose: Iterable[str] = (),
) -> Config:
    """The configuration in `directory`/taskbind.toml, if there is one, with the command line's values over it.

    The codes in `allow_loose` count beside those in the file. Raises TaskbindError for a file that is not TOML, for
    unknown keys and wrong types, and where neither says what to generate and where to put it.
    """
    path = directory / FILE
    data = _read(path) if path.is_file() else {}
    own = data.get("package", {})
    specs = specs.resolve() if specs else (directory / data["specs"]).resolve() if "specs" in data else None
    out = out.resolve() if out else (directory / data["out"]).resolve() if "out" in data else None
    if specs is None or out is None:
        missing = "specs" if specs is None else "out"
        raise TaskbindError(f"nothing says where {missing} is: pass --{missing}, or write `{missing} = …` in {FILE}")
    if out == specs or out in specs.parents or specs in out.parents:
        raise TaskbindError(f"specs ({specs}) and output ({out}) must not contain each other")
    loose = _loose([*data.get("allow_loose", ()), *allow_loose])
    config = Config(specs, out, demo=data.get("demo", False), allow_loose=loose)
    config = replace(config, **{key: value for key, value in own.items() if key != "name"})
    config = replace(config, package=package or own.get("name", config.package))
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", config.package) or keyword.iskeyword(config.package):
        raise TaskbindError(f"package name {config.package!r}: use lower-case letters, digits and _ (at most 64)")
    if "docs" in data:
        config = replace(config, docs=_flavours(data["docs"]))
    folders = {key: (directory / data[key]).resolve() for key in ("templates", "releases") if key in data}
    return replace(config, **folders)


def _loose(codes: Iterable[Any]) -> tuple[str, ...]:
    """The codes to let pass, each once, in order. Raises TaskbindError for one that must not be passed."""
    wanted = {str(code).strip().upper() for code in codes}
    for code in sorted(wanted - LOOSENABLE):
        raise TaskbindError(
            f"allow-loose: {code[:60]!r} cannot be loosened; only findings about a keyword that can be left out can: "
            f"{', '.join(sorted(LOOSENABLE))}"
        )
    return tuple(sorted(wanted))


def _flavours(wanted: list[Any]) -> tuple[str, ...]:
    for flavour in wanted:
        if flavour not in _FLAVOURS:
            raise TaskbindError(f"{FILE}: docs: {flavour!r} is no flavour of the docs; use {', '.join(_FLAVOURS)}")
    return tuple(flavour for flavour in _FLAVOURS if flavour in wanted or flavour == "github")


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaskbindError(f"{path.name}: not valid TOML: {error}") from error
    _check(path.name, data, _KEYS)
    _check(f"{path.name} [package]", data.get("package", {}), _PACKAGE_KEYS)
    return data


def _check(where: str, data: dict[str, Any], keys: Mapping[str, type]) -> None:
    for key, value in data.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(keys)}"
            raise TaskbindError(f"{where}: unknown key {key!r}; {hint}")
        if not isinstance(value, keys[key]):
            raise TaskbindError(f"{where}: {key} must be a {keys[key].__name__}, not {type(value).__name__}")
