"""The official JSON Schema test suite, with every group of its tests as a spec root of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urljoin

import jsonschema_rs

from taskbind.documents import SpecTree
from taskbind.load.walk import walk

SUITE: Final = Path(__file__).parent / "suite"
DIALECTS: Final = {
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
TASK: Final = "conformance"
OUTPUT: Final = f"{TASK}/output.json"
_HOST: Final = "http://localhost:1234/"  # where the suite expects its remotes


@dataclass(frozen=True)
class Test:
    """A payload and whether the schema of its group accepts it."""

    __test__ = False  # not one for pytest to collect

    name: str
    data: Any
    valid: bool


@dataclass(frozen=True)
class Group:
    """A schema and what it accepts."""

    draft: str
    file: str
    name: str
    schema: Any
    tests: tuple[Test, ...]

    def __str__(self) -> str:
        return f"{self.draft}/{self.file}: {self.name}"

    def write(self, root: Path) -> Path:
        """Write a spec root whose one task has the schema as its output; the remotes are shared files there."""
        schema = self.schema
        if isinstance(schema, dict):
            schema = {"$schema": DIALECTS[self.draft], **schema}
        files = {f"{TASK}/input.json": {"type": "string"}, OUTPUT: schema}
        if _HOST in json.dumps(schema):
            files |= remotes(self.draft)
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
        return root


def groups() -> Iterator[Group]:
    """Every group of the required tests, in a stable order."""
    for draft in DIALECTS:
        for file in sorted((SUITE / "tests" / draft).glob("*.json")):
            for group in json.loads(file.read_text(encoding="utf-8")):
                tests = (Test(test["description"], test["data"], test["valid"]) for test in group["tests"])
                yield Group(draft, file.stem, group["description"], group["schema"], tuple(tests))


@cache
def remotes(draft: str) -> dict[str, Any]:
    """The schemas that the suite serves over HTTP, as shared files: what they are served under becomes their `$id`."""
    found: dict[str, Any] = {}
    for file in sorted((SUITE / "remotes").rglob("*.json")):
        path = file.relative_to(SUITE / "remotes").as_posix()
        if path.partition("/")[0] in DIALECTS.keys() - {draft}:
            continue
        schema: dict[str, Any] = {"$schema": DIALECTS[draft], **json.loads(file.read_text(encoding="utf-8"))}
        if draft == "draft7" and "$ref" in schema:
            continue  # an `$id` beside a `$ref` is none there
        served, name = urljoin(_HOST, path), path.replace("/", "-")
        schema["$id"] = urljoin(served, schema.get("$id", ""))
        found[f"remote-{name}"] = schema
        if schema["$id"] != served:  # it has a second name
            alias = {"$schema": schema["$schema"], "$id": served, "allOf": [{"$ref": schema["$id"]}]}
            found[f"alias-{name}"] = alias
    return found


class Judge:
    """What the schemas of a normalised tree say, asked of a validator that shares no code with the generator."""

    def __init__(self, tree: SpecTree, path: str = OUTPUT) -> None:
        dialect = {"$schema": DIALECTS["draft2020-12"]}
        resources = [(f"specs:///{document.path}", dialect | _absolute(document.data)) for document in tree.documents]
        self._validator = jsonschema_rs.Draft202012Validator(
            {"$ref": f"specs:///{path}"},
            registry=jsonschema_rs.Registry(resources),
            validate_formats=False,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )

    def accepts(self, data: Any) -> bool:
        """Whether the schema of the document accepts a payload."""
        return self._validator.is_valid(data)


def _absolute(data: Any) -> Any:
    """A copy with every `$ref` as a URI. What looks like a reference in an `enum` is data."""
    copy = json.loads(json.dumps(data))
    for _, schema in walk(copy):
        if "$ref" in schema:
            schema["$ref"] = f"specs:///{quote(schema['$ref'], safe='#/~$')}"
    return copy
