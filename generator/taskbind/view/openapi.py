"""The parts of an OpenAPI document that are the same whatever the tasks: words, headers, errors, pages of the service.

All are JSON values. Tests hold what is said here against the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from .. import ir
from ..escape import markdown
from .service import LIMITS, REQUEST_HEADERS, RESPONSE_HEADERS, STATUSES

Json = dict[str, Any]

SERVICE: Final = "Service"
"""The tag of the service's own pages: ids of tasks have no capitals."""

_INTRODUCTION: Final = """\
Every task has a route of its own, `POST /tasks/{task}`; `POST /models/{model}` asks a model by its name. A request is
JSON. Where it is nothing but a media file, the body may be that file, with the `content-type`
`application/octet-stream` or its own (`image/png`); all parameters are then at their defaults. Inside JSON, media are
base64.

**Authentication.** An operator may set a token, which requests to a task or model then carry as
`authorization: Bearer <token>`; without it the answer is 401. The other routes here want none.

**Errors** are JSON, too: `error` says what is wrong, `fields` where.

**Pages for people**: `/docs` shows this document, `/playground` calls the tasks from a form."""

_TEXT: Final = {"type": "string"}

_HEADERS: Final[dict[str, Json]] = {
    "x-use-cache": {"type": "boolean", "default": True},
    "x-wait-for-model": {"type": "boolean", "default": False},
    "x-request-id": _TEXT,
    "x-compute-time": {"type": "number", "minimum": 0},
    "x-cache": {"type": "string", "enum": ["hit", "miss", "bypass"]},
    "retry-after": {"type": "integer", "minimum": 0},
}
"""The schemas of the headers that are described one by one; OpenAPI has other places for the rest."""
_ALWAYS: Final = ("x-request-id", "x-compute-time")
"""The headers of every answer."""

_TOP_K: Final = "input should be an integer greater than or equal to 1"
_WRONG: Final[dict[int, Json]] = {
    400: {"error": "the body is not valid JSON: EOF while parsing an object at line 1 column 1"},
    401: {"error": "a valid token is required: send Authorization: Bearer <token>"},
    404: {"error": "no such model 'yours'; served here: mine"},
    408: {"error": "the body did not arrive within 60 seconds"},
    413: {"error": "the body is larger than 20000000 bytes"},
    415: {"error": "compressed request bodies are not accepted"},
    422: {"error": f"parameters.top_k: {_TOP_K}", "fields": [{"field": "parameters.top_k", "message": _TOP_K}]},
    429: {"error": "the server is busy: 256 requests are waiting"},
    500: {"error": "internal error"},
    503: {"error": "model 'mine' is loading", "estimated_time": 12.5},
    504: {"error": "no answer within 60 seconds"},
}
"""An answer for each status that a call of a model may have."""
_STATUSES: Final = [status for status in STATUSES if status.code in _WRONG]


def introduction(dialects: Iterable[ir.Dialect]) -> str:
    """What is to be known before any operation, as Markdown."""
    names = ", ".join(markdown(dialect.title) for dialect in dialects)
    more = (
        f"\n\n**Dialects.** The server also answers clients of other services ({names}), at routes that are not "
        "described here: see the page *Dialects* of the documentation."
    )
    return _INTRODUCTION + (more if names else "")


def parameters() -> Json:
    """The headers of requests, as components by name."""
    return {
        _component(header.name): {"name": header.name, "in": "header", "description": header.doc, "schema": schema}
        for header in REQUEST_HEADERS
        if (schema := _HEADERS.get(header.name))
    }


def headers() -> Json:
    """The headers of answers, as components by name."""
    return {
        _component(header.name): {"description": header.doc, "schema": _HEADERS[header.name]}
        for header in RESPONSE_HEADERS
    }


def answer_headers(*names: str) -> Json:
    """References to those of these names, and to those that every answer has."""
    return {name: {"$ref": f"#/components/headers/{_component(name)}"} for name in (*_ALWAYS, *names)}


def _component(header: str) -> str:
    return "".join(word.capitalize() for word in header.removeprefix("x-").split("-"))


def errors(schema: Json) -> Json:
    """The answers to calls of models that fail, as components by name; `schema` is that of their body."""
    out = {}
    for status in _STATUSES:
        about = f"{status.meaning} {status.remedy}"
        if limits := [f"- {limit.what}: {limit.value}" for limit in LIMITS if limit.status == status.code]:
            about = "\n".join([about, "", "Limits, where the operator has set no others:", "", *limits])
        later = ["retry-after"] if "`retry-after`" in status.remedy else []
        content = {"application/json": {"schema": schema, "example": _WRONG[status.code]}}
        out[_error(status.code)] = {"description": about, "headers": answer_headers(*later), "content": content}
    return out


def error_answers() -> Json:
    """References to them by status."""
    return {str(status.code): {"$ref": f"#/components/responses/{_error(status.code)}"} for status in _STATUSES}


def _error(code: int) -> str:
    return f"Error{code}"


def error_schema() -> Json:
    """The schema of the body of an error."""
    return {
        "title": "Error",
        "type": "object",
        "description": "What went wrong, in words.",
        "properties": {
            "error": _TEXT,
            "fields": {
                "type": "array",
                "items": _members(field=_TEXT, message=_TEXT),
                "description": "The members of the request that are to blame.",
            },
            "estimated_time": {"type": "number", "description": "Seconds until the model is loaded."},
        },
        "required": ["error"],
    }


def service_paths(operation: Callable[[str], str]) -> Json:
    """The pages that operators, monitors and tools ask; `operation` makes the id of an operation from a name."""
    most = {"type": "integer", "description": "How many bytes a request may have."}
    states = {"type": "object", "additionalProperties": _TEXT, "description": "Each model's state, by its name."}
    pages = {
        "/health": ("Whether the process answers", "application/json", _members(status=_TEXT, max_body=most)),
        "/ready": ("Whether every model can answer", "application/json", _members(status=_TEXT, models=states)),
        "/metrics": ("Metrics for Prometheus", "text/plain", _TEXT),
        "/openapi.json": ("This document", "application/json", {"type": "object"}),
    }
    unready = {"503": "No: a model is loading or failed to, or the server is about to end."}
    return {
        path: {
            "get": {
                "operationId": operation(path[1:].partition(".")[0]),
                "summary": summary,
                "description": f"{summary}. Wants no token.",
                "tags": [SERVICE],
                "security": [{}],
                "responses": {
                    code: {"description": about, "headers": answer_headers(), "content": {kind: {"schema": schema}}}
                    for code, about in ({"200": "Yes."} | (unready if path == "/ready" else {})).items()
                },
            }
        }
        for path, (summary, kind, schema) in pages.items()
    }


def _members(**properties: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}
