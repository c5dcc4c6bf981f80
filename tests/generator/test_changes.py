"""Changes between two IRs: each kind in both directions, nothing for what only moved, and every one at its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from taskbind import ir, ir_json
from taskbind.evolve.change import Change, Kind
from taskbind.evolve.changes import changes

OURS = Path(__file__).parents[2] / "generated" / "api.json"

TEXT = ir.Scalar("string")
NUMBER = ir.Scalar("number")
INTEGER = ir.Scalar("integer")
SOUND = ir.Media("audio", "audio/*")
AB = ir.Enum(("a", "b"))


def member(name: str, type: ir.Type, *, required: bool = False, **rest: Any) -> ir.Field:
    return ir.Field(name, type, required, **rest)


def object_of(*fields: ir.Field, additional: bool | ir.Type = False) -> ir.Object:
    return ir.Object(fields, additional)


def api(root: ir.Type, definitions: dict[str, ir.Type] | None = None, **task: Any) -> ir.Api:
    """One task with a type as its request and its answer."""
    own = [ir.Definition(id, id.title(), type) for id, type in (definitions or {}).items()]
    return ir.Api((ir.Task("t", "T", "in", "in", **task),), (ir.Definition("in", "Input", root), *own))


def one(type: ir.Type, **rest: Any) -> ir.Api:
    """A task with one member `x` of a type."""
    return api(object_of(member("x", type, **rest)))


Said = tuple[str, Kind, Any, Any, str]


def said(found: tuple[Change, ...], side: str = "request") -> list[Said]:
    return [(c.path, c.kind, c.before, c.after, c.name) for c in found if c.side == side]


MIRRORED = {
    Kind.ADDED: Kind.REMOVED,
    Kind.REQUIRED: Kind.OPTIONAL,
    Kind.CLOSED: Kind.OPENED,
}
MIRRORED |= {after: before for before, after in MIRRORED.items()}


def mirrored(change: Said) -> Said:
    path, kind, before, after, name = change
    if kind is Kind.RENAMED and isinstance(before, ir.Field):
        path = path.removesuffix(after.name) + before.name
    return path, MIRRORED.get(kind, kind), after, before, name


ROOT = object_of(member("x", TEXT))
WITH_Y = object_of(member("x", TEXT), member("y", NUMBER, required=True))
PAIR = ir.Array(None, (TEXT, NUMBER))
CHECK = '{"not": {"const": "a"}}'

CASES: dict[str, tuple[ir.Api, ir.Api, list[Said]]] = {
    "a member": (api(ROOT), api(WITH_Y), [("y", Kind.ADDED, None, WITH_Y.fields[1], "")]),
    "another name": (
        api(object_of(member("max_words", NUMBER))),
        api(object_of(member("words", NUMBER))),
        [("words", Kind.RENAMED, member("max_words", NUMBER), member("words", NUMBER), "")],
    ),
    "required": (one(TEXT), one(TEXT, required=True), [("x", Kind.REQUIRED, None, None, "")]),
    "type": (one(TEXT), one(SOUND), [("x", Kind.TYPE, TEXT, SOUND, "")]),
    "number": (one(NUMBER), one(INTEGER), [("x", Kind.TYPE, NUMBER, INTEGER, "")]),
    "any": (one(ir.Any()), one(TEXT), [("x", Kind.TYPE, ir.Any(), TEXT, "")]),
    "null": (one(TEXT), one(ir.Union((TEXT, ir.NULL))), [("x", Kind.NULLABLE, False, True, "")]),
    "values": (one(AB), one(ir.Enum(("b", "c"))), [("x", Kind.VALUES, ("a", "b"), ("b", "c"), "")]),
    "free text": (one(AB), one(TEXT), [("x", Kind.VALUES, ("a", "b"), None, "")]),
    "minimum": (one(NUMBER), one(replace(NUMBER, minimum=1)), [("x", Kind.BOUNDS, None, 1, "minimum")]),
    "two bounds": (
        one(replace(NUMBER, minimum=1, multiple_of=2)),
        one(replace(NUMBER, exclusive_minimum=1, multiple_of=3)),
        [
            ("x", Kind.BOUNDS, 1, None, "minimum"),
            ("x", Kind.BOUNDS, None, 1, "exclusive_minimum"),
            ("x", Kind.BOUNDS, 2, 3, "multiple_of"),
        ],
    ),
    "length": (
        one(replace(TEXT, max_length=3)),
        one(replace(TEXT, max_length=2)),
        [("x", Kind.BOUNDS, 3, 2, "max_length")],
    ),
    "items": (one(ir.Array(TEXT)), one(ir.Array(TEXT, min_items=1)), [("x", Kind.BOUNDS, None, 1, "min_items")]),
    "unique": (one(ir.Array(TEXT)), one(ir.Array(TEXT, unique=True)), [("x", Kind.BOUNDS, False, True, "unique")]),
    "pattern": (one(TEXT), one(replace(TEXT, pattern="^a")), [("x", Kind.FORMAT, None, "^a", "pattern")]),
    "format": (one(TEXT), one(replace(TEXT, format="uri")), [("x", Kind.FORMAT, None, "uri", "format")]),
    "media": (
        one(SOUND),
        one(ir.Media("audio", "audio/flac")),
        [("x", Kind.FORMAT, "audio/*", "audio/flac", "content_type")],
    ),
    "other media": (
        one(SOUND),
        one(ir.Media("image", "image/*")),
        [("x", Kind.TYPE, SOUND, ir.Media("image", "image/*"), "")],
    ),
    "default": (one(TEXT), one(TEXT, default=None), [("x", Kind.DEFAULT, ir.ABSENT, None, "")]),
    "default of another type": (
        one(ir.Any(), default=1),
        one(ir.Any(), default=True),
        [("x", Kind.DEFAULT, 1, True, "")],
    ),
    "closed": (
        api(replace(ROOT, additional=True)),
        api(ROOT),
        [("*", Kind.CLOSED, True, False, "")],
    ),
    "others typed": (
        api(replace(ROOT, additional=True)),
        api(replace(ROOT, additional=TEXT)),
        [("*", Kind.CLOSED, True, TEXT, "")],
    ),
    "others of another type": (
        api(replace(ROOT, additional=NUMBER)),
        api(replace(ROOT, additional=TEXT)),
        [("*", Kind.TYPE, NUMBER, TEXT, "")],
    ),
    "map": (one(ir.Map(TEXT)), one(ir.Map(replace(TEXT, min_length=1))), [("x.*", Kind.BOUNDS, None, 1, "min_length")]),
    "map to object": (
        one(ir.Map(ir.Any())),
        one(object_of(additional=False)),
        [("x.*", Kind.CLOSED, True, False, "")],
    ),
    "item": (one(ir.Array(TEXT)), one(ir.Array(NUMBER)), [("x[]", Kind.TYPE, TEXT, NUMBER, "")]),
    "more items": (one(PAIR), one(replace(PAIR, items=TEXT)), [("x[]", Kind.OPENED, False, TEXT, "")]),
    "item of a tuple": (
        one(PAIR),
        one(ir.Array(None, (TEXT, INTEGER))),
        [("x[1]", Kind.TYPE, NUMBER, INTEGER, "")],
    ),
    "longer tuple": (one(PAIR), one(ir.Array(None, (TEXT, NUMBER, TEXT))), [("x[2]", Kind.ADDED, None, TEXT, "")]),
    "a variant": (
        one(TEXT),
        one(ir.Union((TEXT, ir.Array(TEXT)))),
        [("x", Kind.TYPE, TEXT, ir.Union((TEXT, ir.Array(TEXT))), "")],
    ),
    "inside a variant": (
        one(ir.Union((TEXT, ROOT))),
        one(ir.Union((WITH_Y, TEXT))),
        [("x.y", Kind.ADDED, None, WITH_Y.fields[1], "")],
    ),
    "inside one of two variants": (
        one(ir.Union((ROOT, ir.Array(TEXT)))),
        one(ir.Union((WITH_Y, ir.Array(TEXT)))),
        [("x (1 of 2).y", Kind.ADDED, None, WITH_Y.fields[1], "")],
    ),
    "exclusive": (
        one(ir.Union((TEXT, NUMBER))),
        one(ir.Union((TEXT, NUMBER), exclusive=True)),
        [("x", Kind.TYPE, ir.Union((TEXT, NUMBER)), ir.Union((TEXT, NUMBER), exclusive=True), "exclusive")],
    ),
    "check": (one(TEXT), one(ir.Checked(TEXT, CHECK)), [("x", Kind.CHECK, (), (json.loads(CHECK),), "")]),
    "deprecated": (one(TEXT), one(TEXT, deprecated=True), [("x", Kind.DEPRECATED, False, True, "")]),
    "description": (one(TEXT, doc="Old."), one(TEXT, doc="New."), [("x", Kind.DESCRIPTION, "Old.", "New.", "")]),
    "examples": (one(TEXT, examples=("a",)), one(TEXT), [("x", Kind.DESCRIPTION, ("a",), (), "examples")]),
    "what values mean": (
        one(replace(AB, docs=("A.", "B."))),
        one(replace(AB, docs=("A.", "C."))),
        [("x", Kind.DESCRIPTION, {"a": "A.", "b": "B."}, {"a": "A.", "b": "C."}, "values")],
    ),
    "member by member, then what is gone": (
        api(object_of(member("gone", TEXT), member("b", TEXT), member("a", TEXT))),
        api(object_of(member("b", NUMBER), member("a", NUMBER))),
        [
            ("b", Kind.TYPE, TEXT, NUMBER, ""),
            ("a", Kind.TYPE, TEXT, NUMBER, ""),
            ("gone", Kind.REMOVED, member("gone", TEXT), None, ""),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_in_both_directions(name: str) -> None:
    old, new, expected = CASES[name]
    for side in ("request", "response"):
        assert said(changes(old, new), side) == expected
        back = said(changes(new, old), side)
        assert sorted(back, key=repr) == sorted(map(mirrored, expected), key=repr)


def test_every_kind_has_a_case() -> None:
    kinds = {change[1] for _, _, expected in CASES.values() for change in expected}
    kinds |= {mirrored(change)[1] for _, _, expected in CASES.values() for change in expected}
    assert kinds == set(Kind) - {Kind.WIRE}


# ---------------------------------------------------------------------------------------------------- what is no change


BOX = object_of(member("left", INTEGER, required=True))

NO_CHANGE = {
    "renamed": (one(ir.Ref("a")), {"a": BOX}, one(ir.Ref("b")), {"b": BOX}),
    "written in place": (one(ir.Ref("a")), {"a": BOX}, one(BOX), {}),
    "behind another": (one(ir.Ref("a")), {"a": BOX}, one(ir.Ref("b")), {"b": ir.Ref("c"), "c": BOX}),
    "in another order": (
        api(object_of(member("a", TEXT), member("b", NUMBER))),
        {},
        api(object_of(member("b", NUMBER), member("a", TEXT))),
        {},
    ),
    "values in another order": (one(AB), {}, one(ir.Enum(("b", "a"))), {}),
    "variants in another order, renamed": (
        one(ir.Union((ir.Ref("a"), ir.Ref("b")))),
        {"a": object_of(member("m", TEXT)), "b": object_of(member("m", NUMBER))},
        one(ir.Union((ir.Ref("c"), ir.Ref("d")))),
        {"c": object_of(member("m", NUMBER)), "d": object_of(member("m", TEXT))},
    ),
    "lists in another order": (
        one(ir.Union((ir.Array(TEXT), ir.Array(NUMBER)))),
        {},
        one(ir.Union((ir.Array(NUMBER), ir.Array(TEXT)))),
        {},
    ),
    "a union in a union": (
        one(ir.Union((TEXT, ir.Ref("a")))),
        {"a": ir.Union((NUMBER, ir.NULL))},
        one(ir.Union((TEXT, NUMBER, ir.NULL))),
        {},
    ),
    "bounds written otherwise": (one(replace(NUMBER, minimum=1)), {}, one(replace(NUMBER, minimum=1.0)), {}),
    "default written otherwise": (
        one(ir.Any(), default={"a": 1, "b": []}),
        {},
        one(ir.Any(), default={"b": [], "a": 1.0}),
        {},
    ),
    "a check of what is renamed": (
        one(ir.Checked(TEXT, '{"not": {"$ref": "a"}}')),
        {"a": AB},
        one(ir.Checked(TEXT, '{"not": {"$ref": "b"}}')),
        {"b": AB},
    ),
    "a map": (one(ir.Map(TEXT)), {}, one(object_of(additional=TEXT)), {}),
    "unrolled recursion": (
        one(ir.Ref("a")),
        {"a": ir.Array(ir.Array(ir.Ref("a")))},
        one(ir.Ref("b")),
        {"b": ir.Array(ir.Ref("b"))},
    ),
    "shifted recursion": (
        one(ir.Ref("a")),
        {"a": ir.Array(ir.Array(ir.Ref("a")))},
        one(ir.Array(ir.Ref("b"))),
        {"b": ir.Array(ir.Array(ir.Ref("b")))},
    ),
}


def with_definitions(made: ir.Api, definitions: dict[str, ir.Type]) -> ir.Api:
    return api(made.definitions[0].type, definitions)


@pytest.mark.parametrize("name", NO_CHANGE)
def test_what_only_moved_is_no_change(name: str) -> None:
    old, old_definitions, new, new_definitions = NO_CHANGE[name]
    one_way = with_definitions(old, old_definitions), with_definitions(new, new_definitions)
    assert changes(*one_way) == ()
    assert changes(*reversed(one_way)) == ()


def test_our_own_specs_have_not_changed_since_they_were_read_again() -> None:
    data = json.loads(OURS.read_text(encoding="utf-8"))
    assert changes(ir_json.from_json(data), ir_json.from_json(data)) == ()


# ---------------------------------------------------------------------------------------------------- renames, places


def test_members_are_renamed_one_to_one_by_type_and_name() -> None:
    old = api(
        object_of(member("lang", TEXT), member("top_k", INTEGER), member("seed", INTEGER), member("size", NUMBER))
    )
    new = api(
        object_of(member("language", TEXT), member("topK", INTEGER), member("other", INTEGER), member("sizes", TEXT))
    )
    told = [
        (kind, before and before.name, after and after.name) for _, kind, before, after, _ in said(changes(old, new))
    ]
    assert told == [
        (Kind.RENAMED, "lang", "language"),
        (Kind.RENAMED, "top_k", "topK"),
        (Kind.ADDED, None, "other"),
        (Kind.ADDED, None, "sizes"),
        (Kind.REMOVED, "seed", None),
        (Kind.REMOVED, "size", None),
    ]


def test_a_member_of_another_name_that_says_the_same_is_renamed() -> None:
    old, new = (api(object_of(member(name, TEXT, doc="The voice to speak with."))) for name in ("voice", "speaker"))
    assert [change[1] for change in said(changes(old, new))] == [Kind.RENAMED]
    undocumented = [api(object_of(member(name, TEXT))) for name in ("voice", "speaker")]
    assert [change[1] for change in said(changes(*undocumented))] == [Kind.ADDED, Kind.REMOVED]


def test_a_task_is_renamed_where_request_and_answers_are_the_same() -> None:
    old = one(TEXT)
    new = replace(old, tasks=(replace(old.tasks[0], id="u"),))
    assert changes(old, new) == (Change("u", "task", "", Kind.RENAMED, old.tasks[0], new.tasks[0]),)
    other = replace(one(NUMBER), tasks=new.tasks)
    assert [change.kind for change in changes(old, other)] == [Kind.REMOVED, Kind.ADDED]


def test_a_renamed_task_is_compared_under_its_new_name_where_most_is_the_same() -> None:
    shared = [member(name, TEXT) for name in "abc"]
    old, new = (api(ir.Array(object_of(*shared, member("x", type)))) for type in (TEXT, INTEGER))
    new = replace(new, tasks=(replace(new.tasks[0], id="u"),))
    assert [(c.task, c.side, c.path, c.kind) for c in changes(old, new)] == [
        ("u", "task", "", Kind.RENAMED),
        ("u", "request", "[].x", Kind.TYPE),
        ("u", "response", "[].x", Kind.TYPE),
    ]
    few = api(ir.Array(object_of(shared[0], *(member(name, TEXT) for name in "xyz"))))
    few = replace(few, tasks=new.tasks)
    assert [change.kind for change in changes(old, few)] == [Kind.REMOVED, Kind.ADDED]


def test_changes_say_where_they_are_written() -> None:
    def spec(file: str, type: ir.Type, *more: ir.Field) -> ir.Api:
        box = object_of(member("left", type, source=ir.Source(file, "/$defs/Box/properties/left")), *more)
        root = object_of(member("box", ir.Ref("box"), source=ir.Source(file, "/properties/box")))
        definitions = (
            ir.Definition("in", "Input", root, source=ir.Source(file, "")),
            ir.Definition("box", "Box", box, source=ir.Source(file, "/$defs/Box")),
        )
        return ir.Api((ir.Task("t", "T", "in", "in"),), definitions)

    gone = member("top", TEXT, source=ir.Source("old.json", "/$defs/Box/properties/top"))
    found = changes(spec("old.json", TEXT, gone), spec("new.json", ir.Union((NUMBER, ir.NULL))))[:3]
    assert [(change.kind, change.source) for change in found] == [
        (Kind.NULLABLE, ir.Source("new.json", "/$defs/Box/properties/left")),
        (Kind.TYPE, ir.Source("new.json", "/$defs/Box/properties/left")),
        (Kind.REMOVED, ir.Source("old.json", "/$defs/Box/properties/top")),
    ]


# ------------------------------------------------------------------------------------------------ recursion and numbers


def tree(value: ir.Type) -> ir.Api:
    node = object_of(member("value", value), member("children", ir.Array(ir.Ref("node"))))
    return api(ir.Ref("node"), {"node": node})


def test_a_recursive_type_is_compared_once() -> None:
    assert said(changes(tree(TEXT), tree(NUMBER))) == [
        ("value", Kind.TYPE, TEXT, NUMBER, ""),
    ]


def test_a_shared_definition_is_reported_wherever_it_is_used() -> None:
    def boxes(edge: ir.Type) -> ir.Api:
        used = object_of(member("one", ir.Ref("box")), member("many", ir.Array(ir.Ref("box"))))
        return api(used, {"box": object_of(member("left", edge))})

    found = changes(boxes(INTEGER), boxes(NUMBER))
    assert [(c.side, c.path) for c in found] == [
        (side, path) for side in ("request", "response") for path in ("one.left", "many[].left")
    ]


def test_definitions_may_be_nested_as_deep_as_they_like() -> None:
    depth = 1500

    def chain(last: ir.Type) -> ir.Api:
        links = {f"d{n}": object_of(member("m", ir.Ref(f"d{n + 1}"))) for n in range(depth)}
        return api(ir.Ref("d0"), links | {f"d{depth}": object_of(member("m", last))})

    paths = [change.path for change in changes(chain(TEXT), chain(NUMBER))]
    assert paths == [".".join(["m"] * (depth + 1))] * 2


def test_a_change_at_very_many_places_is_reported_at_many_of_them() -> None:
    levels = 40  # 2 ** 40 places

    def twice(last: ir.Type) -> ir.Api:
        pairs = {
            f"d{n}": object_of(member("a", ir.Ref(f"d{n + 1}")), member("b", ir.Ref(f"d{n + 1}")))
            for n in range(levels)
        }
        return api(ir.Ref("d0"), pairs | {f"d{levels}": object_of(member("m", last))})

    found = said(changes(twice(TEXT), twice(NUMBER)))
    assert 100 < len(found) < 10_000
    assert {change[1] for change in found} == {Kind.TYPE}


# -------------------------------------------------------------------------------------------------- tasks and dialects


def test_tasks_streams_and_words() -> None:
    old, new = one(TEXT), one(TEXT)
    other = ir.Task("u", "U", "in", "in")
    added = replace(new, tasks=(*new.tasks, other))
    assert changes(old, added) == (Change("u", "task", "", Kind.ADDED, None, other),)
    assert changes(added, old) == (Change("u", "task", "", Kind.REMOVED, other, None),)
    streaming = replace(new, tasks=(replace(new.tasks[0], stream="in", docs=ir.TaskDocs(summary="S.")),))
    assert changes(old, streaming) == (
        Change("t", "task", "", Kind.DESCRIPTION, "", "S.", "summary"),
        Change("t", "stream", "", Kind.ADDED, None, ir.Ref("in")),
    )
    assert changes(streaming, old)[1] == Change("t", "stream", "", Kind.REMOVED, ir.Ref("in"), None)


def test_only_prose_counts_as_words_of_a_task() -> None:
    old = one(TEXT)
    model = ir.Recommended("owner/name", "Why.")
    listed = ir.TaskDocs(category="C", also=("a",), models=(model,), learn_more="https://e.org/", pipeline_tag="p")
    prose = ir.TaskDocs(summary="S.", description="D.", applications=("A",))
    for docs, wanted in ((listed, []), (prose, ["summary", "description", "applications"])):
        new = replace(old, tasks=(replace(old.tasks[0], docs=docs),))
        found = changes(old, new)
        assert [change.name for change in found] == wanted
        assert {change.kind for change in found} <= {Kind.DESCRIPTION}
    titled = replace(old, tasks=(replace(old.tasks[0], title="Other"),))
    assert [change.name for change in changes(old, titled)] == ["title"]


def test_examples_are_no_part_of_the_api() -> None:
    assert changes(one(TEXT), api(object_of(member("x", TEXT)), examples=(ir.Example("e", "E", inputs="a"),))) == ()


def test_dialects() -> None:
    plain = ir.Dialect("d", "D", "A dialect.")
    wire = ir.Wire("d", ignored=("user",))

    def speaking(dialects: tuple[ir.Dialect, ...], wires: tuple[ir.Wire, ...]) -> ir.Api:
        return replace(api(ROOT, wires=wires), dialects=dialects)

    found = changes(speaking((), ()), speaking((plain,), (wire,)))
    assert found == (
        Change("t", "dialect", "d", Kind.ADDED, None, wire),
        Change("", "dialect", "d", Kind.ADDED, None, plain),
    )
    other = replace(plain, url="https://example.org", summary="Another.")
    found = changes(speaking((plain,), (wire,)), speaking((other,), (replace(wire, nulls=True, ignored=()),)))
    assert found == (
        Change("t", "dialect", "d", Kind.WIRE, False, True, "nulls"),
        Change("t", "dialect", "d", Kind.WIRE, ("user",), (), "ignored"),
        Change("", "dialect", "d", Kind.DESCRIPTION, "A dialect.", "Another.", "summary"),
        Change("", "dialect", "d", Kind.WIRE, "", "https://example.org", "url"),
    )


# ---------------------------------------------------------------------------------------------------------- properties

IDS = ("d0", "d1", "d2", "d3")
NAMES = ("a", "b", "c")
REFS = st.sampled_from(IDS).map(ir.Ref)
LEAVES = st.sampled_from((TEXT, NUMBER, AB, SOUND, ir.Any(), replace(NUMBER, maximum=5), ir.Checked(TEXT, CHECK)))
USES = st.one_of(
    LEAVES,
    REFS,
    REFS.map(ir.Array),
    REFS.map(ir.Map),
    REFS.map(lambda ref: ir.Union((ref, ir.NULL))),
    REFS.map(lambda ref: ir.Union((TEXT, ref))),
    st.builds(lambda ref, leaf: ir.Array(None, (leaf, ref)), REFS, LEAVES),
)
FIELDS = st.builds(
    ir.Field,
    st.sampled_from(NAMES),
    USES,
    st.booleans(),
    st.sampled_from(("", "Doc.")),
    st.sampled_from((ir.ABSENT, None, 0)),
)
OBJECTS = st.builds(
    ir.Object,
    st.lists(FIELDS, max_size=3, unique_by=lambda field: field.name).map(tuple),
    st.booleans() | LEAVES,
)
APIS = st.lists(OBJECTS, min_size=len(IDS), max_size=len(IDS)).map(
    lambda types: api(ir.Ref("d0"), dict(zip(IDS, types, strict=True)))
)


def members(made: ir.Api, type: ir.Type, path: str, seen: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Every member that a type has inside: path, the definition that it belongs to, its name there."""
    match type:
        case ir.Ref(id=id) if id not in seen:
            inner = made.definition(id).type
            assert isinstance(inner, ir.Object)
            for field in inner.fields:
                place = f"{path}.{field.name}".lstrip(".")
                yield place, id, field.name
                yield from members(made, field.type, place, (*seen, id))
        case ir.Array(items=None, prefix=prefix):
            for index, item in enumerate(prefix):
                yield from members(made, item, f"{path}[{index}]", seen)
        case ir.Array(items=ir.Ref() as items):
            yield from members(made, items, f"{path}[]", seen)
        case ir.Map(values=values):
            yield from members(made, values, f"{path}.*", seen)
        case ir.Union(variants=variants):
            for variant in variants:
                yield from members(made, variant, path, seen)


