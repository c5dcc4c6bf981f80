"""`taskbind.toml`: where the specs are, what the generated package is called, and what goes into it."""

from __future__ import annotations

import difflib
import keyword
import os
import re
import stat
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from .diagnostics import LOOSENABLE, TaskbindError, relative
from .evolve.ignore import Ignore, read_ignores
from .version import Version

FILE: Final = "taskbind.toml"
_KEYS: Final = {
    "specs": str,
    "out": str,
    "templates": str,
    "releases": str,
    "demo": bool,
    "allow_loose": list,
    "docs": list,
    "renderers": list,
    "diff": dict,
    "package": dict,
}
_WANTED: Final[Mapping[type, str]] = {str: "a text", bool: "true or false", list: "a list", dict: "a table"}
_FLAVOURS: Final = ("github", "site", "hf")
_PACKAGE_KEYS: Final = {"name": str, "version": str, "summary": str, "license": str}
_FOLDERS: Final = ("specs", "out", "templates", "releases")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PACKAGE: Final = re.compile(r"[a-z](?:[a-z0-9_]{0,62}[a-z0-9])?")
_LICENSE: Final = re.compile(
    r"\(*[A-Za-z0-9][A-Za-z0-9.+:-]*\)*(?: (?:AND|OR|WITH) \(*[A-Za-z0-9][A-Za-z0-9.+:-]*\)*)*", re.ASCII
)
_TAKEN: Final = frozenset(
    (
        "accelerate anyio av cachetools clarifai_grpc diffusers filetype google grpc httpx hypothesis imagesize "
        "jsonschema_rs llguidance multipart numpy opentelemetry opentelemetry_exporter_otlp_proto_http "
        "opentelemetry_sdk pillow prometheus_client pydantic pydantic_core pytest python_multipart ray safetensors "
        "sentencepiece soundfile soxr starlette taskbind torch transformers typing_extensions uvicorn"
    ).split()
)
"""What a generated package, its extras or its tests install or import, so that none can be called so itself."""


@dataclass(frozen=True)
class Config:
    """One project. Paths are absolute.

    `package` is the import name, `version` that of the generated distribution. `templates` overrides built-in
    templates file by file. `releases` is the folder with the IRs of past releases, which need not be there yet. `demo`
    packs the embedded demo models of those tasks that have one. `allow_loose` are the codes of refusals that generation
    goes on past, without the keyword that was refused. `docs` are the flavours of the docs: ``github`` (plain GFM,
    always there), ``site`` (for Zensical and MkDocs) and ``hf`` (for doc-builder). `renderers` are those that do not
    run by themselves: optional ones of taskbind, and those of plugins. `ignores` are the changes that `taskbind diff`
    does not count. `file` is what errors about a value name.
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
    renderers: tuple[str, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    file: _File | None = field(default=None, repr=False, compare=False)

    @property
    def distribution(self) -> str:
        """The distribution's name: ``inference-tasks``."""
        return self.package.replace("_", "-")

    @property
    def env_prefix(self) -> str:
        """The prefix of the client's environment variables: ``INFERENCE_TASKS``."""
        return self.package.upper()

    def error(self, key: str, message: str) -> TaskbindError:
        """An error about the value of a key: with its line in taskbind.toml, or as that of the option that gave it."""
        return self.file.error(key, message) if self.file else TaskbindError(f"{key}: {message}")

    def settings(self) -> dict[str, Any]:
        """What of the configuration decides output bytes: everything but where it lies on this machine."""
        own = {key: getattr(self, key) for key in ("package", "version", "summary", "license", "demo")}
        return own | {"allow_loose": list(self.allow_loose), "docs": list(self.docs), "renderers": list(self.renderers)}


