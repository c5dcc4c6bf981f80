"""Whether the printed programs have run: what a project's own run of them says about these very ones.

``executed.toml`` in the spec root holds the `sha256` of the list of all programs that ran as they are printed. The docs
say so for as long as that list is what is printed.
"""

from __future__ import annotations

import tomllib
from hashlib import sha256
from typing import Any, Final

from .. import ir
from ..context import Context, MissingFileError
from ..diagnostics import TaskbindError
from ..escape import json_text
from ..plan import Plan
from .predict.programs import predict_programs
from .programs import programs

FILE: Final = "executed.toml"


def listed(api: ir.Api, plan: Plan, context: Context) -> str:
    """All programs with what is needed to run them, as JSON."""
    rows = [
        {
            "id": s.id,
            "task": s.task,
            "language": s.language.id,
            "way": s.way,
            "file": s.file,
            "needs": list(s.needs),
            "example": s.example,
            "code": s.code,
        }
        for s in (*context.once(programs, api, plan), *context.once(predict_programs, api, plan))
    ]
    return json_text(rows, indent=2) + "\n"


def executed(api: ir.Api, plan: Plan, context: Context) -> bool:
    """Whether all programs ran, as they are. Raises TaskbindError for a record that cannot be read."""
    try:
        record: dict[str, Any] = tomllib.loads(context.spec_file(FILE).decode("utf-8"))
    except MissingFileError:
        return False
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaskbindError(f"{FILE}: not valid TOML: {error}; remove it, or record it anew") from error
    return record.get("sha256") == sha256(context.once(listed, api, plan).encode()).hexdigest()
