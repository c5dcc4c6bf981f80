"""Inputs to try a model with: the recorded examples of its task, as the protocol has them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any

from ...dialect import Wire
from ...errors import InputError


def examples(package: str, task: str, wire: Wire) -> Iterator[dict[str, Any]]:
    """The ``id``, ``name`` and ``data`` of each recorded example of `task` in the generated `package`.

    Of those with the same data it is the first, and those that have no place in requests of `wire` are left out. Reads
    files.
    """
    seen = []
    for example in _recorded(package).get(task, ()):
        request = deepcopy(example["request"])
        for sample in example["samples"]:
            content = files(package).joinpath("_samples", sample["path"]).read_bytes()
            _put(request, sample["place"], b64encode(content).decode())
        try:
            data = wire.asked(request)["data"]
        except InputError:
            continue
        if data not in seen:
            seen.append(data)
            yield {"id": example["name"], "name": example["title"], "data": data}


@cache
def _recorded(package: str) -> Mapping[str, list[Any]]:
    """The examples of each task, with what they are without their files."""
    known = json.loads(files(package).joinpath("playground.json").read_bytes())
    return {task["id"]: task["examples"] for task in known["tasks"]}


def _put(request: Any, place: list[Any], value: str) -> None:
    """Let `request` hold `value` at `place`, which it may lack the objects around of."""
    *way, name = place
    for step in way:
        request = request[step] if isinstance(request, list) else request.setdefault(step, {})
    request[name] = value
