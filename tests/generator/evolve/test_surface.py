"""Names and signatures of the generated Python: what the wire does not tell is found, and nothing that it does."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from taskbind import ir_json
from taskbind.config import Config, load_config
from taskbind.diagnostics import Report
from taskbind.evolve.change import Kind
from taskbind.evolve.rules import RULES, Rule
from taskbind.evolve.rules.python import PYTHON
from taskbind.evolve.surface import Planned, judge_surface
from taskbind.evolve.verdict import Level, Verdict
from taskbind.pipeline import read_api
from taskbind.plan import plan
from tests.support.project import closed, echo_task, write_specs

ROOT = Path(__file__).parents[3]
TEXT = {"type": "string"}


def version(folder: Path, files: dict[str, Any], package: str = "made") -> Planned:
    config = Config(write_specs(folder / "specs", files), folder / "out", package=package)
    api = read_api(config, Report())
    return Planned(api, plan(api, config))


def judged(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> tuple[Verdict, ...]:
    return judge_surface(version(folder / "old", old), version(folder / "new", new))


def said(verdicts: Iterable[Verdict]) -> list[tuple[str, str, Any, Any]]:
    return [(v.rule, v.change.path, v.change.before, v.change.after) for v in verdicts]


def echo_answer(voice: Any, **rest: Any) -> dict[str, Any]:
    return echo_task(output=closed({"voice": voice}, **rest))


def voice(title: str, **members: Any) -> dict[str, Any]:
    return closed(members or {"name": TEXT}, title=title, description="A voice.")


@pytest.mark.parametrize("rule", PYTHON, ids=lambda rule: rule.id)
def test_each_rule_has_an_example_that_it_alone_comes_out_of(tmp_path: Path, rule: Rule) -> None:
    def read(name: str) -> Planned:
        files = dict(rule.example.specs(getattr(rule.example, name)))
        settings = tomllib.loads(files.pop("../taskbind.toml", ""))
        return version(tmp_path / name, files, settings.get("package", {}).get("name", "made"))

    old, new = read("old"), read("new")
    (verdict,) = judge_surface(old, new)
    assert (verdict.rule, verdict.wire, verdict.python) == (rule.id, rule.wire, rule.python)
    assert verdict.change.side == "python"
    assert verdict.message.endswith(".") and verdict.message.isprintable()
    assert verdict.change.source is not None or rule.id == "python-package-renamed"
    assert judge_surface(old, old) == judge_surface(new, new) == ()


def test_rules_are_in_the_catalogue_and_are_safe_on_the_wire() -> None:
    for rule in PYTHON:
        assert RULES[rule.id] is rule
        assert rule.wire is Level.SAFE is not rule.python


def test_our_specs_are_what_they_are() -> None:
    api = ir_json.from_json(json.loads((ROOT / "generated/api.json").read_text(encoding="utf-8")))
    ours = Planned(api, plan(api, load_config(ROOT)))
    assert judge_surface(ours, ours) == ()


def test_a_class_keeps_its_name_whatever_its_members_become(tmp_path: Path) -> None:
    old = echo_answer(voice("Voice", name=TEXT, pitch={"type": "number"}))
    assert judged(tmp_path, old, echo_answer(voice("Voice", age={"type": "integer"}))) == ()


def test_a_rename_is_found_behind_references_lists_maps_and_unions(tmp_path: Path) -> None:
    for number, wrap in enumerate(
        (
            lambda schema: {"type": "array", "items": schema},
            lambda schema: {"type": "object", "additionalProperties": schema},
            lambda schema: {"anyOf": [TEXT, schema, {"type": "null"}]},
            lambda schema: {"$ref": "#/$defs/V", "description": "See there."} if schema else {},
        )
    ):
        trees = []
        for title in ("Voice", "Speaker"):
            files = echo_answer(wrap(voice(title)), **{"$defs": {"V": voice(title)}})
            trees.append(files)
        found = judged(tmp_path / str(number), *trees)
        assert said(found) == [("python-class-renamed", "models.Voice", "models.Voice", "models.Speaker")]
        assert found[0].change.kind is Kind.RENAMED
        assert found[0].change.task == "echo"


def test_variants_of_a_union_are_told_apart_by_name_then_by_their_members(tmp_path: Path) -> None:
    a, b, c = (voice(title, **{f"{title.lower()}_{n}": TEXT for n in range(3)}) for title in ("Aa", "Bb", "Cc"))
    renamed = {**b, "title": "New"}
    found = judged(tmp_path, echo_answer({"anyOf": [a, b, c]}), echo_answer({"anyOf": [c, renamed, a]}))
    assert said(found) == [("python-class-renamed", "models.Bb", "models.Bb", "models.New")]


def test_two_classes_that_change_places_are_replaced_not_renamed(tmp_path: Path) -> None:
    def answer(*titles: str) -> dict[str, Any]:
        return echo_task(output=closed({f"m{i}": voice(title) for i, title in enumerate(titles)}))

    found = judged(tmp_path, answer("Aa", "Bb"), answer("Bb", "Aa"))
    assert [(v.rule, v.change.before, v.change.after) for v in found] == [
        ("python-class-replaced", "models.Aa", "models.Bb"),
        ("python-class-replaced", "models.Bb", "models.Aa"),
    ]


def test_a_name_that_means_something_else_now_is_no_rename(tmp_path: Path) -> None:
    sing = {path.replace("echo/", "sing/"): schema for path, schema in echo_answer(voice("Voice", pitch=TEXT)).items()}
    found = judged(tmp_path, echo_answer(voice("Voice")), echo_answer(voice("Speaker")) | sing)
    assert ("python-class-replaced", "models.Voice", "models.Voice", "models.Speaker") in said(found)


def test_a_neighbour_of_the_same_title_renames_a_class(tmp_path: Path) -> None:
    old = echo_answer(voice("Voice"))
    other = {path.replace("echo/", "sing/"): schema for path, schema in echo_answer(voice("Voice")).items()}
    found = judged(tmp_path, old, old | other)
    assert ("python-class-renamed", "models.Voice", "models.Voice", "models.EchoVoice") in said(found)


def test_the_name_of_an_answer_that_is_no_class(tmp_path: Path) -> None:
    def answer(title: str) -> dict[str, Any]:
        return echo_task(output={"type": "array", "items": TEXT, "title": title})

    found = judged(tmp_path, answer("EchoOutput"), answer("Echoes"))
    assert said(found) == [("python-class-renamed", "models.EchoOutput", "models.EchoOutput", "models.Echoes")]


def test_the_name_of_a_tuple(tmp_path: Path) -> None:
    def answer(name: str) -> dict[str, Any]:
        pair = {"type": "array", "prefixItems": [TEXT, TEXT], "items": False, "minItems": 2, "title": name}
        return echo_answer({"$ref": f"#/$defs/{name}"}, **{"$defs": {name: pair}})

    found = judged(tmp_path, answer("Pair"), answer("Couple"))
    assert said(found) == [("python-class-renamed", "models.Pair", "models.Pair", "models.Couple")]


def test_recursive_types_end(tmp_path: Path) -> None:
    def answer(title: str) -> dict[str, Any]:
        node = {**closed({"next": {"$ref": "#/$defs/Node"}, "name": TEXT}), "title": title}
        return echo_answer({"$ref": "#/$defs/Node"}, **{"$defs": {"Node": node}})

    found = judged(tmp_path, answer("Node"), answer("Knot"))
    assert said(found) == [("python-class-renamed", "models.Node", "models.Node", "models.Knot")]


def test_what_the_wire_tells_is_not_told_again(tmp_path: Path) -> None:
    """Members and tasks that come and go, types and bounds: all of it breaks Python, none of it is said here."""
    old = echo_task({"pause": {"type": "number"}, "pitch": TEXT}, voice("EchoOutput"))
    new = echo_task({"pause": {"type": "string"}, "speed": {"type": "number", "minimum": 1}})
    assert judged(tmp_path, old, new) == ()
    sing = {path.replace("echo/", "sing/"): schema for path, schema in echo_task().items()}
    sing = json.loads(json.dumps(sing).replace('"Echo', '"Sing'))
    assert judged(tmp_path / "more", old, old | sing) == judged(tmp_path / "fewer", old | sing, old) == ()


def test_the_first_parameters_change_what_handlers_get(tmp_path: Path) -> None:
    (verdict,) = judged(tmp_path, echo_task(), echo_task({"pause": {"type": "number"}}))
    assert said([verdict]) == [
        ("python-handler-arguments", "server.EchoHandler.__call__()", "inputs", "inputs, parameters")
    ]