def load_config(
    directory: Path,
    *,
    specs: Path | None = None,
    out: Path | None = None,
    package: str | None = None,
    allow_loose: Iterable[str] = (),
    writes: bool = True,
) -> Config:
    """The configuration in `directory`/taskbind.toml, if there is one, with the command line's values over it.

    The codes in `allow_loose` count beside those in the file. Who `writes` nothing need not say where to. Raises
    TaskbindError for a file that is not TOML, for unknown keys and wrong values, and where neither says what to
    generate and where to put it.
    """
    options = {key: path for key, path in (("specs", specs), ("out", out)) if path is not None}
    file = _File(directory / FILE, frozenset(options))
    data = file.read() if is_project(directory) else {}
    folders: dict[str, Any] = {key: _real(directory / data[key]) for key in _FOLDERS if key in data}
    folders |= {key: _real(path) for key, path in options.items()}
    if missing := [key for key in ("specs", "out") if key not in folders and (writes or key == "specs")]:
        raise _missing(file, missing)
    specs = folders["specs"]
    out = folders.get("out", specs.parent / f"{specs.name}-generated")
    if out == specs or out in specs.parents or specs in out.parents:
        said = f"specs ({relative(specs, Path.cwd())}) and output ({relative(out, Path.cwd())})"
        raise file.error("specs" if options.keys() == {"specs"} else "out", f"{said} must not contain each other")
    given = {code.strip().upper() for code in allow_loose}
    if problem := _stubborn(given):
        raise TaskbindError(f"--allow-loose: {problem}")
    if package is not None and (problem := unfit_package(package)):
        raise TaskbindError(f"--package: {problem}")
    own = data.get("package", {})
    ignores = read_ignores(data["diff"], file) if "diff" in data else ()
    loose = tuple(sorted(given.union(data.get("allow_loose", ()))))
    folders |= {"out": out}
    config = Config(**folders, demo=data.get("demo", False), allow_loose=loose, ignores=ignores, file=file)
    config = replace(config, **{key: value for key, value in own.items() if key != "name"})
    config = replace(config, package=package or own.get("name", config.package))
    if "docs" in data:
        config = replace(config, docs=tuple(f for f in _FLAVOURS if f in data["docs"] or f == "github"))
    if "renderers" in data:
        config = replace(config, renderers=tuple(sorted(set(data["renderers"]))))
    return config


def is_project(folder: Path) -> bool:
    """Whether there is a taskbind.toml in a folder, be it one that cannot be read."""
    try:
        os.lstat(folder / FILE)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # unlike `resolve`, this takes links that lead in a circle


def _missing(file: _File, keys: list[str]) -> TaskbindError:
    """What to do where nothing says where the specs or the output are."""
    if is_project(file.path.parent):
        wanted = " and ".join(f"`{key} = …`" for key in keys)
        return TaskbindError(f"{relative(file.path, Path.cwd())}: write {wanted} into it")
    if file.options:
        return TaskbindError(f"no {FILE} in this folder: pass {' and '.join(f'--{key}' for key in keys)}, too")
    beside = project_above(file.path.parent)
    return TaskbindError(f"no {FILE} in this folder: {beside or 'begin a project with `taskbind init`'}")


def project_above(folder: Path) -> str:
    """What to do in a folder inside a project: run the command elsewhere. Empty where there is no project."""
    above = next((parent for parent in folder.absolute().parents if is_project(parent)), None)
    return f"run this command beside {relative(above / FILE, Path.cwd())}" if above else ""


def unfit_package(name: str) -> str:
    """Why a text cannot be the import name of a package; empty if it can."""
    shown = f"package name {name[:80]!r}"
    if not _PACKAGE.fullmatch(name):
        return f"{shown}: use lower-case letters, digits and _, a letter first, no _ last (at most 64)"
    if keyword.iskeyword(name):
        return f"{shown} is a word of Python's own; use another one"
    if name in sys.stdlib_module_names:
        return f"{shown} is that of a module of Python's own; use another one"
    return f"{shown} is that of a package which it needs itself; use another one" if name in _TAKEN else ""


def _unfit_version(version: str) -> str:
    try:
        Version(version)
    except TaskbindError as error:
        return str(error)
    return ""


