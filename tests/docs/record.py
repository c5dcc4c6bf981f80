"""Record what a generated server answers to every example: ``python -m tests.docs.record``.

Writes ``specs/<task>/examples/<name>.response.json``, which the docs print. Numbers keep four decimals, so that another
machine's arithmetic does not show.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx

from tests.support.server import TOKEN, running_server

from .pages import GENERATED
from .specs import Example, examples, output_validator


def rounded(value: Any) -> Any:
    """A JSON value with four decimals at most."""
    match value:
        case float():
            return round(value, 4)
        case list():
            return [rounded(item) for item in value]
        case dict():
            return {key: rounded(item) for key, item in value.items()}
    return value


def record(example: Example, url: str) -> Any:
    """The server's answer to one example. Raises for an error status and for an answer that breaks the schema."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": example.content_type, "x-use-cache": "false"}
    response = httpx.post(
        f"{url}/tasks/{example.task}", headers=headers, content=example.body, timeout=120, trust_env=False
    )
    response.raise_for_status()
    answer = rounded(response.json())
    output_validator(example.task).validate(answer)
    return answer


def main() -> int:
    """Record all examples of tasks with an embedded model; the exit status is 0 if every one of them was answered."""
    with running_server() as url:
        for example in examples().values():
            if not (GENERATED / "inference_tasks" / "_demo" / example.task).is_dir():
                continue  # no embedded model answers it
            answer = record(example, url)
            example.recorded.parent.mkdir(exist_ok=True)
            example.recorded.write_text(f"{json.dumps(answer, indent=2, ensure_ascii=False)}\n", encoding="utf-8")
            example.written.unlink(missing_ok=True)
            print(f"{example.task}/{example.name}: {json.dumps(answer, ensure_ascii=False)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
