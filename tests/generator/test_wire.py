"""Dialects from files to code: each mistake is one finding with its line, and what is right arrives as written."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, strategies as st

from taskbind import ir, ir_json
from taskbind.config import Config
from taskbind.diagnostics import Report, Severity
from taskbind.explain import explain
from taskbind.load import load
from taskbind.load.wire import DIALECT_KEYS, PROTOCOLS, WIRE_KEYS
from taskbind.lower import lower
from taskbind.normalize import normalize
from taskbind.pipeline import check, generate, lint
from taskbind.plan import RESERVED
from taskbind.view.dialects import TRAVEL
from taskbind.wires import missing
from tests.support.project import closed, echo_task, generate_project, imported, write_specs

SPECS = Path(__file__).parents[2] / "specs"
IMAGE = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"}
TEXT = {"type": "string"}
DIALECTS = '[other]\ntitle = "Other"\nsummary = "The other service."\n'
PAIR = {"type": "array", "prefixItems": [TEXT], "items": False}
MADE = {
    "type": "object",
    "properties": {
        "image": IMAGE,
        "edge": {"type": ["integer", "null"]},
        "corners": {"type": "array", "items": closed({"x": {"type": "integer"}})},
        "rate": {"type": ["integer", "null"]},
        "speed": {"type": "number"},
        "tags": {"type": "array", "items": closed({"name": TEXT, "at": PAIR})},
        "free": {},
        "map": {"type": "object", "additionalProperties": closed({"x": TEXT})},
        "either": {"anyOf": [TEXT, closed({"left": TEXT}), {"type": "array", "items": closed({"right": TEXT})}]},
    },
}


NAMED = DIALECTS + "closed = true\nnamed_only = true\n"


def files(wire: str | None, dialects: str | None = DIALECTS, folder: str = "") -> dict[str, Any]:
    """The specs of a task `echo` with these two files."""
    task = echo_task({"volume": {"type": "integer"}}, MADE)
    out: dict[str, Any] = {path.replace("/", f"/{folder}"): content for path, content in task.items()}
    out |= {"dialects.toml": dialects} if dialects is not None else {}
    return out | ({"echo/wire.toml": wire} if wire is not None else {})


def read(root: Path, specs: dict[str, Any]) -> tuple[ir.Api | None, Report]:
    """The IR of specs as far as it goes, and what was found."""
    report = Report()
    tree = normalize(load(write_specs(root, specs), report), report)
    return (None if report.fatal else lower(tree, report)), report


def told(root: Path, specs: dict[str, Any]) -> list[str]:
    """What is found in the two files: path, line, code and message of each."""
    _, report = read(root, specs)
    found = [d for d in report if d.path.endswith(("dialects.toml", "wire.toml"))]
    assert all(d.severity is Severity.ERROR and d.fix for d in found)
    return [f"{d.path}:{d.line} {d.code} {d.message} ({d.fix})" for d in found]


# ----------------------------------------------------------------------------------------------------- what is read

FULL = """
[other]
route = "/v1/echo"
model_route = "/pipeline/echo"
model = "model"
form = true
accept = "image/png"
file = "image"
rate = "rate"
samples = true
nulls = true
neutral = { n = 1, "any name" = "x" }
requests = [{ "$['inputs']" = "$.text" }, {}]

[[other.answers]]
"$.tags[*].name" = '$["names"][*]'
"$.free.anything[3]" = "$.rest"
"$.map.key.x" = "$.x"
"$.either.left" = "$.left"
"$.tags[*].at[0]" = "$.at[*]"
"$.tags" = "$.all"

[other.defaults]
"$['speed']" = 1.5
"$.tags[*].name" = "none"
"$.tags" = []
"$.rate" = "$['speed']"
"$.tags[*].at" = "$.tags[*]['name']"
"$.edge" = "length($['tags'])"

