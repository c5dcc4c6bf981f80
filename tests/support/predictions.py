"""Responses of Clarifai's predict call, in the shape in which they are published."""

from __future__ import annotations

from typing import Any


def status(code: int, description: str = "Ok", details: str | None = None) -> dict[str, Any]:
    """What came of a call, or of one of its outputs."""
    said = {"code": code, "description": description}
    return said if details is None else {**said, "details": details}


def output(data: Any, code: int = 10000, description: str = "Ok", details: str | None = None) -> dict[str, Any]:
    """One output, with what stands around its data; `data` None is one that failed."""
    made = {
        "id": "a03a4b32",
        "status": status(code, description, details),
        "created_at": "2025-02-28T09:41:55.568082659Z",
        "model": {"id": "general", "name": "General", "app_id": "main", "user_id": "clarifai"},
        "input": {"id": "6f341a82", "data": {"image": {"url": "https://samples.example/cat.png"}}},
    }
    return made if data is None else {**made, "data": data}


def response(*outputs: Any, code: int = 10000, description: str = "Ok", details: str | None = None) -> dict[str, Any]:
    """A response with these outputs."""
    whole = {**status(code, description, details), "req_id": "20ab5bcf"}
    return {"status": whole, "outputs": list(outputs)} if outputs else {"status": whole}


def concepts(**values: float) -> dict[str, Any]:
    """The data of a classification."""
    return {
        "concepts": [
            {"id": f"ai_{name}", "name": name, "value": value, "app_id": "main"} for name, value in values.items()
        ]
    }
