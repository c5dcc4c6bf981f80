"""What is told of Clarifai's signatures that are imported, and how."""

from __future__ import annotations

from typing import Final

from ...diagnostics import Code, Severity

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

CODES: Final = (
    Code(
        "TB430",
        _E,
        "no signatures of Clarifai that can be read",
        "`taskbind import clarifai` reads JSON: a MethodSignature, several of them in a list or by name, or an answer "
        "of Clarifai's API that has them in it (a Model, a ModelVersion, a ModelType, or a list of models). What holds "
        "them is an object whose members are called as in the protobufs, input_fields or inputFields.",
    ),
    Code(
        "TB431",
        _E,
        "method cannot be said exactly",
        "Something about the method has no counterpart in a task: it streams its input, or has a type that no JSON "
        "Schema stands for. It was left out rather than bent, and the others were imported.",
    ),
    Code(
        "TB432",
        _W,
        "default is no value of its type",
        "Signatures have defaults as texts, which are read by the type of the field: `0.5` of a FLOAT, `true` of a "
        "BOOL, JSON of lists and objects, and `null` as none. This one is no such value, or its options and its range "
        "do not admit it, so the field has no default now: callers may leave it out, and the model decides.",
    ),
    Code(
        "TB433",
        _W,
        "range left out",
        "A bound or a step is said in the spec where its meaning is exact. A bound of 0 and none are written alike in "
        "proto3, so that only what is written counts; beyond 16,777,215 a bound is rounded, for it is a 32-bit float; "
        "a step is a `multipleOf` where the range starts at a multiple of it, and the default is one.",
    ),
    Code(
        "TB434",
        _W,
        "left out of the spec",
        "A part of a field that no request can use (what is internal), or that has no counterpart in JSON Schema: "
        "aliases of an option, fields that depend on an option, members that no version of the protobufs known here "
        "has.",
    ),
    Code(
        "TB435",
        _I,
        "answer in pieces",
        "The method yields its answer. With `stream`, a member that was added to the request, each piece is an event; "
        "without it, the answer is the list of all pieces.",
    ),
    Code(
        "TB436",
        _I,
        "input put together",
        "A task has one input, and its files are that or members of it. This method takes a file beside other input, "
        "so that all of its input became members of `inputs`.",
    ),
    Code(
        "TB437",
        _I,
        "not spoken in Clarifai's own way",
        "wire.toml says how a task is asked for and answered in the dialect `clarifai`: a text, an image, a recording "
        "or a video goes in, its parameters beside it, and a text, media, concepts, regions, frames or vectors come "
        "out. Anything else has no form there; the task has the spec's own shape, and no wire.toml.",
    ),
    Code(
        "TB438",
        _W,
        "method stands twice",
        "Two methods of one model have one name. Both are tasks, the second with a number in its name; a call in "
        "Clarifai's own way reaches one of them, which is taken to be the first.",
    ),
    Code(
        "TB439",
        _I,
        "task renamed",
        "Generated clients have a class method of the dialect's name, Client.clarifai(), beside a method for each "
        "task. A model of that name became a task with a number behind it.",
    ),
)
SEVERITY: Final = {code.code: code.severity for code in CODES}


class Unsayable(Exception):  # noqa: N818 - it is no error of anybody: the method is left out, with this reason
    """Why what stands at `pointer` cannot be imported."""

    def __init__(self, message: str, pointer: str, fix: str = "write this task by hand", code: str = "TB431") -> None:
        super().__init__(message)
        self.message, self.pointer, self.fix, self.code = message, pointer, fix, code