[other.added]
"$.id" = "{id}"
"$.names[*].index" = "{index}"
"$['object']" = "$.kind"
"$.names[*].id" = "no. {index} of {id}"
"$.names[*].far" = "$['names'][*].a[0]"
"$.names[*].first" = "$.names[0].far"
"$.names[*].count" = "length($.names[*]['b'])"
"""


@pytest.mark.parametrize("route", ["/", "/v1/echo/", "/v1/echo"])
def test_a_slash_at_the_end_of_a_route_is_kept(tmp_path: Path, route: str) -> None:
    wire = f'[other]\nroute = "{route}"\nmodel_route = "{route}"\n'
    api, report = read(tmp_path, files(wire, DIALECTS))
    assert not report.fatal
    assert api is not None
    [spoken] = api.tasks[0].wires
    assert (spoken.route, spoken.model_route) == (route, route)


@pytest.mark.parametrize("folder", ["", "spec/"], ids=["ours", "hugging face's layout"])
def test_what_is_written_is_in_the_ir(tmp_path: Path, folder: str) -> None:
    dialects = DIALECTS + (
        'url = "https://router.example.com/x"\nmodels = "/m/{model}/run"\ntoken_env = "OTHER_TOKEN"\nmax_body = 5\n'
        'auth = "Key"\nclosed = true\n'
    )
    api, report = read(tmp_path, files(FULL, dialects + '[also]\ntitle = "A"\nsummary = "B"\n', folder))
    assert not report.fatal
    assert api is not None
    assert api.dialects == (
        ir.Dialect("also", "A", "B"),
        ir.Dialect(
            "other",
            "Other",
            "The other service.",
            "https://router.example.com/x",
            "/m/{model}/run",
            "OTHER_TOKEN",
            5,
            True,
            auth="Key",
        ),
    )
    answers = (
        ("$.tags[*].name", "$.names[*]"),
        ("$.free.anything[3]", "$.rest"),
        ("$.map.key.x", "$.x"),
        ("$.either.left", "$.left"),
        ("$.tags[*].at[0]", "$.at[*]"),
        ("$.tags", "$.all"),
    )
    requests = ((("$.inputs", "$.text"),), ())
    defaults = (
        ("$.speed", 1.5),
        ("$.tags[*].name", "none"),
        ("$.tags", []),
        ("$.rate", "$.speed"),
        ("$.tags[*].at", "$.tags[*].name"),
        ("$.edge", "length($.tags)"),
    )
    added = (
        ("$.id", "{id}"),
        ("$.names[*].index", "{index}"),
        ("$.object", "$.kind"),
        ("$.names[*].id", "no. {index} of {id}"),
        ("$.names[*].far", "$.names[*].a[0]"),
        ("$.names[*].first", "$.names[0].far"),
        ("$.names[*].count", "length($.names[*].b)"),
    )
    assert api.tasks[0].wires == (
        ir.Wire(
            dialect="other",
            route="/v1/echo",
            model_route="/pipeline/echo",
            model="model",
            form=True,
            accept="image/png",
            file="image",
            rate="rate",
            samples=True,
            nulls=True,
            neutral=(("n", 1), ("any name", "x")),
            requests=requests,
            answers=(answers,),
            defaults=defaults,
            added=added,
        ),
    )
    assert ir_json.from_json(json.loads(json.dumps(ir_json.to_json(api)))) == api


def test_without_dialects_there_are_none(tmp_path: Path) -> None:
    api, report = read(tmp_path, files(None, None))
    assert api is not None
    assert not report.fatal
    assert not api.dialects
    assert not api.tasks[0].wires
    assert "dialects" not in ir_json.to_json(api)
    assert "wires" not in ir_json.to_json(api)["tasks"][0]


# ------------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("dialects", "finding"),
    [
        ("[other\n", "dialects.toml:1 TB140"),
        (DIALECTS + 'ulr = "https://x.org"\n', "dialects.toml:4 TB141 other.ulr: unknown key (did you mean `url`?)"),
        ('[other]\nsummary = "x"\n', "dialects.toml:1 TB142 other.title: is missing"),
        ('[other]\ntitle = " "\nsummary = "x"\n', "dialects.toml:2 TB142 other.title: is not a text"),
        ('[other]\ntitle = "x"\nsummary = 1\n', "dialects.toml:3 TB142 other.summary: is not a text"),
        ("other = 1\n", "dialects.toml:1 TB142 other: is not a table"),
        (DIALECTS + "max_body = 0\n", "dialects.toml:4 TB142 other.max_body: is not a count"),
        (DIALECTS + "max_body = true\n", "dialects.toml:4 TB142 other.max_body"),
        (DIALECTS + "closed = 1\n", "dialects.toml:4 TB142 other.closed: is not true or false"),
        (
            DIALECTS + 'auth = "a b"\n',
            "dialects.toml:4 TB142 other.auth: is not the scheme of a header, one word: Bearer",
        ),
        (DIALECTS + 'auth = ""\n', "dialects.toml:4 TB142 other.auth"),
        (
            DIALECTS + 'closed = true\nprotocol = "soap"\n',
            "dialects.toml:5 TB142 other.protocol: is not one of clarifai",
        ),
        (DIALECTS + "closed = true\nprotocol = [1]\n", "dialects.toml:5 TB142 other.protocol"),
        (DIALECTS + "named_only = 0\n", "dialects.toml:4 TB142 other.named_only: is not true or false"),
        (
            DIALECTS + "named_only = true\n",
            "dialects.toml:4 TB142 other.named_only: leaves the tasks without a wire.toml for it unspoken, and it has "
            "all tasks (add `closed = true`)",
        ),
        (
            DIALECTS + 'protocol = "clarifai"\nclosed = false\n',
            "dialects.toml:4 TB142 other.protocol: leaves the tasks",
        ),
        (DIALECTS + 'url = "https://x.org"\ntoken_env = "A B"\n', "dialects.toml:5 TB142 other.token_env"),
        (DIALECTS + 'models = "/m/{model}"\n', "dialects.toml:4 TB142 other.models: is of a hosted service"),
        (DIALECTS + 'token_env = "TOKEN"\n', "dialects.toml:4 TB142 other.token_env: is of a hosted service"),
        (DIALECTS.replace("[other]", "[Other]"), "dialects.toml:1 TB144 Other: is no name for a dialect"),
        (DIALECTS.replace("[other]", "[class]"), "dialects.toml:1 TB144 class: is no name"),
        (DIALECTS.replace("[other]", f"[{'a' * 41}]"), "dialects.toml:1 TB144"),
        (DIALECTS.replace("[other]", "[echo]"), "dialects.toml:1 TB304 echo: is also the name of the method of echo"),
        (DIALECTS.replace("[other]", "[close]"), "dialects.toml:1 TB304 close: is also the name of something"),
    ],
)
def test_mistakes_in_dialects(tmp_path: Path, dialects: str, finding: str) -> None:
    (found,) = told(tmp_path, files(None, dialects))
    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://router.example.com", True),
        ("https://router.example.com:8443/api/v2", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:80", True),
        ("http://router.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("https://user:secret@router.example.com", False),
        ("https://router.example.com/?a=b", False),
        ("https://router.example.com/x?", False),
        ("https://router.example.com#x", False),
        ("https://router.example.com/", False),
        ("https://", False),
        ("https://a:port", False),
        ("https://[", False),
        ("ftp://router.example.com", False),
        ("https://router.example.com\\n", False),
        ("router.example.com", False),
    ],
)
def test_addresses(tmp_path: Path, url: str, good: bool) -> None:
    found = told(tmp_path, files(None, f'{DIALECTS}url = "{url}"\n'))
    assert (found == []) is good
    assert all(line.startswith("dialects.toml:4 TB142 other.url: is not an https URL") for line in found)


@pytest.mark.parametrize(
    ("models", "good"),
    [
        ("/models/{model}", True),
        ("/{model}/run", True),
        ("/models", False),
        ("/{model}/{model}", False),
        ("models/{model}", False),
        ("/models/{name}/{model}", False),
        ("/models/{model}?x", False),
        ("/models/{model}/", False),
        ("/models/{{model}}", False),
        ("/a b/{model}", False),
    ],
)
def test_paths_of_models(tmp_path: Path, models: str, good: bool) -> None:
    found = told(tmp_path, files(None, f'{DIALECTS}url = "https://x.org"\nmodels = "{models}"\n'))
    assert (found == []) is good
    assert all(line.startswith("dialects.toml:5 TB142 other.models: is not a path with {model}") for line in found)


def form(*pairs: str, key: str = "answers") -> str:
    return f"[[other.{key}]]\n" + "".join(f"{pair}\n" for pair in pairs)


def scales(*pairs: str) -> str:
    return "[other.scales]\n" + "".join(f"{pair}\n" for pair in pairs)


def defaults(*pairs: str) -> str:
    return "[other.defaults]\n" + "".join(f"{pair}\n" for pair in pairs)


@pytest.mark.parametrize(
    ("wire", "finding"),
    [
        ("[other\n", "1 TB140"),
        ('x = "\\$"\n', "1 TB140"),
        ('[other]\nnulls = true\nrouet = "/x"\n', "3 TB141 other.rouet: unknown key (did you mean `route`?)"),
        ("other = 1\n", "1 TB142 other: is not a table"),
        ("[othr]\n", "1 TB143 othr: is no declared dialect (did you mean `other`?)"),
        (
            "[none_like_it]\n",
            "1 TB143 none_like_it: is no declared dialect (declare it in dialects.toml, which has: oth",
        ),
        ('[other]\nroute = "v1"\n', "2 TB142 other.route: is not a path"),
        ('[other]\nmodel_route = "/a?b"\n', "2 TB142 other.model_route: is not a path"),
        ('[other]\nroute = "//"\n', "2 TB142 other.route"),
        ('[other]\nroute = "/a//b"\n', "2 TB142 other.route"),
        ('[other]\nroute = ""\n', "2 TB142 other.route"),
        ('[other]\naccept = "png"\n', "2 TB142 other.accept: is not a media type"),
        ('[other]\nbody = "image/*"\n', "2 TB142 other.body: is not a media type without *"),
        ("[other]\nfile = 1\n", "2 TB142 other.file: is not the name of a member"),
        ("[other]\nnulls = 1\n", "2 TB142 other.nulls: is not true or false"),
        ("[other]\nform = 1\n", "2 TB142 other.form: is not true or false"),
        ("[other]\nmodel = true\n", "2 TB142 other.model: is not the name of a member"),
        ('[other]\nrate = "rate"\n', "2 TB142 other.rate: means nothing without `file`"),
        ('[other]\nfile = "image"\nsamples = true\n', "3 TB142 other.samples: means nothing without `rate`"),
        ("[other]\nanswers = 1\n", "2 TB142 other.answers: is not a list of tables ([[other.answers]])"),
        ("[other]\nanswers = [1]\n", "2 TB142 other.answers: is not a list of tables"),
        (f"[other]\nanswers = [{'{}, ' * 21}]\n", "2 TB142 other.answers: are more than 20 forms"),
        (form(*(f'"$.free.a{n}" = "$.b{n}"' for n in range(101))), "1 TB142 other.answers[0]: has more than 100"),
        ("[other]\ndefaults = 1\n", "2 TB142 other.defaults: is not a table"),
        (defaults(*(f'"$.a{n}" = 1' for n in range(101))), "1 TB142 other.defaults: are more than 100"),
        (defaults('"$.speed" = 1', '"$.tags[*]" = 1'), '3 TB142 other.defaults."$.tags[*]": is no member'),
        (defaults('"$" = 1'), '2 TB142 other.defaults."$": is no member'),
        (defaults('"speed" = 1'), '2 TB145 other.defaults."speed": a place begins with'),
        (
            defaults('"$.speed" = 1', "\"$['speed']\" = 2"),
            "3 TB146 other.defaults.\"$['speed']\": is the place of '$.speed'",
        ),
        (defaults('"$.speed" = nan'), '2 TB142 other.defaults."$.speed": is no such value'),
        (defaults('"$.tags" = [1]'), '2 TB142 other.defaults."$.tags": is no such value'),
        (defaults('"$.speed" = "$.."'), "2 TB145 other.defaults.\"$.speed\" = '$..'"),
        (
            defaults('"$.image" = "$.tags[*].name"'),
            "2 TB142 other.defaults.\"$.image\": '$.tags[*].name' is in other items than the member (leave the",
        ),
        (
            defaults('"$.tags[*].name" = "$.corners[*].x"'),
            "2 TB142 other.defaults.\"$.tags[*].name\": '$.corners[*].x' is in other items than the member (begin it "
            "as the member's own: $.tags[*])",
        ),
        (
            defaults('"$.tags[*].name" = "$.tags[*].at[*]"'),
            "2 TB142 other.defaults.\"$.tags[*].name\": '$.tags[*].at[*]' is in other items than the member",
        ),
        (
            defaults('"$.edge" = "length($.tags[*].at)"'),
            "2 TB142 other.defaults.\"$.edge\": 'length($.tags[*].at)' is in other items than the member",
        ),
        (
            defaults('"$.edge" = "$"'),
            "2 TB142 other.defaults.\"$.edge\": '$' is the member itself, or around or inside it (write the place of",
        ),
        (defaults('"$.map" = "$.map.key.x"'), '2 TB142 other.defaults."$.map": '),
        (defaults('"$.edge" = "length($.tagz)"'), "2 TB302 other.defaults.\"$.edge\": $ has no member 'tagz'"),
        (
            defaults('"$.edge" = "length($.speed)"'),
            '2 TB302 other.defaults."$.edge": $.speed is a single value, no list',
        ),
        (
            defaults('"$.edge" = "length(tags)"'),
            "2 TB145 other.defaults.\"$.edge\" = 'length(tags)': a place begins with `$`, which is the whole value "
            "(column 8)",
        ),
        (
            '[other.added]\n"$.n" = "length($.a"\n',
            "2 TB145 other.added.\"$.n\" = 'length($.a': `length(` has no `)` at the end (column 11)",
        ),
        (defaults('"$.speed" = "$[\'speed\']"'), '2 TB142 other.defaults."$.speed"'),
        ("[other]\nneutral = 1\n", "2 TB142 other.neutral: is not a table"),
        ("[other.neutral]\nn = [1]\n", '2 TB142 other.neutral."n": is no such value'),
        ("[other.added]\n" + "".join(f'"$.a{n}" = 1\n' for n in range(101)), "1 TB142 other.added: are more than 100"),
        (
            '[other.added]\n"$.id" = "{if}"\n',
            "2 TB142 other.added.\"$.id\": '{if}' is nothing that a server knows (use {id}, {model}, {time},",
        ),
        (
            '[other.added]\n"$.id" = "{id}-{width}"\n',
            "2 TB142 other.added.\"$.id\": '{width}' is nothing that a server knows",
        ),
        ('[other.added]\n"$.id" = "{id}}"\n', "2 TB142 other.added.\"$.id\": '}' is nothing that a server knows"),
        ('[other.added]\n"$.id" = "a {"\n', "2 TB142 other.added.\"$.id\": '{' is nothing that a server knows"),
        (
            '[other.added]\n"$.id" = "{id}-{index}"\n',
            '2 TB142 other.added."$.id": counts the items of a list, and has no [*]',
        ),
        ('[other.added]\n"$.id" = {}\n', '2 TB142 other.added."$.id": is no such value (write a text, a number,'),
        ("[other]\nscales = 1\n", "2 TB142 other.scales: is not a table ([other.scales])"),
        (scales('"$.edge" = "{depth}"'), '2 TB142 other.scales."$.edge": is no size of the image (write {width} or'),
        (scales('"$.edge" = 1'), '2 TB142 other.scales."$.edge": is no size of the image'),
        (scales('"$.edge" = ["{width}"]'), '2 TB142 other.scales."$.edge": is no size of the image'),
        (scales('"$.tags[*]" = "{width}"'), '2 TB142 other.scales."$.tags[*]": is no member'),
        (scales('"$..edge" = "{width}"'), '2 TB145 other.scales."$..edge": '),
        (
            scales('"$.edge" = "{width}"', '"$[\'edge\']" = "{height}"'),
            "3 TB146 other.scales.\"$['edge']\": is the place of '$.edge'",
        ),
        (scales(*(f'"$.a{n}" = "{{width}}"' for n in range(101))), "1 TB142 other.scales: are more than 100"),
        (
            '[other.added]\n"$.id" = "{index}"\n',
            '2 TB142 other.added."$.id": counts the items of a list, and has no [*]',
        ),
        ('[other.added]\n"$[*]" = 1\n', '2 TB142 other.added."$[*]": is no member'),
        ('[other.added_events]\n"$.id" = 1\n', "1 TB302 other.added_events: the task has no stream"),
        (defaults('"$.sped" = 1'), "2 TB302 other.defaults.\"$.sped\": $ has no member 'sped' (did you mean `speed`?)"),
        (defaults('"$.speed" = "$.rat"'), "2 TB302 other.defaults.\"$.speed\": $ has no member 'rat' (did you mean"),
        (form('"$.tags" = 1'), '2 TB142 other.answers[0]."$.tags": is not a text'),
        (form() + form('"$.free" = "$.x"', '"tags" = "$.y"'), '4 TB145 other.answers[1]."tags": a place begins with'),
        (
            form('"$.tags" = "$.a..b"'),
            "2 TB145 other.answers[0].\"$.tags\" = '$.a..b': '..b' is not understood (column 4)",
        ),
        ('[other]\nnulls = true\nanswers = [{ "tags" = "$" }]\n', '3 TB145 other.answers[0]."tags"'),
        (
            form('"$.tags[*].name" = "$.names"'),
            '2 TB146 other.answers[0]."$.tags[*].name": has 1 [*] in the spec and 0 on the wire',
        ),
        (
            form('"$.tags[*].name" = "$.a[*]"', '"$.tags[0].name" = "$.b"'),
            "3 TB146 other.answers[0].\"$.tags[0].name\": is, or may be, the place of '$.tags[*].name' in the spec",
        ),
        (
            form('"$.image" = "$.a[0].b"', '"$.tags[*].name" = "$.a[*].b"'),
            "3 TB146 other.answers[0].\"$.tags[*].name\": is, or may be, the place of '$.image' on the wire",
        ),
        (
            form('"$.image" = "$.a[0]"', '"$.tags[*].name" = "$.a[*].b"'),
            "3 TB146 other.answers[0].\"$.tags[*].name\": is, or may be, the place of '$.image' on the wire",
        ),
        (form('"$.image" = "$.a"', '"$[\'image\']" = "$.b"'), "3 TB146"),
        (
            form('"$.image" = "$.x"', '"$.tagz" = "$.y"'),
            "3 TB302 other.answers[0].\"$.tagz\": $ has no member 'tagz' (did you mean `tags`?)",
        ),
        (
            form('"$.inputs.x" = "$.x"', key="requests"),
            '2 TB302 other.requests[0]."$.inputs.x": $.inputs has no member',
        ),
        (
            form('"$.parameters.volum" = "$.v"', key="requests"),
            "2 TB302 other.requests[0].\"$.parameters.volum\": $.parameters has no member 'volum' (did you mean",
        ),
        (form('"$.image[*]" = "$[*]"'), '2 TB302 other.answers[0]."$.image[*]": $.image is a single value, no list'),
        (form('"$.map[0]" = "$.x"'), '2 TB302 other.answers[0]."$.map[0]": $.map is an object, no list'),
        (
            form('"$.tags[*].at[1]" = "$[*]"'),
            '2 TB302 other.answers[0]."$.tags[*].at[1]": $.tags[*].at is a shorter list',
        ),
        (
            form('"$.either.right" = "$.x"'),
            "2 TB302 other.answers[0].\"$.either.right\": $.either has no member 'right'",
        ),
        (
            form('"$.image" = "$.text.raw"', '"$.speed" = "$.text.raw.rate"'),
            "3 TB146 other.answers[0].\"$.speed\": is inside the place of '$.image' on the wire, which cannot hold it",
        ),
        (
            form('"$.map" = "$.m"', '"$.speed" = "$.m[0]"'),
            "3 TB146 other.answers[0].\"$.speed\": is inside the place of '$.map' on the wire, which cannot hold it",
        ),
        (
            form('"$.image" = "$.i"', '"$.tags[*]" = "$.tags[*]"')
            + defaults('"$.rate" = 1', '"$.tags[*].name" = "$.tags[*].nam"'),
            "6 TB302 other.defaults.\"$.tags[*].name\": $.tags[*] has no member 'nam'",
        ),
        (
            '[other.added]\n"$.speed" = 1\n' + defaults('"$.speed" = nan'),
            '4 TB142 other.defaults."$.speed": is no such value',
        ),
        (
            defaults('"$.speed" = 1') + '[other.added]\n"$.edge" = 1\n"$.speed" = nan\n',
            '5 TB142 other.added."$.speed": is no such value',
        ),
        (
            form('"$.image.x" = "$.x"'),
            "2 TB302 other.answers[0].\"$.image.x\": $.image has no member 'x' (write a place",
        ),
        (form('"$.map.key.y" = "$.x"'), "2 TB302 other.answers[0].\"$.map.key.y\": $.map.key has no member 'y'"),
        (
            '[other]\nfile = "imge"\n',
            "2 TB303 other.file: 'imge' is no member of the answer that is a media file (did you",
        ),
        ('[other]\nfile = "tags"\n', "2 TB303 other.file: 'tags' is no member of the answer that is a media file"),
        (
            '[other]\nfile = "image"\nrate = "speed"\n',
            "3 TB303 other.rate: 'speed' is no member of the answer that is an int",
        ),
    ],
)
def test_mistakes_in_a_wire(tmp_path: Path, wire: str, finding: str) -> None:
    (found,) = told(tmp_path, files(wire, NAMED if "scales" in wire else DIALECTS))
    assert found.startswith(f"echo/wire.toml:{finding}")


def test_scales_are_of_dialects_that_are_read_by_their_forms_alone(tmp_path: Path) -> None:
    (found,) = told(tmp_path, scaled(SCALES, dialects=DIALECTS))
    assert found.startswith("find/wire.toml:1 TB142 other.scales: are of dialects that are `named_only`")
    assert found.endswith("(leave them out, or write `named_only = true` for other in dialects.toml)")


def test_bad_dialects_are_not_told_of_again_in_each_wire(tmp_path: Path) -> None:
    (found,) = told(tmp_path, files("[other]\nnulls = true\n", "[other\n"))
    assert found.startswith("dialects.toml:1 TB140")


def test_a_wire_alone_makes_no_task(tmp_path: Path) -> None:
    _, report = read(tmp_path, files(None) | {"alone/wire.toml": "[other]\n"})
    assert [(d.path, d.code) for d in report.fatal] == [("alone", "TB110"), ("alone", "TB110")]


def test_files_are_read_as_strictly_as_all_others(tmp_path: Path) -> None:
    root = write_specs(tmp_path / "specs", files(None))
    (root / "echo" / "wire.toml").write_bytes(b"\xff")
    (root / "dialects.toml").unlink()
    outside = tmp_path / "outside.toml"
    outside.write_text(DIALECTS, encoding="utf-8")
    (root / "dialects.toml").symlink_to(outside)
    report = Report()
    assert load(root, report).tasks == ()
    assert [(d.path, d.code) for d in report.fatal] == [("dialects.toml", "TB102"), ("echo/wire.toml", "TB104")]


def test_the_linter_finds_the_same(tmp_path: Path) -> None:
    root = write_specs(tmp_path / "specs", files(form('"$.tagz" = "$.y"')))
    report = lint(Config(root, tmp_path / "out"))
    assert [d.code for d in report.fatal] == ["TB302"]


# ------------------------------------------------------------------------- sizes, and what only the forms can name


def pictured(wire: str, inputs: Any = IMAGE, dialects: str = DIALECTS) -> dict[str, Any]:
    """The specs of a task with an image, or other inputs, and an answer that requires some members."""
    edge = {"type": ["integer", "null"]}
    box = closed({"xmin": {"type": "integer"}, "ymin": edge}, required=["xmin", "ymin"])
    found = closed({"label": TEXT, "box": box, "note": TEXT}, required=["label", "box"])
    output = {"type": "array", "items": found}
    return {
        "find/input.json": closed({"inputs": inputs, "words": TEXT}, required=["inputs", "words"]),
        "find/output.json": output,
        "find/wire.toml": wire,
        "dialects.toml": dialects,
    }


ASKED = form('"$" = "$.data"', key="requests")
ALL = form('"$" = "$.all"')
SCALES = scales('"$[*].box.xmin" = "{width}"', '"$[*].box.ymin" = "{height}"')


def scaled(wire: str, inputs: Any = IMAGE, dialects: str = NAMED) -> dict[str, Any]:
    """The same, with forms that name all."""
    return pictured(wire + ASKED + ALL, inputs, dialects)


@pytest.mark.parametrize(
    "inputs", [IMAGE, closed({"question": TEXT, "picture": IMAGE}), {"anyOf": [IMAGE, {"type": "null"}]}]
)
def test_numbers_may_be_parts_of_an_image(tmp_path: Path, inputs: Any) -> None:
    api, report = read(tmp_path, scaled(SCALES, inputs))
    assert not report.fatal
    assert api is not None
    assert api.tasks[0].wires[0].scales == (("$[*].box.xmin", "{width}"), ("$[*].box.ymin", "{height}"))


@pytest.mark.parametrize(
    ("specs", "finding"),
    [
        (
            scaled(SCALES, TEXT),
            "1 TB303 other.scales: the input of the task has no image, so there is no {width} and no",
        ),
        (
            scaled(SCALES, {**IMAGE, "contentMediaType": "audio/*"}),
            "1 TB303 other.scales: the input of the task has no image",
        ),
        (scaled(scales('"$[*].label" = "{width}"')), '2 TB303 other.scales."$[*].label": is no integer'),
        (scaled(scales('"$[*].box" = "{width}"')), '2 TB303 other.scales."$[*].box": is no integer'),
        (
            scaled(scales('"$[*].box.xmni" = "{width}"')),
            "2 TB302 other.scales.\"$[*].box.xmni\": $[*].box has no member 'xmni' (did you mean `xmin`?)",
        ),
        (
            pictured(ASKED, dialects=NAMED),
            "1 TB306 other.answers: there is no form of them, and what no form names is left out (write [[",
        ),
        (
            pictured(form('"$" = "$.all"'), dialects=NAMED),
            "1 TB306 other.requests: there is no form of them, and what no form names is left out",
        ),
        (
            pictured(form('"$.inputs" = "$.image"', key="requests") + form('"$" = "$.all"'), dialects=NAMED),
            "1 TB306 other.requests[0]: does not name what every request has: words (give it a place on the wire, or",
        ),
        (
            pictured(ASKED + form() + form('"$" = "$.all"'), dialects=NAMED),
            "3 TB306 other.answers[0]: names nothing, and what no form names is left out (name the whole:",
        ),
        (
            pictured(ASKED + form('"$[*].label" = "$[*].name"') + defaults('"$[*].note" = "x"'), dialects=NAMED),
            '6 TB306 other.defaults."$[*].note": no form of answers names it',
        ),
        (
            pictured(
                ASKED + form('"$[*].label" = "$[*].name"') + scales('"$[*].box.xmin" = "{width}"'), dialects=NAMED
            ),
            '6 TB306 other.scales."$[*].box.xmin": no form of answers names it',
        ),
        (
            pictured(
                '[other]\nroute = "/v1/find"\n' + ASKED + form('"$" = "$.all"'),
                dialects=NAMED + 'protocol = "clarifai"\n',
            ),
            "2 TB142 other.route: is said by the protocol of the dialect, clarifai (leave it out)",
        ),
    ],
)
def test_mistakes_in_sizes_and_names(tmp_path: Path, specs: dict[str, Any], finding: str) -> None:
    (found,) = told(tmp_path, specs)
    assert found.startswith(f"find/wire.toml:{finding}")


def test_scales_and_defaults_around_what_is_named_are_spoken(tmp_path: Path) -> None:
    wire = ASKED + form('"$[*].box" = "$[*].at"') + SCALES + defaults('"$[*].box" = []')
    assert told(tmp_path, pictured(wire, dialects=NAMED)) == []


NODE = {"type": "object", "properties": {"value": TEXT, "next": {"$ref": "#/$defs/N"}}, "required": ["value", "next"]}
LEFT = closed({"kind": TEXT, "left": TEXT}, required=["kind", "left"])
RIGHT = closed({"kind": TEXT, "right": TEXT, "more": TEXT}, required=["kind", "right", "more"])
PARTS_OF_CHUNK = closed({"text": TEXT, "at": {**PAIR, "minItems": 1}}, required=["text", "at"])


@pytest.mark.parametrize(
    ("output", "forms", "lacking"),
    [
        pytest.param(LEFT, ['"$" = "$.all"'], (), id="the whole"),
        pytest.param(LEFT, ['"$.kind" = "$.k"'], ("left",), id="a member"),
        pytest.param(LEFT, ['"$.kind" = "$.k"\n"$.left" = "$.l"'], (), id="all members"),
        pytest.param({"type": "array", "items": LEFT}, ['"$[*].left" = "$[*].l"'], ("kind",), id="of items"),
        pytest.param({"type": "array", "items": LEFT}, ['"$[0].left" = "$.l"'], ("kind",), id="of one item"),
        pytest.param({"type": "array", "items": LEFT}, ['"$[0]" = "$"'], (), id="one item"),
        pytest.param(RIGHT, ['"$.kind" = "$.k"', '"$.right" = "$.r"\n"$.more" = "$.m"'], ("kind",), id="the best form"),
        pytest.param(RIGHT, ['"$.kind" = "$.k"', '"$" = "$.all"'], (), id="a form that has all"),
        pytest.param({"anyOf": [LEFT, RIGHT]}, ['"$.kind" = "$.k"'], (), id="of alternatives: each lacks another"),
        pytest.param({"anyOf": [LEFT, RIGHT]}, ['"$.left" = "$.l"'], ("kind",), id="of alternatives: that which fits"),
        pytest.param({"anyOf": [LEFT, TEXT, {"type": "null"}]}, ['"$.kind" = "$.k"'], ("left",), id="not of a text"),
        pytest.param(
            closed({"text": TEXT, "chunks": {"type": "array", "items": PARTS_OF_CHUNK}}, required=["text"]),
            ['"$.text" = "$.t"\n"$.chunks[*].text" = "$.c[*]"'],
            ("chunks.at",),
            id="inside of what may be left out",
        ),
        pytest.param(
            closed({"text": TEXT, "chunks": {"type": "array", "items": PARTS_OF_CHUNK}}, required=["text"]),
            ['"$.text" = "$.t"'],
            (),
            id="not what may be left out",
        ),
        pytest.param(
            closed({"chunk": PARTS_OF_CHUNK}, required=["chunk"]),
            ['"$.chunk.text" = "$.t"\n"$.chunk.at[0]" = "$.a"'],
            (),
            id="an item that must be there",
        ),
        pytest.param(
            {"$ref": "#/$defs/N", "$defs": {"N": NODE}},
            ['"$.next.value" = "$.v"'],
            ("value", "next.next"),
            id="recursive",
        ),
        pytest.param({"type": "object", "additionalProperties": LEFT}, ['"$.a.kind" = "$.k"'], (), id="free names"),
    ],
)
def test_what_answers_lack(tmp_path: Path, output: dict[str, Any], forms: list[str], lacking: tuple[str, ...]) -> None:
    wire = form('"$" = "$.all"', key="requests") + "".join(form(pair) for pair in forms)
    specs = files(wire, NAMED) | {"echo/output.json": output}
    api, report = read(tmp_path, specs)
    assert not report.fatal
    assert api is not None
    assert missing(api, api.tasks[0], api.tasks[0].wires[0]) == lacking


def test_what_is_lacking_deep_inside_is_soon_found(tmp_path: Path) -> None:
    """There are two ways at each of 60 steps."""
    either = {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}
    kinds = {kind: closed({"next": either, "value": TEXT, kind: TEXT}, "value", kind) for kind in ("A", "B")}
    output = {"type": "object", "properties": {"node": either}, "$defs": kinds}
    wire = ASKED + form(f'"$.node{".next" * 60}" = "$.x"')
    api, report = read(tmp_path, files(wire, NAMED) | {"echo/output.json": output})
    assert not report.fatal
    assert api is not None
    lacking = missing(api, api.tasks[0], api.tasks[0].wires[0])
    assert sorted(lacking, key=len) == [f"node{'.next' * depth}.value" for depth in range(60)]


def test_the_rate_of_a_file_is_not_lacking(tmp_path: Path) -> None:
    output = closed({"sound": IMAGE, "rate": {"type": "integer"}}, required=["sound", "rate"])
    wire = ASKED + form('"$.sound" = "$.audio"')
    for keys, lacking in (("", ("rate",)), ('[other]\nfile = "sound"\nrate = "rate"\n', ())):
        api, report = read(tmp_path / str(len(keys)), files(keys + wire, NAMED) | {"echo/output.json": output})
        assert not report.fatal
        assert api is not None
        assert missing(api, api.tasks[0], api.tasks[0].wires[0]) == lacking


def test_what_only_forms_name_is_generated(tmp_path: Path) -> None:
    wire = ASKED + form('"$[*].box" = "$.regions[*].box"') + SCALES
    dialects = NAMED + 'auth = "Key"\nprotocol = "clarifai"\n'
    config, outcome = generate_project(tmp_path, pictured(wire, dialects=dialects))
    assert not outcome.report.fatal
    source = (config.out / "made" / "_dialects.py").read_text(encoding="utf-8")
    assert "Length" not in source, "what is not used is not imported"
    with imported(config):
        runtime = import_module("made._runtime.dialect")
        each = import_module("made._runtime.forms").EACH
        made = import_module("made._dialects").DIALECTS["other"]
        assert (made.protocol, made.auth, made.closed) == ("clarifai", "Key", True)
        assert made.wires["find"] == runtime.Wire(
            named_only=True,
            requests=((((), ("data",)),),),
            answers=((((each, "box"), ("regions", each, "box")),),),
            scales=(((each, "box", "xmin"), "{width}"), ((each, "box", "ymin"), "{height}")),
            missing=("label",),
        )
    page = (config.out / "docs" / "dialects.md").read_text(encoding="utf-8")
    assert "| Header with the token | `Authorization: Key …` |" in page
    assert "is `/other/v2/models/{task}/outputs` there" in page
    assert "each with a status of its own" in page
    assert "What no form names is refused in a request, and left out of an answer." in page
    assert "`$[*].box.xmin` as parts of the image's width<br>`$[*].box.ymin` as parts of the image's height" in page
    assert "served only: a client would miss `label`" in page


def test_every_protocol_is_explained() -> None:
    assert TRAVEL.keys() == set(PROTOCOLS)


@pytest.mark.parametrize("code", [f"TB{n}" for n in (*range(140, 147), *range(302, 306))])
def test_every_code_explains_itself(code: str) -> None:
    assert len(explain(code)) > 120


PARTS = st.sampled_from(
    [
        *(
            "[other]",
            "[[other.requests]]",
            "[[other.answers]]",
            "[a.b.c]",
            "[[x]]",
            "",
            "requests = [{}, 1]",
            "x = nan",
        ),
        *(f"{key} = " for key in (*WIRE_KEYS, *DIALECT_KEYS, '"$.image"', "'$[*]'", "'$.x[0]'", '"é\\u0000"')),
        *(
            "true",
            "-1",
            "1e400",
            '"$"',
            '"image"',
            '"/v1"',
            "2020-01-01",
            "[1, [2]]",
            "{ a = {} }",
            '"""\n"""',
            "\0",
            "\\",
        ),
    ]
)
TEXTS = st.lists(st.lists(PARTS, max_size=2).map("".join), max_size=8).map("\n".join)


@given(wire=TEXTS, dialects=TEXTS | st.just(DIALECTS))
def test_whatever_is_written_is_read_or_told_of(wire: str, dialects: str) -> None:
    with TemporaryDirectory() as folder:
        api, report = read(Path(folder), files(wire, dialects))
    assert all(d.fix and d.line >= 0 for d in report if d.path.endswith(".toml"))
    assert api is None or ir_json.from_json(json.loads(json.dumps(ir_json.to_json(api)))) == api


def test_types_that_refer_to_themselves_end(tmp_path: Path) -> None:
    node = closed({"left": {"$ref": "#/$defs/Node"}, "right": {"$ref": "#/$defs/Node"}, "text": TEXT})
    both = {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "array", "items": {"$ref": "#/$defs/Node"}}]}
    output = {"type": "object", "properties": {"node": both}, "$defs": {"Node": node}}
    specs = files(None) | {"echo/output.json": output}
    deep = "$.node" + ".left.right" * 30
    assert told(tmp_path, specs | {"echo/wire.toml": form(f'"{deep}.text" = "$.x"')}) == []
    (found,) = told(tmp_path, specs | {"echo/wire.toml": form(f'"{deep}.txt" = "$.x"')})
    assert "did you mean `text`?" in found


# ---------------------------------------------------------------------------------------------------- what is made


def test_the_module_says_what_the_files_say(tmp_path: Path) -> None:
    config, outcome = generate_project(tmp_path, files(FULL, DIALECTS + 'url = "https://x.org"\n'))
    assert not outcome.report.fatal
    source = (config.out / "made" / "_dialects.py").read_text(encoding="utf-8")
    ast.parse(source)
    assert "max_body" not in source, "what is as ever is not written"
    with imported(config):
        runtime = import_module("made._runtime.dialect")
        each = import_module("made._runtime.forms").EACH
        form = (
            (("tags", each, "name"), ("names", each)),
            (("free", "anything", 3), ("rest",)),
            (("map", "key", "x"), ("x",)),
            (("either", "left"), ("left",)),
            (("tags", each, "at", 0), ("at", each)),
            (("tags",), ("all",)),
        )
        length = import_module("made._runtime.forms").Length
        wire = runtime.Wire(
            route="/v1/echo",
            model_route="/pipeline/echo",
            model="model",
            form=True,
            accept="image/png",
            file="image",
            rate="rate",
            samples=True,
            nulls=True,
            neutral=(("n", 1), ("any name", "x")),
            requests=(((("inputs",), ("text",)),), ()),
            answers=(form,),
            defaults=(
                (("speed",), 1.5),
                (("tags", each, "name"), "none"),
                (("tags",), []),
                (("rate",), ("speed",)),
                (("tags", each, "at"), ("tags", each, "name")),
                (("edge",), length(("tags",))),
            ),
            added=(
                (("id",), "{id}"),
                (("names", each, "index"), "{index}"),
                (("object",), ("kind",)),
                (("names", each, "id"), "no. {index} of {id}"),
                (("names", each, "far"), ("names", each, "a", 0)),
                (("names", each, "first"), ("names", 0, "far")),
                (("names", each, "count"), length(("names", each, "b"))),
            ),
        )
        made = import_module("made._dialects").DIALECTS
        assert made == {"other": runtime.Dialect("other", "Other", "https://x.org", wires={"echo": wire})}


def test_without_dialects_the_module_is_empty_and_no_page_is_made(tmp_path: Path) -> None:
    config, _ = generate_project(tmp_path, files(None, None))
    with imported(config):
        assert import_module("made._dialects").DIALECTS == {}
    assert not (config.out / "docs" / "dialects.md").exists()
    assert "dialects.md" not in (config.out / "docs" / "index.md").read_text(encoding="utf-8")


def test_a_changed_wire_generates_anew(tmp_path: Path) -> None:
    config, _ = generate_project(tmp_path, files("[other]\nnulls = true\n"))
    assert not generate(config).changes
    (config.specs / "echo" / "wire.toml").write_text("[other]\n", encoding="utf-8")
    outcome, _ = check(config)
    assert {"api.json", "docs/dialects.md", "made/_dialects.py"} <= set(outcome.changes.changed)
    (config.specs / "dialects.toml").unlink()
    (config.specs / "echo" / "wire.toml").unlink()
    assert generate(config).changes.removed == ("docs/dialects.md", "site/docs/dialects.md")


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    nasty = 'a | b """ {{ x }} <script> \\u202e `c` \\\\'
    dialects = f"[other]\ntitle = '''{nasty}'''\nsummary = '''{nasty}'''\n"
    name = "a|`b\\\"''] --> \\u202e"
    wire = form(f'"$.free" = "$[\'{name}\']"'.replace("''", "\\\\'"))
    config, outcome = generate_project(tmp_path, files(wire, dialects))
    assert not outcome.report.fatal
    with imported(config):
        made = import_module("made._dialects").DIALECTS
        assert made["other"].title == nasty
        assert made["other"].wires["echo"].answers == (((("free",), ("a|`b\"'] --> \u202e",)),),)
    page = (config.out / "docs" / "dialects.md").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "{{" not in page
    assert "\u202e" not in page


