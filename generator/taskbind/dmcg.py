"""The one place that knows datamodel-code-generator.

It is fed self-contained schemas made from the IR, whose class names the plan has already decided, and answers with the
source of the classes. It has no part in resolving references, naming, or file layout: those are the parts of it that
change from week to week (it is pinned to one version), and the parts where the choice is ours.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Final

from . import ir
from .context import Context
from .escape import py_literal, visible
from .exact import sayable
from .hints import EXACT, limit
from .names import pascal
from .plan import TYPES, Plan
from .schema import field_schema, type_schema

_ANNOTATIONS: Final = ("format", "contentEncoding", "contentMediaType", "examples")
_BOUNDS: Final = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
}
_SHAPES: Final = {"type", "enum", "anyOf", "oneOf", "$ref", "customTypePath"}
_WIDTH: Final = 110
_DEFINITION: Final = "#/$defs/"
_TEXT: Final = "text {}"
"""What datamodel-code-generator sees in place of a text: the texts of a class change more often than all the rest."""
_PLACE: Final = re.compile(r'^(?P<indent> *)"""\n *text (?P<number>\d+)\n *"""$', re.MULTILINE)


@dataclass(frozen=True)
class Classes:
    """What was made: the source of each class by its name, in an order in which they can be defined.

    `ends` are statements about classes, by their names, that come after all of them. `imports` tells the module of
    every other name that a source may use. `types` are the types without a class that they use: name to expression.
    """

    sources: dict[str, str]
    ends: dict[str, str]
    imports: dict[str, str]
    types: dict[str, str]


def classes(api: ir.Api, plan: Plan, context: Context) -> Classes:
    """All classes of a plan.

    Classes that do not refer to each other, not even by way of others, do not show in each other's source. So each
    connected group of them is kept from run to run by its own schemas, without their texts, and what is missing is made
    in one go.
    """
    feed = _Feed(api, plan)
    definitions = {name.name: feed.object(api.definition(id)) for id, name in plan.classes.items()}
    bases = {name.name: base for id, name in plan.classes.items() if (base := feed.base(id))}
    base = f"{feed.types}.Model"
    refers = {name: set(_references(schema)) for name, schema in definitions.items()}
    groups = {
        context.key("classes", base, [(name, definitions[name], bases.get(name)) for name in group]): group
        for group in _groups(refers)
    }
    made = {key: tuple(found.note) for key in groups if (found := context.memo.get(key))}
    known = {name for key in made for name in groups[key]}
    if missing := {name: schema for name, schema in definitions.items() if name not in known}:
        sources, ends, imports = _taken_apart(
            _generate({"$defs": missing}, base, {name: bases[name] for name in missing if name in bases})
        )
        if surplus := sources.keys() - missing.keys():
            raise RuntimeError(
                f"datamodel-code-generator made classes that nobody planned: {', '.join(sorted(surplus))}"
            )
        for key in groups.keys() - made.keys():
            own = {name: sources[name] for name in groups[key]}
            words = set(re.findall(r"\w+", " ".join(own.values())))
            made[key] = (
                own,
                {name: ends[name] for name in own if name in ends},
                {name: module for name, module in imports.items() if name in words},
            )
            context.memo.put(key, "", made[key])
    sources, ends, imports = ({k: v for part in made.values() for k, v in part[i].items()} for i in range(3))
    order = _defined_in(refers)
    return Classes(
        {name: _told(sources[name], feed.texts[name]) for name in order},
        {name: ends[name] for name in order if name in ends},
        imports,
        feed.made,
    )


def _references(schema: Any) -> Iterator[str]:
    """The names of the classes that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(_DEFINITION)
        schema = [*schema.values()]
    if isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _groups(refers: Mapping[str, set[str]]) -> list[list[str]]:
    """The names that are connected by references, whichever way they go; groups and names in the given order."""
    group = {name: [name] for name in refers}
    for name, others in refers.items():
        for other in others:
            if group[name] is not group[other]:
                group[name] += group[other]
                for member in group[other]:
                    group[member] = group[name]
    order = {name: number for number, name in enumerate(refers)}
    return [sorted(found, key=order.__getitem__) for found in {id(found): found for found in group.values()}.values()]


def _defined_in(refers: Mapping[str, set[str]]) -> list[str]:
    """The names in datamodel-code-generator's order: each after what it refers to, those in and above cycles last."""
    done: dict[str, None] = {}
    left = list(refers)
    while left:
        waiting = []
        for name in left:
            if refers[name] - {name} <= done.keys():
                done[name] = None
            else:
                waiting.append(name)
        if len(waiting) == len(left):
            break
        left = waiting
    return [*done, *left]


def _told(source: str, texts: list[str]) -> str:
    """The source of a class with its texts in their places."""

    def text(match: re.Match[str]) -> str:
        safe = texts[int(match["number"])].replace("\\", r"\\").replace('"""', r"\"\"\"")
        return textwrap.indent(f'"""\n{safe}\n"""', match["indent"])

    return _PLACE.sub(text, source)


