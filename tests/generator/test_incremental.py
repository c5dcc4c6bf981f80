"""What is kept from run to run shows nowhere: after any edits the bytes are those of a run that makes all anew."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from taskbind import dmcg, manifest, pipeline
from taskbind.config import Config, load_config
from taskbind.context import Context, built_in_templates
from taskbind.diagnostics import Report, Severity, TaskbindError
from taskbind.memo import Hasher, InFile, InProcess, Store
from taskbind.pipeline import build, generate
from taskbind.plan import plan
from tests.support.project import closed, echo_task, generate_project, write_specs


def read(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def cold(config: Config) -> dict[str, bytes]:
    """What a run makes that keeps nothing, which is what `taskbind check` compares with."""
    return build(config, manifest.inputs(config), Report())


# ------------------------------------------------------------------------------------------------ any sequence of edits

SHAPES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "integer", "minimum": 1},
    {"type": "number", "maximum": 0.5, "default": 0.25},
    {"type": "boolean", "default": True},
    {"enum": ["a", "b"]},
    {"oneOf": [{"const": "a", "description": "The first."}, {"const": "b", "description": "The other."}]},
    {"type": ["string", "null"]},
    {"type": "array", "items": {"type": "integer", "maximum": 9}},
    {"$ref": "../common.json#/$defs/Box"},
    {"type": "array", "items": {"$ref": "../common.json#/$defs/Node"}},
    {"anyOf": [{"$ref": "../common.json#/$defs/Box"}, {"type": "string"}]},
    closed({"deep": {"type": "string", "description": "Further in."}}, title="Inner"),
    {"not": {"const": "a"}, "type": "string"},
]
TEXTS = [
    "",
    "One line.",
    'With "quotes", """more""" and \\n.',
    "Two\n\nparagraphs",
    "- a\n- b",
    "text 0",
    "{{ x }} <b>é</b>",
]
OVERRIDES: list[tuple[str, Callable[[str], str]]] = [
    ("docs/task.md.jinja", lambda text: f"{text}\nMore.\n"),
    ("docs/task.md.jinja", lambda text: f'{{% include "own/note.jinja" ignore missing %}}\n{text}'),
    ("own/note.jinja", lambda text: "A note that another template includes.\n"),
    ("own/note.jinja", lambda text: "Another note.\n"),
    ("docs/flavours/github.jinja", lambda text: text.replace("**Note:**", "**Mind:**")),
    ("client/client.py.jinja", lambda text: f"{text}\nOWN = 1\n"),
    ("models/_types.py.jinja", lambda text: f"{text}\n# Own.\n"),
    ("runtime/_own.py", lambda text: "OWN = 1\n"),
    ("docs/task.md.jinja", lambda text: "{% if %}"),
    ("client/client.py.jinja", lambda text: "def ("),
]


@dataclass
class Task:
    text: str = "What to say."
    members: dict[str, tuple[int, str]] = field(default_factory=dict)
    answer: int = 0
    example: str = ""
    spoken: bool = False


@dataclass
class Project:
    """All that somebody may edit."""

    tasks: dict[str, Task] = field(
        default_factory=lambda: {"echo": Task(), "other": Task(members={"top": (1, "Best.")})}
    )
    common: tuple[str, int] = ("A box.", 1)
    templates: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    broken: bool = False

    def files(self) -> Iterator[tuple[str, Any]]:
        text, shape = self.common
        box = closed({"width": SHAPES[shape], "name": {"type": "string"}}, "width", title="Box", description=text)
        node = closed({"next": {"$ref": "#/$defs/Node"}, "box": {"$ref": "#/$defs/Box"}}, title="Node")
        yield "common.json", {"$defs": {"Box": box, "Node": node}}
        if any(task.spoken for task in self.tasks.values()):
            yield (
                "dialects.toml",
                '[there]\ntitle = "There"\nsummary = "Another service."\nurl = "https://there.test"\n',
            )
        for id, task in self.tasks.items():
            members = {name: {**SHAPES[shape], "description": text} for name, (shape, text) in task.members.items()}
            answer = closed({"text": {"type": "string"}, "more": SHAPES[task.answer]}, "text", title="Answer")
            yield from ((name.replace("echo", id), file) for name, file in echo_task(members, answer).items())
            head = f'title = "{id.title()}"\nsummary = {json.dumps(task.text or "A task.")}\n'
            if task.example:
                said = json.dumps(task.example)
                head += f'[[examples]]\nname = "one"\ntitle = "One"\ninputs = {said}\n'
                yield f"{id}/examples/one.written.json", json.dumps({"text": task.example})
            yield f"{id}/task.toml", head
            if task.spoken:
                yield f"{id}/wire.toml", '[there]\nroute = "/say"\n'
        if self.broken:
            yield f"{next(iter(self.tasks))}/input.json", '{"type": "object", '

    def write(self, root: Path, out: str) -> Config:
        """Have exactly these files, and the configuration that reads them."""
        for name in ("specs", "templates"):
            shutil.rmtree(root / name, ignore_errors=True)
        write_specs(root / "specs", dict(self.files()))
        for path, number in self.templates.items():
            own = root / "templates" / path
            own.parent.mkdir(parents=True, exist_ok=True)
            built_in = built_in_templates() / path
            own.write_text(OVERRIDES[number][1](built_in.read_text() if built_in.is_file() else ""))
        return replace(Config(root / "specs", root / out, "made", templates=root / "templates"), **self.settings)


def edits() -> st.SearchStrategy[Callable[[Project], None]]:
    """One edit; it does nothing to what is not there."""
    number, text, name = st.integers(0, 3), st.sampled_from(TEXTS), st.sampled_from(["top", "best", "kind", "class"])

    def of_task(change: Callable[..., None], *drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        def edit(number: int, *values: Any) -> Callable[[Project], None]:
            return lambda project: change(list(project.tasks.values())[number % len(project.tasks)], *values)

        return st.builds(edit, number, *drawn)

    def of_project(change: Callable[..., None], *drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        def edit(*values: Any) -> Callable[[Project], None]:
            return lambda project: change(project, *values)

        return st.builds(edit, *drawn)

    def add(project: Project, name: str) -> None:
        project.tasks[name] = deepcopy(next(iter(project.tasks.values())))

    def remove(project: Project, number: int) -> None:
        if len(project.tasks) > 1:
            del project.tasks[list(project.tasks)[number % len(project.tasks)]]

    def rename(project: Project, name: str) -> None:
        project.tasks[name] = project.tasks.pop(next(iter(project.tasks)))

    def override(project: Project, number: int) -> None:
        project.templates[OVERRIDES[number][0]] = number

    shape, task = st.integers(0, len(SHAPES) - 1), st.sampled_from(["echo", "other", "third", "box"])
    setting = st.sampled_from(
        [("version", "1.2.3"), ("summary", 'A "summary".'), ("demo", True), ("docs", ("github", "hf"))]
    )
    return st.one_of(
        of_task(lambda task, text: setattr(task, "text", text), text),
        of_task(lambda task, name, shape, text: task.members.update({name: (shape, text)}), name, shape, text),
        of_task(lambda task, name: task.members.pop(name, None), name),
        of_task(lambda task, shape: setattr(task, "answer", shape), shape),
        of_task(lambda task, text: setattr(task, "example", text), st.sampled_from(["", "hello", "<b>&'\"\n"])),
        of_task(lambda task: setattr(task, "spoken", not task.spoken)),
        of_project(lambda project, text, shape: setattr(project, "common", (text, shape)), text, st.integers(0, 7)),
        of_project(add, task),
        of_project(remove, number),
        of_project(rename, task),
        of_project(override, st.integers(0, len(OVERRIDES) - 1)),
        of_project(lambda project: project.templates.clear()),
        of_project(lambda project, pair: project.settings.update([pair]), setting),
        of_project(lambda project: project.settings.clear()),
        of_project(lambda project: setattr(project, "broken", not project.broken)),
    )


@settings(max_examples=60)
@given(steps=st.lists(edits(), min_size=1, max_size=6), damage=st.sampled_from([None, None, 0, 1]))
def test_any_edits_give_the_bytes_of_a_cold_run(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Callable[[Project], None]], damage: int | None
) -> None:
    root = tmp_path_factory.mktemp("edits")
    project = Project()
    live = InProcess()
    for number, step in enumerate([lambda project: None, *steps]):
        step(project)
        if damage == number:
            InFile(root / "kept").path.write_bytes(b'{"salt": "')
        configs = [project.write(root, "live"), replace(project.write(root, "kept"))]
        stores: list[Store] = [live, InFile(configs[1].out)]
        try:
            expected = cold(configs[0])
        except TaskbindError as error:
            for config, store in zip(configs, stores, strict=True):
                before = read(config.out)
                with pytest.raises(TaskbindError) as caught:
                    generate(config, store=store)
                assert str(caught.value) == str(error)
                assert read(config.out) == before
            continue
        for config, store in zip(configs, stores, strict=True):
            generate(config, store=store)
            assert read(config.out) == expected


def test_edits_of_our_own_specs(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "taskbind.toml", tmp_path)
    for folder in ("specs", "releases"):
        if (root / folder).is_dir():
            shutil.copytree(root / folder, tmp_path / folder)
    config = load_config(tmp_path)
    live, kept = InProcess(), InFile(config.out)
    spec, shared = tmp_path / "specs" / "image-classification" / "input.json", tmp_path / "specs" / "vision.json"
    for path, old, new in (
        (spec, "", ""),
        (spec, "How to score", "In which way to score"),
        (spec, '{"$ref": "../common.json#/$defs/TopK"}', '{"type": "integer", "maximum": 9}'),
        (shared, '"type": "object"', '"type": "object", "$comment": "the same"'),
        (tmp_path / "taskbind.toml", 'version = "0.1.0"', 'version = "0.2.0"'),
    ):
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{path.name} is another one now"
        path.write_text(text.replace(old, new), encoding="utf-8")
        config = load_config(tmp_path)
        expected = cold(config)
        for store, out in ((live, "live"), (kept, "kept")):
            own = replace(config, out=tmp_path / out)
            generate(own, store=store)
            assert read(own.out) == expected


# ------------------------------------------------------------------------------------------------ what is not made anew


def test_only_what_changed_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is of use: neither classes nor templates nor ruff are asked again about what stays as it is."""
    files = {**echo_task({"top": {"type": "integer"}}), "two/task.toml": 'title = "Two"\n'}
    files |= {name.replace("echo", "two"): file for name, file in echo_task().items() if isinstance(file, dict)}
    config = Config(write_specs(tmp_path / "specs", files), tmp_path / "out", package="made")
    generate(config, store=InFile(config.out))
    asked: list[tuple[str, ...]] = []
    made = dmcg._generate

    def noting(document: dict[str, Any], *rest: Any) -> str:
        asked.append(tuple(document["$defs"]))
        return made(document, *rest)

    monkeypatch.setattr(dmcg, "_generate", noting)
    spec = tmp_path / "specs" / "echo" / "input.json"
    spec.write_text(spec.read_text().replace("What to say.", "Whatever."))
    assert "docs/echo.md" in generate(config, store=InFile(config.out)).changes.changed
    assert asked == [], "a text is no part of what a class is"
    spec.write_text(spec.read_text().replace('"integer"', '"string"'))
    generate(config, store=InFile(config.out))
    assert [all(name.startswith("Echo") for name in names) for names in asked] == [True], (
        "the other task's classes stay"
    )