def changed(made: ir.Api, id: str, name: str, change: Callable[[ir.Field], ir.Field]) -> ir.Api:
    """The same with another member of this name in this definition."""

    def of(definition: ir.Definition) -> ir.Definition:
        if definition.id != id or not isinstance(definition.type, ir.Object):
            return definition
        fields = tuple(change(field) if field.name == name else field for field in definition.type.fields)
        return replace(definition, type=replace(definition.type, fields=fields))

    return replace(made, definitions=tuple(map(of, made.definitions)))


MUTATIONS: dict[str, tuple[Callable[[ir.Field], ir.Field], set[Kind]]] = {
    "required": (lambda f: replace(f, required=not f.required), {Kind.REQUIRED, Kind.OPTIONAL}),
    "doc": (lambda f: replace(f, doc="Other."), {Kind.DESCRIPTION}),
    "default": (lambda f: replace(f, default="other"), {Kind.DEFAULT}),
    "deprecated": (lambda f: replace(f, deprecated=True), {Kind.DEPRECATED}),
    "type": (lambda f: replace(f, type=ir.Scalar("boolean")), {Kind.TYPE, Kind.NULLABLE}),
    "name": (lambda f: replace(f, name=f"{f.name}2"), {Kind.RENAMED}),
    "another name": (lambda f: replace(f, name="zzzzzz"), {Kind.REMOVED, Kind.RENAMED}),
}


