"""The laws that tie a model to its schema, as one function over one payload."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
from pydantic import TypeAdapter, ValidationError

from taskbind.documents import SpecTree

from .payloads import same


class Judge:
    """What the schemas of a normalised spec tree say, asked of a validator that shares no code with the generator."""

    def __init__(self, tree: SpecTree) -> None:
        dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        resources = [(f"specs:///{d.path}", dialect | self._absolute(d.data)) for d in tree.documents]
        self._registry = jsonschema_rs.Registry(resources)
        self._validators: dict[str, Any] = {}

    def _absolute(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: f"specs:///{value}" if key == "$ref" and isinstance(value, str) else self._absolute(value)
                for key, value in node.items()
            }
        return [self._absolute(item) for item in node] if isinstance(node, list) else node

    def accepts(self, id: str, payload: Any) -> bool:
        """Whether the schema with this definition id accepts `payload`."""
        if id not in self._validators:
            self._validators[id] = jsonschema_rs.Draft202012Validator(
                {"$ref": f"specs:///{id}"}, registry=self._registry, validate_formats=False
            )
        return bool(self._validators[id].is_valid(payload))


@dataclass
class Tally:
    """What happened to the payloads of one schema."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def record(self, payload: Any, accepted: bool, adapter: TypeAdapter[Any]) -> None:
        """Hold the laws against one payload, on the Python and on the JSON path."""
        self.counts["accepted" if accepted else "rejected"] += 1
        text = json.dumps(payload)
        for path, parse in (
            ("python", lambda: adapter.validate_python(payload, by_name=False, by_alias=True)),
            ("json", lambda: adapter.validate_json(text, by_name=False, by_alias=True)),
        ):
            try:
                model = parse()
            except ValidationError as error:
                if accepted:
                    why = error.errors(include_url=False, include_input=False)[:3]
                    self.broken.append(f"{path} refuses {text[:300]}: {why}")
                continue
            if not accepted:
                self.broken.append(f"{path} accepts {text[:300]}")
                continue
            plain = adapter.dump_python(model, mode="json", exclude_unset=True, by_alias=True)
            again = json.loads(adapter.dump_json(model, exclude_unset=True, by_alias=True))
            if same(plain, payload) and same(again, payload):
                self.counts["round-tripped"] += 1
            else:
                self.broken.append(f"{path} turns {text[:300]} into {json.dumps(plain)[:300]}")