def _taken_apart(source: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The classes of one module, the statements about them that follow, and where its imports come from."""
    lines = source.split("\n")
    sources: dict[str, str] = {}
    ends: dict[str, str] = {}
    imports: dict[str, str] = {}
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name):
                # With this setting pydantic reads the source of every class to find the texts: that takes four times as
                # long as all the rest of making it.
                slow = {
                    word.value.lineno
                    for word in ast.walk(node)
                    if isinstance(word, ast.keyword) and word.arg == "use_attribute_docstrings"
                }
                numbers = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                sources[name] = "\n".join(lines[number - 1] for number in numbers if number not in slow)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in sources:
                ends[name] = ast.unparse(node)  # `Node.model_rebuild()`, for recursive ones
            case ast.ImportFrom(module=str(module), names=names):
                imports |= {alias.name: module for alias in names if module != "__future__"}
            case _:
                raise RuntimeError(f"datamodel-code-generator wrote something unknown: {ast.unparse(node)[:200]}")
    return sources, ends, imports


class _Feed:
    """Makes the schemas."""

    def __init__(self, api: ir.Api, plan: Plan) -> None:
        self.api, self.plan = api, plan
        self.types = f"{plan.package}._runtime.types"
        self.made: dict[str, str] = {}
        self.texts: dict[str, list[str]] = {}
        self.answering = False  # whether the object at work is part of a response

    def base(self, id: str) -> str | None:
        """The base class of a class, if it is another than Model."""
        kind = "Answer" if id in self.plan.answers else "Model"
        if id in self.plan.checked:
            return f"{self.plan.package}._runtime.checks.Checked{kind}"
        return f"{self.types}.{kind}" if kind != "Model" else None

    def reference(self, id: str) -> dict[str, Any]:
        name = self.plan.classes.get(id)
        if id in self.plan.aliases:
            return {"customTypePath": f"{self.plan.package}.models.{TYPES}.{self.plan.aliases[id]}"}
        if name is None:
            return type_schema(sayable(self.api.definition(id).type), self.reference)
        return {"$ref": f"{_DEFINITION}{name.name}"}

    def object(self, definition: ir.Definition) -> dict[str, Any]:
        type = sayable(definition.type)
        assert isinstance(type, ir.Object)
        self.answering = definition.id in self.plan.answers
        fields, additional = type.fields, type.additional
        name = self.plan.classes[definition.id].name
        out: dict[str, Any] = {"type": "object", "title": name}
        if definition.doc:
            out["description"] = _wrapped(definition.doc)
        out["properties"] = {field.name: self.member(field) for field in fields}
        texts = self.texts[name] = []
        for told in (out, *out["properties"].values()):
            if told.get("description", "").strip():
                texts.append(told["description"])
                told["description"] = _TEXT.format(len(texts) - 1)
        out["required"] = [field.name for field in fields if field.required]
        if isinstance(additional, bool):
            out["additionalProperties"] = additional
        else:
            out["additionalProperties"] = self.inside(type_schema(additional, self.reference))
        return out

    def member(self, field: ir.Field) -> dict[str, Any]:
        """The schema of a field. Its own bounds become pydantic's `Field`; those inside its type get a name."""
        out = self.exact(field_schema(field, self.reference))
        doc = [out.get("description", ""), *(f"- {line}" for line in self.api.value_docs(field.type))]
        if any(doc):
            out["description"] = _wrapped("\n".join(filter(None, doc)))
        if self.api.admits_null(field.type) and not field.required:
            out["x-nullable"] = True  # tells Model that `| None` here means null, not only absent
        if isinstance(field.default, list | dict) or field.default is None:
            out.pop("default", None)  # only immutable defaults become Python defaults; the docs show all
        members: list[dict[str, Any]] = [] if field.required else out.get("anyOf", [])
        plain = len(members) == 2 and members[1] == {"type": "null"} and members[0].get("type", "object") != "object"
        if plain:
            # A union with null of one typed schema reads better, and stays one field, as a list of types. (Not where
            # the member is required, nor for maps: there datamodel-code-generator would lose the null or the values.)
            del out["anyOf"]
            out = {**members[0], **out, "type": [members[0]["type"], "null"]}
            if "enum" in out:
                out["enum"] = [*out["enum"], None]
        return out

    def exact(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Swap in the scalar types that match JSON Schema exactly; drop annotations that would make other types."""
        if self.answering and schema.get("contentEncoding") == "base64":
            return {"customTypePath": f"{self.plan.package}._runtime.encoded.Base64"} | _about(schema)
        out = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
        if "oneOf" in out and all("const" in member for member in out["oneOf"]):
            out["enum"] = [member["const"] for member in out.pop("oneOf")]
        if out.get("type") in ("integer", "number"):
            if bounds := out.keys() & _BOUNDS.keys():
                return {key: value for key, value in out.items() if key not in bounds} | self.named(out)
            out["customTypePath"] = f"{self.types}.{EXACT[out['type']]}"
        if not _SHAPES & out.keys():
            out["customTypePath"] = f"{self.types}.Json"
        if out.get("type") == "array" and "prefixItems" not in out:
            out.setdefault("items", {})
        for key in ("items", "additionalProperties"):
            if isinstance(out.get(key), dict):
                out[key] = self.inside(out[key])
        for key in ("anyOf", "oneOf", "prefixItems"):
            if key in out:
                out[key] = [self.inside(member) for member in out[key]]
        if "prefixItems" in out:
            out["maxItems"] = len(out["prefixItems"])
        return out

    def inside(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema inside another. A bound or a tuple here would make a wrapper class; a named type makes none."""
        if not schema.keys() & {"prefixItems", *_BOUNDS}:
            return self.exact(schema)
        return self.named(schema) or self.exact(schema)

    def named(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What stands for a type that gets a name, in its place; nothing for a type that holds a class."""
        made = _written(schema)
        if made is None:
            return {}
        name, self.made[made[0]] = made
        return {"customTypePath": f"{self.plan.package}.models.{TYPES}.{name}"}


def _about(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: schema[key] for key in ("description", "default", "deprecated") if key in schema}


def _written(schema: dict[str, Any]) -> tuple[str, str] | None:
    """A name for a type that holds no class, and its exact expression; None for a type that does."""
    if "customTypePath" in schema:
        return None
    kind = schema.get("type")
    if "enum" in schema:
        literal = f"Literal[{', '.join(map(py_literal, schema['enum']))}]"
        return f"Literal{_spelled(literal)}", literal
    if kind == "array" and "prefixItems" in schema:
        items = [_written(item) for item in schema["prefixItems"]]
        parts = [item for item in items if item]
        runs = [(len(list(run)), name) for name, run in groupby(name for name, _ in parts)]
        name = "TupleOf" + "And".join(f"{count}{name}" if count > 1 else name for count, name in runs)
        return (name, f"tuple[{', '.join(type for _, type in parts)}]") if len(parts) == len(items) else None
    if kind == "array":
        inner = _written(schema.get("items", {}))
        plain = (f"ListOf{inner[0]}", f"list[{inner[1]}]") if inner else None
    elif members := schema.get("anyOf"):
        variants = [_written(member) for member in members]
        told = [variant for variant in variants if variant]
        both = "Or".join(name for name, _ in told), " | ".join(type for _, type in told)
        return both if len(told) == len(variants) else None
    else:
        type = EXACT.get(kind or "any")
        plain = (type.replace("Strict", ""), type) if type and "additionalProperties" not in schema else None
    bounds = {_BOUNDS[key]: value for key, value in schema.items() if key in _BOUNDS}
    if plain is None or not bounds:
        return plain
    limits = "".join(f"{pascal(key)}{_spelled(value)}" for key, value in bounds.items())
    return plain[0] + limits, limit(plain[1], bounds)


def _spelled(value: object) -> str:
    """A bound as part of a name; a pattern by a hash, for it may hold any character."""
    if isinstance(value, str):
        return hashlib.sha256(value.encode()).hexdigest()[:8]
    return str(value).replace("-", "Minus").replace("+", "").replace(".", "_")


@cache  # members of many classes have the same
def _wrapped(text: str) -> str:
    """A description fit for a docstring: nothing invisible in it, and no line too long."""
    lines = visible(text).split("\n")
    return "\n".join(
        textwrap.fill(
            line,
            _WIDTH,
            break_long_words=False,
            break_on_hyphens=False,
            subsequent_indent="  " if line.startswith("- ") else "",
        )
        for line in lines
    )


def _generate(document: Mapping[str, Any], base: str, bases: Mapping[str, str]) -> str:
    # Imported here: this import costs more than everything else a run does.
    from datamodel_code_generator import InputFileType, LiteralType, PythonVersion, generate
    from datamodel_code_generator.enums import DataModelType, StrictTypes

    source = generate(
        document,
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        output=None,
        formatters=[],
        disable_timestamp=True,
        base_class=base,
        base_class_map=dict(bases),
        skip_root_model=True,
        strict_types=[StrictTypes.str, StrictTypes.bool],
        strict_nullable=True,
        field_constraints=True,
        use_annotated=True,
        use_standard_collections=True,
        use_union_operator=True,
        use_tuple_for_fixed_items=True,
        enum_field_as_literal=LiteralType.All,
        use_single_value_enum_as_const=True,
        field_extra_keys_without_x_prefix={"x-nullable"},
        use_schema_description=True,
        use_field_description=True,
        use_attribute_docstrings=True,
        allow_remote_refs=False,
        strict_refs=True,
    )
    if not isinstance(source, str):
        raise RuntimeError(f"datamodel-code-generator answered with {type(source).__name__}, not one module")
    return source