def old_path(change: Change) -> str:
    """Where a change is in the first of both IRs."""
    if change.kind is Kind.RENAMED:
        return change.path.removesuffix(change.after.name) + str(change.before.name)
    return change.path


@given(APIS)
def test_nothing_changes_by_itself(made: ir.Api) -> None:
    assert changes(made, ir_json.from_json(json.loads(json.dumps(ir_json.to_json(made))))) == ()


@given(APIS, st.permutations(IDS))
def test_nothing_changes_by_renaming(made: ir.Api, names: list[str]) -> None:
    text = json.dumps(ir_json.to_json(made))
    for old, new in zip(IDS, names, strict=True):
        text = text.replace(f'"{old}"', f'"new-{new}"')
    assert changes(made, ir_json.from_json(json.loads(text))) == ()


@given(APIS, st.data(), st.sampled_from(sorted(MUTATIONS)))
def test_every_change_of_a_member_is_reported_at_its_place(made: ir.Api, data: st.DataObject, name: str) -> None:
    places = [*islice(members(made, ir.Ref("d0"), "", ()), 200)]
    if not places:
        return
    path, id, field = data.draw(st.sampled_from(places))
    mutate, kinds = MUTATIONS[name]
    other = changed(made, id, field, mutate)
    found = changes(made, other)
    told = [(c.side, old_path(c), c.kind) for c in found]
    for side in ("request", "response"):
        assert any((side, path, kind) in told for kind in kinds), found
    back = sorted(map(mirrored, said(changes(other, made))), key=repr)
    assert sorted(said(found), key=repr) == back
