"""`taskbind import openapi`: our own document gives our own specs back, and what any document says becomes specs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from taskbind.cli import main
from taskbind.config import Config
from taskbind.diagnostics import Report, TaskbindError
from taskbind.evolve.change import Kind
from taskbind.evolve.changes import changes
from taskbind.explain import codes
from taskbind.importing.openapi import read
from taskbind.importing.openapi.codes import CODES
from taskbind.importing.write import Imported, write
from taskbind.pipeline import read_api
from tests.conftest import ROOT
from tests.laws.subjects import read as read_specs
from tests.support.payloads import cases

OWN = ROOT / "generated" / "openapi.json"
TASKS = sorted(path.parent.name for path in (ROOT / "specs").glob("*/input.json"))
KINDS = ("input", "output", "stream")


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The specs that our own document gives."""
    folder = tmp_path_factory.mktemp("own") / "specs"
    write(read(OWN), folder)
    return folder


def test_every_task_comes_back(own: Path) -> None:
    assert sorted(path.parent.name for path in own.glob("*/input.json")) == TASKS
    assert sorted(path.parent.name for path in own.glob("*/stream_output.json")) == sorted(
        path.parent.name for path in (ROOT / "specs").glob("*/stream_output.json")
    )


def test_no_member_changed(own: Path, tmp_path: Path) -> None:
    ours, theirs = (read_api(Config(specs, tmp_path / "out"), Report()) for specs in (ROOT / "specs", own))
    found = [change for change in changes(ours, theirs) if change.side in ("request", "response", "stream")]
    found = [change for change in found if change.kind is not Kind.DESCRIPTION]
    # The document has `maxItems` where the specs have `items: false` behind `prefixItems`, which is the same.
    assert {change.kind for change in found} <= {Kind.BOUNDS, Kind.OPENED}
    assert {change.name for change in found if change.kind is Kind.BOUNDS} == {"max_items"}
    assert [task.id for task in theirs.tasks] == TASKS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", TASKS)
def test_the_same_payloads_are_valid(own: Path, task: str, kind: str) -> None:
    sides = [read_specs(ROOT / "specs"), read_specs(own)]
    ids = [next(getattr(each, kind) for each in side.api.tasks if each.id == task) for side in sides]
    if ids == [None, None]:
        return
    verdicts = set()
    for side, id in zip(sides, ids, strict=True):
        for case in cases(side.judge.shapes, side.judge.schema(id), draws=2, limit=60):
            one, other = (each.judge.accepts(there, case.payload) for each, there in zip(sides, ids, strict=True))
            assert one == other, (case.what, case.text[:500])
            verdicts.add(one)
    assert True in verdicts


def test_examples_come_along(own: Path) -> None:
    table = tomllib.loads((own / "text-generation" / "task.toml").read_text(encoding="utf-8"))
    ours = tomllib.loads((ROOT / "specs" / "text-generation" / "task.toml").read_text(encoding="utf-8"))
    assert table["examples"] == ours["examples"]
    assert (own / "text-generation" / "examples" / "story.written.json").is_file()


def test_what_else_is_left_out_and_why() -> None:
    left_out = read(OWN).left_out
    assert "GET" in left_out["GET /health"]
    assert "path" in left_out["POST /models/{model}"]
    assert len(left_out) == 5


def test_codes_can_be_explained() -> None:
    assert {code.code for code in CODES} <= codes().keys()


# --------------------------------------------------------------------------------------------------------- single words


def posted(schema: Any, answer: Any = None, *, path: str = "/run", **more: Any) -> dict[str, Any]:
    """The paths of a document with one operation."""
    body = {"content": {"application/json": {"schema": schema}}}
    said = {"description": "", "content": {"application/json": {"schema": {} if answer is None else answer}}}
    return {path: {"post": {"operationId": "run", "requestBody": body, "responses": {"200": said}, **more}}}


def imported(
    tmp_path: Path, paths: Any, version: str = "3.1.0", schemas: Any = None, only: tuple[str, ...] = (), **more: Any
) -> Imported:
    """What a document becomes."""
    document = {"openapi": version, "info": {"title": "Small"}, "paths": paths, **more}
    document.setdefault("components", {"schemas": schemas or {}})
    file = tmp_path / "small.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return read(file, only)


def schema(made: Imported, path: str = "run/input.json") -> Any:
    """A spec file without its dialect."""
    data = json.loads(made.files[path])
    del data["$schema"]
    return data


