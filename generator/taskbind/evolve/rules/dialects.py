"""Rules on dialects: how services and servers that are not ours speak the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .rule import BREAKING, DANGEROUS, SAFE, Example, Rule, Side, of_file, of_x

_TASK: Final = "example/wire.toml"
_ALL: Final = "dialects.toml"
_DIALECT: Final = '[cloud]\ntitle = "Cloud"\nsummary = "A hosted service."\nurl = "https://cloud.example"\n'
_CLOSED: Final = _DIALECT + "closed = true\n"
_PLAIN: Final = "[cloud]\n"


def _of_task(id: str, title: str, old: str, new: str, side: Side) -> Rule:
    wire, python, why = side
    example = Example(*({_ALL: _DIALECT, _TASK: _PLAIN + text} for text in (old, new)))
    return Rule(f"dialect-{id}", f"Dialect: {title}", why, wire, python, example)


def _of_all(id: str, title: str, old: str, new: str, side: Side) -> Rule:
    return of_file(f"dialect-{id}", f"Dialect: {title}", _ALL, _DIALECT + old, _DIALECT + new, side)


def _form(kind: str, *forms: Mapping[str, Any]) -> str:
    tables = (
        f"[[cloud.{kind}]]\n" + "".join(f'"{spec}" = "{wire}"\n' for spec, wire in form.items()) for form in forms
    )
    return "".join(tables)


_IMAGE: Final = of_x({"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"}, "x")
_EDGE: Final = of_x({"type": "integer"}, "x")
_SOUND: Final = of_x({"type": "string", "contentEncoding": "base64", "contentMediaType": "audio/flac"}, "x")
_BODY: Final = {"$.text": "$.body"}
_DATA: Final = {"$.text": "$.data"}

OF_TASKS: Final[tuple[Rule, ...]] = (
    Rule(
        "dialect-way-added",
        "Dialect: a task is spoken in a way of its own",
        "Where the dialect took the task as its spec has it, callers speak so. (In a dialect that is new, or that "
        "did not have the task, nobody did.)",
        BREAKING,
        SAFE,
        Example({_ALL: _DIALECT, _TASK: None}, {_ALL: _DIALECT, _TASK: _PLAIN + 'route = "/v2/example"\n'}),
    ),
    Rule(
        "dialect-way-removed",
        "Dialect: a task is no longer spoken in a way of its own",
        "Callers still speak as they did: at the old route, in the old forms.",
        BREAKING,
        SAFE,
        Example({_ALL: _DIALECT, _TASK: _PLAIN + 'route = "/v2/example"\n'}, {_ALL: _DIALECT, _TASK: None}),
    ),
    Rule(
        "dialect-task-added",
        "Dialect: it has another task",
        "Nobody calls the task in this dialect yet.",
        SAFE,
        SAFE,
        Example({_ALL: _CLOSED, _TASK: None}, {_ALL: _CLOSED, _TASK: _PLAIN + 'route = "/v2/example"\n'}),
    ),
    _of_task(
        "route-changed",
        "a task has another route, or is posted otherwise",
        'route = "/v1/example"\n',
        'route = "/v2/example"\n',
        (
            BREAKING,
            SAFE,
            "Callers send to the old route, name the model at the old place, or send the old kind of body.",
        ),
    ),
    _of_task(
        "request-form-added",
        "another form of requests is understood",
        _form("requests", _BODY),
        _form("requests", _BODY, _DATA),
        (SAFE, SAFE, "The old forms are understood as before."),
    ),
    _of_task(
        "request-form-removed",
        "a form of requests is no longer understood",
        _form("requests", _BODY, _DATA),
        _form("requests", _BODY),
        (BREAKING, SAFE, "Callers may speak it."),
    ),
    _of_task(
        "request-form-spoken",
        "another form of requests is spoken, of those that are understood",
        _form("requests", _BODY, _DATA),
        _form("requests", _DATA, _BODY),
        (
            DANGEROUS,
            SAFE,
            "A new client speaks it to servers that were generated before. They understand it too, if they know it.",
        ),
    ),
    _of_task(
        "answer-form-added",
        "another form of answers is understood",
        _form("answers", _BODY),
        _form("answers", _BODY, _DATA),
        (SAFE, SAFE, "Servers answer as before."),
    ),
    _of_task(
        "answer-form-removed",
        "a form of answers that servers do not speak is no longer understood",
        _form("answers", _BODY, _DATA),
        _form("answers", _BODY),
        (DANGEROUS, SAFE, "Another service may still answer so."),
    ),
    _of_task(
        "answer-form-spoken",
        "servers answer in another form",
        _form("answers", _BODY),
        _form("answers", _DATA),
        (
            BREAKING,
            SAFE,
            "Readers look for the members where they were. Where OLD understood the new form, the change is "
            "dangerous only.",
        ),
    ),
    _of_task(
        "answer-form-known",
        "servers answer in another form, which was understood before",
        _form("answers", _BODY, _DATA),
        _form("answers", _DATA, _BODY),
        (DANGEROUS, SAFE, "Clients generated from OLD understand it. Others may not."),
    ),
    Rule(
        "dialect-answer-file-changed",
        "Dialect: answers are a file, or no longer one",
        "Readers take the body for a file, or for JSON, as it was before.",
        BREAKING,
        SAFE,
        Example(
            {_ALL: _DIALECT, _TASK: _PLAIN + 'file = "x"\n', "example/output.json": _SOUND},
            {_ALL: _DIALECT, _TASK: _PLAIN, "example/output.json": _SOUND},
        ),
    ),
    _of_task(
        "answer-type-changed",
        "another type of answer is asked for",
        'accept = "text/plain"\n',
        'accept = "text/html"\n',
        (DANGEROUS, SAFE, "Servers may answer with what is asked for, and with nothing else."),
    ),
    Rule(
        "dialect-scale-changed",
        "Dialect: numbers of answers are in other units",
        "Readers take a part of the image's width or height for a count of pixels, or the other way round.",
        BREAKING,
        SAFE,
        Example(
            *(
                {
                    _ALL: _CLOSED + "named_only = true\n",
                    _TASK: _form("requests", {"$": "$"}) + _form("answers", {"$": "$"}) + text,
                    "example/input.json": _IMAGE,
                    "example/output.json": _EDGE,
                }
                for text in ("", '[cloud.scales]\n"$.x" = "{width}"\n')
            )
        ),
    ),
    _of_task(
        "constant-added",
        "answers have another member that no model gives",
        "",
        '[cloud.added]\n"$.kind" = "text"\n',
        (SAFE, SAFE, "Readers skip the members that they do not know."),
    ),
    _of_task(
        "constant-changed",
        "answers have another value in a member that no model gives",
        '[cloud.added]\n"$.kind" = "text"\n',
        '[cloud.added]\n"$.kind" = "prose"\n',
        (DANGEROUS, SAFE, "Readers may look at it."),
    ),
    _of_task(
        "constant-removed",
        "answers no longer have a member that no model gives",
        '[cloud.added]\n"$.kind" = "text"\n',
        "",
        (BREAKING, SAFE, "Readers may rely on it: it was always there."),
    ),
    _of_task(
        "ignored-added",
        "more members of requests change nothing",
        "",
        'ignored = ["user"]\n',
        (DANGEROUS, SAFE, "They are accepted, and what they ask for does not happen."),
    ),
    _of_task(
        "ignored-removed",
        "fewer members of requests are ignored",
        'ignored = ["user"]\n',
        "",
        (BREAKING, SAFE, "Callers send them, and are refused where the task does not know them."),
    ),
    _of_task(
        "nulls-accepted",
        "a member that is null means the same as none",
        "",
        "nulls = true\n",
        (SAFE, SAFE, "Callers may leave it out as before."),
    ),
    _of_task(
        "nulls-refused",
        "a member that is null no longer means the same as none",
        "nulls = true\n",
        "",
        (BREAKING, SAFE, "Callers send null for what they do not mean."),
    ),
)

OF_ALL: Final[tuple[Rule, ...]] = (
    of_file("dialect-added", "Dialect: added", _ALL, None, _DIALECT, (SAFE, SAFE, "Nobody speaks it yet.")),
    of_file(
        "dialect-removed",
        "Dialect: removed",
        _ALL,
        _DIALECT,
        None,
        (BREAKING, BREAKING, "Its routes are gone, and its constructor of the client."),
    ),
    of_file(
        "dialect-reworded",
        "Dialect: described otherwise",
        _ALL,
        _DIALECT,
        _DIALECT.replace("A hosted service.", "A service."),
        (SAFE, SAFE, "Only people read it."),
    ),
    _of_all(
        "address-changed",
        "the service has another address",
        'models = "/models/{model}"\n',
        'models = "/v2/models/{model}"\n',
        (DANGEROUS, SAFE, "Clients generated from OLD call the old address, which may be gone."),
    ),
    _of_all(
        "token-renamed",
        "another environment variable holds the token",
        'token_env = "CLOUD_TOKEN"\n',
        'token_env = "CLOUD_KEY"\n',
        (SAFE, BREAKING, "Python programs that leave the token to the environment have none."),
    ),
    _of_all(
        "body-limit-lowered",
        "it takes smaller requests only",
        "max_body = 2000\n",
        "max_body = 1000\n",
        (BREAKING, SAFE, "Callers who send larger ones are refused."),
    ),
    _of_all(
        "body-limit-raised",
        "it takes larger requests",
        "max_body = 1000\n",
        "max_body = 2000\n",
        (SAFE, SAFE, "What callers send is accepted as before."),
    ),
    _of_all(
        "closed",
        "it has no other tasks than its own any more",
        "",
        "closed = true\n",
        (BREAKING, SAFE, "Callers of the other tasks find no route in this dialect."),
    ),
    _of_all(
        "opened",
        "it has all tasks now",
        "closed = true\n",
        "",
        (SAFE, SAFE, "The tasks that it had are spoken as before."),
    ),
    of_file(
        "dialect-protocol-changed",
        "Dialect: requests and answers travel in another way",
        _ALL,
        _CLOSED,
        _CLOSED + 'protocol = "clarifai"\n',
        (BREAKING, SAFE, "Callers send to the old routes, and read answers as they came there."),
    ),
    _of_all(
        "auth-changed",
        "the token is sent with another scheme",
        "",
        'auth = "Key"\n',
        (BREAKING, SAFE, "Callers still send the old one, and may be taken for strangers."),
    ),
    of_file(
        "dialect-named-only",
        "Dialect: requests and answers hold nothing but what a form names",
        _ALL,
        _CLOSED,
        _CLOSED + "named_only = true\n",
        (BREAKING, SAFE, "Callers who send other members are refused, and readers no longer find those of answers."),
    ),
    of_file(
        "dialect-named-and-more",
        "Dialect: requests and answers hold what no form names, too",
        _ALL,
        _CLOSED + "named_only = true\n",
        _CLOSED,
        (SAFE, SAFE, "What callers send is understood as before, and readers skip the members that they do not know."),
    ),
    _of_all(
        "errors-moved",
        "errors have their message at another place",
        'error = "$.error"\n',
        'error = "$.error.message"\n',
        (
            DANGEROUS,
            SAFE,
            "Callers who show the message look for it at the old place. The status says the same as before.",
        ),
    ),
)

DIALECTS: Final = (*OF_TASKS, *OF_ALL)
