"""What members that a payload leaves out read as: in its schema, and in its model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inference_tasks._runtime.testing.bundle import Json, Schema
from inference_tasks._runtime.testing.places import Path, places
from inference_tasks._runtime.testing.shapes import Shapes


def declared(shapes: Shapes, schema: Schema, payload: Json) -> dict[Path, Json]:
    """The defaults of the members that a valid payload leaves out, by path; where variants differ, there is none."""
    found: dict[Path, list[Json]] = {}
    for place in places(shapes, schema, payload):
        if isinstance(place.value, dict):
            for shape in place.shapes:
                for name in shape.names if shapes.fits(shape, place.value) else ():
                    if name not in place.value:
                        found.setdefault((*place.path, name), []).extend(_default(shapes, shape.member(name)))
    return {path: values[0] for path, values in found.items() if values and all(v == values[0] for v in values)}


def _default(shapes: Shapes, schema: Schema) -> Iterator[Json]:
    if isinstance(schema, bool):
        return
    if "default" in schema:
        yield schema["default"]
        return
    for member in schema.get("allOf", ()):
        yield from _default(shapes, member)
    if "$ref" in schema:
        yield from _default(shapes, shapes.bundle.target(schema["$ref"]))


def read(model: Any, path: Path) -> Any:
    """What a model has at a path of wire names and indexes."""
    for part in path:
        if isinstance(part, int) or isinstance(model, dict):
            model = model[part]
        else:
            members = {field.alias or name: name for name, field in type(model).model_fields.items()}
            model = getattr(model, members[part])
    return model
