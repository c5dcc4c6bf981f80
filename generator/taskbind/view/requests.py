"""The requests of examples as JSON values, for documents that show them apart from any program."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from .. import ir
from ..context import Context
from ..plan import TaskPlan
from .ways import files, parameters, place, read_sample

_MOST: Final = 3000
"""How many characters of JSON an example may have: longer ones are media in base64, which nobody reads."""


def request(task: TaskPlan, example: ir.Example, context: Context) -> dict[str, Any]:
    """The JSON body that sends an example, its media in base64."""
    where = place(task, example)
    media = {
        member: base64.b64encode(read_sample(path, context, where)).decode("ascii") for member, path in files(example)
    }
    inputs: Any = media.pop("") if example.media else example.inputs
    rest, _ = parameters(task, example)
    if inputs is ir.ABSENT:
        return rest
    return {task.primary.name: {**inputs, **media} if media else inputs} | rest


def fitting(value: Any) -> bool:
    """Whether a value is short enough to be shown."""
    return len(json.dumps(value)) <= _MOST
