"""A server of all tasks that answers every valid request: ``python -m tests.fuzz.canned_server``."""

from __future__ import annotations

import sys

from inference_tasks._runtime.server.limits import LIMITED
from inference_tasks._tasks import TASKS
from inference_tasks.server import Settings, create_app
from tests.end_to_end.canned import handler
from tests.support.server import serve_examples

# Nothing but the schemas shall say what is too much: more than any number that is tried.
UNLIMITED = dict.fromkeys({*LIMITED.values(), "max_texts"}, 10**400)


def main() -> int:
    """Serve until told to end."""
    app = create_app([handler(task) for task in TASKS], settings=Settings(**UNLIMITED))
    serve_examples(app)
    return 0


if __name__ == "__main__":
    sys.exit(main())
