"""A small service: its OpenAPI document in version 3.0 or 3.1, and a server that speaks it and nothing else."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router

Json = Any

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(64))
PDF = b"%PDF-1.7\n" + bytes(range(64))
BINARY = b"\x00\x01\x02 no known format \xfe\xff"
TOKEN = "a-token-of-the-import-tests"


# --------------------------------------------------------------------------------------------------------- the document


def document(version: str) -> Json:
    """The document in a version: ``"3.0.3"`` or ``"3.1.0"``."""
    old = version.startswith("3.0")

    def nullable(schema: Json) -> Json:
        if old:
            return {**schema, "nullable": True}
        return {**schema, "type": [schema["type"], "null"]}

    def file(type: str) -> Json:
        return {"type": "string", "format": "binary"} if old else {"type": "string", "contentMediaType": type}

    def optional(schema: Json) -> Json:
        """A schema as frameworks write it of what may be left out."""
        return {"allOf": [schema], "nullable": True} if old else {"anyOf": [schema, {"type": "null"}], "title": "Image"}

    in_base64 = {"type": "string", "format": "byte"} if old else {"type": "string", "contentEncoding": "base64"}
    above_zero = {"minimum": 0, "exclusiveMinimum": True} if old else {"exclusiveMinimum": 0}
    shown_picture = {"image": base64.b64encode(PNG).decode()}
    shown: Json = {"example": "A cat."} if old else {"examples": ["A cat."]}

    def ref(name: str) -> Json:
        return {"$ref": f"#/components/schemas/{name}"}

    def posted(id: str, body: Json, answer: Json, **more: Json) -> Json:
        good = {"description": "Done.", "content": answer}
        responses = {"200": good, "422": {"$ref": "#/components/responses/Wrong"}}
        about = {"operationId": id, "requestBody": {"required": True, "content": body}, "responses": responses}
        return {"post": {**about, "tags": ["vision"], **more}}

    def as_json(schema: Json, **more: Json) -> Json:
        return {"application/json": {"schema": schema, **more}}

    def form(name: str, **more: Json) -> Json:
        return {"multipart/form-data": {"schema": ref(name), **more}}

    chunk = ref("ChatChunk")
    return {
        "openapi": version,
        "info": {"title": "Acme Vision", "version": "2", "description": "Looks at pictures.\n\nAnd talks."},
        "servers": [{"url": "https://vision.acme.test/{base}", "variables": {"base": {"default": "v2"}}}],
        "tags": [{"name": "vision", "x-displayName": "Vision & talk"}],
        "paths": {
            "/classify": posted(
                "classifyImage",
                form("Upload", encoding={"image": {"contentType": "image/png, image/jpeg"}}),
                as_json({"type": "array", "items": ref("Label")}),
                summary="Classify an image",
                description="Says what a picture shows. In words.",
            ),
            "/compare": posted("compare", form("Pair"), as_json(ref("Comparison"))),
            "/caption": posted("caption", form("Caption"), as_json(ref("Description"))),
            "/thumbnail": posted(
                "thumbnail_thumbnail_post",
                {"image/png": {"schema": file("image/png")}, "image/jpeg": {"schema": file("image/jpeg")}},
                {"image/png": {"schema": file("image/png")}},
            ),
            "/describe": posted(
                "describe", as_json(ref("Picture"), example=shown_picture), as_json(ref("Description"))
            ),
            "/draw": posted(
                "draw",
                as_json(
                    ref("Drawing"),
                    examples={
                        "cat": {"summary": "A cat", "value": {"model": "m", "prompt": "a cat", "size": 2.5}},
                        "bad": {"value": {"prompt": 7}},
                    },
                ),
                {"image/png": {"schema": file("image/png")}},
                parameters=[{"name": "tenant", "in": "query", "required": True, "schema": {"type": "string"}}],
            ),
            "/chat": posted(
                "chat",
                as_json(ref("Chat")),
                as_json(ref("ChatAnswer")) | {"text/event-stream": {"schema": {"oneOf": [chunk, ref("Error")]}}},
            ),
            "/adopt": posted(
                "adopt",
                as_json(ref("Pet"), example={"name": "Tom", "secret": "s", "kind": "cat"}),
                as_json({"type": "array", "items": ref("AnyPet")}, example=[{"id": 1, "name": "Tom", "kind": "cat"}]),
            ),
            "/embed": posted(
                "embed",
                as_json({"type": "array", "items": {"type": "string"}, "minItems": 1}),
                as_json({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
            ),
            "/convert": posted(
                "convert",
                {"application/octet-stream": {"schema": file("application/octet-stream")}},
                {"application/pdf": {"schema": file("application/pdf")}},
            ),
            "/echo": posted(
                "echo",
                {"application/octet-stream": {}},
                {"application/octet-stream": {}},
            ),
            "/patch": posted(
                "annotate",
                {"application/vnd.acme+json": {"schema": ref("Note")}},
                {"application/vnd.acme+json": {"schema": ref("Note")}},
            ),
            "/sign/": posted("sign", as_json(ref("Note")), as_json(ref("Note"))),
            "/health": {"get": {"responses": {"200": {"description": "Fine."}}}},
            "/models/{id}/predict": posted("predict", as_json(ref("Note")), as_json(ref("Note"))),
            "/talk": posted("talk", as_json(ref("Note")), {"text/event-stream": {"schema": chunk}}),
            "/login": posted("login", {"application/x-www-form-urlencoded": {"schema": ref("Note")}}, as_json({})),
            "/fire": posted("fire", as_json(ref("Note")), {}),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Wrong": {"description": "Wrong.", "content": {"application/json": {"schema": ref("Error")}}}
            },
            "schemas": {
                "Error": {
                    "type": "object",
                    "properties": {"error": {"type": "string"}},
                    "required": ["error"],
                },
                "Upload": {
                    "type": "object",
                    "properties": {
                        "top_k": {"type": "integer", "minimum": 1, "default": 3},
                        "words": {"type": "array", "items": {"type": "string"}},
                        "image": file("image/png"),
                    },
                    "required": ["image"],
                },
                "Label": {
                    "type": "object",
                    "properties": {
                        "label": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 1, "format": "float"},
                        "box": nullable({"type": "array", "items": {"type": "integer"}}),
                    },
                    "required": ["label", "score", "box"],
                },
                "Pair": {
                    "type": "object",
                    "properties": {
                        "first": file("image/png"),
                        "second": file("image/png"),
                        "threshold": {"type": "number", **above_zero},
                    },
                    "required": ["first", "second"],
                },
                "Caption": {
                    "type": "object",
                    "properties": {"prompt": {"type": "string"}, "image": optional(file("image/png"))},
                    "required": ["prompt"],
                },
                "Comparison": {
                    "type": "object",
                    "properties": {"same": {"type": "boolean"}, "distance": nullable({"type": "number"})},
                    "required": ["same", "distance"],
                },
                "Picture": {"type": "object", "properties": {"image": in_base64}, "required": ["image"]},
                "Description": {
                    "type": "object",
                    "properties": {"text": {"type": "string", **shown}, "language": nullable({"type": "string"})},
                    "required": ["text"],
                    "x-internal": True,
                },
                "Drawing": {
                    "type": "object",
                    "properties": {
                        "model": {"type": "string"},
                        "prompt": {"type": "string"},
                        "size": {"type": "number", **above_zero},
                    },
                    "required": ["model", "prompt"],
                },
                "Chat": {
                    "type": "object",
                    "properties": {
                        "model": {"type": "string"},
                        "messages": {"type": "array", "items": ref("Message")},
                        "stream": nullable({"type": "boolean"}),
                    },
                    "required": ["model", "messages"],
                },
                "Message": {
                    "type": "object",
                    "properties": {
                        "role": {"type": "string", "enum": ["user", "assistant"]},
                        "content": {"type": "string"},
                        "replies": {"type": "array", "items": ref("Message")},
                    },
                    "required": ["role", "content"],
                },
                "ChatAnswer": {
                    "type": "object",
                    "properties": {"message": ref("Message")},
                    "required": ["message"],
                },
                "ChatChunk": {
                    "type": "object",
                    "properties": {"delta": {"type": "string"}},
                    "required": ["delta"],
                },
                "Pet": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "integer", "readOnly": True},
                        "secret": {"type": "string", "writeOnly": True},
                        "name": {"type": "string"},
                        "kind": {"type": "string"},
                    },
                    "required": ["id", "secret", "name", "kind"],
                },
                "Cat": {"allOf": [ref("Pet"), {"type": "object", "properties": {"lives": {"type": "integer"}}}]},
                "Dog": {"allOf": [ref("Pet"), {"type": "object", "properties": {"bark": {"type": "string"}}}]},
                "AnyPet": {
                    "oneOf": [ref("Cat"), ref("Dog")],
                    "discriminator": {
                        "propertyName": "kind",
                        "mapping": {"cat": "#/components/schemas/Cat", "tom": "Cat", "dog": "#/components/schemas/Dog"},
                    },
                },
                "Note": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
            },
        },
    }


# ----------------------------------------------------------------------------------------------------------- the server


@contextmanager
def running() -> Iterator[str]:
    """The address of the service, which ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(_app(), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            assert server.started
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


class _WrongError(Exception):
    pass


def _app() -> Starlette:
    calls = (classify, compare, caption, thumbnail, describe, draw, chat, adopt, embed, convert, echo, patch, sign)
    paths = {sign: "/sign/"}
    routes = [Route(paths.get(call, f"/{call.__name__}"), _checked(call), methods=["POST"]) for call in calls]
    return Starlette(routes=[Mount("/v2", Router(routes, redirect_slashes=False))])


def _checked(call: Any) -> Any:
    async def answered(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "no token"}, 401)
        try:
            response: Response = await call(request)
        except _WrongError as error:
            return JSONResponse({"error": str(error)}, 422)
        return response

    return answered


