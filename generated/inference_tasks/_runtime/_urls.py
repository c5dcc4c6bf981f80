"""URLs: where requests go, what counts as the same origin, and how a URL is shown in a message."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

from .errors import ConfigurationError, InputError

Origin = tuple[str, str, int]
"""Scheme, host and port: what a credential is bound to."""


def origin(url: str) -> Origin:
    """The origin of an ``http`` or ``https`` URL. Raises ConfigurationError for any other."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"not a URL: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(f"not an http:// or https:// URL: {shown(url)!r}")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


def base_of(url: str) -> str:
    """`url` as the base of routes, without a slash at its end. Raises ConfigurationError."""
    origin(url)
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("base_url holds a user name or password; pass token=… or an http_client with auth")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"base_url has a query or a fragment: {shown(url)!r} is enough")
    return parts._replace(query="", fragment="").geturl().rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether `host` is this very machine, so that nothing sent to it crosses a network."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """`url` for a message: without user, password and query, any of which may be a secret."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()[:300]
    except ValueError:
        return "(not a URL)"


def route(task: str, model: str | None) -> str:
    """The path of a task's route, or of a model's, whose slashes are part of the path. Raises InputError."""
    return f"/tasks/{task}" if model is None else f"/models/{model_path(model)}"


def joined(base: str, route: str) -> str:
    """`route` after `base`, which may end with the beginning of it: ``…/v1`` and ``/v1/chat`` are ``…/v1/chat``."""
    path = urlsplit(base).path
    cuts = [end for end, letter in enumerate(route + "/") if letter == "/" and end]
    return base + next((route[end:] for end in reversed(cuts) if path.endswith(route[:end])), route)


def model_path(model: str) -> str:
    """A model's name as part of a path. Raises InputError."""
    if not isinstance(model, str) or any(part in ("", ".", "..") for part in model.split("/")):
        raise InputError(f"model: {str(model)[:100]!r} is not the name of a model")
    return quote(model, safe="/@")


def with_query(url: str, query: Mapping[str, str | int | float | bool]) -> str:
    """`url` with `query` added; truth values as ``true`` and ``false``. Raises InputError."""
    pairs = []
    for name, value in query.items():
        if not isinstance(name, str) or not isinstance(value, str | int | float):
            raise InputError(f"extra_query: {str(name)[:80]!r} must be a text, a number or a truth value")
        pairs.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}"


def redirect(url: str, location: str) -> str:
    """The absolute URL that a ``location`` header at `url` points to. Raises ConfigurationError if it is none."""
    try:
        target = urldefrag(urljoin(url, location)).url
    except ValueError as error:
        raise ConfigurationError(f"not a URL: {error}") from None
    origin(target)
    return target
