"""Lower normalised schemas to the IR.

Every object, every schema under ``$defs`` and every document root becomes a :class:`~taskbind.ir.Definition`, so that
it has a name; everything else stays inline. ``allOf`` is merged away: an intersection of objects is one object, and an
intersection with a union is distributed over its variants.

Nothing is weakened. Each step tells which keywords the type it made has *said*; those that no type said remain as a
check around it (:class:`~taskbind.ir.Checked`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal, cast

from . import ir, wires
from .diagnostics import Code, Diagnostic, Report, Severity
from .documents import Document, SpecTree, TaskSource
from .enums import NOTHING, constants, enum
from .load.positions import escape, line_of, unescape
from .load.walk import walk
from .names import pascal, words

_JsonType = Literal["string", "integer", "number", "boolean", "null"]
_BOUNDS: Final = {
    "number": {
        "minimum": "minimum",
        "maximum": "maximum",
        "exclusiveMinimum": "exclusive_minimum",
        "exclusiveMaximum": "exclusive_maximum",
        "multipleOf": "multiple_of",
    },
    "string": {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern", "format": "format"},
    "array": {"minItems": "min_items", "maxItems": "max_items", "uniqueItems": "unique"},
}
_LARGEST: Final = 200
"""How many types a definition without a class may hold to be written out where it is used."""
_DEEPEST: Final = 16
"""How deep two types are compared or merged; types that refer to themselves have no end."""
_PATIENCE: Final = 20_000
"""How many pairs of types are compared or merged in one run. Beyond, checks take over, which cost nothing here."""
_COMPANIONS: Final = {
    "additionalProperties": ("properties", "patternProperties"),
    "patternProperties": ("additionalProperties", "properties"),
    "contains": ("minContains", "maxContains"),
    "if": ("then", "else"),
    "items": ("prefixItems",),
    "prefixItems": ("items",),
}
"""Keywords that mean something only together: a check that holds one needs the others."""

CODES: Final = (
    Code(
        "TB301",
        Severity.ERROR,
        "request that is no object",
        "A request is an object whose members are named: the client's arguments and the server's checks are made of "
        "them. Wrap the value into an object, for example as its member `inputs`.",
    ),
    Code(
        "TB305",
        Severity.ERROR,
        "types nest too deep",
        "Objects in objects in objects, through references too, can nest deeper than a program can follow them, and "
        "deeper than anybody can read. Python gives up at about a hundred levels. Types that hold themselves are one "
        "level, however deep their values are.",
    ),
)


def lower(tree: SpecTree, report: Report) -> ir.Api:
    """The IR of a normalised tree. Reported are requests that are no objects, types that nest too deep, and wires
    that do not fit their tasks."""
    lowering = _Lowering(tree)
    tasks = []
    for source in tree.tasks:
        try:
            tasks.append(lowering.task(source))
        except RecursionError:
            message, fix = "its types nest too deep", "have objects hold fewer objects in objects"
            report.add(Diagnostic(source.input.path, 1, "", "TB305", Severity.ERROR, message, fix))
            return ir.Api((), ())
    api = ir.Api(tuple(tasks), tuple(lowering.definitions[id] for id in sorted(lowering.definitions)))
    for source, task in zip(tree.tasks, tasks, strict=True):
        request = api.resolve(ir.Ref(task.input))
        if not isinstance(request, ir.Object) or not request.fields:
            message, line = "a request must be an object with members", line_of(source.input.text, "")
            fix = "wrap the value into an object, as its member `inputs`"
            report.add(Diagnostic(source.input.path, line, "", "TB301", Severity.ERROR, message, fix))
    used = api.reachable(id for task in tasks for id in (task.input, task.output, task.stream) if id)
    definitions = tuple(definition for definition in api.definitions if definition.id in used)
    api = ir.Api(api.tasks, definitions, wires.dialects(tree))
    wires.check(tree, api, report)
    return api


class _Lowering:
    def __init__(self, tree: SpecTree) -> None:
        self.documents = {document.path: document for document in tree.documents}
        self.definitions: dict[str, ir.Definition] = {}
        self.open: list[str] = []
        self.sizes: dict[str, int] = {}  # of definitions without a class, written out in place
        self.merging: list[tuple[ir.Type, ir.Type]] = []
        self.patience = _PATIENCE

    # ------------------------------------------------------------------------------------------------ tasks

    def task(self, source: TaskSource) -> ir.Task:
        title = source.meta.get("title") or " ".join(word.capitalize() for word in words(source.id))
        prefix = pascal(source.id)
        docs = ir.TaskDocs(
            summary=source.meta.get("summary", ""),
            category=source.meta.get("category", ""),
            also=tuple(source.meta.get("also", ())),
            description=source.meta.get("description", ""),
            applications=tuple(source.meta.get("applications", ())),
            models=tuple(ir.Recommended(m["id"], m["doc"]) for m in source.meta.get("models", ())),
            learn_more=source.meta.get("learn_more", ""),
            pipeline_tag=source.meta.get("pipeline_tag", ""),
        )
        return ir.Task(
            id=source.id,
            title=title,
            input=self.root(source.input, f"{prefix}Input"),
            output=self.root(source.output, f"{prefix}Output"),
            stream=self.root(source.stream, f"{prefix}StreamOutput") if source.stream else None,
            docs=docs,
            examples=tuple(_example(source, example) for example in source.meta.get("examples", ())),
            wires=wires.wires(source),
        )

    def root(self, document: Document, name: str) -> str:
        return self.define(document, "", document.data, name)

    # ------------------------------------------------------------------------------------------ definitions

    def reference(self, target: str) -> str:
        """Lower the target of a canonical ``$ref``, once, and return its id."""
        if target not in self.definitions:
            path, _, pointer = target.partition("#")
            document = self.documents[path]
            schema = _resolve(document.data, pointer)
            self.define(document, pointer, schema, pascal(pointer.rsplit("/", 1)[-1] or path))
        return target

    def define(self, document: Document, pointer: str, schema: Any, hint: str) -> str:
        id = f"{document.path}#{pointer}"
        if id in self.definitions:
            return id
        about = {} if isinstance(schema, bool) else schema
        name = pascal(about["title"]) if about.get("title") else hint
        source = ir.Source(document.path, pointer)
        # The placeholder lets a recursive schema refer to itself while it is being lowered.
        self.definitions[id] = ir.Definition(id, name, ir.Any(), about.get("description", ""), source)
        self.open.append(id)
        type = self.type(document, pointer, schema, name, named=True)
        self.open.pop()
        self.definitions[id] = replace(self.definitions[id], type=type)
        self.sizes[id] = self._size(type)
        return id

    # ------------------------------------------------------------------------------------------------ types

    def type(self, document: Document, pointer: str, schema: Any, name: str, *, named: bool = False) -> ir.Type:
        """The type of one schema. `named`: the caller makes a definition of it, so an object need not."""
        if isinstance(schema, bool):
            return ir.Any() if schema else ir.Checked(ir.Any(), ir.text(False))
        result, said = self._typed(document, pointer, schema, name)
        for keyword in ("$ref", "oneOf", "anyOf", "allOf"):
            if keyword not in schema or keyword in said:
                continue
            part = self._part(document, pointer, keyword, schema[keyword], name)
            merged = self._intersect(result, part, f"{document.path}#{pointer}", name) if part is not None else None
            if merged is not None:
                result = merged
                said = said | {keyword}
        result = self._own(self._checked(result, schema, said))
        if isinstance(ir.bare(result), ir.Object) and not named:
            title = pascal(schema["title"]) if schema.get("title") else name
            return self._name(f"{document.path}#{pointer}", result, title, schema.get("description", ""))
        return result

    def _checked(self, type: ir.Type, schema: Mapping[str, Any], said: frozenset[str]) -> ir.Type:
        """`type` with what `schema` says besides, which needs a check."""
        left = [keyword for keyword in schema if keyword not in said and keyword not in NOTHING]
        if not left:
            return type
        if any(keyword.startswith("unevaluated") for keyword in left):
            left = list(schema)  # what counts as evaluated depends on all of them
        wanted = {*left, *(other for keyword in left for other in _COMPANIONS.get(keyword, ()))}
        check = _assertions({keyword: schema[keyword] for keyword in schema if keyword in wanted})
        if "properties" in said and "properties" in check and "properties" not in left:
            check["properties"] = dict.fromkeys(check["properties"], True)  # which ones there are matters here
        for _, inner in walk(check):
            if "$ref" in inner:
                self.reference(inner["$ref"])
        return ir.Checked(type, ir.text(check))

    def _own(self, type: ir.Type) -> ir.Type:
        """A checked reference to an object is an object of its own: the check is not one of the class referred to."""
        target = self._expand(base) if isinstance(base := ir.bare(type), ir.Ref) and base != type else type
        if target is type:
            return type
        return _rechecked(ir.bare(target), target, type) if isinstance(ir.bare(target), ir.Object) else type

    def _part(self, document: Document, pointer: str, keyword: str, value: Any, name: str) -> ir.Type | None:
        """The type that one applicator asserts; None if it says less about the type than about its members."""
        if keyword == "$ref":
            return self._reference(value)
        if keyword != "allOf":
            return self._union(document, f"{pointer}/{keyword}", value, name, keyword == "oneOf")
        result: ir.Type = ir.Any()
        for index, member in enumerate(value):
            part = self.type(document, f"{pointer}/allOf/{index}", member, name, named=True)
            merged = self._intersect(result, part, f"{document.path}#{pointer}/allOf", name)
            if merged is None:
                return None
            result = merged
        return result

    def _reference(self, target: str) -> ir.Type:
        self.reference(target)
        # Without a class in between, a type cannot name itself, and may grow beyond all bounds; a schema has names.
        endless = target in self.open and not self._through_object(target)
        if endless or self.sizes.get(target, 0) > _LARGEST:
            return ir.Checked(ir.Any(), ir.text({"$ref": target}))
        return ir.Ref(target)

    def _size(self, type: ir.Type) -> int:
        """How many types stand in a type once references to what has no class are written out."""
        if isinstance(type, ir.Ref):
            has_class = isinstance(ir.bare(self.definitions[type.id].type), ir.Object)
            return 1 if has_class or type.id in self.open else self.sizes[type.id]
        return 1 + sum(map(self._size, ir.children(type)))

    def _through_object(self, id: str) -> bool:
        return any(_makes_class(self._schema(item)) for item in self.open[self.open.index(id) :])

    def _schema(self, id: str) -> Any:
        path, _, pointer = id.partition("#")
        return _resolve(self.documents[path].data, pointer)

    def _typed(self, document: Document, pointer: str, schema: Any, name: str) -> tuple[ir.Type, frozenset[str]]:
        """The type that a schema's own keywords assert, and which of them it says."""
        if "enum" in schema or "const" in schema:
            return enum(schema)
        if (told := constants(schema)) is not None:
            return told
        if "type" not in schema:
            return ir.Any(), frozenset()
        types = [schema["type"]] if isinstance(schema["type"], str) else list(dict.fromkeys(schema["type"]))
        if "number" in types and "integer" in types:
            types.remove("integer")
        said = {"type"}
        variants = []
        for each in types:
            variant, more = self._one(document, pointer, schema, each, name)
            said |= more
            variants.append(variant)
        if len(variants) == 1:
            return variants[0], frozenset(said)
        named = [self._name(f"{document.path}#{pointer}/type", variant, name) for variant in variants]
        return ir.Union(tuple(named)), frozenset(said)

    def _one(self, document: Document, pointer: str, schema: Any, type: str, name: str) -> tuple[ir.Type, set[str]]:
        match type:
            case "object":
                return self._object(document, pointer, schema, name)
            case "array":
                return self._array(document, pointer, schema, name)
            case "string" if schema.get("contentEncoding") == "base64" and not _BOUNDS["string"].keys() & schema.keys():
                content_type = schema.get("contentMediaType", "application/octet-stream")
                main = content_type.partition("/")[0]
                return ir.Media(main if main in ("audio", "image", "video") else "binary", content_type), set()
            case "string":
                return ir.Scalar("string", **_bounds(schema, "string")), {*_BOUNDS["string"]}
            case "integer" | "number":
                return ir.Scalar(cast(_JsonType, type), **_bounds(schema, "number")), {*_BOUNDS["number"]}
            case _:
                return ir.Scalar(cast(_JsonType, type)), set()

    def _array(self, document: Document, pointer: str, schema: Any, name: str) -> tuple[ir.Array, set[str]]:
        prefix = tuple(
            self.type(document, f"{pointer}/prefixItems/{i}", item, f"{name}Item{i + 1}")
            for i, item in enumerate(schema.get("prefixItems", ()))
        )
        items = schema.get("items", True)
        rest = None if items is False else self.type(document, f"{pointer}/items", items, f"{name}Element")
        return ir.Array(rest, prefix, **_bounds(schema, "array")), {*_BOUNDS["array"], "prefixItems", "items"}

    def _object(self, document: Document, pointer: str, schema: Any, name: str) -> tuple[ir.Type, set[str]]:
        required, declared = schema.get("required", ()), schema.get("properties", {})
        additional, said = schema.get("additionalProperties", True), {"properties", "required", "additionalProperties"}
        if "patternProperties" in schema:  # they take members out of what additionalProperties governs
            additional, said = True, {"properties", "required"}
        others: bool | ir.Type = additional
        if not isinstance(additional, bool):
            others = self.type(document, f"{pointer}/additionalProperties", additional, f"{name}Value")
        fields = [
            self._field(document, f"{pointer}/properties/{escape(key)}", key, member, name, key in required)
            for key, member in declared.items()
        ]
        # A required member that is not declared is one of the others, which has to be there.
        undeclared = ir.Checked(ir.Any(), ir.text(False)) if others is False else ir.Any() if others is True else others
        fields += [ir.Field(key, undeclared, True) for key in dict.fromkeys(required) if key not in declared]
        if not fields and not isinstance(others, bool):
            return ir.Map(others), said
        if not fields and others and "properties" not in schema and not schema.get("title"):
            return ir.Map(ir.Any()), said
        return ir.Object(tuple(fields), others), said

    def _field(self, document: Document, pointer: str, key: str, schema: Any, owner: str, required: bool) -> ir.Field:
        type = self.type(document, pointer, schema, f"{owner}{pascal(key)}")
        schema = {} if isinstance(schema, bool) else schema
        doc = schema.get("description", "")
        if not doc and isinstance(type, ir.Ref):
            doc = self.definitions[type.id].doc
        return ir.Field(
            name=key,
            type=type,
            required=required,
            doc=doc,
            default=schema.get("default", ir.ABSENT),
            examples=tuple(schema.get("examples", ())),
            deprecated=schema.get("deprecated", False),
            source=ir.Source(document.path, pointer),
        )

    def _union(
        self, document: Document, pointer: str, members: list[Any], name: str, exclusive: bool
    ) -> ir.Type | None:
        variants: list[ir.Type] = []
        for index, member in enumerate(members):
            hint = f"{name}{_variant_name(member, members) or f'Variant{index + 1}'}"
            variant = self.type(document, f"{pointer}/{index}", member, hint)
            if isinstance(variant, ir.Checked) and variant.base == ir.Any():
                return None
            variants += variant.variants if isinstance(variant, ir.Union) and not exclusive else [variant]
        if len(variants) == 1:
            return variants[0]
        # Twice the same variant of a oneOf is a contradiction, not a repetition.
        kept = tuple(variants if exclusive else dict.fromkeys(variants))
        return ir.Union(kept, exclusive and not self._disjoint(variants))

    def _disjoint(self, variants: list[ir.Type]) -> bool:
        """Whether no JSON value can match two of the variants, because their JSON types or their tags differ."""
        return all(self._apart(a, b) for i, a in enumerate(variants) for b in variants[i + 1 :])

    def _apart(self, a: ir.Type, b: ir.Type, depth: int = 0) -> bool:
        self.patience -= 1
        if depth > _DEEPEST or self.patience < 0:
            return False
        a, b = ir.bare(self._expand(a)), ir.bare(self._expand(b))
        for one, other in ((a, b), (b, a)):
            if isinstance(one, ir.Union):
                return all(self._apart(variant, other, depth + 1) for variant in one.variants)
        if isinstance(a, ir.Enum) and isinstance(b, ir.Enum):
            return not set(a.values) & set(b.values)
        if isinstance(a, ir.Object) and isinstance(b, ir.Object):
            return any(
                self._apart(field.type, twin.type, depth + 1)
                for field in a.fields
                if field.required and (twin := b.field(field.name)) is not None and twin.required
            )
        kinds = _json_kind(a), _json_kind(b)
        return None not in kinds and kinds[0] != kinds[1]

    # ----------------------------------------------------------------------------------------- intersection

    def _expand(self, type: ir.Type) -> ir.Type:
        """What a chain of references ends at."""
        while isinstance(type, ir.Ref):
            type = self.definitions[type.id].type
        return type

    def _intersect(self, a: ir.Type, b: ir.Type, id: str, name: str) -> ir.Type | None:
        """The values that both types admit, if there is a type for them."""
        if a == ir.Any() or a == b:
            return b
        if b == ir.Any():
            return a
        if any(isinstance(each, ir.Ref) and each.id in self.open for each in (a, b)):
            return None  # not known yet
        self.patience -= 1
        if (a, b) in self.merging or len(self.merging) > _DEEPEST or self.patience < 0:
            return None
        self.merging.append((a, b))
        try:
            return self._merge(self._expand(a), self._expand(b), id, name)
        finally:
            self.merging.pop()

    def _merge(self, a: ir.Type, b: ir.Type, id: str, name: str) -> ir.Type | None:
        """The same for two types that are no references."""
        if isinstance(a, ir.Checked) or isinstance(b, ir.Checked):
            merged = self._intersect(ir.bare(a), ir.bare(b), id, name)
            return None if merged is None else _rechecked(merged, a, b)
        if isinstance(b, ir.Union) and not isinstance(a, ir.Union):
            a, b = b, a
        if isinstance(a, ir.Union) and not isinstance(b, ir.Union):
            return self._distribute(a, b, id, name)
        if isinstance(a, ir.Object) and isinstance(b, ir.Object) and a.additional is True and b.additional is True:
            return self._join(a, b, id, name)
        if ir.Map(ir.Any()) in (a, b) and isinstance(a, ir.Object | ir.Map) and isinstance(b, ir.Object | ir.Map):
            return b if a == ir.Map(ir.Any()) else a
        if isinstance(a, ir.Scalar) and isinstance(b, ir.Scalar) and a.type == b.type:
            plain = ir.Scalar(a.type)
            return b if a == plain else a if b == plain else None
        return None

    def _distribute(self, union: ir.Union, type: ir.Type, id: str, name: str) -> ir.Type | None:
        variants = []
        for index, variant in enumerate(union.variants):
            merged = self._intersect(variant, type, f"{id}/{index}", name)
            if merged is None:
                return None
            hint = self.definitions[variant.id].name if isinstance(variant, ir.Ref) else f"{name}Variant{index + 1}"
            variants.append(self._name(f"{id}/{index}", merged, hint))
        return ir.Union(tuple(variants), union.exclusive)

    def _join(self, a: ir.Object, b: ir.Object, id: str, name: str) -> ir.Type | None:
        members = {field.name: field for field in a.fields}
        for field in b.fields:
            if field.name in members:
                mine = members[field.name]
                type = self._intersect(mine.type, field.type, f"{id}/{field.name}", name)
                if type is None:
                    return None
                field = replace(mine, type=type, required=mine.required or field.required)
            members[field.name] = field
        return ir.Object(tuple(members.values()))

    def _name(self, id: str, type: ir.Type, name: str, doc: str = "") -> ir.Type:
        """A reference to a new definition of an object; every other type as it is."""
        if not isinstance(ir.bare(type), ir.Object):
            return type
        path, _, pointer = id.partition("#")
        self.definitions[id] = ir.Definition(id, name, type, doc, ir.Source(path, pointer))
        return ir.Ref(id)


