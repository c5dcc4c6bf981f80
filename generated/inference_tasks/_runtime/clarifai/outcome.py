"""What came of a predict call: the status of the whole and of each output, and the errors that they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._exchange import Verdict
from .._http import Response
from ..errors import APIStatusError, blotted, error_class
from .codes import DESCRIPTIONS, LATER, Code, http_status

_GOOD: Final = (Code.SUCCESS, Code.MIXED_STATUS)


def status_of(value: Any) -> Mapping[str, Any] | None:
    """The status that a response or an output has, if it has one.

    Its `code` is a number, or None where none can be read: nobody knows then what came of it.
    """
    status = value.get("status") if isinstance(value, dict) else None
    if status is None:
        return None
    known = status if isinstance(status, dict) else {}
    return {**known, "code": _number(known.get("code"))}


def _number(code: Any) -> int | None:
    """A code as a number: JSON may have it as one, as the text of one, or by its name."""
    if isinstance(code, str):
        if code in Code.__members__:
            return Code[code].value
        return int(code) if re.fullmatch(r"[0-9]{1,9}", code) else None
    if isinstance(code, bool) or not isinstance(code, int | float):
        return None
    return int(code) if 0 <= code < 1_000_000_000 and code == int(code) else None


def outputs_of(response: Response) -> Sequence[Any]:
    """The outputs in a response, none if it is of another kind."""
    found = response.json.get("outputs") if isinstance(response.json, dict) else None
    return found if isinstance(found, list) else []


def is_clarifais(response: Response) -> bool:
    """Whether Clarifai's protocol says what came of a call, and not whoever stands before the service."""
    status = status_of(response.json)
    return 200 <= response.status < 300 or (status is not None and status["code"] is not None)


def verdict(response: Response) -> Verdict:
    """What a response comes to as a whole: nothing bad where outputs of it say themselves that they failed."""
    status = status_of(response.json)
    name = request_id(response)
    if status is None or status["code"] is None or not all(map(_is_good, map(status_of, outputs_of(response)))):
        return Verdict(200, request_id=name)
    return Verdict(_http(status["code"], response), 0.0 if status["code"] in LATER else None, name)


def failures(response: Response, count: int, hide: str | None) -> list[APIStatusError | None]:
    """What went wrong with each of the `count` inputs of a call. `hide` is blotted out."""
    status, outputs = status_of(response.json), outputs_of(response)
    of_each = [status_of(output) for output in outputs] if len(outputs) == count else [None] * count
    if all(map(_is_good, of_each)):
        # Then what the whole says holds for each.
        of_each = [status] * count
    return [None if one is None or _is_good(one) else _error(one, response, hide) for one in of_each]


def request_id(response: Response) -> str | None:
    """Clarifai's name for a request."""
    status = status_of(response.json)
    found = status.get("req_id") if status else None
    return found if isinstance(found, str) and found else response.headers.get("x-request-id")


def _is_good(status: Mapping[str, Any] | None) -> bool:
    return status is None or status["code"] in _GOOD


def _http(code: int | None, response: Response) -> int:
    """The HTTP status that a code stands for, whichever it came with; of a code that nobody knows, that one."""
    if code is None:
        return response.status
    return response.status if code not in DESCRIPTIONS and response.status >= 400 else http_status(code)


def _error(status: Mapping[str, Any], response: Response, hide: str | None) -> APIStatusError:
    status = blotted(status, hide)
    code: int | None = status["code"]
    said = [text for name in ("description", "details") if isinstance(text := status.get(name), str) and text]
    if not said and code is not None and code in DESCRIPTIONS:
        said = [DESCRIPTIONS[Code(code)]]
    http = _http(code, response)
    return error_class(http, is_loading=code in LATER)(
        ": ".join(said) or ("an error without a message" if code is not None else "a status whose code cannot be read"),
        status_code=http,
        body={"status": status},
        request_id=response.request_id,
        headers=blotted(response.headers, hide),
        code=code,
    )
