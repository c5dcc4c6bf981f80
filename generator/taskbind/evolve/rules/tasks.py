"""Rules on tasks and their streams as a whole."""

from __future__ import annotations

from typing import Final

from .rule import BREAKING, SAFE, Example, Files, Rule, of_file, of_x

_TASK: Final[Files] = {
    f"summarize/{file}.json": of_x({"type": "string"}, title=f"Summarize{file.title()}") for file in ("input", "output")
}
_TITLE: Final = 'title = "Summaries"\n'
_RENAMED: Final[Files] = {path.replace("summarize", "summarization"): data for path, data in _TASK.items()}
_NONE: Final[Files] = dict.fromkeys(_TASK)
_EVENT: Final = of_x({"type": "string"}, title="ExampleEvent")

TASKS: Final[tuple[Rule, ...]] = (
    Rule(
        "task-added",
        "Task added",
        "Nobody calls it yet.",
        SAFE,
        SAFE,
        Example(_NONE, _TASK),
    ),
    Rule(
        "task-removed",
        "Task removed",
        "Callers get an error that there is no such task, and its method and models are gone from the Python package.",
        BREAKING,
        BREAKING,
        Example(_TASK, _NONE),
    ),
    Rule(
        "task-renamed",
        "Task renamed",
        "Its route, its method and its module have the new name; callers use the old one. Keep the old task beside the "
        "new one for a while.",
        BREAKING,
        BREAKING,
        Example({**_TASK, "summarize/task.toml": _TITLE}, {**_RENAMED, "summarization/task.toml": _TITLE}),
    ),
    of_file(
        "task-reworded",
        "Task described otherwise",
        "example/task.toml",
        'title = "Example"\n',
        'title = "Example"\nsummary = "Shows what a change means."\n',
        (SAFE, SAFE, "Only people read it."),
    ),
    of_file(
        "stream-added",
        "Answers can be streamed",
        "example/stream_output.json",
        None,
        _EVENT,
        (SAFE, SAFE, "Only callers who ask for a stream get one."),
    ),
    of_file(
        "stream-removed",
        "Answers can no longer be streamed",
        "example/stream_output.json",
        _EVENT,
        None,
        (BREAKING, BREAKING, "Callers who ask for a stream are refused, and `stream=True` is gone in Python."),
    ),
)
