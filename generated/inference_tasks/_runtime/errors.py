"""Every error this package raises, all of them :class:`InferenceError`.

```
InferenceError
├── InputError                 found before anything was sent
├── ConfigurationError         the client itself is set up wrongly
└── APIError
    ├── APIConnectionError     no answer
    │   └── APITimeoutError
    ├── APIStatusError         an answer that is an error
    │   ├── BadRequestError 400, AuthenticationError 401, PermissionDeniedError 403, NotFoundError 404,
    │   │   PayloadTooLargeError 413, UnsupportedMediaTypeError 415, UnprocessableEntityError 422, RateLimitError 429
    │   └── ServerError 5xx
    │       └── ModelLoadingError 503 with an estimated time
    ├── StreamError            an error in the middle of a streamed answer
    └── ResponseValidationError   an answer that is not what the task's spec says
```

All of them can be pickled and copied. None shows a token or a request's payload in its `str` or `repr`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .validation import Problem

_EXCERPT = 300


class InferenceError(Exception):
    """The base of every error here. `message` says what is wrong and, where it is known, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args`, which subclasses with more arguments than a message refuse.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[InferenceError], args: tuple[Any, ...], state: dict[str, Any]) -> InferenceError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class InputError(InferenceError, ValueError):
    """An input that cannot be sent: a missing or empty file, a wrong type, a value that the task's spec refuses.

    `problems` lists what the spec refuses, member by member; it is empty for anything else.
    """

    def __init__(self, message: str, *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class ConfigurationError(InferenceError, ValueError):
    """A client that cannot work as it was set up: no base URL, a token that would travel in the clear."""


class APIError(InferenceError):
    """Something went wrong after a request was made."""


class APIConnectionError(APIError):
    """No answer came. `retryable` is False where a second try could not end differently."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class APITimeoutError(APIConnectionError):
    """No answer came in time. Only a timeout while connecting is retried: later, the model may be at work."""


class ResponseValidationError(APIError):
    """An answer with a good status that is not what the task's spec says; `problems` names the members."""

    def __init__(
        self, message: str, *, status_code: int, request_id: str | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.request_id = request_id
        self.problems = tuple(problems)


class StreamError(APIError):
    """The server broke a streamed answer off with an error. `body` is what it sent, None if that was no JSON."""

    def __init__(self, message: str, *, body: Any = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.body = body
        self.request_id = request_id


class APIStatusError(APIError):
    """An answer with an error status.

    `message` is the server's own, `body` the parsed JSON (or the start of the text, where it is none), `headers` have
    lower-case names, `fields` are the members of the request that the server blames. `code` is the server's own number
    for what went wrong, in dialects that have such; `status_code` is then the HTTP status that stands for it, whichever
    the answer came with.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        body: Any = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        fields: Sequence[Problem] = (),
        code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.body = body
        self.request_id = request_id
        self.headers = dict(headers or {})
        self.fields = tuple(fields)

    def __str__(self) -> str:
        request = f", request {self.request_id}" if self.request_id else ""
        what = f"HTTP {self.status_code}" if self.code is None else f"code {self.code}"
        return f"{self.message} ({what}{request})"


class BadRequestError(APIStatusError):
    """400: the server cannot make sense of the request."""


class AuthenticationError(APIStatusError):
    """401: the token is missing or wrong."""


class PermissionDeniedError(APIStatusError):
    """403: the token is right and does not suffice."""


class NotFoundError(APIStatusError):
    """404: no such task or model on this server."""


class PayloadTooLargeError(APIStatusError):
    """413: the input is larger than the server takes."""


class UnsupportedMediaTypeError(APIStatusError):
    """415: the server does not read this kind of body."""


class UnprocessableEntityError(APIStatusError):
    """422: the request is well-formed and its values are not; see `fields`."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


class ModelLoadingError(ServerError):
    """503 while the model is still loading; `estimated_time` is the server's guess in seconds.

    Pass ``wait_for_model=True`` to have the server hold the request until the model is ready.
    """

    @property
    def estimated_time(self) -> float:
        """Seconds until the model is expected to be ready; 0 where the server does not guess."""
        return _estimate(self.body) or 0.0


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def status_error(status: int, headers: Mapping[str, str], content: bytes, *, hide: str | None = None) -> APIStatusError:
    """The typed error of an answer. `hide` is a text (the token) that is blotted out if the server echoes it."""
    headers = blotted(headers, hide)
    text = content.decode("utf-8", "replace")
    body: Any
    try:
        body = blotted(json.loads(text), hide)
        text = blotted(text, hide)
    except (ValueError, RecursionError):
        text = blotted(text, hide)
        body = text[:_EXCERPT]
    found = _message(body) or headers.get("x-error-message", "") or _excerpt(text)
    return error_class(status, is_loading=_estimate(body) is not None)(
        found or _phrase(status),
        status_code=status,
        body=body,
        request_id=headers.get("x-request-id"),
        headers=headers,
        fields=_fields(body),
    )


def blotted(value: Any, hide: str | None) -> Any:
    """`value`, JSON values or headers, with the text `hide` blotted out of all its texts; member names are kept."""
    if not hide:
        return value
    if isinstance(value, str):
        return value.replace(hide, "***")
    if isinstance(value, Mapping):
        return {name: blotted(member, hide) for name, member in value.items()}
    return [blotted(item, hide) for item in value] if isinstance(value, list) else value


def stream_error(text: str, *, request_id: str | None, hide: str | None = None) -> StreamError:
    """The typed error of an event that is one. `hide` is blotted out as in :func:`status_error`."""
    try:
        body = blotted(json.loads(text), hide)
    except (ValueError, RecursionError):
        body = None
    said = _excerpt(_message(body) or blotted(text, hide))
    return StreamError(f"the server broke off: {said}", body=body, request_id=request_id)


def loading(status: int, content: bytes) -> float | None:
    """The seconds after which the model should be ready, if that is what an answer says."""
    if status != 503:
        return None
    try:
        return _estimate(json.loads(content))
    except (ValueError, RecursionError):
        return None


def _estimate(body: Any) -> float | None:
    estimate = body.get("estimated_time") if isinstance(body, dict) else None
    if not isinstance(estimate, int | float) or isinstance(estimate, bool):
        return None
    return float(estimate) if 0 <= estimate < float("inf") else None


def error_class(status: int, *, is_loading: bool) -> type[APIStatusError]:
    """The class of errors with an HTTP status; `is_loading` tells why the server is not available."""
    if status < 500:
        return _BY_STATUS.get(status, APIStatusError)
    return ModelLoadingError if status == 503 and is_loading else ServerError


def _message(body: Any) -> str:
    """The message in any of the shapes that inference servers use: ours, Hugging Face's, FastAPI's, OpenAI's."""
    if not isinstance(body, dict):
        return ""
    return next(
        filter(None, ("; ".join(_texts(body.get(key))) for key in ("error", "errors", "detail", "message"))), ""
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        message = value.get("message", value.get("msg"))
        if isinstance(message, str):
            where = value.get("loc")
            yield f"{'.'.join(map(str, where))}: {message}" if isinstance(where, list) else message


def _excerpt(text: str) -> str:
    line = " ".join(text[: 4 * _EXCERPT].split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "error without a message"


def _fields(body: Any) -> list[Problem]:
    from .validation import Problem

    listed = body.get("fields") if isinstance(body, dict) else None
    return [
        Problem(item["field"], item["message"])
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and isinstance(item.get("field"), str) and isinstance(item.get("message"), str)
    ]