def told(made: Imported, code: str) -> list[str]:
    """The pointers at which something was found."""
    return [diagnostic.pointer for diagnostic in made.report if diagnostic.code == code]


def objects(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members)}


NAME = objects(name={"type": "string"})


@pytest.mark.parametrize(
    ("version", "given", "expected"),
    [
        ("3.0.0", {"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            "3.0.0",
            {"type": "number", "minimum": 1, "exclusiveMinimum": True},
            {"type": "number", "exclusiveMinimum": 1},
        ),
        ("3.0.0", {"type": "integer", "format": "int64"}, {"type": "integer"}),
        ("3.0.0", {"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}),
        ("3.0.0", {"type": "string", "xml": {"name": "x"}, "x-y": 1, "externalDocs": {}}, {"type": "string"}),
        ("3.1.0", {"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ("3.1.0", {"type": "string", "const": "a"}, {"type": "string", "const": "a"}),
        ("3.2.0", {"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        (
            "3.0.0",
            {"type": "string", "format": "byte"},
            {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/octet-stream"},
        ),
        ("3.0.0", {"type": "string", "format": "binary"}, {"type": "string"}),
    ],
)
def test_words_of_openapi(tmp_path: Path, version: str, given: Any, expected: Any) -> None:
    made = imported(tmp_path, posted(objects(text={"type": "integer"}, value=given)), version)
    assert schema(made)["properties"]["value"] == expected


def test_a_body_that_is_no_object_is_wrapped(tmp_path: Path) -> None:
    for body in (
        {"type": "array", "items": {"type": "string"}},
        {"type": "string"},
        {"oneOf": [NAME, {"type": "null"}]},
    ):
        made = imported(tmp_path, posted(body))
        assert schema(made)["required"] == ["inputs"]
        wire = tomllib.loads(str(made.files["run/wire.toml"]))["small"]
        assert wire == {"route": "/run", "requests": [{"$.inputs": "$"}]}
        assert told(made, "TB428") == ["/paths/~1run/post/requestBody/content/application~1json"]


def test_what_one_file_uses_stands_in_it_and_what_several_use_is_shared(tmp_path: Path) -> None:
    ref = {"$ref": "#/components/schemas/Shared"}
    inner = {"$ref": "#/components/schemas/Inner"}
    made = imported(
        tmp_path,
        posted(objects(a=ref, b=inner, c=inner), {"type": "array", "items": ref}),
        schemas={"Shared": NAME, "Inner": NAME, "Unused": NAME},
    )
    assert schema(made, "small.json") == {"$defs": {"Shared": NAME}}
    assert schema(made)["$defs"] == {"Inner": NAME}
    assert schema(made)["properties"]["a"] == {"$ref": "../small.json#/$defs/Shared"}
    assert schema(made)["properties"]["b"] == {"$ref": "#/$defs/Inner"}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_what_takes_only_a_name_is_mended_as_in_every_import(tmp_path: Path, version: str) -> None:
    place = objects(town={"type": "string", "description": " Where. "})
    shared = objects(place=place)
    ref = {"$ref": "#/components/schemas/Shared"}
    schemas = {"Shared": shared, "lower": objects(a={"type": "string"}) | {"title": "lower"}}
    request = objects(who=ref, at=objects(x={"type": "number"}), lower={"$ref": "#/components/schemas/lower"})
    made = imported(tmp_path, posted(request, ref), version, schemas=schemas)
    assert schema(made)["properties"]["at"]["title"] == "RunInputAt"
    assert schema(made)["$defs"]["lower"]["title"] == "Lower"
    written = schema(made, "small.json")["$defs"]["Shared"]["properties"]["place"]
    assert next(iter(written)) == "title"
    assert written["properties"]["town"]["description"] == "Where."
    there = "/components/schemas/Shared/properties/place"
    assert set(told(made, "TB260")) == {
        "/paths/~1run/post/requestBody/content/application~1json/schema/properties/at",
        there,
    }
    assert told(made, "TB271") == ["/components/schemas/lower/title"]
    assert told(made, "TB276") == [f"{there}/properties/town/description"]
    findings = write(made, tmp_path / "specs").findings
    assert {"TB260", "TB271", "TB276"}.isdisjoint(d.code for d in findings)


def test_titles_of_plain_members_rename_no_class(tmp_path: Path) -> None:
    """As pydantic writes them: every member has a title, and `label` that of the component."""
    label = objects(label={"type": "string", "title": "Label"}, tags={"type": "array", "items": {}, "title": "Tags"})
    label["title"] = "Label"
    paths = posted(NAME, {"type": "array", "items": {"$ref": "#/components/schemas/Label"}})
    other = objects(label={"type": "string", "title": "Label"}, tags={"type": "object", "title": "Tags"})
    paths |= posted(NAME, other, path="/other", operationId="other")
    made = imported(tmp_path, paths, schemas={"Label": label})
    assert told(made, "TB272") == []
    held = schema(made, "run/output.json")
    assert held["items"].get("title", held.get("$defs", {}).get("Label", {}).get("title")) == "Label"


def test_a_schema_of_one_root_is_that_root(tmp_path: Path) -> None:
    made = imported(tmp_path, posted({"$ref": "#/components/schemas/Name"}), schemas={"Name": NAME})
    assert schema(made) == {"title": "Name", **NAME}


def test_a_recursive_body(tmp_path: Path) -> None:
    tree = objects(name={"type": "string"}, inner={"type": "array", "items": {"$ref": "#/components/schemas/Tree"}})
    made = imported(tmp_path, posted({"$ref": "#/components/schemas/Tree"}), schemas={"Tree": tree})
    assert schema(made)["$ref"] == "#/$defs/Tree"
    assert write(made, tmp_path / "specs").changes


def test_directions(tmp_path: Path) -> None:
    user = objects(id={"type": "integer", "readOnly": True}, name={"type": "string"})
    user["properties"]["secret"] = {"type": "string", "writeOnly": True}
    holder = objects(user={"$ref": "#/components/schemas/User"}, other=NAME)
    ref = {"$ref": "#/components/schemas/Holder"}
    made = imported(
        tmp_path, posted(objects(a=ref, b=ref), objects(a=ref, b=ref)), schemas={"User": user, "Holder": holder}
    )
    asked, answered = schema(made)["$defs"], schema(made, "run/output.json")["$defs"]
    assert list(asked["UserRequest"]["properties"]) == ["name", "secret"]
    assert asked["UserRequest"]["required"] == ["name"]
    assert asked["HolderRequest"]["properties"]["user"] == {"$ref": "#/$defs/UserRequest"}
    assert list(answered["User"]["properties"]) == ["id", "name"]
    assert answered["User"]["required"] == ["id", "name"]


def test_required_beside_what_is_of_one_direction(tmp_path: Path) -> None:
    base = {"type": "object", "properties": {"id": {"type": "integer", "readOnly": True}}}
    whole = {"allOf": [{"$ref": "#/components/schemas/Base"}, NAME], "required": ["id", "name"]}
    made = imported(tmp_path, posted(whole, whole), schemas={"Base": base})
    assert schema(made)["required"] == ["name"]
    assert schema(made, "run/output.json")["required"] == ["id", "name"]


def test_tags_of_variants(tmp_path: Path) -> None:
    kind = {"kind": {"type": "string"}}
    schemas = {
        "Cat": objects(**kind, lives={"type": "integer"}),
        "Dog": objects(**kind),
        "Said": objects(kind={"const": "said"}),
        "Any": {
            "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Cat", "Dog", "Said")],
            "discriminator": {"propertyName": "kind", "mapping": {"c": "Cat", "k": "#/components/schemas/Cat"}},
        },
    }
    made = imported(tmp_path, posted(NAME, {"$ref": "#/components/schemas/Any"}), schemas=schemas)
    held = schema(made, "run/output.json")["$defs"]
    assert held["Cat"]["properties"]["kind"]["enum"] == ["c", "k"]
    assert held["Dog"]["properties"]["kind"]["enum"] == ["Dog"]
    assert held["Said"]["properties"]["kind"] == {"const": "said"}
    assert told(made, "TB426") == ["/components/schemas/Cat", "/components/schemas/Dog"]


def test_a_base_of_others_keeps_its_tag_open(tmp_path: Path) -> None:
    schemas = {
        "Base": objects(kind={"type": "string"}),
        "More": {"allOf": [{"$ref": "#/components/schemas/Base"}, NAME]},
        "Any": {
            "anyOf": [{"$ref": "#/components/schemas/Base"}, {"$ref": "#/components/schemas/More"}],
            "discriminator": {"propertyName": "kind"},
        },
    }
    made = imported(tmp_path, posted(NAME, {"$ref": "#/components/schemas/Any"}), schemas=schemas)
    held = schema(made, "run/output.json")["$defs"]
    assert held["Base"]["properties"]["kind"] == {"type": "string"}
    assert held["More"]["properties"]["kind"]["enum"] == ["More"]


def test_parameters_are_told_of(tmp_path: Path) -> None:
    parameters = [
        {"name": "tenant", "in": "query", "required": True},
        {"name": "X-Trace", "in": "header"},
        {"name": "Accept", "in": "header"},
    ]
    made = imported(tmp_path, posted(NAME, parameters=parameters))
    assert told(made, "TB423") == ["/paths/~1run/post/parameters/0", "/paths/~1run/post/parameters/1"]


def test_only(tmp_path: Path) -> None:
    paths = posted(NAME) | {"/v1/other": {"post": {**posted(NAME)["/run"]["post"], "operationId": "other"}}}
    for only, kept in ((("run",), "run"), (("/v1/*",), "other"), (("o*",), "other")):
        made = imported(tmp_path, paths, only=only)
        assert [path for path in made.files if path.endswith("/input.json")] == [f"{kept}/input.json"]
        assert list(made.left_out.values()) == ["not asked for (--only)"]


@pytest.mark.parametrize(
    ("operation", "path", "id"),
    [
        ("createChatCompletion", "/v1/chat/completions", "create-chat-completion"),
        ("classify_image_classify_image_post", "/classify-image", "classify-image"),
        (None, "/api/v1/embed", "embed"),
        (None, "/v1", "v-1"),
        ("übergröße", "/x", "ubergroe"),
        ("日本", "/a/b-c", "a-b-c"),
        ("日本", "/~", "operation"),
        ("a" * 300, "/x", "a" * 95),
    ],
)
def test_ids(tmp_path: Path, operation: str | None, path: str, id: str) -> None:
    made = imported(tmp_path, posted(NAME, path=path, operationId=operation))
    assert [name for name in made.files if name.endswith("/input.json")] == [f"{id}/input.json"]


def test_ids_are_unique(tmp_path: Path) -> None:
    paths = posted(NAME) | posted(NAME, path="/other")
    found = [name for name in imported(tmp_path, paths).files if name.endswith("/input.json")]
    assert sorted(found) == ["run-2/input.json", "run/input.json"]


@pytest.mark.parametrize(
    ("servers", "url", "route"),
    [
        ([{"url": "https://a.test/v1/"}], "https://a.test", "/v1/run"),
        ([{"url": "https://{host}:{port}", "variables": {"host": {"default": "a.test"}, "port": {"default": "8443"}}}],
         "https://a.test:8443", "/run"),
        ([{"url": "/v1"}], None, "/v1/run"),
        ([{"url": "http://a.test"}], None, "/run"),
        ([{"url": "https://user:pass@a.test"}], None, "/run"),
        ([{"url": "https://a.test/?key=1"}], None, "/run"),
        ([{"url": "javascript:alert(1)"}], None, "/run"),
        ([{"url": "https://[::1"}], None, "/run"),
        ([], None, "/run"),
        ({}, None, "/run"),
    ],
)  # fmt: skip
def test_addresses(tmp_path: Path, servers: Any, url: str | None, route: str) -> None:
    made = imported(tmp_path, posted(NAME), servers=servers)
    assert tomllib.loads(str(made.files["dialects.toml"]))["small"].get("url") == url
    assert tomllib.loads(str(made.files["run/wire.toml"]))["small"]["route"] == route


@pytest.mark.parametrize(("path", "id"), [("/", "operation"), ("/items/", "items"), ("/items", "items")])
def test_a_slash_at_the_end_belongs_to_the_path(tmp_path: Path, path: str, id: str) -> None:
    made = imported(tmp_path, posted(NAME, path=path, operationId=None), servers=[{"url": "/v1/"}])
    assert tomllib.loads(str(made.files[f"{id}/wire.toml"]))["small"]["route"] == f"/v1{path}"
    assert write(made, tmp_path / "specs").changes


def test_a_name_for_the_service(tmp_path: Path) -> None:
    made = imported(tmp_path, posted(NAME, operationId="small"))
    assert list(tomllib.loads(str(made.files["dialects.toml"]))) == ["small_service"]
    assert list(tomllib.loads(str(read(tmp_path / "small.json", name="acme").files["dialects.toml"]))) == ["acme"]
    with pytest.raises(TaskbindError, match="--name"):
        read(tmp_path / "small.json", name="No Name")


def test_files_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "name.yaml").write_text(
        "Name:\n  type: object\n  properties:\n    name: {$ref: 'text.json'}\n  required: [name]\n", encoding="utf-8"
    )
    (tmp_path / "parts" / "text.json").write_text('{"type": "string", "minLength": 1}', encoding="utf-8")
    made = imported(tmp_path, posted({"$ref": "parts/name.yaml#/Name"}, {"$ref": "parts/text.json"}))
    assert schema(made)["properties"]["name"] == {"$ref": "../small.json#/$defs/text"}
    assert schema(made, "run/output.json") == {"$ref": "../small.json#/$defs/text"}
    assert write(made, tmp_path / "specs").changes


# ------------------------------------------------------------------------------------------------------------- forms

BINARY = {"type": "string", "format": "binary"}
OCTETS = {"type": "string", "contentMediaType": "application/octet-stream"}
NULL = {"type": "null"}
FILES = {"type": "array", "items": BINARY}
AS_MEDIA = {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/octet-stream"}


def in_form(tmp_path: Path, member: Any, **more: Any) -> Imported:
    """What a form with a text and one more member becomes, beside an operation that is fine."""
    body = {"type": "object", "properties": {"prompt": {"type": "string"}, "image": member}, "required": ["prompt"]}
    paths = posted(NAME, path="/fine", operationId="fine") | posted({})
    content = {"multipart/form-data": {"schema": body | more.pop("schema", {}), **more}}
    paths["/run"]["post"]["requestBody"] = {"content": content}
    return imported(
        tmp_path, paths, schemas={"File": BINARY, "Maybe": {"anyOf": [BINARY, NULL]}, "Files": FILES, "All": NAME}
    )


@pytest.mark.parametrize(
    ("member", "media_type"),
    [
        (BINARY, "application/octet-stream"),
        ({"anyOf": [BINARY, NULL], "title": "Image"}, "application/octet-stream"),
        ({"oneOf": [NULL, OCTETS]}, "application/octet-stream"),
        ({"anyOf": [{"type": "string", "contentMediaType": "image/png"}, {"const": None}]}, "image/png"),
        ({"type": ["string", "null"], "contentMediaType": "audio/wav"}, "audio/wav"),
        ({"type": ["string", "null"], "format": "binary"}, "application/octet-stream"),
        ({"allOf": [BINARY]}, "application/octet-stream"),
        ({"allOf": [{"$ref": "#/components/schemas/Maybe"}], "default": None}, "application/octet-stream"),
        ({"anyOf": [{"$ref": "#/components/schemas/File"}, NULL]}, "application/octet-stream"),
        ({"type": "file", "format": "image", "pillow": {"mode": "RGB"}}, "image/*"),
        ({"type": "file", "format": "audio"}, "audio/*"),
        ({"type": "file"}, "application/octet-stream"),
    ],
)
def test_what_is_a_file_in_a_form(tmp_path: Path, member: Any, media_type: str) -> None:
    made = in_form(tmp_path, member)
    assert not made.report.fatal
    asked = schema(made)["properties"]["inputs"]
    asked = asked if "$ref" not in asked else schema(made)["$defs"][asked["$ref"].rpartition("/")[2]]
    image = asked["properties"]["image"]
    assert {key: image[key] for key in AS_MEDIA} == AS_MEDIA | {"contentMediaType": media_type}
    assert image.keys() == AS_MEDIA.keys()
    assert told(made, "TB425") == []


@pytest.mark.parametrize(
    "member",
    [
        FILES,
        {"anyOf": [FILES, NULL]},
        {"$ref": "#/components/schemas/Files"},
        {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Maybe"}},
        {"type": "array", "items": {"type": "file", "format": "image"}},
        {"anyOf": [BINARY, {"type": "string"}]},
        {"anyOf": [BINARY, FILES]},
        {"allOf": [BINARY, {"maxLength": 9}]},
        {"oneOf": [{"$ref": "#/components/schemas/Files"}, {"type": "string"}, NULL]},
        {"type": "object", "properties": {"inner": BINARY}},
        {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/File"}},
        {"type": "string", "format": "byte"},
        {"type": "string", "contentEncoding": "base64"},
    ],
)
def test_what_only_may_be_a_file_in_a_form(tmp_path: Path, member: Any) -> None:
    made = in_form(tmp_path, member)
    assert "'image'" in made.left_out["POST /run"]
    assert [error.code for error in made.report.fatal] == ["TB421"]
    assert told(made, "TB425") == []
    assert "fine/input.json" in made.files


@pytest.mark.parametrize("rest", [{"allOf": [objects(more=BINARY)]}, {"additionalProperties": BINARY}])
def test_files_beside_the_members_of_a_form(tmp_path: Path, rest: Any) -> None:
    made = in_form(tmp_path, {"type": "string"}, schema=rest)
    assert "`properties`" in made.left_out["POST /run"]


def test_what_a_form_says_of_its_files(tmp_path: Path) -> None:
    made = in_form(tmp_path, {"type": "string"}, encoding={"image": {"contentType": "image/png, image/jpeg"}})
    assert "image/*" in str(made.files["run/input.json"])
    either = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    made = in_form(tmp_path, either, encoding={"image": {"contentType": "image/png"}})
    assert "contentEncoding" not in str(made.files["run/input.json"])


def test_files_of_swagger_2_elsewhere(tmp_path: Path) -> None:
    made = imported(tmp_path, posted(objects(image={"type": "file"})) | posted(NAME, path="/b", operationId="b"))
    [error] = made.report.fatal
    assert "Swagger 2" in error.message
    assert "format: binary" in error.fix


# ---------------------------------------------------------------------------------------------------------- the command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["import", "openapi", *map(str, arguments)])


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    imported(tmp_path, posted(NAME) | {"/x": {"get": {}}})
    result = run("small.json")
    assert result.exit_code == 0, result.output
    assert "left out: GET /x: is a GET" in result.output
    assert "1 task → " in result.output
    assert (tmp_path / "specs/run/input.json").is_file()


def test_the_command_where_an_operation_was_refused(tmp_path: Path) -> None:
    imported(tmp_path, posted(NAME) | posted(NAME, path="/x/{id}"))
    result = run(tmp_path / "small.json", "--to", tmp_path / "there", "-q")
    assert result.exit_code == 1
    assert result.output.count("POST /x/{id}") == 1
    assert "TB421" in result.output
    assert "`model_route` in wire.toml" in result.output
    assert (tmp_path / "there/run/input.json").is_file()


def test_the_command_counts_what_was_not_asked_for(tmp_path: Path) -> None:
    others = {f"/other/{number}": posted(NAME)["/run"] for number in range(3)}
    imported(tmp_path, posted(NAME) | others | {"/x": {"get": {}}})
    result = run(tmp_path / "small.json", "--to", tmp_path / "specs", "--only", "/run")
    assert result.exit_code == 0
    assert "left out: 4 operations: not asked for (--only)" in result.output
    assert "/other" not in result.output


def test_refusals_say_what_their_reader_can_do(tmp_path: Path) -> None:
    answer = {"200": {"description": "", "content": {"text/csv": {}}}}
    made = imported(tmp_path, posted(NAME) | posted(NAME, path="/b", responses=answer))
    [error] = made.report.fatal
    assert error.fix == "write this task by hand: docs/importing.md"


def test_the_command_where_nothing_is_left(tmp_path: Path) -> None:
    file = tmp_path / "small.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": posted(NAME, path="/x/{id}")}))
    result = run(file, "--to", tmp_path / "specs")
    assert result.exit_code == 1
    assert "none of its operations is a task" in result.output
    assert not (tmp_path / "specs").exists()


def test_the_command_without_a_file(tmp_path: Path) -> None:
    result = run(tmp_path / "missing.json", "--to", tmp_path / "specs")
    assert result.exit_code == 2
    assert "no such file" in result.output


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/openapi.json", "https://a.test/v1/openapi.json?a=1&b=2"])
def test_the_command_with_an_address(tmp_path: Path, address: str) -> None:
    result = run(address, "--to", tmp_path / "specs")
    assert result.exit_code == 2
    assert "is an address" in result.output
    assert "`curl -o openapi.json URL`" in result.output


def test_the_command_with_a_folder(tmp_path: Path) -> None:
    result = run(tmp_path, "--to", tmp_path / "specs")
    assert result.exit_code == 2
    assert "is a folder" in result.output


def test_nothing_is_written_over(tmp_path: Path) -> None:
    imported(tmp_path, posted(NAME))
    (tmp_path / "specs" / "run").mkdir(parents=True)
    (tmp_path / "specs" / "run" / "input.json").write_text("{}", encoding="utf-8")
    result = run(tmp_path / "small.json", "--to", tmp_path / "specs")
    assert result.exit_code == 1
    assert [path.name for path in (tmp_path / "specs").rglob("*") if path.is_file()] == ["input.json"]
