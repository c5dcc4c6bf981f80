"""Render `openapi.json`: the server's routes and schemas as OpenAPI 3.1, whose schemas are JSON Schema 2020-12."""

from __future__ import annotations

import json
from typing import Any, Final

from .. import ir
from ..context import Context
from ..plan import Plan, TaskPlan
from . import Files
from .schemas import schema

MAX_BODY_MB: Final = 20

_STATUS: Final = {
    "400": "The request is not strict JSON, or a header has a bad value.",
    "401": "The server wants a token, and this request has none or a wrong one.",
    "404": "No such task or model here.",
    "408": "The request took too long to arrive.",
    "413": f"The request is larger than {MAX_BODY_MB} MB.",
    "415": "The body is of a type that this task does not take.",
    "422": "The request does not match the task's schema, asks for more than this server or model gives, or its media "
    "cannot be decoded; `fields` says where.",
    "429": "The queue of the model is full, or too much data waits; `Retry-After` says when to come back.",
    "500": "The server failed; its log has this request's id.",
    "503": "The model is loading; `Retry-After` and `estimated_time` say how long. `x-wait-for-model` waits instead.",
    "504": "The answer took too long.",
}

_LATER: Final = ("429", "503")

_HEADERS: Final = {
    "x-use-cache": (True, "Whether an answer to an equal, earlier request may be returned."),
    "x-wait-for-model": (False, "Whether to wait while the model loads instead of answering 503."),
}


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The document, and the same one inside the package, where the server reads it."""
    document = openapi(api, plan, context)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return {"openapi.json": text, f"{plan.package}/openapi.json": text}


def openapi(api: ir.Api, plan: Plan, context: Context) -> dict[str, Any]:
    """The document as JSON values."""
    names = plan.schemas

    schemas = {name: schema(api, plan, id, "#/components/schemas/") for id, name in names.items()}
    config = context.config
    return {
        "openapi": "3.1.0",
        "info": {
            "title": plan.distribution,
            "version": config.version,
            "summary": config.summary,
            "license": {"name": config.license, "identifier": config.license},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "http://localhost:8000", "description": "a server started with `serve`"}],
        "security": [{}, {"token": []}],
        "tags": [{"name": task.task.id, "description": _summary(task)} for task in plan.tasks],
        "paths": {f"/tasks/{task.task.id}": {"post": _operation(api, task, names)} for task in plan.tasks}
        | _service_paths(),
        "components": {
            "schemas": dict(sorted(schemas.items())) | {"Error": _error_schema()},
            "parameters": {_header_name(name): _header(name, *about) for name, about in _HEADERS.items()},
            "headers": {
                "RequestId": {"description": "Names this request in logs.", "schema": {"type": "string"}},
                "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _summary(task: TaskPlan) -> str:
    return task.task.docs.summary or task.task.title


def _operation(api: ir.Api, task: TaskPlan, names: dict[str, str]) -> dict[str, Any]:
    request = {"application/json": {"schema": {"$ref": f"#/components/schemas/{task.input_class}"}}}
    if task.media is not None and task.takes_file:
        raw: dict[str, Any] = {"schema": {"description": "The file itself, without parameters."}}
        request |= {task.media.content_type: raw, "application/octet-stream": raw}
    answer = {"application/json": {"schema": {"$ref": f"#/components/schemas/{names[task.task.output]}"}}}
    if task.stream_annotation and task.task.stream:
        answer["text/event-stream"] = {"schema": _events(names[task.task.stream])}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    about = api.definition(task.task.output).doc or "The answer."
    headers = {"x-request-id": {"$ref": "#/components/headers/RequestId"}}
    later = {"retry-after": {"$ref": "#/components/headers/RetryAfter"}}
    return {
        "operationId": task.method,
        "summary": task.task.title,
        "description": task.task.docs.description or _summary(task),
        "tags": [task.task.id],
        "parameters": [{"$ref": f"#/components/parameters/{_header_name(name)}"} for name in _HEADERS],
        "requestBody": {"required": True, "content": request},
        "responses": {
            "200": {"description": about, "headers": headers, "content": answer},
            **{
                code: {"description": text, "headers": headers | (later if code in _LATER else {}), "content": error}
                for code, text in _STATUS.items()
            },
        },
    }


def _events(name: str) -> dict[str, Any]:
    """The schema of a streamed answer: that of one of its events, as tools read it, and as OpenAPI 3.2 words it."""
    parts = [{"$ref": f"#/components/schemas/{schema}"} for schema in (name, "Error")]
    json = {"type": "string", "contentMediaType": "application/json", "contentSchema": {"anyOf": parts}}
    return {
        "description": "Where the request says `stream: true`: server-sent events; this is the schema of each. The "
        "data of the last is `[DONE]`, or tells what went wrong where the answer breaks off.",
        "type": "object",
        "properties": {"data": {"anyOf": [json, {"const": "[DONE]"}]}},
        "required": ["data"],
    }


def _service_paths() -> dict[str, Any]:
    text = {"type": "string"}
    most = {"type": "integer", "description": "How many bytes a request may have."}
    states = {"type": "object", "additionalProperties": text, "description": "Each model's state, by its name."}
    pages = {
        "/health": ("Whether the process answers.", "application/json", _members(status=text, max_body=most)),
        "/ready": ("Whether every model can answer.", "application/json", _members(status=text, models=states)),
        "/metrics": ("Prometheus metrics.", "text/plain", text),
        "/openapi.json": ("This document.", "application/json", {"type": "object"}),
    }
    unready = {"503": "No: a model is loading or failed to, or the server is about to end."}
    return {
        path: {
            "get": {
                "operationId": path[1:].partition(".")[0],
                "summary": summary,
                "security": [{}],
                "responses": {
                    code: {"description": about, "content": {kind: {"schema": schema}}}
                    for code, about in ({"200": "Yes."} | (unready if path == "/ready" else {})).items()
                },
            }
        }
        for path, (summary, kind, schema) in pages.items()
    }


def _members(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _header_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.removeprefix("x-").split("-"))


def _header(name: str, default: bool, text: str) -> dict[str, Any]:
    schema = {"type": "boolean", "default": default}
    return {"name": name, "in": "header", "required": False, "description": text, "schema": schema}


def _error_schema() -> dict[str, Any]:
    text = {"type": "string"}
    field = {"type": "object", "properties": {"field": text, "message": text}, "required": ["field", "message"]}
    return {
        "title": "Error",
        "type": "object",
        "description": "What went wrong, in words.",
        "properties": {
            "error": text,
            "fields": {"type": "array", "items": field, "description": "The members of the request that are to blame."},
            "estimated_time": {"type": "number", "description": "Seconds until the model is loaded."},
        },
        "required": ["error"],
    }