def _unfit_license(license: str) -> str:
    if _LICENSE.fullmatch(license):
        return ""
    return f"{license[:60]!r} is no SPDX expression; one looks like Apache-2.0, or MIT OR Apache-2.0"


def _unfit_folder(path: str) -> str:
    if not path:
        return "names no folder"
    return "has a character in it that no path has" if _CONTROL.search(path) else ""


def _stubborn(codes: Iterable[Any]) -> str:
    """Why not all of these findings can be let pass; empty if they can."""
    for code in codes:
        if not isinstance(code, str) or code not in LOOSENABLE:
            can = ", ".join(sorted(LOOSENABLE))
            return (
                f"{str(code)[:60]!r} cannot be loosened; only findings about a keyword that can be left out can: {can}"
            )
    return ""


class _File:
    """taskbind.toml, checked key by key; what is wrong is told with its line."""

    def __init__(self, path: Path, options: frozenset[str] = frozenset()) -> None:
        """`options` are the keys whose value the command line gives instead."""
        self.path = path
        self.options = options
        self.lines: list[str] = []

    def read(self) -> dict[str, Any]:
        text = self._text()
        self.lines = text.splitlines()
        try:
            data = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._syntax(error) from error
        self._check("", data, _KEYS)
        own = data.get("package", {})
        self._check("package.", own, _PACKAGE_KEYS)
        for key, unfit in (("name", unfit_package), ("version", _unfit_version), ("license", _unfit_license)):
            if key in own and (problem := unfit(own[key])):
                raise self.error(f"package.{key}", problem)
        for key in _FOLDERS:
            if key in data and (problem := _unfit_folder(data[key])):
                raise self.error(key, problem)
        if problem := _stubborn(data.get("allow_loose", ())):
            raise self.error("allow_loose", problem)
        for flavour in data.get("docs", ()):
            if flavour not in _FLAVOURS:
                known = ", ".join(_FLAVOURS)
                raise self.error("docs", f"{str(flavour)[:60]!r} is no flavour of the docs; use {known}")
        for name in data.get("renderers", ()):
            if not isinstance(name, str):
                raise self.error("renderers", f"{str(name)[:60]} is not the name of a renderer; write it in quotes")
        return data

    def error(self, where: str, message: str) -> TaskbindError:
        """An error about the key at `where`, such as ``package.name`` or ``diff.ignore[1].rule``."""
        if where in self.options:
            return TaskbindError(f"--{where}: {message}")
        return self._told(self.line(where), f"{where}: {message}")

    def line(self, where: str) -> int:
        """The line of the key at `where`; 0 if that is not known."""
        from .load.toml import key_line

        return key_line(self.lines, where, where.rpartition(".")[2])

    def _text(self) -> str:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise self._told(0, "is not a regular file; put one there")
            data = self.path.read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise self._told(0, f"cannot be read: {reason}; check its permissions, and where it leads") from error
        if data.startswith(b"\xef\xbb\xbf"):
            raise self._told(1, "begins with a byte order mark; save it as UTF-8 without BOM")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise self._told(line, f"byte {data[error.start]:#04x} is not UTF-8; save it as UTF-8") from error

    def _syntax(self, error: Exception) -> TaskbindError:
        from .load.toml import syntax_line

        line = syntax_line(str(error), self.lines)
        return self._told(line, f"not valid TOML: {str(error) or 'nested too deep'}; correct the syntax")

    def _told(self, line: int, message: str) -> TaskbindError:
        path = relative(self.path, Path.cwd())
        return TaskbindError(f"{path}:{line}: {message}" if line else f"{path}: {message}")

    def _check(self, where: str, data: dict[str, Any], keys: Mapping[str, type]) -> None:
        for key, value in data.items():
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(keys)}"
                raise self.error(f"{where}{key}", f"unknown key {key[:60]!r}; {hint}")
            if not isinstance(value, keys[key]):
                raise self.error(f"{where}{key}", f"must be {_WANTED[keys[key]]}, not {type(value).__name__}")
