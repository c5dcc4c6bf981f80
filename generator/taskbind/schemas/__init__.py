"""The JSON Schemas of our TOML files, by which editors complete and check them: what `taskbind schema` prints.

They are draft-07, which is the newest draft that TOML editors know whole. A test holds them against what reads the
files: both know the same keys, and refuse the same values as far as a schema can say it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

NAMES: Final = ("task", "wire", "dialects", "taskbind")
"""The files with a schema, without ``.toml``."""


def file_name(name: str) -> str:
    """What the schema of a file is called: ``task.schema.json``."""
    return f"{name}.schema.json"


def schema_text(name: str) -> str:
    """The schema of a file in `NAMES`, as JSON text."""
    return (Path(__file__).parent / file_name(name)).read_text(encoding="utf-8")
