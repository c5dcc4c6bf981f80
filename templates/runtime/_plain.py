"""The way that most calls travel: each in a request of its own, over HTTP as most servers speak it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._ask import Ask
from ._body import Body
from ._http import Response
from ._payload import payload
from ._protocol import CallProtocol, loaded
from ._urls import route
from .errors import APIStatusError, status_error

if TYPE_CHECKING:
    from .dialect import Dialect


class OneByOne(CallProtocol):
    """A request for each call, in a `dialect` or in the spec's own words."""

    def __init__(self, dialect: Dialect | None) -> None:
        self._dialect = dialect

    def url(self, base: str, ask: Ask) -> str:
        if self._dialect is None or ask.wire is None:
            # Where the request itself names the model, its address does not.
            return base + route(ask.binding.id, None if ask.binding.names_model else ask.model)
        names_model = ask.binding.names_model or ask.wire.model is not None
        return self._dialect.address(base, ask.wire, ask.model, names_model=names_model)

    def call(self, ask: Ask, primary: Any) -> tuple[bytes | Body, str]:
        return payload(ask, primary)

    def content(self, ask: Ask, calls: Sequence[tuple[bytes | Body, str]]) -> tuple[bytes | Body, str]:
        (call,) = calls
        return call

    def failures(self, response: Response, count: int, hide: str | None) -> list[APIStatusError | None]:
        if 200 <= response.status < 300:
            return [None]
        return [status_error(response.status, response.headers, response.content, hide=hide)]

    def answer(self, ask: Ask, response: Response, index: int, count: int) -> Any:
        kind = response.headers.get("content-type", "no content type")
        if ask.wire is not None and ask.wire.is_file(response.content, kind):
            return ask.wire.of_file(response.content)
        return loaded(ask.binding.id, response, response.content, f"the answer ({kind})")


def protocol_of(dialect: Dialect | None) -> CallProtocol:
    """How calls travel in a dialect, or in none."""
    if dialect is None or not dialect.protocol:
        return OneByOne(dialect)
    from .clarifai.protocol import Predict

    return Predict(dialect)
