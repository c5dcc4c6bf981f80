"""Types of specs written for the purpose: each construct's text, what it takes and refuses, and names that do harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import Report, TaskbindError
from taskbind.escape import js
from taskbind.pipeline import read_api
from taskbind.plan import plan
from taskbind.render import typescript
from tests.conftest import ROOT
from tests.support.project import closed, echo_task, write_specs
from tests.support.typescript import findings, need_compiler, program


def rendered(folder: Path, files: dict[str, Any], **settings: Any) -> dict[str, str]:
    """The files of the package for inline specs, by name."""
    config = Config(write_specs(folder / "specs", files), folder / "out", **settings)
    api = read_api(config, Report())
    made = typescript.render(api, plan(api, config), Context(config))
    return {path.removeprefix("typescript/"): str(text) for path, text in made.items()}


def compiled(folder: Path, files: dict[str, Any], lines: list[tuple[str, Any]]) -> list[tuple[int, str]]:
    """The number of each line that the compiler refuses, from 0, and its code."""
    need_compiler()
    (folder / "types").mkdir()
    for name, text in rendered(folder, files).items():
        (folder / "types" / name).write_text(text, encoding="utf-8")
    program(folder, "uses.mts", {"{ Tasks }": "./types/index.js"}, [(type, js(value)) for type, value in lines])
    found = findings(folder, ["types/*.ts", "uses.mts"])
    assert {finding.file for finding in found} <= {"uses.mts"}, found
    return [(finding.line - 2, finding.code) for finding in found]


OUTPUT = 'Tasks["echo"]["output"]'
NAMED = {"title": "EchoOutput", "description": "An answer."}

# (schema of an answer, text of its type, values that have it, values that have it not)
CONSTRUCTS: dict[str, tuple[dict[str, Any], str, list[Any], list[Any]]] = {
    "enum": ({"enum": ["a", 'q"', None]}, r'"a" | "q\"" | null', ["a", None], ["b", 1]),
    "numbers": ({"enum": [1, 2.5, -3]}, "1 | 2.5 | -3", [1, -3], [2, "1"]),
    "const": ({"const": {"a": [1, True]}}, '{"a": [1, true]}', [{"a": [1, True]}], [{"a": [2, True]}, {"a": [1]}]),
    "tuple": (
        {
            "type": "array",
            "prefixItems": [{"type": "number"}, {"type": ["string", "null"]}],
            "minItems": 1,
            "items": False,
        },
        "[number, (string | null)?]",
        [[1], [1, None], [1, "x"]],
        [[], ["x"], [1, "x", 2]],
    ),
    "rest": (
        {"type": "array", "prefixItems": [{"type": "string"}], "minItems": 2, "items": {"type": ["number", "null"]}},
        "[string, number | null, ...(number | null)[]]",
        [["x", 1], ["x", 1, None]],
        [["x"], ["x", "y"]],
    ),
    "as many": (
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        "[number, number]",
        [[1, 2]],
        [[1], [1, 2, 3]],
    ),
    "none": ({"type": "array", "items": False}, "[]", [[]], [[1]]),
    "nullable list": (
        {"type": ["array", "null"], "items": {"type": "integer"}},
        "number[] | null",
        [[1], None],
        [["x"]],
    ),
    "map": (
        {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
        "{ [member: string]: number | null }",
        [{}, {"a": 1, "b": None}],
        [{"a": "x"}],
    ),
    "anything": ({}, "Json", [None, [{"a": [1, "x"]}]], []),
    "nothing": ({"type": "array", "prefixItems": [False]}, "[never?, ...Json[]]", [[]], [[1]]),
    "media": (
        {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"},
        "Base64<`image/${string}`>",
        ["AAAA"],
        [1],
    ),
    "recursive": (
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]},
        "string | EchoOutput[]",
        ["x", ["x", [["x"]]]],
        [1, [["x", 1]]],
    ),
}


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_constructs_are_written(tmp_path: Path, name: str) -> None:
    schema, text, _, _ = CONSTRUCTS[name]
    made = rendered(tmp_path, echo_task(output=NAMED | schema))
    assert f" */\nexport type EchoOutput = {text};\n" in made["echo.d.ts"]


def test_constructs_compile(tmp_path: Path) -> None:
    files, lines, bad = {}, [], []
    for number, (schema, _, right, wrong) in enumerate(CONSTRUCTS.values()):
        made = echo_task(output={**NAMED, "title": f"Answer{number}"} | schema)
        files |= {name.replace("echo", f"echo{number}"): content for name, content in made.items()}
        for value in [*right, *wrong]:
            bad += [len(lines)] if value in wrong and value not in right else []
            lines.append((f'Tasks["echo{number}"]["output"]', value))
    assert sorted({line for line, _ in compiled(tmp_path, files, lines)}) == bad


MEMBERS = closed(
    {
        "kind": {"enum": ["a"], "description": "Says */ what.\n@deprecated no, it is not\n@ts-ignore"},
        "size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3, "description": "How large."},
        "mode": {
            "description": "How.",
            "deprecated": True,
            "oneOf": [{"const": "x", "description": "Fast."}, {"const": "y", "description": "Slow, *very*."}],
        },
    },
    "kind",
)


def test_comments(tmp_path: Path) -> None:
    text = rendered(tmp_path, echo_task(output=NAMED | MEMBERS))["echo.d.ts"]
    assert text.endswith("""
