"""Examples are held against the schemas: what is wrong is told with its place, and stops generation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taskbind.config import Config
from taskbind.diagnostics import Diagnostic
from taskbind.pipeline import SpecError, generate, lint
from tests.support.project import closed, write_specs

TEXT = {"type": "string", "description": "A text."}
MEDIA = {"description": "A picture.", "type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"}
COUNT = {"type": "integer", "description": "How many.", "minimum": 1}
TOML = 'title = "T"\n\n[[examples]]\nname = "one"\ntitle = "One"\ninputs = "x"\n\n'
TOML += '[[examples]]\nname = "two"\ntitle = "Two"\n'


def config(root: Path, input: Any, toml: str, output: Any = TEXT, **responses: Any) -> Config:
    files = {"my-task/input.json": {"title": "MyTaskInput", **input}, "my-task/output.json": output}
    files |= {"my-task/task.toml": toml, "my-task/x.png": "not looked into"}
    for name, response in responses.items():
        files[f"my-task/examples/{name.replace('__', '.')}.json"] = json.dumps(response, indent=1)
    return Config(write_specs(root / "specs", files), root / "out")


def found(config: Config) -> list[Diagnostic]:
    """The errors; all of them are about examples, and stop generation."""
    errors = lint(config).fatal
    assert {d.code for d in errors} <= {"TB250", "TB251"}
    if errors:
        with pytest.raises(SpecError) as caught:
            generate(config)
        assert caught.value.report.fatal == errors
        assert not config.out.exists()
    return errors


PAIR = closed({"q": TEXT, "p": TEXT}, "q", "p")
BOX = closed({"inputs": TEXT, "parameters": closed({"top_k": COUNT}, title="Box", description="How.")}, "inputs")
ROOT = closed(
    {"top_k": COUNT, "messages": {"type": "array", "description": "M.", "items": {"type": "string"}}}, "messages"
)


@pytest.mark.parametrize(
    ("input", "example", "line", "pointer", "says"),
    [
        (BOX, "inputs = 5", 11, "/inputs", "'two': 5 is not of type string"),
        (BOX, 'inputs = "x"\n[examples.parameters]\ntop_k = 0', 13, "/parameters/top_k", "0 breaks `minimum`: 1"),
        (BOX, 'inputs = "x"\nparameters.top_k = 1.5', 12, "/parameters/top_k", "1.5 is not of type integer"),
        (BOX, 'inputs = "x"\nparameters = { top_k = "a" }', 12, "/parameters/top_k", "integer"),
        (BOX, 'inputs = "x"\nparameters.topk = 1', 12, "/parameters/topk", "'topk' is no member here; known: top_k"),
        (ROOT, 'inputs = "x"', 11, "/messages", "array"),
        (ROOT, 'inputs = ["x", 1]', 11, "/messages/1", "string"),
        (ROOT, 'inputs = ["x"]\nparameters.top_k = 0', 12, "/top_k", "minimum"),
        (ROOT, 'inputs = ["x"]\nparameters.top_q = 0', 12, "/top_q", "no member"),
        (closed({"inputs": PAIR}, "inputs"), 'inputs.q = "x"', 11, "/inputs", "'p' is missing"),
        (closed({"inputs": COUNT}, "inputs"), 'media = "x.png"', 11, "/inputs", "integer"),
    ],
)  # fmt: skip
def test_requests(tmp_path: Path, input: Any, example: str, line: int, pointer: str, says: str) -> None:
    good = 'inputs = ["x"]' if input is ROOT else 'inputs = "x"' if input is BOX else example
    toml = TOML.replace('inputs = "x"', good) + example + "\n"
    errors = [d for d in found(config(tmp_path, input, toml)) if "'two'" in d.message]
    assert [(d.code, d.path, d.line, d.pointer) for d in errors] == [("TB250", "my-task/task.toml", line, pointer)]
    assert says in errors[0].message
    assert errors[0].fix


@pytest.mark.parametrize(
    ("input", "example"),
    [
        (closed({"inputs": MEDIA}, "inputs"), 'media = "x.png"'),
        (closed({"inputs": {**MEDIA, "minLength": 1000, "pattern": "^data:"}}, "inputs"), 'media = "x.png"'),
        (closed({"inputs": {"description": "M.", "anyOf": [MEDIA, {"type": "null"}]}}, "inputs"), 'media = "x.png"'),
        (
            closed(
                {"inputs": closed({"image": MEDIA, "q": TEXT}, "image", "q", title="D", description="D.")}, "inputs"
            ),
            'inputs = { q = "?" }\nfiles = { image = "x.png" }',
        ),
        (BOX, 'inputs = "x"\nparameters.top_k = 2'),
        (ROOT, 'inputs = ["x"]\nparameters.top_k = 2'),
    ],
)
def test_good_requests(tmp_path: Path, input: Any, example: str) -> None:
    toml = f'[[examples]]\nname = "one"\ntitle = "One"\n{example}\n'
    assert found(config(tmp_path, input, toml)) == []


def test_responses(tmp_path: Path) -> None:
    answer = closed({"label": TEXT, "score": {"type": "number", "description": "S.", "maximum": 1}}, "label", "score")
    output = {
        "type": "array",
        "description": "Answers.",
        "items": {"title": "MyTaskAnswer", "description": "A.", **answer},
    }
    good, bad = {"label": "a", "score": 1}, {"label": "a", "score": 2}
    toml = TOML + 'inputs = "y"\n'
    made = config(tmp_path, BOX, toml, output, one__response=[good, bad], two__written=[{"label": None, "x": 1}])
    assert [(d.code, d.path.rpartition("/")[2], d.line, d.pointer) for d in found(made)] == [
        ("TB251", "one.response.json", 8, "/1/score"),
        ("TB251", "two.written.json", 2, "/0"),
        ("TB251", "two.written.json", 3, "/0/label"),
        ("TB251", "two.written.json", 4, "/0/x"),
    ]


def test_of_a_union_the_branch_that_is_meant_is_told(tmp_path: Path) -> None:
    either = {"description": "E.", "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    toml = '[[examples]]\nname = "one"\ntitle = "One"\ninputs = ["a", 1]\n'
    (error,) = found(config(tmp_path, closed({"inputs": either}, "inputs"), toml))
    assert (error.pointer, "1 is not of type string" in error.message) == ("/inputs/1", True)
    toml = toml.replace('["a", 1]', "5")
    (error,) = found(config(tmp_path / "2", closed({"inputs": either}, "inputs"), toml))
    assert (error.pointer, "fits none of the 2 branches" in error.message) == ("/inputs", True)


def test_many_mistakes_are_cut_short(tmp_path: Path) -> None:
    members = {"inputs": {"type": "array", "description": "N.", "items": {"type": "string"}}}
    toml = f'[[examples]]\nname = "one"\ntitle = "One"\ninputs = {list(range(500))}\n'
    assert len(found(config(tmp_path, closed(members, "inputs"), toml))) == 20


def test_few_examples_are_a_hint_and_no_error(tmp_path: Path) -> None:
    made = config(tmp_path, BOX, 'title = "T"\n')
    assert [(d.code, d.severity, d.path) for d in lint(made)] == [("TB279", "info", "my-task/task.toml")]
    full = config(tmp_path / "2", BOX, TOML + 'inputs = "y"\n', one__written="a")
    assert list(lint(full)) == []


def test_hostile_schemas_cost_little(tmp_path: Path) -> None:
    defs = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)} | {"d40": {"type": "integer"}}
    input = closed({"inputs": {"description": "D.", "$ref": "#/$defs/d0"}}, "inputs") | {"$defs": defs}
    errors = lint(config(tmp_path, input, '[[examples]]\nname = "a"\ntitle = "A"\ninputs = "x"\n')).fatal
    assert [(d.code, d.pointer) for d in errors if d.code == "TB250"] == [("TB250", "/inputs")]
