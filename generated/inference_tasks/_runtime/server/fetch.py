"""Media that a request names by URL: fetched only from where the operator allows, and never from inside a network.

A URL is a stranger's wish to make this machine connect somewhere. So a name is resolved once and the address that was
checked is the one connected to; where that leads on elsewhere, the same is asked of the next address; proxies, cookies,
credentials and compression are no part of it; and sizes and times are bounded.
"""

from __future__ import annotations

import asyncio
import binascii
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any

import httpx

from .memory import Share
from .problems import RequestProblem, TooLarge
from .settings import Settings
from .urls import Remote

ANY = "*"
PORTS = {"https": 443, "http": 80}
MAX_URL = 8192
MAX_AT_ONCE = 16
PORT_NUMBERS = range(1, 65_536)
MAX_REDIRECTS = 3
LOCALHOST = "localhost"
"""This machine by name (RFC 6761): whoever allows it means its loopback addresses."""
HOST = re.compile(r"[a-z0-9._:-]+")

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that is really meant."""
UNICAST = ipaddress.IPv6Network("2000::/3")
"""RFC 4291: what is public is in here; mapped, translated, local and multicast addresses are not."""
TUNNELS = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
"""Teredo and 6to4, which hide IPv4 addresses."""
RELAYS = ipaddress.IPv4Network("192.88.99.0/24")
"""What once led to 6to4 (RFC 7526)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Fetcher:
    """Fetches what `settings` allow. Used from the event loop only.

    `resolve` gives the addresses of a host and port, from the operating system unless said otherwise. Raises ValueError
    for what cannot be allowed.
    """

    def __init__(self, settings: Settings, resolve: Resolve | None = None) -> None:
        self._any = ANY in settings.fetch
        self._networks: list[Network] = []
        self._hosts: set[str] = set()
        for allowed in settings.fetch:
            if (network := _network(allowed)) is not None:
                self._networks.append(network)
            elif allowed != ANY:
                self._hosts.add(_allowed(allowed))
        self._size = settings.max_body
        self._seconds = settings.fetch_timeout
        self._resolve = resolve or _resolved
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """What certificates are checked against: the authorities that this machine's Python knows."""
        return ssl.create_default_context()

    async def fill(self, found: Remote, share: Share) -> Any:
        """The payload of `found` with media in base64, held by `share`, in place of URLs.

        Raises RequestProblem: 422 at the place of a URL that is not to be fetched or has no answer, 429 no room.
        """
        end = asyncio.get_running_loop().time() + self._seconds
        for place in found.places:
            data = await self.fetch(parsed_url(place.url, place.field), place.field, share, self._size, end)
            place.parent[place.name] = binascii.b2a_base64(data, newline=False).decode("ascii")
        return found.payload

    async def fetch(self, url: httpx.URL, field: str, share: Share, most: int, end: float | None = None) -> bytes:
        """What is at the `url`, a `parsed_url`: at most so many bytes, held by `share`.

        It has to be there at `end` (the event loop's time), and in ``fetch_timeout`` from when its turn comes. Raises
        RequestProblem: TooLarge at `field`, 422 there for whatever else is not to be fetched, 429 no room.
        """
        try:
            async with asyncio.timeout_at(end), self._turns, asyncio.timeout(self._seconds):
                return await self._followed(url, field, share, most)
        except TimeoutError:
            raise RequestProblem(f"could not be fetched within {self._seconds:g} seconds", field=field) from None
        except (httpx.TransportError, OSError, ValueError):
            # Which of all that could go wrong did is not told: it would map networks for strangers.
            raise RequestProblem("could not be fetched", field=field) from None

    async def _followed(self, url: httpx.URL, field: str, share: Share, most: int) -> bytes:
        found, hops = await self._got(url, field, share, most), 0
        while not isinstance(found, bytes):
            hops += 1
            if hops > MAX_REDIRECTS:
                raise RequestProblem(f"could not be fetched: it leads on more than {MAX_REDIRECTS} times", field=field)
            try:
                found = await self._got(parsed_url(found, field), field, share, most)
            except RequestProblem as problem:
                if not problem.fields:
                    raise
                raise type(problem)(f"leads on to another URL, which {problem.message}", field=field) from None
        return found

    async def _got(self, url: httpx.URL, field: str, share: Share, most: int) -> bytes | str:
        """The file at the `url`, or where it leads instead."""
        host = _host(url.host)
        port = url.port or PORTS[url.scheme]
        literal = _network(host)
        named = host in self._hosts or (literal is not None and self._listed(literal.network_address))
        if not named and not self._any:
            raise RequestProblem("is at a host that this server does not fetch from", field=field)
        if not named and (url.scheme != "https" or port != PORTS["https"]):
            raise RequestProblem("must be an https:// URL with no port", field=field)
        addresses = [ipaddress.ip_address(found.partition("%")[0]) for found in await self._resolve(host, port)]
        own = host == LOCALHOST and named
        if not addresses or not all(
            public(address) or self._listed(address) or (own and address.is_loopback) for address in addresses
        ):
            raise RequestProblem("is at an address that this server does not fetch from", field=field)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return await self._read(url, host, address, field, share, most)
            except httpx.ConnectError:
                if last == 0:
                    raise
        raise AssertionError("there is an address")

    def _listed(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    async def _read(
        self, url: httpx.URL, host: str, address: Address, field: str, share: Share, most: int
    ) -> bytes | str:
        """What `address` answers for the `url`, whose name the certificate must have."""
        headers = {"host": url.netloc.decode("ascii"), "accept": "*/*", "accept-encoding": "identity"}
        place = url.copy_with(host=str(address), fragment=None)
        request = httpx.Request("GET", place, headers=headers, extensions={"sni_hostname": host})
        # A transport knows no redirects, proxies, cookies or .netrc: those are the client's.
        async with httpx.AsyncHTTPTransport(verify=self.tls, trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            try:
                if response.has_redirect_location:
                    return _joined(url, response.headers["location"])
                return await self._received(response, field, share, most)
            finally:
                await response.aclose()

    async def _received(self, response: httpx.Response, field: str, share: Share, most: int) -> bytes:
        if response.status_code != 200:
            message = f"could not be fetched: the answer has status {response.status_code}"
            raise RequestProblem(message, field=field)
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            raise RequestProblem("could not be fetched: the answer is compressed", field=field)
        too_large = TooLarge(f"is a file of more than {most} bytes", field=field)
        if int(response.headers.get("content-length", "0")) > most:
            raise too_large
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > most:
                raise too_large
            share.take(len(chunk))
            chunks.append(chunk)
        if not size:
            raise RequestProblem("is an empty file", field=field)
        return b"".join(chunks)


def public(address: Address) -> bool:
    """Whether `address` is one of the public internet: for anybody to connect to, and of one machine."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in UNICAST or any(address in tunnel for tunnel in TUNNELS):
            return False
    elif address in RELAYS:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def parsed_url(url: str, field: str) -> httpx.URL:
    """`url`, if there is nothing odd about it. Raises RequestProblem."""
    odd = RequestProblem("is no URL that this server fetches", field=field)
    if len(url) > MAX_URL or not url.isprintable() or " " in url or "\\" in url:
        raise odd
    try:
        parsed = httpx.URL(url)
        host = _host(parsed.host)
    except (httpx.InvalidURL, ValueError):
        raise odd from None
    port = parsed.port
    if parsed.scheme not in PORTS or not HOST.fullmatch(host) or (port is not None and port not in PORT_NUMBERS):
        raise odd
    if parsed.userinfo:
        raise RequestProblem("must not hold a user name or a password", field=field)
    return parsed


def _joined(url: httpx.URL, location: str) -> str:
    try:
        return str(url.join(location))
    except httpx.InvalidURL:
        return location


def _host(text: str) -> str:
    """A host's name or address in the one form that is compared: in lower case, ASCII, without the dot of the root."""
    return httpx.URL(scheme="https", host=text.strip("[]").rstrip(".")).raw_host.decode("ascii").lower()


def _allowed(text: str) -> str:
    """The host that a setting names. Raises ValueError."""
    try:
        host = _host(text)
    except httpx.InvalidURL:
        host = ""
    if ":" in host or not HOST.fullmatch(host):
        message = f"fetch: {text[:100]!r} is no host, address or network like example.org, 10.1.2.3 or 10.1.0.0/16"
        raise ValueError(message)
    return host


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


async def _resolved(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