def test_our_own_views_can_all_be_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No view holds anything but data: one that did would be rendered each time anew, without a word."""
    refused: list[str] = []
    key = Context.key

    def noting(self: Context, what: str, *data: object) -> str:
        try:
            return key(self, what, *data)
        except TypeError as error:
            refused.append(str(error))
            raise

    monkeypatch.setattr(Context, "key", noting)
    cold(load_config(root))
    assert refused == []


def test_a_group_of_classes_is_the_same_whatever_else_is_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config(root)
    api = pipeline.read_api(config, Report())
    names = plan(api, config)
    made, taken_apart = dmcg._generate, dmcg._taken_apart
    order: list[str] = []

    def noting(source: str) -> Any:
        order[:] = taken_apart(source)[0]
        return taken_apart(source)

    def one_by_one(document: dict[str, Any], base: str, bases: dict[str, str]) -> str:
        schemas = document["$defs"]
        groups = dmcg._groups({name: set(dmcg._references(schema)) for name, schema in schemas.items()})
        assert len(groups) > 20
        return "\n".join(made({"$defs": {name: schemas[name] for name in group}}, base, bases) for group in groups)

    monkeypatch.setattr(dmcg, "_taken_apart", noting)
    whole = dmcg.classes(api, names, Context(config))
    assert list(whole.sources) == order, "classes stand in the order of datamodel-code-generator"
    monkeypatch.setattr(dmcg, "_generate", one_by_one)
    assert dmcg.classes(api, names, Context(config)) == whole


@pytest.mark.parametrize("recursive", [False, True])
def test_the_order_of_classes_is_that_of_datamodel_code_generator(
    recursive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = {"next": {"$ref": "#/$defs/Node"}} if recursive else {}
    definitions = {
        "Above": closed({"node": {"$ref": "#/$defs/Node"}, "leaf": {"$ref": "#/$defs/Leaf"}}),
        "Leaf": closed({"a": {"type": "string"}}),
        "Node": closed({"leaf": {"$ref": "#/$defs/Leaf"}, **node}),
        "Zero": closed({"above": {"$ref": "#/$defs/Above"}}),
    }
    parameters = {"zero": {"$ref": "#/$defs/Zero"}, "node": {"$ref": "#/$defs/Node"}}
    files = echo_task(parameters)
    files["echo/input.json"]["$defs"] = definitions
    taken_apart = dmcg._taken_apart
    orders: list[tuple[list[str], list[str]]] = []

    def noting(source: str) -> Any:
        sources, ends, _ = taken_apart(source)
        orders.append((list(sources), list(ends)))
        return taken_apart(source)

    monkeypatch.setattr(dmcg, "_taken_apart", noting)
    config, _ = generate_project(tmp_path, files)
    api = pipeline.read_api(config, Report())
    found = dmcg.classes(api, plan(api, config), Context(config))
    assert orders[0] == (list(found.sources), list(found.ends))
    assert bool(found.ends) is recursive


@given(text=st.text(alphabet=st.sampled_from([*"ab \\\"'\n\t-{}", "é", "\u2028"]), max_size=30))
def test_texts_of_classes_are_written_as_datamodel_code_generator_does(text: str) -> None:
    told = dmcg._wrapped(text)
    schema = {"type": "object", "title": "A", "properties": {"a": {"type": "string"}}}
    theirs, _, _ = dmcg._taken_apart(dmcg._generate({"$defs": {"A": {**schema, "description": told}}}, "m.Model", {}))
    place = {**schema, "description": dmcg._TEXT.format(0)} if told.strip() else schema
    ours, _, _ = dmcg._taken_apart(dmcg._generate({"$defs": {"A": place}}, "m.Model", {}))
    lines = [[line.rstrip() for line in source.split("\n")] for source in (theirs["A"], dmcg._told(ours["A"], [told]))]
    assert lines[0] == lines[1]


# ---------------------------------------------------------------------------------------------------------------- keys


class Colour(Enum):
    RED = 1


def test_equal_data_has_one_key_and_other_data_another() -> None:
    data: list[Any] = [
        None, True, 1, 1.0, "1", b"1", -0.0, 0.0, "", (), [], {}, frozenset(), ("a",), ["a"], {"a": None}, {"a": ()},
        frozenset("ab"), ("ab",), ("a", "b"), ("a", ("b",)), ("a", "b", ()), {"a": 1, "b": 2}, {"b": 2, "a": 1},
        "\ud800", 2**70, ("a", "b", "c"), Report(), Report(loose=frozenset("a")), Severity.ERROR, Severity.INFO,
    ]  # fmt: skip
    keys = [Hasher().hash("x", value) for value in data]
    assert len(set(keys)) == len(data)
    assert keys == [Hasher().hash("x", deepcopy(value)) for value in data]


@pytest.mark.parametrize(
    "value", [object(), Path("a"), ..., 1j, len, Colour.RED, {"a": [object()]}, (1, object()), lambda: 1]
)
def test_what_is_no_data_has_no_key(value: object) -> None:
    with pytest.raises(TypeError):
        Hasher().hash("x", value)


def test_a_key_sees_what_changed_inside() -> None:
    report = Report()
    inside = (report, "a", "b")
    hasher = Hasher()
    before = hasher.hash(inside)
    report.diagnostics.append("found")  # type: ignore[arg-type]  # only to be told from what it was
    assert hasher.hash(inside) != before


# ------------------------------------------------------------------------------------------------------------ the file


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    store = InFile(tmp_path / "out")
    memo = store.load("salt")
    memo.put("a", "té\ud800xt\n", {"a": None})
    memo.put("b", "")
    store.save(memo)
    again = store.load("salt")
    assert [again.get("a"), again.get("b"), again.get("c")] == [memo.kept["a"], memo.kept["b"], None]
    assert store.load("other").get("a") is None, "another generator made it"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"result", b"reXult"),
        lambda data: b"[]\n" + data,
        lambda data: b'{"salt": "salt", "crc32": 0, "kept": []}\n',
        lambda data: b"\xff\xfe" + data,
    ],
)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store = InFile(tmp_path / "out")
    memo = store.load("salt")
    memo.put("a", "result")
    store.save(memo)
    store.path.write_bytes(damage(store.path.read_bytes()))
    assert store.load("salt").get("a") is None


def test_what_the_last_run_did_not_use_is_dropped(tmp_path: Path) -> None:
    store = InFile(tmp_path / "out")
    memo = store.load("salt")
    memo.put("a", "1")
    memo.put("b", "2")
    store.save(memo)
    memo = store.load("salt")
    assert memo.get("a") is not None
    store.save(memo)
    assert store.load("salt").get("b") is None


# ---------------------------------------------------------------------------------------------------------------- races


def test_what_is_saved_during_a_run_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest tells what was read, never what had stood there before."""
    config, _ = generate_project(tmp_path, echo_task())
    spec = config.specs / "echo" / "input.json"
    texts = ["During.", "During this, too."]
    read_api = pipeline.read_api

    def saving(*arguments: Any) -> Any:
        api = read_api(*arguments)
        if texts:
            data = json.loads(spec.read_text())
            data["properties"]["inputs"]["description"] = texts.pop()
            spec.write_text(json.dumps(data))
        return api

    spec.write_text(spec.read_text().replace("What to say.", "Before."))
    monkeypatch.setattr(pipeline, "read_api", saving)
    generate(config)
    monkeypatch.undo()
    assert "During." in (config.out / "docs" / "echo.md").read_text()
    assert not pipeline.check(config)[0].changes


