"""What a document says of the service as a whole, and of a task in prose: dialects.toml and task.toml."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from ...diagnostics import TaskbindError
from ...escape import visible
from ...ir import Source
from ...load.layout import KINDS
from ...load.meta import MAX_HEADING, is_url
from ...load.wire import is_address, is_dialect
from ...names import snake
from ...plan import RESERVED
from ..prose import line
from .codes import Unsayable
from .documents import Documents, inside
from .operations import Operation

_ROOT: Final = ""
_LONGEST: Final = 30


@dataclass(frozen=True)
class Service:
    """The dialect that a service speaks. `path` is what stands between its address and the paths of operations."""

    name: str
    title: str
    summary: str
    url: str = ""
    path: str = ""
    token_env: str = ""

    def table(self) -> dict[str, Any]:
        """Its table in dialects.toml."""
        said = {"title": self.title, "summary": self.summary, "url": self.url, "token_env": self.token_env}
        return {key: value for key, value in said.items() if value} | {"closed": True}


def service(documents: Documents, wanted: str) -> Service:
    """The service; `wanted` is its name where that is not to be made of the document's title. Raises TaskbindError."""
    info = documents.at(Source(documents.main, "/info"))
    title = line(info.get("title"), 80) or documents.main
    name = wanted or snake(title)[:_LONGEST].strip("_")
    if wanted and not is_dialect(wanted):
        raise TaskbindError(f"--name {wanted[:60]!r}: use a-z, 0-9 and _, a letter first: my_service")
    if not is_dialect(name):
        name = "service"
    summary = line(info.get("summary") or str(info.get("description") or "").partition("\n\n")[0], 300)
    made = Service(name, title, summary or f"The service that {documents.main} describes.")
    url, path = _address(documents)
    made = replace(made, url=url, path=path)
    return replace(made, token_env=f"{made.name.upper()}_TOKEN" if url and _has_token(documents) else "")


def settled(service: Service, ids: Collection[str]) -> Service:
    """The service with a name that no method of a client has, and no spec file."""
    taken = {*RESERVED, *map(snake, ids), *KINDS}
    name = service.name
    while name in taken or keyword.iskeyword(name):
        name = f"{name}_service"
    return replace(service, name=name)


def _address(documents: Documents) -> tuple[str, str]:
    """Origin and path of the first server; the former is empty where it is not one to send tokens to."""
    place = Source(documents.main, "/servers")
    servers = documents.at(Source(documents.main, _ROOT)).get("servers")
    first = servers[0] if isinstance(servers, list) and servers else None
    if not isinstance(first, dict) or not isinstance(first.get("url"), str):
        return "", ""
    variables = first.get("variables")

    def default(match: re.Match[str]) -> str:
        variable = variables.get(match[1]) if isinstance(variables, dict) else None
        return str(variable.get("default", "")) if isinstance(variable, dict) else ""

    url = re.sub(r"\{([^{}]*)\}", default, first["url"]).rstrip("/")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if is_address(url):
        return f"{parts.scheme}://{parts.netloc}", parts.path
    told = inside(place, 0, "url")
    if parts.scheme or parts.netloc:
        message = "the server's address is no https URL, so clients have to be told where to send requests"
        documents.tell("TB429", told, message, "pass it to the client, or write `url` into dialects.toml")
    path = parts.path if re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", parts.path) else ""
    return "", path


def _has_token(documents: Documents) -> bool:
    """Whether any way to prove who one is, is a token in the `authorization` header; others are told of."""
    found = False
    components = Source(documents.main, "/components")
    if "components" not in documents.at(Source(documents.main, _ROOT)):
        return False
    for _, place in documents.members(components, "securitySchemes"):
        try:
            about, _ = documents.followed(place)
        except Unsayable as problem:
            documents.tell("TB429", place, problem.message, problem.fix)
            continue
        kind = about.get("type") if isinstance(about, dict) else None
        if kind in ("oauth2", "openIdConnect") or (kind == "http" and str(about.get("scheme")).lower() == "bearer"):
            found = True
        elif kind == "apiKey":
            where, name = str(about.get("in")), str(about.get("name"))
            message = f"a key is wanted in the {where[:20]} {name[:60]!r}, which no dialect has"
            documents.tell("TB429", place, message, "pass it with the client's default_headers, or with extra_query")
    return found


def meta(documents: Documents, operation: Operation) -> dict[str, Any]:
    """The prose of a task.toml."""
    said: dict[str, Any] = {
        "title": line(operation.title, 100),
        "summary": line(operation.summary, 300),
        "category": line(_tag(documents, operation.tag), MAX_HEADING),
        "description": visible(operation.description)[:20_000],
        "learn_more": operation.learn_more if is_url(operation.learn_more) else "",
    }
    return {key: value for key, value in said.items() if value}


def _tag(documents: Documents, name: str) -> str:
    """The name of a tag for people."""
    tags = documents.at(Source(documents.main, _ROOT)).get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, dict) and tag.get("name") == name:
            return str(tag.get("x-displayName") or tag.get("summary") or name)
    return name
