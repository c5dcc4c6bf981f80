"""The ports that a server listens on, taken before it starts: who cannot have one hears of it at once."""

from __future__ import annotations

import socket as sockets

BACKLOG = 2048
"""How many clients may wait to be connected."""


class PortError(Exception):
    """An address that cannot be listened on; the message says which and why."""


def listen(host: str, port: int) -> sockets.socket:
    """A listening socket. Raises PortError."""
    # From here on clients may connect; they are answered as soon as the server runs.
    return _bound(host, port, BACKLOG)


def reserved(host: str, port: int) -> sockets.socket:
    """A socket that keeps the port for who will listen there. Raises PortError."""
    return _bound(host, port, None)


def _bound(host: str, port: int, backlog: int | None) -> sockets.socket:
    try:
        family, kind, protocol, _, address = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
        socket = sockets.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise PortError(f"cannot listen on {host}:{port}: {_reason(error)}") from None
    try:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        socket.bind(address)
        if backlog is not None:
            socket.listen(backlog)
    except (OSError, OverflowError) as error:
        socket.close()
        raise PortError(f"cannot listen on {host}:{port}: {_reason(error)}") from None
    return socket


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