def test_a_spec_that_was_half_saved_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, _ = generate_project(tmp_path, echo_task())
    spec = config.specs / "echo" / "input.json"
    whole = spec.read_text()
    read_api = pipeline.read_api

    def saving(*arguments: Any) -> Any:
        try:
            return read_api(*arguments)
        finally:
            if spec.read_text() == whole[:50]:
                spec.write_text(whole.replace("What to say.", "Whole again."))

    spec.write_text(whole[:50])
    monkeypatch.setattr(pipeline, "read_api", saving)
    generate(config)
    assert "Whole again." in (config.out / "docs" / "echo.md").read_text()


def test_specs_that_never_rest_are_told_of(tmp_path: Path) -> None:
    config, _ = generate_project(tmp_path, echo_task())
    spec = config.specs / "echo" / "input.json"
    text = spec.read_text()
    begun, end = threading.Event(), threading.Event()

    def restless() -> None:
        number = 0
        while not end.is_set():
            number += 1
            spec.write_text(text.replace("What to say.", f"What to say {number}."))
            begun.set()

    thread = threading.Thread(target=restless)
    thread.start()
    begun.wait()
    try:
        with pytest.raises(TaskbindError, match="are being written all the time"):
            generate(config)
    finally:
        end.set()
        thread.join()
    assert "What to say." in (config.out / "docs" / "echo.md").read_text()