def test_names_that_every_client_has_are_reserved() -> None:
    from inference_tasks._runtime.client import AsyncClientBase, SyncClient

    own = {name for cls in (SyncClient, AsyncClientBase) for name in dir(cls) if not name.startswith("_")}
    assert own <= RESERVED


def test_the_guide_shows_every_key_and_no_other() -> None:
    guide = (SPECS.parent / "docs" / "dialects.md").read_text(encoding="utf-8")
    dialects, wire = (tomllib.loads(text) for text in re.findall(r"^```toml\n(# specs/.*?)^```", guide, re.M | re.S))
    assert set(dialects["huggingface"]) == set(DIALECT_KEYS)
    assert set(wire["huggingface"]) == set(WIRE_KEYS)


def test_our_own_files_have_no_finding() -> None:
    report = Report()
    api = lower(normalize(load(SPECS, report), report), report)
    assert [str(d) for d in report if d.path.endswith(("dialects.toml", "wire.toml"))] == []
    assert [dialect.name for dialect in api.dialects] == ["clarifai", "huggingface", "openai"]
    assert sum(bool(task.wires) for task in api.tasks) == len(list(SPECS.glob("*/wire.toml"))) > 20


def test_order_in_files_is_order_in_the_ir_where_it_means_something(tmp_path: Path) -> None:
    two = DIALECTS + '[also]\ntitle = "A"\nsummary = "B"\n'
    turned = '[also]\ntitle = "A"\nsummary = "B"\n' + DIALECTS

    def make(name: str, wire: str, dialects: str) -> ir.Api | None:
        return read(tmp_path / name, files(wire, dialects))[0]

    wires = "[other]\nnulls = true\n", "[also]\nnulls = true\n"
    assert make("a", "".join(wires), two) == make("b", "".join(reversed(wires)), turned)
    forms = form('"$.free" = "$.a"'), form('"$.free" = "$.b"')
    assert make("c", "".join(forms), two) != make("d", "".join(reversed(forms)), two)
