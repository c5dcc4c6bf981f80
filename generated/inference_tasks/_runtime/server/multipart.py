"""Forms (multipart/form-data) as JSON values: files in base64, and fields as what they look like."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

from .problems import RequestProblem

_PLAIN = (bool, int, float)
MAX_PARTS = 100


def parsed(body: bytes, content_type: bytes) -> dict[str, Any]:
    """The fields of a form by name; a name that comes again makes a list. Raises RequestProblem (400, 422 too many)."""
    from python_multipart import parse_form
    from python_multipart.exceptions import FormParserError

    found: dict[str, list[Any]] = {}

    def add(part: Any, value: Any) -> None:
        if sum(map(len, found.values())) == MAX_PARTS:
            raise RequestProblem(f"the form has more than {MAX_PARTS} parts")
        found.setdefault(part.field_name.decode("utf-8", "replace"), []).append(value)

    def on_field(field: Any) -> None:
        text = (field.value or b"").decode("utf-8", "replace")
        add(field, _value(text))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        content = base64.b64encode(file.file_object.read()).decode("ascii")
        file.close()
        add(file, content)

    try:
        parse_form({"Content-Type": content_type}, BytesIO(body), on_field, on_file)
    except (FormParserError, ValueError, AttributeError):
        raise RequestProblem("the body is no valid multipart/form-data", status=400) from None
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _value(text: str) -> Any:
    """A number or truth value where the text is one: a form has nothing but texts."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, _PLAIN) else text
