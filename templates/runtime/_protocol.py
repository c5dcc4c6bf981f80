"""How calls travel: what of them a request holds, and where in a response their answers are.

A server that speaks HTTP as most do gets a request for each call, says with its status what came of it, and answers
with the answer. A dialect with a protocol of its own has another :class:`CallProtocol`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from ._ask import Ask
from ._body import Body
from ._exchange import Verdict, as_http_says
from ._http import Response
from .errors import APIStatusError, ResponseValidationError


class CallProtocol(ABC):
    """One way to travel. `most` is how many calls a request can hold; `streams`: whether answers can be streamed."""

    most: ClassVar[int] = 1
    streams: ClassVar[bool] = True

    @abstractmethod
    def url(self, base: str, ask: Ask) -> str:
        """Where a request goes, below the server's address. Raises InputError."""

    def fetches(self, ask: Ask, kind: str, *member: str) -> bool:
        """Whether the server itself fetches media of a kind, the primary input or a `member` of it, by their URL."""
        return False

    def turns(self, base: str) -> bool:
        """Whether the server there turns an image as its EXIF data says, before anything is found in it."""
        return True

    @abstractmethod
    def call(self, ask: Ask, primary: Any) -> Any:
        """One call as this protocol has it, checked against the task's spec. Raises InputError.

        `primary` has all media read; those that the server fetches are a :class:`media.Link`.
        """

    def alike(self, call: Any) -> Any:
        """What calls must be alike in to travel in one request."""
        return None

    def held(self, call: Any) -> int:
        """About how many bytes of memory a call among several takes."""
        return 0

    def check(self, call: Any) -> None:
        """Raises InputError if a file of a call among several can no longer be read, or is not the same."""
        return

    @abstractmethod
    def content(self, ask: Ask, calls: Sequence[Any]) -> tuple[bytes | Body, str]:
        """The content of the request for up to `most` calls, and its type. Raises InputError."""

    def verdict(self, response: Response) -> Verdict:
        """What a response comes to, for whoever decides on another try."""
        return as_http_says(response)

    @abstractmethod
    def failures(self, response: Response, count: int, hide: str | None) -> list[APIStatusError | None]:
        """What went wrong with each of the `count` calls that a response is for.

        `hide` is a text (the token) that is blotted out if the server echoes it.
        """

    @abstractmethod
    def answer(self, ask: Ask, response: Response, index: int, count: int) -> Any:
        """The answer to one of `count` calls as JSON values. Raises ResponseValidationError."""


def loaded(task: str, response: Response, content: bytes | str, what: str) -> Any:
    """The JSON values of `content`, which is `what` for messages. Raises ResponseValidationError."""
    from pydantic_core import from_json

    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        problem = f"{task}: {what} is not JSON: {error}"
    raise invalid(response, problem)


def invalid(response: Response, problem: str, **more: Any) -> ResponseValidationError:
    """The error of a response that is not what it should be."""
    return ResponseValidationError(problem, status_code=response.status, request_id=response.request_id, **more)