async def _json(request: Request, *members: str, type: str = "application/json") -> Json:
    """The body of a request that is JSON and nothing else, with no members but these."""
    _need(request.headers.get("content-type") == type, f"not {type}: {request.headers.get('content-type')}")
    body = json.loads(await request.body())
    _need(not members or set(body) <= set(members), f"members: {body}")
    return body


def _need(fine: bool, message: str) -> None:
    if not fine:
        raise _WrongError(message)


async def classify(request: Request) -> Response:
    """A form with one file."""
    async with request.form() as form:
        image = form.get("image")
        _need(isinstance(image, UploadFile), "no file")
        assert isinstance(image, UploadFile)
        _need(await image.read() == PNG and image.content_type == "image/png", "not the picture")
        words, count = form.getlist("words"), int(str(form.get("top_k", 3)))
    label = " ".join(map(str, words)) or "cat"
    return JSONResponse([{"label": label, "score": 1 / (n + 1), "box": None if n else [1, 2]} for n in range(count)])


async def compare(request: Request) -> Response:
    """A form with two files."""
    async with request.form() as form:
        files = []
        for name in ("first", "second"):
            each = form.get(name)
            _need(isinstance(each, UploadFile), f"{name} is no file")
            assert isinstance(each, UploadFile)
            files.append(await each.read())
        _need(set(form) <= {"first", "second", "threshold"}, "other members")
        threshold = form.get("threshold")
    same = files[0] == files[1]
    return JSONResponse({"same": same, "distance": float(str(threshold)) if threshold else None})


