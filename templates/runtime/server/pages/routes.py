"""The routes of the pages. Everything they send comes from files of the package, and they load nothing from elsewhere.

The pages and samples are the same for everybody, so they are sent without a token; what they call wants it as ever.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.abc import Traversable
from importlib.resources import files
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..._sniff import ENOUGH, sniff
from ..settings import Settings

_TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
}
_SAFE: Final = {"x-content-type-options": "nosniff", "cache-control": "no-cache"}
_POLICY: Final = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE: Final = {**_SAFE, "content-security-policy": _POLICY, "referrer-policy": "no-referrer"}
"""Headers of a page and its parts: nothing inline runs, nothing is asked of another host, no frame holds it."""
SAMPLE: Final = {**_SAFE, "content-security-policy": "default-src 'none'; sandbox"}
"""Headers of a file that is shown by pages, but is none."""


class Shelf:
    """The files of one folder, by relative path: those that are there when the first is asked for, and no others."""

    def __init__(self, folder: Traversable, headers: Mapping[str, str]) -> None:
        self._folder = folder
        self._headers = headers
        self._files: dict[str, Traversable] | None = None
        self._tags: dict[str, str] = {}

    async def page(self, request: Request) -> Response:
        """The file that the route names."""
        return await self.file(request, request.path_params["path"])

    async def file(self, request: Request, path: str) -> Response:
        """The file at `path`. Raises HTTPException (404)."""
        if self._files is None:
            self._files = dict(await asyncio.to_thread(_walk, self._folder))
        if path not in self._files:
            raise HTTPException(404)
        # Read each time: the largest has two megabytes, which nobody asks for while the server works.
        data = await asyncio.to_thread(self._files[path].read_bytes)
        tag = self._tags.setdefault(path, tag_of(data))
        return tagged(request, data, tag, self._headers, media_type(path, data))


def tag_of(data: bytes) -> str:
    """What tells one content from another, as an entity tag."""
    return f'"{sha256(data).hexdigest()[:32]}"'


def tagged(request: Request, data: bytes, tag: str, headers: Mapping[str, str], media_type: str) -> Response:
    """`data` for somebody who does not have what `tag` stands for, who is told so otherwise (304)."""
    headers = {**headers, "etag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=media_type)


def media_type(path: str, data: bytes) -> str:
    """What a file is: by its name if it is a part of a page, else by its first bytes."""
    return _TYPES.get(path.rpartition(".")[2]) or sniff(data[:ENOUGH]) or "application/octet-stream"


def _walk(folder: Traversable, prefix: str = "") -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for item in folder.iterdir() if folder.is_dir() else ():
        path = prefix + item.name
        found += _walk(item, f"{path}/") if item.is_dir() else [(path, item)]
    return found


def page_routes(package: str, served: Mapping[str, Sequence[str]], settings: Settings) -> list[Route]:
    """The routes of the pages of `package`, none if `settings` turn them off; `served` are the models of each task."""
    if not settings.pages:
        return []
    own = files(__name__.rpartition(".")[0])
    swagger = Shelf(own / "swagger", PAGE)
    playground = Shelf(own / "playground", PAGE)
    samples = Shelf(files(package) / "_samples", SAMPLE)
    return [
        Route("/", _home),
        Route("/docs", _index(swagger)),
        Route("/docs/assets/{path:path}", swagger.page),
        Route("/playground", _index(playground)),
        Route("/playground/assets/{path:path}", playground.page),
        Route("/playground/manifest.json", _manifest(package, served, settings)),
        Route("/samples/{path:path}", samples.page),
    ]


async def _home(request: Request) -> Response:
    # Relative where nothing says what comes before: a proxy may have taken a prefix off.
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/playground" if root else "playground", 307)


def _index(shelf: Shelf) -> Callable[[Request], Any]:
    async def index(request: Request) -> Response:
        return await shelf.file(request, "index.html")

    return index


def _manifest(package: str, served: Mapping[str, Sequence[str]], settings: Settings) -> Callable[[Request], Any]:
    """What the playground knows about the tasks, with what it must know about this server."""
    here = {
        "served": {task: list(names) for task, names in served.items()},
        "token": settings.token is not None or settings.token_file is not None,
        "max_body": settings.max_body,
        "fetch": bool(settings.fetch),
    }

    @cache
    def built() -> tuple[bytes, str]:
        known = json.loads((files(package) / "playground.json").read_bytes())
        data = json.dumps({**known, "server": here}, ensure_ascii=False).encode()
        return data, tag_of(data)

    async def manifest(request: Request) -> Response:
        return tagged(request, *await asyncio.to_thread(built), PAGE, "application/json")

    return manifest
