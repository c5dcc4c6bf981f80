"""Lower normalised schemas to the IR.

Every object, every schema under ``$defs`` and every document root becomes a :class:`~taskbind.ir.Definition`, so that
it has a name; everything else stays inline. ``allOf`` is merged away: an intersection of objects is one object, and an
intersection with a union is distributed over its variants. What has no exact form in the IR is refused with a code and
a pointer rather than weakened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, cast

from . import ir
from .diagnostics import Code, Diagnostic, Report, Severity
from .documents import Document, SpecTree, TaskSource
from .load.positions import escape, line_of, unescape
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
_KEYWORDS_OF_TYPE: Final = {
    "integer or number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"),
    "array": ("minItems", "maxItems", "uniqueItems", "items", "prefixItems"),
    "object": ("properties", "required", "additionalProperties"),
}

CODES: Final = (
    Code(
        "TB301",
        Severity.ERROR,
        "keyword without its type",
        "A keyword such as `properties` or `minimum` constrains one JSON type only and lets every value "
        "of another type pass. Say which `type` is meant.",
    ),
    Code(
        "TB302",
        Severity.ERROR,
        "enum that a model cannot state exactly",
        "Enums of strings, of null and of both booleans are exact. In other enums a Python literal would "
        "take `1` for `true` or `1.0` for `1`, so they are refused until residual checks exist.",
    ),
    Code(
        "TB303",
        Severity.ERROR,
        "intersection that cannot be merged",
        "`allOf` is merged into one type. Two different types for one member, or a closed object beside "
        "another, have no merged form that is exact; write the object out.",
    ),
    Code(
        "TB304",
        Severity.ERROR,
        "recursion without an object",
        "A definition may refer to itself only through an object, which gives the recursion a class name.",
    ),
    Code(
        "TB305",
        Severity.ERROR,
        "uniqueItems",
        "No generated model enforces `uniqueItems` yet; take it out or state it in prose.",
    ),
    Code(
        "TB306",
        Severity.ERROR,
        "tuple of open length",
        "`prefixItems` becomes a Python tuple, which is exact only for a fixed length. Add `items: "
        "false` and a `minItems` as large as the number of `prefixItems`.",
    ),
)
_FIX: Final = {code.code: code.text.rsplit(". ", 1)[-1] for code in CODES}


def lower(tree: SpecTree, report: Report) -> ir.Api:
    """The IR of a normalised tree. What cannot be lowered is reported, and its place typed as any value."""
    lowering = _Lowering(tree, report)
    tasks = tuple(lowering.task(source) for source in tree.tasks)
    api = ir.Api(tasks, tuple(lowering.definitions[id] for id in sorted(lowering.definitions)))
    used = api.reachable(id for task in tasks for id in (task.input, task.output, task.stream) if id)
    return ir.Api(tasks, tuple(definition for definition in api.definitions if definition.id in used))


class _Lowering:
    def __init__(self, tree: SpecTree, report: Report) -> None:
        self.report = report
        self.documents = {document.path: document for document in tree.documents}
        self.definitions: dict[str, ir.Definition] = {}
        self.open: list[str] = []

    # ------------------------------------------------------------------------------------------------ tasks

    def task(self, source: TaskSource) -> ir.Task:
        title = source.meta.get("title") or " ".join(word.capitalize() for word in words(source.id))
        prefix = pascal(source.id)
        docs = ir.TaskDocs(
            summary=source.meta.get("summary", ""),
            description=source.meta.get("description", ""),
            applications=tuple(source.meta.get("applications", ())),
            models=tuple(ir.Recommended(m["id"], m["doc"]) for m in source.meta.get("models", ())),
            learn_more=source.meta.get("learn_more", ""),
        )
        return ir.Task(
            id=source.id,
            title=title,
            input=self.root(source.input, f"{prefix}Input"),
            output=self.root(source.output, f"{prefix}Output"),
            stream=self.root(source.stream, f"{prefix}StreamOutput") if source.stream else None,
            docs=docs,
            examples=tuple(_example(source, example) for example in source.meta.get("examples", ())),
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
        name = pascal(schema["title"]) if schema.get("title") else hint
        source = ir.Source(document.path, pointer)
        # The placeholder lets a recursive schema refer to itself while it is being lowered.
        self.definitions[id] = ir.Definition(id, name, ir.Any(), schema.get("description", ""), source)
        self.open.append(id)
        type = self.type(document, pointer, schema, name, named=True)
        self.open.pop()
        self.definitions[id] = replace(self.definitions[id], type=type)
        return id

    # ------------------------------------------------------------------------------------------------ types

    def type(self, document: Document, pointer: str, schema: Any, name: str, *, named: bool = False) -> ir.Type:
        """The type of one schema. `named`: the caller makes a definition of it, so an object need not."""
        if schema is True or schema == {}:
            return ir.Any()
        parts = list(self._parts(document, pointer, schema, name, named))
        result: ir.Type = ir.Any()
        for part in parts:
            merged = self._intersect(result, part, f"{document.path}#{pointer}", name)
            if merged is None:
                self._refuse("TB303", document, pointer, "`allOf` joins types that have no common exact form")
                return ir.Any()
            result = merged
        if isinstance(result, ir.Object) and not named:
            id = f"{document.path}#{pointer}"
            title = pascal(schema["title"]) if schema.get("title") else name
            doc = schema.get("description", "")
            self.definitions[id] = ir.Definition(id, title, result, doc, ir.Source(document.path, pointer))
            return ir.Ref(id)
        return result

    def _parts(self, document: Document, pointer: str, schema: Any, name: str, named: bool) -> Iterable[ir.Type]:
        """The types that a schema's applicators assert, all of which hold at once."""
        if "$ref" in schema:
            self.reference(schema["$ref"])
            if schema["$ref"] in self.open and not self._through_object(schema["$ref"]):
                self._refuse("TB304", document, pointer, "refers to itself without an object in between")
            yield ir.Ref(schema["$ref"])
        if "enum" in schema or "const" in schema:
            yield self._enum(document, pointer, schema)
        elif (consts := _consts(schema)) is not None:
            yield ir.Enum(*consts)
        else:
            if "type" in schema:
                yield self._typed(document, pointer, schema, name, named)
            else:
                for types, keywords in _KEYWORDS_OF_TYPE.items():
                    if found := [keyword for keyword in keywords if keyword in schema]:
                        self._refuse("TB301", document, pointer, f"`{found[0]}` stands without `type`: say {types}")
            for keyword, exclusive in (("oneOf", True), ("anyOf", False)):
                if keyword in schema:
                    yield self._union(document, f"{pointer}/{keyword}", schema[keyword], name, exclusive)
        for index, member in enumerate(schema.get("allOf", ())):
            part = self.type(document, f"{pointer}/allOf/{index}", member, name, named=True)
            yield self._expand(part)

    def _through_object(self, id: str) -> bool:
        stack = self.open[self.open.index(id) :]
        return any(self._schema(item).get("type") == "object" for item in stack)

    def _schema(self, id: str) -> Mapping[str, Any]:
        path, _, pointer = id.partition("#")
        return cast(Mapping[str, Any], _resolve(self.documents[path].data, pointer))

    def _enum(self, document: Document, pointer: str, schema: Any) -> ir.Type:
        values = list(schema["enum"]) if "enum" in schema else [schema["const"]]
        allowed = schema.get("type")
        if allowed is not None:
            wanted = {allowed} if isinstance(allowed, str) else set(allowed)
            values = [value for value in values if _type_name(value) in wanted or _integral(value, wanted)]
        variants: list[ir.Type] = []
        if any(value is True for value in values) and any(value is False for value in values):
            variants.append(ir.Scalar("boolean"))
            values = [value for value in values if not isinstance(value, bool)]
        nullable = any(value is None for value in values)
        values = [value for value in values if value is not None]
        if not all(isinstance(value, str) for value in values):
            self._refuse("TB302", document, pointer, "an enum of these values has no exact model")
            return ir.Any()
        if values:
            variants.append(ir.Enum(tuple(values)))
        if nullable:
            variants.append(ir.NULL)
        return variants[0] if len(variants) == 1 else ir.Union(tuple(variants))

    def _typed(self, document: Document, pointer: str, schema: Any, name: str, named: bool) -> ir.Type:
        types = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
        if len(types) == 1:
            return self._one(document, pointer, schema, types[0], name)
        variants = [self._one(document, pointer, schema, type, name) for type in types]
        return ir.Union(tuple(self._name_object(document, pointer, v, name) for v in variants))

    def _one(self, document: Document, pointer: str, schema: Any, type: str, name: str) -> ir.Type:
        match type:
            case "object":
                return self._object(document, pointer, schema, name)
            case "array":
                return self._array(document, pointer, schema, name)
            case "string" if schema.get("contentEncoding") == "base64":
                content_type = schema.get("contentMediaType", "application/octet-stream")
                main = content_type.partition("/")[0]
                return ir.Media(main if main in ("audio", "image", "video") else "binary", content_type)
            case "string":
                return ir.Scalar("string", **_bounds(schema, "string"))
            case "integer" | "number":
                return ir.Scalar(cast(_JsonType, type), **_bounds(schema, "number"))
            case _:
                return ir.Scalar(cast(_JsonType, type))

    def _array(self, document: Document, pointer: str, schema: Any, name: str) -> ir.Array:
        if schema.get("uniqueItems"):
            self._refuse("TB305", document, pointer, "`uniqueItems` is not enforced by any generated model yet")
        prefix = tuple(
            self.type(document, f"{pointer}/prefixItems/{i}", item, f"{name}Item{i + 1}")
            for i, item in enumerate(schema.get("prefixItems", ()))
        )
        items = schema.get("items", True)
        if prefix and (items is not False or schema.get("minItems") != len(prefix)):
            self._refuse("TB306", document, pointer, "`prefixItems` without a fixed length")
        rest = None if items is False else self.type(document, f"{pointer}/items", items, f"{name}Element")
        return ir.Array(rest, prefix, **_bounds(schema, "array"))

    def _object(self, document: Document, pointer: str, schema: Any, name: str) -> ir.Type:
        required = set(schema.get("required", ()))
        fields = tuple(
            self._field(document, f"{pointer}/properties/{escape(key)}", key, member, name, key in required)
            for key, member in schema.get("properties", {}).items()
        )
        additional = schema.get("additionalProperties", True)
        if not isinstance(additional, bool):
            values = self.type(document, f"{pointer}/additionalProperties", additional, f"{name}Value")
            return ir.Object(fields, values) if fields else ir.Map(values)
        if not fields and additional and "properties" not in schema and not schema.get("title"):
            return ir.Map(ir.Any())
        return ir.Object(fields, additional)

    def _field(self, document: Document, pointer: str, key: str, schema: Any, owner: str, required: bool) -> ir.Field:
        type = self.type(document, pointer, schema, f"{owner}{pascal(key)}")
        schema = {} if schema is True else schema
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

    def _union(self, document: Document, pointer: str, members: list[Any], name: str, exclusive: bool) -> ir.Type:
        variants: list[ir.Type] = []
        for index, member in enumerate(members):
            hint = f"{name}{_variant_name(member, members) or f'Variant{index + 1}'}"
            variant = self.type(document, f"{pointer}/{index}", member, hint)
            variants += variant.variants if isinstance(variant, ir.Union) and not exclusive else [variant]
        if len(variants) == 1:
            return variants[0]
        return ir.Union(tuple(dict.fromkeys(variants)), exclusive and not self._disjoint(variants))

    def _disjoint(self, variants: list[ir.Type]) -> bool:
        """Whether no JSON value can match two of the variants, just because their JSON types differ."""
        kinds = [_json_kind(self._expand(variant)) for variant in variants]
        return None not in kinds and len(set(kinds)) == len(kinds)

    # ----------------------------------------------------------------------------------------- intersection

    def _expand(self, type: ir.Type) -> ir.Type:
        """What a chain of references ends at."""
        while isinstance(type, ir.Ref):
            type = self.definitions[type.id].type
        return type

    def _intersect(self, a: ir.Type, b: ir.Type, id: str, name: str) -> ir.Type | None:
        if isinstance(a, ir.Any) or a == b:
            return b
        if isinstance(b, ir.Any):
            return a
        a, b = self._expand(a), self._expand(b)
        if isinstance(b, ir.Union) and not isinstance(a, ir.Union):
            a, b = b, a
        if isinstance(a, ir.Union) and not isinstance(b, ir.Union):
            variants = []
            for index, variant in enumerate(a.variants):
                merged = self._intersect(variant, b, f"{id}/{index}", name)
                if merged is None:
                    return None
                hint = self.definitions[variant.id].name if isinstance(variant, ir.Ref) else f"{name}Variant{index + 1}"
                variants.append(self._name(f"{id}/{index}", merged, hint))
            return ir.Union(tuple(variants), a.exclusive)
        if isinstance(a, ir.Object) and isinstance(b, ir.Object) and a.additional is True and b.additional is True:
            return self._join(a, b, id, name)
        return None

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

    def _name_object(self, document: Document, pointer: str, type: ir.Type, name: str) -> ir.Type:
        return self._name(f"{document.path}#{pointer}/type", type, name)

    def _name(self, id: str, type: ir.Type, name: str) -> ir.Type:
        if not isinstance(type, ir.Object):
            return type
        path, _, pointer = id.partition("#")
        self.definitions[id] = ir.Definition(id, name, type, "", ir.Source(path, pointer))
        return ir.Ref(id)

    def _refuse(self, code: str, document: Document, pointer: str, message: str) -> None:
        line = line_of(document.text, pointer)
        self.report.add(Diagnostic(document.path, line, pointer, code, Severity.ERROR, message, _FIX[code]))


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
    )


def _bounds(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: schema[keyword] for keyword, name in _BOUNDS[kind].items() if keyword in schema}


def _consts(schema: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """A oneOf or anyOf of string constants is an enum whose values have descriptions."""
    for keyword in ("oneOf", "anyOf"):
        members = schema.get(keyword)
        if members and all(isinstance(m, dict) and isinstance(m.get("const"), str) for m in members):
            values = tuple(m["const"] for m in members)
            if len(set(values)) == len(values):
                return values, tuple(m.get("description", "") for m in members)
    return None


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


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _integral(value: Any, wanted: set[str]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and "number" in wanted


def _resolve(data: Any, pointer: str) -> Any:
    for part in filter(None, pointer.split("/")):
        key = unescape(part)
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data