async def caption(request: Request) -> Response:
    """A form with a file, or without."""
    async with request.form() as form:
        image = form.get("image")
        _need(image is None or isinstance(image, UploadFile), "a text and no file")
        known = image is not None and isinstance(image, UploadFile) and await image.read() == PNG
        _need(image is None or known, "not the picture")
        return JSONResponse({"text": f"{form['prompt']}: {'a cat' if known else 'nothing'}", "language": None})


async def thumbnail(request: Request) -> Response:
    """A file for a file."""
    _need(request.headers["content-type"] in ("image/png", "image/jpeg"), "no picture")
    _need("image/png" in request.headers["accept"], "no picture is asked for")
    _need(await request.body() in (PNG, JPEG), "not the picture")
    return Response(PNG, media_type="image/png")


async def describe(request: Request) -> Response:
    """JSON with a file in it, never the file itself."""
    body = await _json(request, "image")
    _need(base64.b64decode(body["image"], validate=True) == PNG, "not the picture")
    return JSONResponse({"text": "A cat.", "language": None})


async def draw(request: Request) -> Response:
    """JSON for a file, for a tenant."""
    body = await _json(request, "model", "prompt", "size")
    _need(request.query_params.get("tenant") == "acme", "no tenant")
    _need(body["model"] == "painter" and body["prompt"] == "a cat", "something else")
    return Response(PNG, media_type="image/png")


async def chat(request: Request) -> Response:
    """JSON for JSON, or for events."""
    body = await _json(request, "model", "messages", "stream")
    said = body["messages"][-1]["content"]
    if not body.get("stream"):
        return JSONResponse({"message": {"role": "assistant", "content": said.upper()}})

    async def events() -> AsyncIterator[str]:
        for word in said.upper().split():
            yield f"data: {json.dumps({'delta': word})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def adopt(request: Request) -> Response:
    """What is written is not what is read."""
    body = await _json(request, "secret", "name", "kind")
    return JSONResponse(
        [
            {"id": 1, "name": body["name"], "kind": "cat", "lives": 9},
            {"id": 2, "name": body["name"], "kind": "dog", "bark": "loud"},
        ]
    )


async def embed(request: Request) -> Response:
    """A list for a list."""
    body = await _json(request)
    _need(isinstance(body, list), "no list")
    return JSONResponse([[float(len(text)), 0.5] for text in body])


async def convert(request: Request) -> Response:
    """A file whose kind is not said."""
    _need(request.headers["content-type"] == "application/octet-stream", "another content type")
    _need(await request.body() == PNG, "not the file")
    return Response(PDF, media_type="application/pdf")


async def echo(request: Request) -> Response:
    """Bytes for bytes."""
    _need(request.headers["content-type"] == "application/octet-stream", "another content type")
    return Response(await request.body(), media_type="application/octet-stream")


async def patch(request: Request) -> Response:
    """JSON that has another name."""
    _need("application/vnd.acme+json" in request.headers["accept"], "something else is asked for")
    return JSONResponse(await _json(request, "text", type="application/vnd.acme+json"))


async def sign(request: Request) -> Response:
    """The same schemas as another operation."""
    body = await _json(request, "text")
    return JSONResponse({"text": f"{body['text']}, signed"})