/** An answer. */
export interface EchoOutput {
  /** Says \\*\\/ what. @deprecated no, it is not @ts-ignore */
  kind: "a";
  /**
   * How large.
   *
   * Limits: ≥ 1, ≤ 9.
   *
   * @default 3
   */
  size?: number;
  /**
   * How.
   *
   * - `x`: Fast.
   * - `y`: Slow, \\*very\\*.
   *
   * @deprecated
   */
  mode?: "x" | "y";
}
""")


def test_members(tmp_path: Path) -> None:
    """What may be missing may not be undefined; objects with a type for other members take those."""
    tagged = [
        closed({"kind": {"const": "a"}, "n": {"type": "number"}}, "kind", "n", title="A"),
        closed({"kind": {"const": "b"}, "s": {"type": "string"}}, "kind", "s", title="B"),
    ]
    files = {
        **{name.replace("echo", "closed"): file for name, file in echo_task(output={**MEMBERS}).items()},
        **{
            name.replace("echo", "open"): file
            for name, file in echo_task(
                output={"type": "object", "properties": {"a": {"type": "number"}}, "title": "Open"}
            ).items()
        },
        **{
            name.replace("echo", "typed"): file
            for name, file in echo_task(
                output={
                    "type": "object",
                    "properties": {"a": {"type": "string"}},
                    "additionalProperties": {"type": "number"},
                    "title": "Typed",
                }
            ).items()
        },
        **{name.replace("echo", "tagged"): f for name, f in echo_task(output={"oneOf": tagged, "title": "T"}).items()},
    }
    lines = [
        ('Tasks["closed"]["output"]', {"kind": "a", "size": 1}),
        ('Tasks["closed"]["output"]', {"kind": "a", "sise": 1}),
        ('Tasks["closed"]["output"]', {"size": 1}),
        ('Tasks["closed"]["output"]', {"kind": "a", "size": None}),
        ('Tasks["closed"]["output"]', {"kind": "b"}),
        ('Tasks["open"]["output"]', {"b": [1]}),
        ('Tasks["open"]["output"]', {"a": "x"}),
        ('Tasks["typed"]["output"]', {"a": "x", "b": 1}),
        ('Tasks["typed"]["output"]', {"b": True}),
        ('Tasks["tagged"]["output"]', {"kind": "a", "n": 1}),
        ('Tasks["tagged"]["output"]', {"kind": "a", "s": "x"}),
        ('Tasks["closed"]["stream"]', None),
    ]
    assert compiled(tmp_path, files, lines) == [
        (1, "TS2353"),  # Object literal may only specify known properties
        (2, "TS2741"),  # Property 'kind' is missing
        (3, "TS2322"),
        (4, "TS2322"),
        (5, "TS2353"),  # of an answer, nobody can read it
        (6, "TS2322"),
        (8, "TS2322"),
        (10, "TS2353"),  # 's' does not exist in the variant whose kind is 'a'
        (11, "TS2322"),
    ]
    narrowed = 'export const told = (t: T): string => (t.kind === "b" ? t.s : t.n.toFixed());'
    (tmp_path / "uses.mts").write_text(f'import type {{ T }} from "./types/index.js";\n{narrowed}\n', encoding="utf-8")
    assert findings(tmp_path, ["uses.mts"]) == []


OPEN = {
    "title": "Item",
    "description": "An item.",
    "type": "object",
    "properties": {"name": {"type": "string"}, "corners": {"type": "array", "items": {"type": "array", "items": {}}}},
    "required": ["name"],
}
LISTS = {
    "names": {"type": ["array", "null"], "items": {"type": "string"}},
    "pair": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]},
    "item": {"$ref": "#/$defs/Item"},
}


def test_what_is_sent_is_taken_as_its_schema_takes_it(tmp_path: Path) -> None:
    """Other members, and lists that are constant; in what only comes back, a member that nobody declared is none."""
    files = echo_task(parameters=LISTS, output={**NAMED, **OPEN, "title": "EchoOutput"})
    files["echo/input.json"]["$defs"] = {"Item": OPEN}
    assert compiled(tmp_path, files, [('Tasks["echo"]["input"]', {"inputs": "x", "parameters": {"nams": []}})])
    (tmp_path / "uses.mts").write_text(
        """import type { EchoOutput, Item, Tasks } from "./types/index.js";
