"""Build the site, check it, and put it in place."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ..commit import MANIFEST, Changes, commit, compare, listed, sha256
from ..config import Config
from ..context import Context
from ..diagnostics import EditedError, TaskbindError
from ..version import Version
from .links import Checked, Fault, check_links, read_site
from .search import INDEX, improve
from .sources import LLMS, PROJECT, copy_sources, full_text, read_tasks, site_files, twins
from .versions import FILE as VERSIONS, PAGE, TOOL, is_site, newest, read_versions, write_versions
from .zensical import render

_SHOWN: Final = 50
_ROOT_ONLY: Final = ("404.html", "sitemap.xml")
"""What is the same for all versions, and cannot be without the site's address."""

Files = dict[str, bytes]


class LinkError(TaskbindError):
    """Links of a site lead nowhere, or its pages load something from elsewhere."""

    exit_code = 1

    def __init__(self, faults: tuple[Fault, ...], done: str = "") -> None:
        lines = [str(fault) for fault in faults[:_SHOWN]]
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        count = f"{len(faults)} fault{'s' * (len(faults) != 1)} in the site{done}"
        super().__init__("\n".join([count, *lines, *more]))


@dataclass(frozen=True)
class Built:
    """What a build did: what the link check saw, and the changes in the folder, by paths relative to it."""

    checked: Checked
    changes: Changes


def check_site(folder: Path, url: str | None = None) -> Checked:
    """Check the links of a site in a folder, deployed at `url` if that is known. Raises LinkError for faults."""
    checked = check_links(read_site(folder), url=_address(url))
    if checked.faults:
        raise LinkError(checked.faults)
    return checked


def build_site(
    config: Config,
    to: Path,
    *,
    release: str | None = None,
    url: str | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> Built:
    """Build the site of the generated tree into the folder `to`.

    With `release`, a version, it goes into a folder of that name, and to the root as well unless a newer version is
    there; all other versions stay as they are. `url` is the address that the site will have, if that is known: it is
    for the sitemap, and for the page that says that there is no such page.

    Raises TaskbindError, and then nothing was written: LinkError if the site has bad links, EditedError if files of
    `to` were edited, or are not the site's and in its way.
    """
    to, url = to.resolve(), _address(url)
    _check_target(config, to)
    version = Version(release) if release is not None else None
    if version is not None:
        _check_folder(to / version.name, "; move it away")
    versions = read_versions(to)
    if versions and version is None:
        raise TaskbindError(f"{to} holds released versions: say which one this is with --release, or build elsewhere")
    pages = _pages(config, version, url, progress)
    folders = {to: pages} if version is None else _folders(config, to, pages, version, versions, url)
    progress("check links")
    checked = _checked(to, folders, versions, url)
    progress("write")
    for folder, files in folders.items():
        files[MANIFEST] = _manifest(files)
        compare(folder, files)  # before any of them is written
    return Built(checked, _together({folder: commit(folder, files) for folder, files in folders.items()}, to))


def _address(url: str | None) -> str | None:
    if url is None:
        return None
    if not re.fullmatch(r"https?://[^/\s?#\"'<>\\]+(/[^\s?#\"'<>\\]*)?", url):
        raise TaskbindError(f"{url!r} is no address of a site; one looks like https://example.org/docs/")
    return url.rstrip("/") + "/"


def _check_target(config: Config, to: Path) -> None:
    """Raise TaskbindError for a folder that is no place for a site."""
    for own in (config.specs, config.out):
        if to == own or to in own.parents or own in to.parents:
            raise TaskbindError(f"{to}: the site must lie apart from {own}; name another folder with --to")
    _check_folder(to, "; name another one with --to")
    if (to / MANIFEST).exists() and not is_site(to):
        raise TaskbindError(f"{to}: the {MANIFEST} here is none of a site; name another folder with --to")


def _check_folder(folder: Path, todo: str) -> None:
    """Raise TaskbindError for what is there, but cannot be replaced as a whole."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise TaskbindError(f"{folder}: this is {'a link' if folder.is_symlink() else 'no folder'}{todo}")


def _pages(config: Config, version: Version | None, url: str | None, progress: Callable[[str], None]) -> Files:
    """The site as it stands at the root."""
    files = site_files(config)
    with tempfile.TemporaryDirectory(prefix="taskbind-site-") as name:
        root = Path(name)
        progress("collect pages")
        copy_sources(config, files, root / "docs")
        project = (config.out / PROJECT).read_text(encoding="utf-8")
        (root / "mkdocs.yml").write_text(project + _settings(version, url), encoding="utf-8")
        progress("build site")
        with ThreadPoolExecutor(1) as pool:  # Zensical is a process of its own, and takes longer than all the rest
            rendering = pool.submit(render, root)
            texts = twins(config, files)
            tasks = read_tasks(config)
            out = rendering.result()
    if url is None:
        out = {name: data for name, data in out.items() if name not in _ROOT_ONLY}
    else:  # shown at any address
        out["404.html"] = _linked(out["404.html"], f"{urlsplit(url).path}{PAGE}")
    for page, text in texts.items():
        html = f"{page.removesuffix('.md')}.html"
        out[html] = _with_twin(out[html], page)
        out[page] = text.encode()
    out[INDEX] = improve(out[INDEX], tasks, out)
    out["llms-full.txt"] = full_text(out[LLMS].decode(), texts).encode()
    return out


def _settings(version: Version | None, url: str | None) -> str:
    """What the site's project says beside what was generated: YAML, of which JSON is a part."""
    out: dict[str, str] = {}
    if url is not None:
        out["site_url"] = url
    if version is not None:
        out["copyright"] = (
            f'<a class="versions" data-version="{version.name}" href="{PAGE}">Version {version.name}, and others</a>'
        )
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in out.items())


