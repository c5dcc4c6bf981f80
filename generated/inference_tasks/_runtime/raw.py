"""Responses as they came, beside the models in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from ._http import Response

Out = TypeVar("Out")
Parameters = ParamSpec("Parameters")


class RawResponse(Generic[Out]):
    """One response with a good status: what HTTP says of it, and what it holds.

    Example:
        raw = client.with_raw_response.text_classification("Well done!")
        print(raw.request_id, raw.retries_taken, raw.parse()[0].label)
    """

    def __init__(self, response: Response, parse: Callable[[], Out], request_id: str | None) -> None:
        self._response = response
        self._parse = parse
        self._request_id = request_id

    @property
    def status_code(self) -> int:
        """The status, 200 to 299: any other is raised as APIStatusError by the call."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case name."""
        return self._response.headers

    @property
    def request_id(self) -> str | None:
        """The server's name for this request, to be quoted in reports of errors."""
        return self._request_id

    @property
    def content(self) -> bytes:
        """The body; empty for an answer that is streamed."""
        return self._response.content

    @property
    def retries_taken(self) -> int:
        """How many tries failed before this one."""
        return self._response.retries

    def parse(self) -> Out:
        """The models, as the method without ``with_raw_response`` returns them. Raises ResponseValidationError."""
        return self._parse()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code}, request_id={self.request_id!r})"


def raw(method: Callable[Parameters, Out]) -> Callable[Parameters, RawResponse[Out]]:
    """`method` of a client that gives raw responses, typed as what it is."""
    return cast("Callable[Parameters, RawResponse[Out]]", method)


def raw_async(method: Callable[Parameters, Awaitable[Out]]) -> Callable[Parameters, Awaitable[RawResponse[Out]]]:
    """The same for a method of an async client."""
    return cast("Callable[Parameters, Awaitable[RawResponse[Out]]]", method)
