"""What goes wrong with a call or one of its outputs, as a status of Clarifai's API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...clarifai.codes import DESCRIPTIONS, LATER, Code
from ...forms import Form, on_wire
from ..problems import RequestProblem, TooLarge

_OF_THE_MODEL: Mapping[int, Code] = {
    404: Code.MODEL_DOES_NOT_EXIST,
    408: Code.RPC_REQUEST_TIMEOUT,
    413: Code.RPC_MAX_MESSAGE_SIZE_EXCEEDED,
    415: Code.CONN_INVALID_REQUEST,
    429: Code.CONN_THROTTLED,
    503: Code.MODEL_LOADING,
    504: Code.RPC_REQUEST_TIMEOUT,
}
"""What a status of ours says, whatever the request holds."""

OF_THE_CALL = LATER | {
    Code.CONN_THROTTLED,
    Code.MODEL_INVALID_ARGUMENT,
    Code.MODEL_DEPLOYMENT_FAILED,
    Code.RPC_REQUEST_TIMEOUT,
}
"""What no input is to blame for: where all outputs end so, the call itself does."""

_TWINS: Mapping[Code, Code] = {
    Code.INPUT_DOWNLOAD_FAILED: Code.INPUT_VIDEO_DOWNLOAD_FAILED,
    Code.INPUT_UNSUPPORTED_FORMAT: Code.INPUT_VIDEO_UNSUPPORTED_FORMAT,
    Code.INPUT_INVALID_ARGUMENT: Code.INPUT_VIDEO_INVALID_ARGUMENT,
    Code.INPUT_OVER_LIMIT: Code.INPUT_VIDEO_OVER_LIMIT,
    Code.INPUT_INVALID_URL: Code.INPUT_VIDEO_INVALID_URL,
    Code.ALL_INPUT_INVALID_BYTES: Code.ALL_INPUT_VIDEOS_INVALID_BYTES,
}
"""What goes wrong with a video has codes of its own."""


class Problem(Exception):  # noqa: N818 - what is wrong is the request, or just now
    """A call, or one of its outputs, that ends with `code`.

    `details` go to the client as they are, `headers` with an HTTP answer, as far as it is the whole call.
    """

    def __init__(self, code: Code, details: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Reply:
    """What a call is answered: how it ended, a `message` of the protocol that tells it, and what HTTP has beside."""

    code: Code
    message: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def status(code: Code, details: str = "", req_id: str = "") -> dict[str, Any]:
    """The message ``Status``; what is empty is left out."""
    said = {"code": int(code), "description": DESCRIPTIONS[code], "details": details, "req_id": req_id}
    return {name: value for name, value in said.items() if value != ""}


def of_input(code: Code, field: str, message: str) -> Problem:
    """What is wrong with the member at `field` (``data.image.url``) of an input."""
    kind = field.split(".")[1:2]
    return Problem(_TWINS.get(code, code) if kind == ["video"] else code, f"{field}: {message}")


def of_request_problem(problem: RequestProblem, form: Form = (), given: Collection[str] = ()) -> Problem:
    """Our own finding, in a request with these members of ``data`` given in a `form` of its task, as a status.

    A handler and a decoder blame members of the spec, an interpreter those of the wire: both are told as of the wire.
    """
    if problem.status in _OF_THE_MODEL:
        return Problem(_OF_THE_MODEL[problem.status], problem.error, problem.headers)
    if problem.status >= 500:
        return Problem(Code.MODEL_PREDICTION_FAILED, problem.error, problem.headers)
    if problem.status == 400:
        return Problem(Code.CONN_BAD_REQUEST_FORMAT, problem.error, problem.headers)
    if not problem.fields:
        return Problem(Code.PREDICT_INVALID_REQUEST, problem.message)
    places = [_place(found.field, form) for found in problem.fields]
    place = next((place for place in places if place.startswith("params")), places[0])
    if place.startswith("params"):
        code = Code.MODEL_INVALID_ARGUMENT
    elif isinstance(problem, TooLarge):
        code = Code.INPUT_OVER_LIMIT
    else:
        _, name, *inner = (*place.split("."), "")
        unreadable = name in given and inner[:1] == ["base64"]
        code = Code.ALL_INPUT_INVALID_BYTES if unreadable else Code.INPUT_INVALID_ARGUMENT
    if problem.fields[0].message == problem.message:
        return of_input(code, places[0], problem.message)
    return Problem(code, problem.message)


def _place(field: str, form: Form) -> str:
    steps = [int(step) if step.isdigit() else step for step in field.split(".")]
    if steps[0] in ("data", "params"):
        return field
    return ".".join(map(str, on_wire(form, steps)))
