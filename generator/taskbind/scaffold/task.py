"""A new task: schemas, examples and prose in good form, to be changed into what the task is.

What it is made of is data: templates/scaffold/task/kinds.toml, with a sample file for each kind of media.
"""

from __future__ import annotations

import base64
import tomllib
from pathlib import Path
from typing import Any, Final

from ..context import built_in_templates
from ..diagnostics import EditedError, TaskbindError, relative
from ..load.layout import MAX_ID, RESERVED, TASK_ID
from ..names import pascal, words
from ..spec_text import json_text, toml_text
from .create import create

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def new_task(specs: Path, task: str, input: str, output: str) -> list[str]:
    """Write the folder of a new task into a folder of specs, and return the paths of its files relative to that.

    Raises TaskbindError for a name that no task can have, EditedError where there is such a task; both with a name that
    can be had.
    """
    _check_name(specs, task)
    files = task_files(task, input, output)
    return create(specs, files)


def _check_name(specs: Path, task: str) -> None:
    if not TASK_ID.fullmatch(task) or len(task) > MAX_ID:
        near = "-".join(words(task))[:MAX_ID].strip("-")
        hint = f"such as {near}" if near else "such as image-tagging"
        raise TaskbindError(
            f"{task[:60]!r} is no name of a task, which becomes a URL, a module and a class: use words of lower-case "
            f"letters and digits joined by single hyphens, at most {MAX_ID} characters, {hint}"
        )
    if task in RESERVED:
        raise TaskbindError(f"the docs have a page called {task}: take another name, such as {task}-task")
    try:
        taken = {path.name for path in specs.iterdir()} if specs.is_dir() else set()
    except OSError as error:
        place = relative(specs, Path.cwd())
        raise TaskbindError(f"{place}: cannot be read: {error.strerror or error}; check its permissions") from error
    if task in taken:
        free = next(name for number in range(2, len(taken) + 3) if (name := f"{task}-{number}") not in taken)
        place = relative(specs / task, Path.cwd())
        raise EditedError(f"{place} is there already: edit it, or take another name, such as {free}")


def kinds() -> dict[str, Any]:
    """What there is for `--input` and `--output`, by name."""
    return tomllib.loads((_templates() / "kinds.toml").read_text(encoding="utf-8"))


def task_files(task: str, input: str, output: str) -> dict[str, bytes]:
    """The files of a new task, by their paths in the spec root.

    `input` and `output` are names in :func:`kinds`. Raises TaskbindError for two that do not go together.
    """
    known = kinds()
    takes, gives = known["input"][input], known["output"][output]
    if input not in gives.get("of", known["input"]):
        raise TaskbindError(f"--output {output} is about {' or '.join(gives['of'])}, not {input}; pass another --input")
    name, title = pascal(task), " ".join(word.capitalize() for word in task.split("-"))
    gives = _filled(gives, {"{name}": name, "{input}": takes["noun"]})
    ((parameter, option),) = gives["parameter"].items()
    response = gives.get("response")
    if sample := gives.get("sample"):
        (member,) = gives["schema"]["properties"]
        response = {member: base64.b64encode((_templates() / sample).read_bytes()).decode()}
    example = {"media": f"examples/{takes['sample']}"} if "sample" in takes else {"inputs": "A text of some words."}
    second = f"sample-{parameter.replace('_', '-')}"
    meta = {
        "title": title,
        "summary": gives["summary"],
        "category": takes["category"],
        "description": f"{gives['summary']}\nSay here what goes in, what comes out, and what is not part of it.\n",
        "examples": [
            {"name": "sample", "title": "The defaults", **example},
            {"name": second, "title": f"With {parameter}", **example, "parameters": {parameter: option["value"]}},
        ],
    }
    files = {
        "input.json": json_text(_input(name, title, takes["schema"], {parameter: option["schema"]})),
        "output.json": json_text(_output(name, gives)),
        "task.toml": toml_text(meta),
        **{f"examples/{each}.written.json": json_text(response) for each in ("sample", second)},
    }
    made = {f"{task}/{path}": text.encode() for path, text in files.items()}
    if "sample" in takes:
        made[f"{task}/examples/{takes['sample']}"] = (_templates() / takes["sample"]).read_bytes()
    return made


def _input(name: str, title: str, schema: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": _DIALECT,
        "title": f"{name}Input",
        "description": f"A request for {title.lower()}.",
        "type": "object",
        "properties": {
            "inputs": schema,
            "parameters": {"description": "How it is done.", "$ref": f"#/$defs/{name}Parameters"},
        },
        "required": ["inputs"],
        "additionalProperties": False,
        "$defs": {
            f"{name}Parameters": {
                "title": f"{name}Parameters",
                "description": f"Options of {title.lower()}.",
                "type": "object",
                "properties": parameters,
                "additionalProperties": False,
            }
        },
    }


def _output(name: str, gives: dict[str, Any]) -> dict[str, Any]:
    definitions = {key: _object(key, schema) for key, schema in gives.get("definitions", {}).items()}
    schema = {"$schema": _DIALECT, **_object(f"{name}Output", gives["schema"])}
    return schema | ({"$defs": definitions} if definitions else {})


def _object(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its title, and with `required` after `properties`, which TOML wants to come last."""
    last = {"required": schema["required"]} if "required" in schema else {}
    return {"title": title, **{key: value for key, value in schema.items() if key not in last}, **last}


def _filled(value: Any, words: dict[str, str]) -> Any:
    """A copy of a value with words put in, in texts and keys."""
    if isinstance(value, dict):
        return {_filled(key, words): _filled(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(word, text)
    return value


def _templates() -> Path:
    return built_in_templates() / "scaffold" / "task"