def _example(source: TaskSource, example: Mapping[str, Any]) -> ir.Example:
    media = example.get("media")
    return ir.Example(
        name=example["name"],
        title=example.get("title", ""),
        media=f"{source.id}/{media}" if media else None,
        inputs=example.get("inputs", ir.ABSENT),
        files=tuple((name, f"{source.id}/{path}") for name, path in example.get("files", {}).items()),
        parameters=tuple(example.get("parameters", {}).items()),
        response=source.responses.get(example["name"], ir.ABSENT),
        recorded=example["name"] in source.recorded,
        **source.recordings.get(example["name"], {}),
    )


def _bounds(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: schema[keyword] for keyword, name in _BOUNDS[kind].items() if keyword in schema}


def _assertions(schema: Any) -> Any:
    """A copy of a schema without the keywords that accept everything."""
    if not isinstance(schema, dict):
        return schema
    out = json.loads(json.dumps(schema))
    for _, inner in walk(out):
        for keyword in NOTHING & inner.keys():
            del inner[keyword]
    return out


def _rechecked(type: ir.Type, *checked: ir.Type) -> ir.Type:
    """`type` with all the checks of other types around it."""
    for each in checked:
        while isinstance(each, ir.Checked):
            type, each = ir.Checked(type, each.schema), each.base
    return type


def _makes_class(schema: Any) -> bool:
    """Whether a schema is sure to become an object with a name."""
    return isinstance(schema, dict) and schema.get("type") == "object" and bool(schema.get("properties"))


def _variant_name(member: Any, members: list[Any]) -> str:
    """What tells one union member from the others: its title, its constant tag, or a member only it requires."""
    if not isinstance(member, dict):
        return ""
    for schema in member.get("properties", {}).values():
        tag = schema.get("const") or (schema.get("enum") or [None])[0] if isinstance(schema, dict) else None
        if isinstance(tag, str) and len(schema.get("enum", "1")) == 1:
            return pascal("-".join(words(tag)))
    others = {name for m in members if isinstance(m, dict) and m is not member for name in m.get("required", ())}
    own = [name for name in member.get("required", ()) if name not in others]
    return pascal("-".join(words(own[0]))) if own else ""


def _json_kind(type: ir.Type) -> str | None:
    match type:
        case ir.Scalar():
            return "number" if type.type == "integer" else type.type
        case ir.Enum() | ir.Media():
            return "string"
        case ir.Array():
            return "array"
        case ir.Object() | ir.Map():
            return "object"
        case _:
            return None


def _resolve(data: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        key = unescape(part)
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data
