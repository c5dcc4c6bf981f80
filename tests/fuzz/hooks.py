"""What schemathesis must know beside the OpenAPI document; it runs in an environment without this project's packages.

JSON Schema can say that a string is a PNG in base64, but nothing follows from that for what is generated: arbitrary
texts, which a server has to refuse. So each valid request gets a file that can be decoded.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis

SPECS = Path(__file__).parents[2] / "specs"
FILES = {
    "audio": SPECS / "audio-classification" / "examples" / "clicks.flac",
    "image": SPECS / "image-classification" / "examples" / "seven.png",
    "video": SPECS / "video-classification" / "examples" / "ball.mp4",
}


@cache
def file(kind: str) -> bytes:
    """A file of a media type such as ``image/*``."""
    return FILES[kind.partition("/")[0]].read_bytes()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Put files into a valid request."""
    if case.meta is None or not case.meta.generation.mode.is_positive or case.media_type is None:
        return
    document = case.operation.schema.raw_schema
    content = document["paths"][case.operation.path][case.operation.method]["requestBody"]["content"]
    # What is sent is changed and not the case: for schemathesis, bytes are a value of no schema.
    if case.media_type == "application/json":
        kwargs["json"] = with_files(content[case.media_type]["schema"], case.body, document)
    else:
        kwargs["data"] = file(content[case.media_type]["schema"].get("contentMediaType", "image/*"))


def with_files(schema: Any, value: Any, document: dict[str, Any]) -> Any:
    """`value` with a file in base64 wherever `schema` calls for one."""
    if not isinstance(schema, dict):
        return value
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]] | schema
    if isinstance(value, str) and schema.get("contentEncoding") == "base64":
        return base64.b64encode(file(schema["contentMediaType"])).decode()
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, ()):
            value = with_files(part, value, document)
    if isinstance(value, dict):
        members = schema.get("properties", {})
        return {name: with_files(members.get(name), member, document) for name, member in value.items()}
    if isinstance(value, list):
        return [with_files(schema.get("items"), item, document) for item in value]
    return value