const names = ["a", "b"] as const;
const request = {
  inputs: "x",
  parameters: { names, pair: [1, [2, 3]], item: { name: "n", corners: [[1], [2, "x"]], other: 1 } },
} as const;
export const sent: Tasks["echo"]["input"] = request;
export const item: Item = { name: "n", other: 1 };
export const got = (answer: EchoOutput): string => answer.name;
export const sorted = (answer: EchoOutput) => answer.corners?.sort();
export const rest = (answer: EchoOutput): Omit<EchoOutput, "corners"> => ({ name: answer.name });
export const member: keyof EchoOutput = "name";
export const wrong = (answer: EchoOutput) => answer.nmae;
export const none: keyof EchoOutput = "nmae";
""",
        encoding="utf-8",
    )
    found = findings(tmp_path, ["uses.mts"])
    assert [(finding.line, finding.code) for finding in found] == [(13, "TS2339"), (14, "TS2322")]


def test_long_types_are_laid_out_in_lines(tmp_path: Path) -> None:
    long = {"type": "array", "items": {"enum": [f"{letter * 30}" for letter in "abcd"]}}
    several = {"enum": [f"{letter * 60}" for letter in "ab"]}
    files = echo_task({"long": long, "several": several}, output=NAMED | several)
    text = rendered(tmp_path, files)["echo.d.ts"]
    lines = text.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    assert f'  long?: readonly ("{"a" * 30}" | ' in text
    assert f'  several?:\n    | "{"a" * 60}"\n    | "{"b" * 60}";' in text
    assert f'export type EchoOutput =\n  | "{"a" * 60}"\n  | "{"b" * 60}";' in text


HOSTILE = [
    "constructor",
    "__proto__",
    "prototype",
    "hasOwnProperty",
    "new",
    "get",
    "readonly",
    "default",
    "a b",
    "*/",
    '"',
    "'",
    "`${x}`",
    "\\",
    "ключ",
    "1",
    "",
    "[member: string]",
    "-",
    "</script>",
]


def test_hostile_names_and_texts(tmp_path: Path) -> None:
    """Every text at every place: nothing gets out of its quotes or comment, and the types mean what they should."""
    texts = " \n\u2028\u202e\r*/".join(HOSTILE)
    values = [{"const": name, "description": f"{name} {texts}"} for name in HOSTILE]
    output = closed(
        {name: {"oneOf": values, "description": f"@{name}\n{texts}", "default": name} for name in HOSTILE}, *HOSTILE
    )
    files = echo_task(output={"title": f"Echo {texts}", "description": f"/* {texts}"} | output)
    files |= {name.replace("echo", "constructor"): content for name, content in echo_task().items()}
    right = dict.fromkeys(HOSTILE, HOSTILE[0])
    lines = [(OUTPUT, right), *((OUTPUT, right | {name: value}) for name, value in zip(HOSTILE, HOSTILE, strict=True))]
    lines += [(OUTPUT, right | {name: 1}) for name in HOSTILE]
    lines += [(OUTPUT, {key: value for key, value in right.items() if key != name}) for name in HOSTILE]
    lines += [('Tasks["constructor"]["input"]', {"inputs": "x"}), (OUTPUT, right | {"x": 1})]
    count = len(HOSTILE)
    refused = [*range(count + 1, 3 * count + 1), 3 * count + 2]
    assert sorted({line for line, _ in compiled(tmp_path, files, lines)}) == refused


def test_members_that_every_object_inherits(tmp_path: Path) -> None:
    names = ["constructor", "hasOwnProperty", "toString", "valueOf", "__proto__"]
    files = echo_task(output=closed({name: {"type": "string"} for name in names}))
    lines = [(OUTPUT, {}), (OUTPUT, dict.fromkeys(names, "x")), *((OUTPUT, {name: 1}) for name in names)]
    assert [line for line, _ in compiled(tmp_path, files, lines)] == [2, 3, 4, 5, 6]


def test_names_of_modules_do_not_meet(tmp_path: Path) -> None:
    """A shared file called as the index is, and types called as ours."""
    shared = {
        "$defs": {
            "Tasks": closed({"a": {"type": "string"}}, title="Tasks"),
            "Base64": closed({"b": {"type": "string"}}, title="Base64"),
            "Json": closed({"c": {}}, title="Json"),
            "Array": closed({"d": {"type": "array", "items": {"$ref": "#/$defs/Tasks"}}}, title="Array"),
        }
    }
    output = closed({name: {"$ref": f"../index.json#/$defs/{name}"} for name in shared["$defs"]})
    made = rendered(tmp_path, {**echo_task(output=output), "index.json": shared})
    assert {"index.d.ts", "index2.d.ts"} < made.keys()
    assert "export interface Tasks2 {" in made["index.d.ts"]
    lines = [('Tasks2["echo"]["output"]', {"Array": {"d": [{"a": "x"}]}, "Json": {"c": 1}})]
    need_compiler()
    for name, text in made.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    program(tmp_path, "uses.mts", {"{ Tasks2 }": "./index.js"}, [(type, js(value)) for type, value in lines])
    assert findings(tmp_path, ["*.ts", "*.mts"]) == []


VERSIONS = {
    "1.2.3": "1.2.3",
    "1.2": "1.2.0",
    "1.2rc1": "1.2.0-rc.1",
    "2.0.0b3": "2.0.0-beta.3",
    "1.dev4": "1.0.0-dev.4",
}


@pytest.mark.parametrize(("python", "npm"), VERSIONS.items())
def test_versions(python: str, npm: str) -> None:
    assert typescript.npm_version(python) == npm


@pytest.mark.parametrize("version", ["1!2.0", "1.2.3.4", "1.0.post1", "1.0+local", ""])
def test_versions_that_npm_has_not(tmp_path: Path, version: str) -> None:
    with pytest.raises(TaskbindError, match=r"package\.version: npm has no version like"):
        rendered(tmp_path, echo_task(), version=version)


def test_the_package(tmp_path: Path) -> None:
    made = rendered(tmp_path, echo_task(), package="my_tasks", summary='All "tasks".', version="1.0")
    assert made["LICENSE"] == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert '"tasks"' not in made["README.md"], "which is about the tasks, not about their types"
    assert json.loads(made["package.json"]) == {
        "name": "my-tasks-types",
        "version": "1.0.0",
        "description": "Types of all requests and answers of my-tasks, for TypeScript",
        "license": "Apache-2.0",
        "types": "./index.d.ts",
        "exports": {".": {"types": "./index.d.ts"}},
        "files": ["*.d.ts"],
    }
