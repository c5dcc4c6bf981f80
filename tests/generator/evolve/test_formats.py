"""The reports of `taskbind diff`: well-formed whatever a spec says, complete, and made for who reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import unquote

import pytest
from click import unstyle
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from taskbind import ir
from taskbind.evolve.change import Change, Kind
from taskbind.evolve.compare import Comparison, Finding, Location
from taskbind.evolve.ignore import Ignore
from taskbind.evolve.report import FORMATS, as_github, as_json, as_markdown, as_sarif, as_text, words
from taskbind.evolve.report.entry import told_once
from taskbind.evolve.rules import RULES
from taskbind.evolve.semver import Suggestion
from taskbind.evolve.sources import Source
from taskbind.evolve.verdict import Level, Verdict
from tests.support.sarif import assert_sarif

COMMAND = re.compile(r"::(error|warning|notice)( (file=[^:,]*)?,?(line=\d+)?,?(title=[^:,]*)?)?::(.*)")
RULE = "request-required-member-added"
API = ir.Api((), ())
GFM = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def comparison(findings: Iterable[Finding], **rest: Any) -> Comparison:
    defaults: dict[str, Any] = {
        "old": Source("v1", API),
        "new": Source("the working tree", API, specs="specs"),
        "expired": (),
        "unused": (),
        "ignore_file": "taskbind.toml",
        "suggested": Suggestion("major", "1.0.0", "2.0.0"),
    }
    return Comparison(findings=tuple(findings), **defaults | rest)


def finding(
    wire: Level = Level.BREAKING,
    python: Level = Level.SAFE,
    *,
    task: str = "t",
    side: Any = "request",
    path: str = "a.b",
    what: str = "gone",
    witness: Any = ir.ABSENT,
    before: Any = None,
    proof: Any = "rule",
    place: Location | None = None,
    ignored: Ignore | None = None,
) -> Finding:
    change = Change(task, side, path, Kind.REMOVED, before)
    return Finding(Verdict(change, RULE, wire, python, what, "", witness, proof), place, ignored)


def api(count: int) -> ir.Api:
    """An IR with so many tasks: t0, t1, …"""
    tasks = [ir.Task(f"t{index}", f"T{index}", "in", "out") for index in range(count)]
    return ir.Api(tuple(tasks), ())


# ------------------------------------------------------------------------------------------------------- hostile texts

TEXTS = st.text() | st.sampled_from(
    [
        "::error::x",
        "a\n::stop-commands::b",
        "\x1b[31m",
        "\udce9",
        "a,b=c:d%0A",
        "| a | b |\n| --- | --- |",
        "</details>\n\n# x",
        "@everyone #12 GH-7",
        "[x](javascript:1) ![y](http://z)",
        "`",
        "<script>",
    ]
)
JSONS = st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner, max_size=2))
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
IGNORES = st.builds(Ignore, rule=st.just(RULE), reason=TEXTS.map(lambda text: f"r{text}"), until=DAYS)
PLACES = st.builds(
    Location,
    specs=st.sampled_from(["specs", ".", "../specs", None]),
    path=TEXTS.map(lambda text: text.replace("/", "").replace("\x00", "") or "x"),
    line=st.integers(0, 9),
    pointer=TEXTS.map(lambda text: f"/{text}"),
)
FINDINGS = st.builds(
    finding,
    st.sampled_from(Level),
    st.sampled_from(Level),
    task=TEXTS,
    side=st.sampled_from(["request", "response", "stream", "task", "dialect", "python"]),
    path=TEXTS,
    what=TEXTS.map(lambda text: f"m{text}"),
    witness=JSONS | st.just(ir.ABSENT),
    before=JSONS | st.just(ir.ABSENT) | st.just(ir.Field("x", ir.Scalar("string"), True)),
    proof=st.sampled_from(["rule", "unknown"]),
    place=PLACES | st.none(),
    ignored=IGNORES | st.none(),
)
LISTS = st.lists(IGNORES, max_size=2).map(tuple)
AUDIENCES = st.sampled_from(["wire", "python", "both"])


@given(st.lists(FINDINGS, max_size=3), LISTS, LISTS, AUDIENCES)
def test_no_text_breaks_a_format(
    findings: list[Finding], expired: tuple[Ignore, ...], unused: tuple[Ignore, ...], audience: Any
) -> None:
    found = comparison(findings, expired=expired, unused=unused)
    entries, placed = told_once(findings), [entry.finding for entry in told_once(findings, at_one_place=True)]
    notes = len(expired) + len(unused)

    lines = as_github(found, audience).splitlines()
    assert len(lines) == sum(f.level(audience) is not Level.SAFE for f in placed) + notes
    assert all(COMMAND.fullmatch(line) and line.isprintable() for line in lines)

    data = json.loads(as_json(found, audience))
    assert [c["message"] for c in data["changes"]] == [words.sentence(f.verdict) for f in findings]
    assert [c.get("witness", ir.ABSENT) for c in data["changes"]] == [f.verdict.witness for f in findings]
    assert ["before" in c for c in data["changes"]] == [f.verdict.change.before is not ir.ABSENT for f in findings]

    log = json.loads(as_sarif(found, audience))
    assert_sarif(log)
    results = log["runs"][0]["results"]
    assert ["suppressions" in result for result in results] == [f.ignored is not None for f in placed]
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results if r["locations"]]
    for uri, place in zip(uris, (f.place for f in placed if f.place), strict=True):
        inside = place.specs is not None and not place.file.startswith("..")
        assert unquote(uri, errors="surrogateescape") == (place.file if inside else place.path)

    text = as_text(found, audience)
    assert re.sub("\x1b\\[[0-9;]*m", "", text).replace("\n", "").isprintable()

    shown = GFM.render(as_markdown(found, audience))
    assert shown.count("<tr>") - shown.count("<thead>") == len(entries)
    assert shown.count("<td>") == 4 * len(entries)
    assert "<script" not in shown and "<a " not in shown and "<img" not in shown
    assert shown.count("</details>") == shown.count("<details>") <= 2
    assert not re.search(r"@everyone|#12|GH-7", re.sub(r"<code>.*?</code>", "", shown, flags=re.DOTALL))


# ------------------------------------------------------------------------------------------------------ what they say


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_comparison_is_an_empty_document(name: str) -> None:
    written = FORMATS[name](comparison([], suggested=Suggestion(None, "1.0.0", "1.0.0")), "both")
    match name:
        case "json":
            assert json.loads(written)["changes"] == []
        case "sarif":
            assert json.loads(written)["runs"][0]["results"] == []
        case "github":
            assert written == ""
        case _:
            assert written.endswith("no change of the API" if name == "text" else "no change of the API.")


def test_json_has_its_members_and_no_others() -> None:
    place = Location("specs", "t/input.json", 3, "/properties/a")
    before = ir.Field("b", ir.Enum(("x",)), True)
    told = json.loads(as_json(comparison([finding(witness=None, before=before, place=place)]), "wire"))
    assert list(told) == "version old new specs counts suggested changes ignores".split()
    assert told["counts"] == {
        "wire": {"breaking": 1, "dangerous": 0, "safe": 0},
        "python": {"breaking": 0, "dangerous": 0, "safe": 1},
    }
    assert told["suggested"] == {"bump": "major", "version": "2.0.0"}
    (change,) = told["changes"]
    assert change == {
        "task": "t",
        "side": "request",
        "path": "a.b",
        "kind": "removed",
        "name": "",
        "before": {"name": "b", "type": {"kind": "enum", "values": ["x"]}, "required": True},
        "after": None,
        "direction": "input",
        "rule": RULE,
        "wire": "breaking",
        "python": "safe",
        "message": "request a.b: gone.",
        "pointer": "/properties/a",
        "file": "specs/t/input.json",
        "line": 3,
        "witness": None,
        "proof": "rule",
        "ignored": None,
    }


def test_directions() -> None:
    sides = ("request", "response", "stream", "task", "dialect", "python")
    told = json.loads(as_json(comparison([finding(side=side) for side in sides]), "both"))
    assert [c["direction"] for c in told["changes"]] == ["input", "output", "output", None, None, None]


def test_witnesses_say_which_way_they_break() -> None:
    findings = [finding(witness={"a": 1}), finding(side="response", witness=[2])]
    for write in (as_text, as_markdown, as_sarif, as_github):
        text = write(comparison(findings), "both")
        assert "was accepted, is refused now: " in text
        assert "new answer that old readers refuse: " in text


def test_a_long_witness_is_shortened_for_people_alone() -> None:
    found = comparison([finding(witness="x" * 10_000)])
    assert all(len(write(found, "both")) < 3000 for write in (as_text, as_markdown, as_github))
    assert json.loads(as_json(found, "both"))["changes"][0]["witness"] == "x" * 10_000


def test_what_is_assumed_is_said() -> None:
    for write in (as_text, as_markdown, as_sarif, as_github):
        assert "nothing proves that it is compatible" in write(comparison([finding(proof="unknown")]), "both")
        assert "nothing proves" not in write(comparison([finding()]), "both")


def test_github_has_the_worst_first_and_nothing_that_is_safe() -> None:
    ignored = Ignore(RULE, "because", date(2027, 1, 31))
    findings = [
        finding(Level.SAFE),
        finding(Level.BREAKING, ignored=ignored),
        finding(Level.DANGEROUS),
        finding(Level.BREAKING, place=Location("specs", "t/input.json", 3, "/a")),
    ]
    lines = as_github(comparison(findings), "both").splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert lines[0] == (
        f"::error file=specs/t/input.json,line=3,title={RULE} (breaking)::t: request a.b: gone."
        "%0Abreaking on the wire, safe in Python"
    )
    assert lines[2].endswith("%0Aignored until 2027-01-31: because")
    assert as_github(comparison(findings), "python") == ""


def test_sarif_levels_are_those_of_the_audience() -> None:
    found = comparison([finding(Level.DANGEROUS, Level.BREAKING)])
    for audience, level in (("wire", "warning"), ("python", "error"), ("both", "error")):
        log = json.loads(as_sarif(found, audience))  # type: ignore[arg-type] # literals in a tuple are plain texts
        assert log["runs"][0]["results"][0]["level"] == level
    rule = log["runs"][0]["tool"]["driver"]["rules"][0]
    assert (rule["id"], rule["shortDescription"]["text"]) == (RULE, RULES[RULE].title)


def test_markdown_fits_a_comment() -> None:
    findings = [finding(path=f"p{i}", what="x" * 200) for i in range(3000)]
    safe = [finding(Level.SAFE, path=f"s{i}") for i in range(3000)]
    text = as_markdown(comparison([*safe, *findings]), "both")
    assert 50_000 < len(text) < 65_536
    assert text.startswith("**API changes** from `v1` to `the working tree`: 3000 breaking, 3000 safe.")
    (more,) = re.findall(r"… and (\d+) more: run `taskbind diff`\.", text.partition("<details>")[0])
    assert text.count("`request p") == 3000 - int(more)
    assert "<summary>Safe (3000)</summary>" in text


def test_text_has_the_worst_first_under_its_tasks() -> None:
    ignored = Ignore(RULE, "because", date(2027, 1, 31))
    findings = [
        finding(Level.SAFE, task="a", path="s"),
        finding(task="a", path="p"),
        finding(task="a", ignored=ignored),
        finding(task="b", path="q"),
        finding(Level.DANGEROUS, task="b", path="r"),
        finding(Level.SAFE, task="", path="t"),
        finding(task="b", path="x"),
        finding(task="c", path="x"),
    ]
    text = as_text(comparison(findings), "both")
    assert [line for line in unstyle(text).splitlines() if not line.startswith("   ")][:-2] == [
        *("b, c", "  breaking   request x: gone.", ""),
        *("a", "  breaking   request p: gone.", ""),
        *("b", "  breaking   request q: gone.", "  dangerous  request r: gone.", ""),
        *("all tasks", "  safe       request t: gone.", ""),
        *("a", "  safe       request s: gone.", "  ignored    request a.b: gone.", ""),
        "`taskbind explain RULE` says why a change is what it is.",
    ]
    assert "\x1b[1mb, c\x1b[0m" in text
    for code, level in ((31, "breaking"), (33, "dangerous"), (32, "safe")):
        assert f"\x1b[{code}m{level}" in text


# ---------------------------------------------------------------------------------------------------------- told once


def shared(*tasks: str, **rest: Any) -> list[Finding]:
    return [finding(task=task, **rest) for task in tasks]


def test_one_change_of_many_tasks_is_told_once() -> None:
    place = Location("specs", "common.json", 3, "/$defs/A")
    first, *others = shared("a", "b", "c", place=place)
    found = comparison([first, *(replace(f, verdict=replace(f.verdict, witness={"x": 1})) for f in others)])
    text = unstyle(as_text(found, "both"))
    assert text.splitlines()[0] == "a, b, c"
    assert "was accepted, is refused now (b): " in text
    assert text.endswith(": 1 breaking in 3 tasks")
    assert text.count("gone.") == text.count("specs/common.json:3") == 1
    table = as_markdown(found, "both")
    assert "### Breaking (1)" in table
    assert "| `a`, `b`, `c` | `request a.b`<br>`specs/common.json:3` |" in table
    (line,) = as_github(found, "both").splitlines()
    assert "::a, b, c: request a.b: gone." in line
    (result,) = json.loads(as_sarif(found, "both"))["runs"][0]["results"]
    assert result["properties"]["tasks"] == ["a", "b", "c"]
    told = json.loads(as_json(found, "both"))
    assert [change["task"] for change in told["changes"]] == ["a", "b", "c"]
    assert told["counts"]["wire"]["breaking"] == 3


def test_the_same_at_several_places_is_told_beside_each_of_them() -> None:
    places = [Location("specs", f"{task}/input.json", 3, "/a") for task in "abcde"]
    found = comparison([finding(task=place.path[0], place=place) for place in places])
    assert "specs/a/input.json:3, specs/b/input.json:3, specs/c/input.json:3, 2 more: " in as_text(found, "both")
    assert "<br>`specs/c/input.json:3`<br>2 more |" in as_markdown(found, "both")
    assert [line.partition(",")[0] for line in as_github(found, "both").splitlines()] == [
        f"::error file={place.file}" for place in places
    ]
    assert len(json.loads(as_sarif(found, "both"))["runs"][0]["results"]) == 5


@pytest.mark.parametrize(
    "other",
    [
        {"path": "a.c"},
        {"side": "response"},
        {"what": "new"},
        {"wire": Level.DANGEROUS},
        {"python": Level.DANGEROUS},
        {"ignored": Ignore(RULE, "because", date(2027, 1, 31))},
    ],
)
def test_what_differs_is_told_apart(other: dict[str, Any]) -> None:
    assert len(told_once([finding(task="a"), finding(task="b", **other)])) == 2


@pytest.mark.parametrize(("count", "said"), [(3, "t0, t1, t2"), (4, "all tasks")])
def test_all_tasks(count: int, said: str) -> None:
    both = {"old": Source("v1", api(count)), "new": Source("v2", api(count))}
    tasks = [f"t{index}" for index in range(count)]
    assert unstyle(as_text(comparison(shared(*tasks), **both), "both")).splitlines()[0] == said
    fewer = unstyle(as_text(comparison(shared(*tasks[1:]), **both), "both"))
    assert fewer.splitlines()[0] == ", ".join(tasks[1:])


@pytest.mark.parametrize(("count", "lines"), [(10, 10), (11, 0)])
def test_many_descriptions_are_counted(count: int, lines: int) -> None:
    def reworded(task: str, path: str) -> Finding:
        one = finding(Level.SAFE, task=task, path=path)
        change = replace(one.verdict.change, kind=Kind.DESCRIPTION)
        return replace(one, verdict=replace(one.verdict, change=change))

    found = comparison([reworded(f"t{index % 2}", f"p{index}") for index in range(count)])
    text = unstyle(as_text(found, "both"))
    assert text.count("  safe  ") == lines
    assert (f"{count} descriptions in 2 tasks are worded anew" in text) == (not lines)
    assert text.endswith(f": {count} safe in 2 tasks")
