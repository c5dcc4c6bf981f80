"""The signatures that Clarifai's models publish become specs: a task for each method.

Older models say their parameters in the type of models that they are of; those become tasks as well. A method that
cannot be said exactly is left out with its reason, and the others go on.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from ...diagnostics import Report, TaskbindError
from ...load.files import UnreadableError
from ...load.layout import MAX_ID, RESERVED
from ...names import pascal, unique
from ..write import Imported, ImportRefusedError
from . import wire
from .codes import Unsayable
from .messages import File
from .methods import PREDICT, Found, Owner, Search, read as read_method

_MOST = 2_000
_ROOM = 20  # for what tells tasks of one name apart


def read(path: Path, model: str = "") -> Imported:
    """The methods in the JSON file `path` as files of our layout; `model` is a name for the model, if it has none.

    Raises ImportRefusedError for a file that cannot be read or holds no method, TaskbindError where there is none.
    """
    from .fields import SHARED, shared
    from .specs import task

    if path.is_dir():
        raise TaskbindError(f"{path}: is a folder; name the JSON file in it")
    if not path.is_file():
        raise TaskbindError(f"{path}: no such file; name a JSON file with method signatures")
    report = Report(root=path.parent)
    try:
        file = File(path, report)
    except UnreadableError:
        raise ImportRefusedError(f"{path.name} cannot be read; nothing was written", report) from None
    search = Search()
    try:
        found = list(search.methods(file.value, Owner(model, model)))
    except Unsayable as problem:
        file.tell("TB430", problem.pointer, problem.message, problem.fix)
        raise ImportRefusedError(f"{path.name} is not what can be imported; nothing was written", report) from None
    if len(found) > _MOST:
        raise TaskbindError(f"{path}: has more than {_MOST:,} methods; split it")
    left = dict.fromkeys(search.none, "has no method signatures")
    if not found:
        file.tell("TB430", "", "holds no method signatures", "save what GetModelVersion or ListModels answers")
        raise ImportRefusedError(f"{path.name} holds no method signatures; nothing was written", report)
    files: dict[str, str | bytes] = {}
    taken = {wire.DIALECT}  # whose name is that of a method of clients, too
    known: set[tuple[Owner, str]] = set()
    for each in found:
        id = _task_id(file, each, taken)
        again = (each.owner, each.name) in known
        if again:
            message = f"{id}: the model has another method that is called {each.name[:60]!r}"
            file.tell("TB438", each.message.pointer, message, "give one of them another name, or leave it out")
        try:
            method = read_method(file, each, partial(_class_name, id, set()))
            made = task(file, id, each, method, again=again)
        except Unsayable as problem:
            file.tell(problem.code, problem.pointer, f"{id}: {problem.message}", problem.fix)
            left[id] = problem.message
        else:
            files |= {f"{id}/{name}": text for name, text in made.items()}
            known.add((each.owner, each.name))
    if not files:
        raise ImportRefusedError(f"{path.name}: none of its methods can be a task; nothing was written", report)
    if any(f"../{SHARED}#" in text for text in files.values() if isinstance(text, str)):
        files[SHARED] = shared()
    if any(name.endswith("/wire.toml") for name in files):
        files["dialects.toml"] = wire.dialects()
    return Imported(files, report, left)


def _class_name(id: str, taken: set[str], path: str) -> str:
    return unique(pascal(f"{id} {path}"), taken)


def _task_id(file: File, found: Found, taken: set[str]) -> str:
    """A task's id: what the model is called, and the method's name unless it is the usual one."""
    model, method = (re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") for text in (found.owner.id, found.name))
    name = f"{model}-{method}" if found.name != PREDICT else model
    stem = name[: MAX_ID - _ROOM].strip("-") or PREDICT
    id, number = stem, 2
    if stem == wire.DIALECT:
        message = f"{stem}: is the name of the dialect, so that the task gets another one"
        file.tell("TB439", found.message.pointer, message)
    while id in taken or id in RESERVED:
        id, number = f"{stem}-{number}", number + 1
    taken.add(id)
    return id
