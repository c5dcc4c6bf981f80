"""Render `openapi.json`: the server's routes and schemas as OpenAPI 3.1, whose schemas are JSON Schema 2020-12.

Other people's tools make clients, mocks and pages from it, so it says all that is known, and says it in words that they
understand (see `view.openapi_schemas`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .. import ir
from ..context import BASE_URL, Context
from ..escape import markdown, markdown_block
from ..indented import indented
from ..plan import Plan, TaskPlan
from ..view.openapi import (
    SERVICE,
    answer_headers,
    error_answers,
    error_schema,
    errors,
    headers,
    introduction,
    parameters,
    service_paths,
)
from ..view.openapi_schemas import reworded
from ..view.pages import by_category
from ..view.program import Program
from ..view.programs import programs
from ..view.requests import fitting, request
from . import Files
from .schemas import DIALECT, schema

_SCHEMAS: Final = "#/components/schemas/"
_ANY_MODEL: Final = "Any model"
"""The tag of the route that no task has to itself."""


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The document, and the same one inside the package, where the server reads it."""
    text = indented(_Document(api, plan, context).whole())
    return {"openapi.json": text, f"{plan.package}/openapi.json": text}


class _Document:
    """What all parts of the document refer to; its methods are the parts, as JSON values."""

    def __init__(self, api: ir.Api, plan: Plan, context: Context) -> None:
        self.api, self.plan, self.context = api, plan, context
        own = {name: schema(api, plan, id, _SCHEMAS) for id, name in plan.schemas.items()}
        self.schemas, self.same = reworded(own, _SCHEMAS)
        self.error = _free("Error", self.schemas)
        self.programs: dict[str, list[Program]] = {}
        for program in context.once(programs, api, plan):
            self.programs.setdefault(program.task, []).append(program)

    def whole(self) -> dict[str, Any]:
        config, tasks = self.context.config, self.plan.tasks
        paths = {f"/tasks/{task.task.id}": {"post": self.task(task)} for task in tasks}
        methods = [task.method for task in tasks]
        error = {"$ref": f"{_SCHEMAS}{self.error}"}
        return {
            "openapi": "3.1.0",
            "info": {
                "title": self.plan.distribution,
                "version": config.version,
                "summary": config.summary,
                "description": introduction(self.plan.dialects),
                "license": {"name": config.license, "identifier": config.license},
            },
            "jsonSchemaDialect": DIALECT,
            "servers": [{"url": BASE_URL, "description": "A server started with `serve`."}],
            "security": [{}, {"token": []}],
            "tags": self.tags(),
            **self.groups(),
            "paths": {
                **paths,
                "/models/{model}": {"post": self.model(_free("call_model", methods))},
                **service_paths(lambda name: _free(name, methods)),
            },
            "components": {
                "schemas": dict(sorted(self.schemas.items())) | {self.error: error_schema()},
                "responses": errors(error),
                "parameters": parameters(),
                "headers": headers(),
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer", "description": "The operator's, if there is one."}
                },
            },
        }

    def tags(self) -> list[dict[str, Any]]:
        own = [
            {"name": task.task.id, "description": markdown(_summary(task)), "x-displayName": task.task.title}
            for task in self.plan.tasks
        ]
        return [
            *own,
            {"name": _ANY_MODEL, "description": "Models by their names, whatever their tasks are."},
            {"name": SERVICE, "description": "What operators, monitors and tools ask the server."},
        ]

    def groups(self) -> dict[str, Any]:
        """The tasks by category, as viewers of such documents list them; nothing where no task has one."""
        found = {name: [task.task.id for task in tasks] for name, tasks in by_category(self.plan).items()}
        if not any(found):
            return {}
        found.setdefault("", []).extend((_ANY_MODEL, SERVICE))
        return {"x-tagGroups": [{"name": name or "Others", "tags": tags} for name, tags in found.items()]}

    def task(self, task: TaskPlan) -> dict[str, Any]:
        """The operation of a task."""
        docs = task.task.docs
        body: dict[str, Any] = {"application/json": _shown(self.reference(task.task.input), self.requests(task))}
        if task.media is not None and task.takes_file:
            body["application/octet-stream"] = _file([task.media])
        answer = {"application/json": _shown(self.reference(task.task.output), self.answers(task))}
        if task.stream_annotation and task.task.stream:
            answer["text/event-stream"] = {"schema": self.events([task.task.stream])}
        return {
            "operationId": task.method,
            "summary": task.task.title,
            "description": markdown_block(docs.description or _summary(task)),
            "tags": [task.task.id],
            "parameters": _parameters(),
            "requestBody": {"required": True, "content": body},
            "responses": _responses(markdown_block(self.api.definition(task.task.output).doc) or "The answer.", answer),
            "x-codeSamples": [
                {"lang": program.language.fence, "label": program.language.label, "source": program.code}
                for program in self.shown(task)
            ],
        }

    def model(self, operation: str) -> dict[str, Any]:
        """The operation of a model, of which no document can know what its task is."""
        tasks = self.plan.tasks
        shown = next((task for task in tasks if self.requests(task)), tasks[0])
        requests, answers = ([getattr(task.task, side) for task in tasks] for side in ("input", "output"))
        body: dict[str, Any] = {"application/json": _shown(self.any(requests), self.requests(shown))}
        if media := [task.media for task in tasks if task.media is not None and task.takes_file]:
            body["application/octet-stream"] = _file(media)
        answer = {"application/json": _shown(self.any(answers), self.answers(shown))}
        if streams := [task.task.stream for task in tasks if task.stream_annotation and task.task.stream]:
            answer["text/event-stream"] = {"schema": self.events(streams)}
        name = {
            "name": "model",
            "in": "path",
            "required": True,
            "description": "What the operator calls the model; `/ready` lists all names. Unless told otherwise, a "
            "model has the name of its task.",
            "schema": {"type": "string", "minLength": 1},
            "example": shown.task.id,
        }
        return {
            "operationId": operation,
            "summary": "Call a model by its name",
            "description": "Takes and answers what the route of the model's task does. Where the task is known, its "
            "own route is described more exactly.",
            "tags": [_ANY_MODEL],
            "parameters": [name, *_parameters()],
            "requestBody": {"required": True, "content": body},
            "responses": _responses("The answer of the model's task.", answer),
        }

    def shown(self, task: TaskPlan) -> Iterable[Program]:
        """In each language, the program that sends a file if there is one, or else the first."""
        found: dict[str, Program] = {}
        own = self.programs.get(task.task.id, [])
        for program in sorted(own, key=lambda program: program.way != "file"):
            found.setdefault(program.language.id, program)
        return found.values()

    def reference(self, id: str) -> dict[str, Any]:
        name = self.plan.schemas[id]
        return {"$ref": f"{_SCHEMAS}{self.same.get(name, name)}"}

    def any(self, ids: Iterable[str]) -> dict[str, Any]:
        found = {reference["$ref"]: reference for reference in map(self.reference, ids)}
        return {"anyOf": list(found.values())}

    def requests(self, task: TaskPlan) -> dict[str, Any]:
        found = ((example, request(task, example, self.context)) for example in task.task.examples)
        return {e.name: {"summary": e.title or e.name, "value": value} for e, value in found if fitting(value)}

    def answers(self, task: TaskPlan) -> dict[str, Any]:
        return {
            e.name: {"summary": e.title or e.name, "value": e.response}
            for e in task.task.examples
            if e.response is not ir.ABSENT and fitting(e.response)
        }

    def events(self, ids: Iterable[str]) -> dict[str, Any]:
        """The schema of a streamed answer: that of one of its events, as tools read it, and as OpenAPI 3.2 words it."""
        parts = [*map(self.reference, ids), {"$ref": f"{_SCHEMAS}{self.error}"}]
        json = {"type": "string", "contentMediaType": "application/json", "contentSchema": {"anyOf": parts}}
        return {
            "description": "Where the request says `stream: true`: server-sent events; this is the schema of each. The "
            "data of the last is `[DONE]`, or tells what went wrong where the answer breaks off.",
            "type": "object",
            "properties": {"data": {"anyOf": [json, {"const": "[DONE]"}]}},
            "required": ["data"],
        }


def _summary(task: TaskPlan) -> str:
    return task.task.docs.summary or task.task.title


def _free(name: str, taken: Iterable[str]) -> str:
    """`name`, or something like it that is not taken."""
    taken = set(taken)
    while name in taken:
        name += "_"
    return name


def _shown(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    return {"schema": schema} | ({"examples": examples} if examples else {})


def _file(media: Iterable[ir.Media]) -> dict[str, Any]:
    """A body that is a file, which `format` tells to older tools; of several kinds, the description names them."""
    types = list(dict.fromkeys(one.content_type for one in media))
    about = f"The file itself ({', '.join(types)}), with all parameters at their defaults."
    one = {"contentMediaType": types[0]} if len(types) == 1 else {}
    return {"schema": {"type": "string", "format": "binary", **one, "description": about}}


def _parameters() -> list[dict[str, Any]]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in parameters()]


def _responses(about: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": about, "headers": answer_headers("x-cache"), "content": content}, **error_answers()}
