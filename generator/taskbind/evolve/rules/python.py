"""Rules on what only users of the generated Python see: :mod:`taskbind.evolve.surface` finds it."""

from __future__ import annotations

from typing import Any as Json, Final

from ..verdict import Level
from .rule import BREAKING, DANGEROUS, SAFE, Example, Files, Rule, of_x


def _request(members: Json, **rest: Json) -> dict[str, Json]:
    """The schema of a request that takes a text `inputs`."""
    properties = {"inputs": {"type": "string"}, **members}
    schema = {"title": "ExampleInput", "type": "object", "properties": properties, "required": ["inputs"], **rest}
    return {"example/input.json": schema}


def _answer(schema: Json, **rest: Json) -> dict[str, Json]:
    """The schema of an answer with one member `voice`."""
    return {
        "example/output.json": {"title": "ExampleOutput", "type": "object", "properties": {"voice": schema}, **rest}
    }


def _named(package: str) -> Files:
    return {"../taskbind.toml": f'[package]\nname = "{package}"\n'}


_VOICE: Final = {"title": "Voice", **of_x({"type": "string"})}
_OPTIONS: Final = {"title": "ExampleParameters", **of_x({"type": "number"})}
_TEXTS: Final = {"text": {"type": "string"}, "voice": {"type": "string"}}


def _spoken(*required: str) -> Files:
    """A task in a dialect whose forms name one member of the answer."""
    members = {"text": {"type": "string"}, "voice": {"type": "string"}}
    return {
        "dialects.toml": '[cloud]\ntitle = "Cloud"\nsummary = "A service."\nclosed = true\nnamed_only = true\n',
        "example/wire.toml": '[[cloud.requests]]\n"$" = "$"\n[[cloud.answers]]\n"$.text" = "$.raw"\n',
        "example/output.json": {
            "title": "ExampleOutput",
            "type": "object",
            "properties": members,
            "required": [*required],
        },
    }


def _rule(id: str, title: str, text: str, old: Files, new: Files, python: Level = BREAKING) -> Rule:
    return Rule(id, title, text, SAFE, python, Example(old, new))


PYTHON: Final = (
    _rule(
        "python-package-renamed",
        "Python: the package has another import name",
        "Every `import` of it fails until it is rewritten, and the environment variables that begin with its name have "
        "other names. Nothing that is sent changes.",
        _named("echo_tasks"),
        _named("echoes"),
    ),
    _rule(
        "python-class-renamed",
        "Python: a class or an alias has another name",
        "Names of classes come from titles and, where two schemas have one title, from their tasks. Code that imports "
        "the old name, or annotates with it, fails. The data is the same.",
        _answer(_VOICE),
        _answer({**_VOICE, "title": "Speaker"}),
    ),
    _rule(
        "python-class-moved",
        "Python: a class stands in another module",
        "A schema that moved to another file takes its class along. Whoever imports it from `models` itself sees "
        "nothing; whoever names its module has to name the new one.",
        _answer(_VOICE),
        _answer({"$ref": "../voices.json#/$defs/Voice"}) | {"voices.json": {"$defs": {"Voice": _VOICE}}},
    ),
    _rule(
        "python-class-replaced",
        "Python: another class stands where one did",
        "Two classes became one, one became two, or they changed places. `isinstance`, annotations and code that makes "
        "an instance of the old class for this place are wrong now, although the data is the same.",
        _answer({"type": "array", "prefixItems": [_VOICE, {**_VOICE, "title": "Second"}]}),
        _answer({"type": "array", "prefixItems": [{"$ref": "#/$defs/Voice"}] * 2}, **{"$defs": {"Voice": _VOICE}}),
    ),
    _rule(
        "python-class-removed",
        "Python: a dict stands where a class did",
        "An object with neither members nor a title has no class of its own. What it holds are items now, no longer "
        "attributes.",
        _answer({"title": "Voice", "type": "object"}),
        _answer({"type": "object"}),
    ),
    _rule(
        "python-class-added",
        "Python: a class stands where a dict did",
        "An object with a title has a class. What it holds are attributes now, no longer items.",
        _answer({"type": "object"}),
        _answer({"title": "Voice", "type": "object"}),
    ),
    _rule(
        "python-input-changed",
        "Python: a method takes another member first",
        "The first argument is `inputs`, or else the first member that a request must have. That is another one now, "
        "so that calls send their first value under another name.",
        {"example/input.json": {**of_x({}, "text", "voice"), "title": "ExampleInput", "properties": _TEXTS}},
        {
            "example/input.json": {
                **of_x({}, "text", "voice"),
                "title": "ExampleInput",
                "properties": dict(reversed(_TEXTS.items())),
            }
        },
    ),
    _rule(
        "python-model-sent",
        "Python: `model` of a method is sent in the request, too",
        "Every method has a keyword `model`, which chooses the model to ask. A new member `model` of the request is "
        "set by it as well, in the calls that have it already.",
        _request({"pause": {"type": "number"}}),
        _request({"pause": {"type": "number"}, "model": {"type": "string"}}),
        DANGEROUS,
    ),
    _rule(
        "python-keywords-regrouped",
        "Python: members of `parameters` became keywords, or are none any more",
        "The members of a request's `parameters` are keywords of the method where that is an object and nothing else. "
        "Calls that say them the other way fail.",
        _request({"parameters": _OPTIONS, "seed": {"type": "integer"}}),
        _request({"parameters": {"anyOf": [_OPTIONS, {"type": "string"}]}, "seed": {"type": "integer"}}),
    ),
    _rule(
        "python-keyword-renamed",
        "Python: a keyword of a method has another name",
        "Keywords are called like their members, in snake case; of two that would be called the same, the second gets "
        "an underscore or a number. A new neighbour can change who is second.",
        _request({"topK": {"type": "integer"}}),
        _request({"top_k": {"type": "integer"}, "topK": {"type": "integer"}}),
    ),
    _rule(
        "python-handler-arguments",
        "Python: handlers are called with other arguments",
        "A handler gets the input and the `parameters`, if there are any, or the whole request where there is more in "
        "it. A member beside them, optional or not, changes the signature of everybody's handlers of the task. Callers "
        "see nothing of it.",
        _request({"parameters": _OPTIONS}),
        _request({"parameters": _OPTIONS, "seed": {"type": "integer"}}),
    ),
    _rule(
        "python-answer-lacking",
        "Python: clients of a dialect can no longer call a task",
        "In a dialect that is `named_only`, answers hold what a form names and nothing else. Where no form has all "
        "that an answer must have, the method raises InputError in that dialect, and asks nobody.",
        _spoken(),
        _spoken("voice"),
    ),
)