def _with_twin(page: bytes, twin: str) -> bytes:
    """A page that says where its Markdown is."""
    link = f'<link rel="alternate" type="text/markdown" href="{escape(twin.rpartition("/")[2])}">'
    return page.replace(b"</head>", f"{link}</head>".encode(), 1)


def _linked(page: bytes, versions: str) -> bytes:
    """A page of the root, as it stands where the list of versions has another address than from there."""
    return page.replace(f'href="{PAGE}"'.encode(), f'href="{escape(versions)}"'.encode(), 1)


def _folders(
    config: Config, to: Path, pages: Files, version: Version, versions: list[Version], url: str | None
) -> dict[Path, Files]:
    """The files of the folders that a release changes: its own, and the root."""
    every = [version, *(other for other in versions if other != version)]
    own = {
        name: _linked(data, f"../{PAGE}") if name.endswith(".html") else data
        for name, data in pages.items()
        if name not in _ROOT_ONLY
    }
    root = dict(pages)
    if newest(every) != version:
        root = _kept(to, url)
    template = Context(config).template("site/versions.html.jinja")
    ordered = sorted(every, key=lambda version: version.order, reverse=True)
    root[VERSIONS] = write_versions(every)
    root[PAGE] = template.render(name=escape(config.distribution), newest=newest(every), versions=ordered).encode()
    return {to / version.name: own, to: root}


def _kept(to: Path, url: str | None) -> Files:
    """The files of the root as they were written. Raises EditedError where they are not so any more."""
    out, edited, deleted = {}, [], []
    for name, digest in listed(to).items():
        path = to / name
        data = path.read_bytes() if path.is_file() else None
        if data is None:
            deleted.append(name)
        elif sha256(data) != digest:
            edited.append(name)
        elif url is not None or name not in _ROOT_ONLY:
            out[name] = data
    if edited or deleted:
        found = {"edited": edited, "deleted": deleted}
        said = [f"{how} by hand since they were generated: {', '.join(names)}" for how, names in found.items() if names]
        raise EditedError("\n".join([*said, f"These files belong to the newest version, at {to}: restore them."]))
    return out


def _checked(to: Path, folders: dict[Path, Files], versions: list[Version], url: str | None) -> Checked:
    """Check what is about to be written. Raises LinkError for faults."""
    files = {
        (folder.relative_to(to) / name).as_posix(): data
        for folder, own in folders.items()
        for name, data in own.items()
    }
    checked = check_links(files, others={f"{version.name}/index.html" for version in versions}, url=url)
    if checked.faults:
        raise LinkError(checked.faults, "; nothing was written")
    return checked


def _manifest(files: Files) -> bytes:
    outputs = {name: sha256(data) for name, data in sorted(files.items())}
    return (json.dumps({"tool": TOOL, "outputs": outputs}, indent=1) + "\n").encode()


def _together(changes: dict[Path, Changes], to: Path) -> Changes:
    def paths(kind: str) -> tuple[str, ...]:
        return tuple(
            (folder.relative_to(to) / name).as_posix() for folder, own in changes.items() for name in getattr(own, kind)
        )

    return Changes(paths("added"), paths("changed"), paths("removed"))
