"""The one place that knows datamodel-code-generator.

It is fed self-contained schemas made from the IR, whose class names the plan has already decided, and answers with the
source of the classes. It has no part in resolving references, naming, or file layout: those are the parts of it that
change from week to week (it is pinned to one version), and the parts where the choice is ours.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import ir
from .escape import py_literal, visible
from .names import pascal
from .plan import Plan
from .schema import field_schema, type_schema

_EXACT: Final = {"string": "StrictStr", "integer": "Integer", "number": "Number"}
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
_WIDTH: Final = 110

BOUNDED: Final = "_bounded"
"""The module under ``models`` that holds the bounded types which stand inside lists, tuples, maps and unions."""


@dataclass(frozen=True)
class Module:
    """The source of one module, and the bounded types it uses: name to type expression."""

    source: str
    bounded: dict[str, str]


def classes(api: ir.Api, plan: Plan, module: str, header: str, imports: Sequence[str]) -> Module:
    """All classes of one module under ``models``. `imports` are dotted names that the module shall import besides."""
    feed = _Feed(api, plan, module)
    definitions = {plan.classes[id].name: feed.object(api.definition(id)) for id in plan.in_module(module)}
    answers = {plan.classes[id].name: f"{feed.types}.Answer" for id in plan.in_module(module) if id in plan.answers}
    source = _generate({"$defs": definitions}, f"{feed.types}.Model", answers, header, imports)
    return Module(source, feed.bounded)


class _Feed:
    """Makes the schemas for one module."""

    def __init__(self, api: ir.Api, plan: Plan, module: str) -> None:
        self.api, self.plan, self.module = api, plan, module
        self.types = f"{plan.package}._runtime.types"
        self.bounded: dict[str, str] = {}

    def reference(self, id: str) -> dict[str, Any]:
        name = self.plan.classes.get(id)
        if name is None:
            return type_schema(self.api.definition(id).type, self.reference)
        if name.module == self.module:
            return {"$ref": f"#/$defs/{name.name}"}
        return {"customTypePath": f"{self.plan.package}.models.{name.module}.{name.name}"}

    def object(self, definition: ir.Definition) -> dict[str, Any]:
        assert isinstance(definition.type, ir.Object)
        fields, additional = definition.type.fields, definition.type.additional
        out: dict[str, Any] = {"type": "object", "title": self.plan.classes[definition.id].name}
        if definition.doc:
            out["description"] = _wrapped(definition.doc)
        out["properties"] = {field.name: self.member(field) for field in fields}
        out["required"] = [field.name for field in fields if field.required]
        if isinstance(additional, bool):
            out["additionalProperties"] = additional
        else:
            out["additionalProperties"] = self.inside(type_schema(additional, self.reference))
        return out

    def member(self, field: ir.Field) -> dict[str, Any]:
        """The schema of a field. Its own bounds become pydantic's `Field`; those inside its type get a name."""
        out = self.exact(field_schema(field, self.reference))
        if "description" in out:
            out["description"] = _wrapped(out["description"])
        _, nullable = ir.split_null(self.api.resolve(field.type))
        if nullable and not field.required:
            out["x-nullable"] = True  # tells Model that `| None` here means null, not only absent
        if isinstance(field.default, list | dict) or field.default is None:
            out.pop("default", None)  # only immutable defaults become Python defaults; the docs show all
        members: list[dict[str, Any]] = [] if field.required else out.get("anyOf", [])
        if len(members) == 2 and members[1] == {"type": "null"} and "type" in members[0]:
            # A union with null of one typed schema reads better, and stays one field, as a list of types. (Not where
            # the member is required: there datamodel-code-generator would lose the null.)
            del out["anyOf"]
            out = {**members[0], **out, "type": [members[0]["type"], "null"]}
            if "enum" in out:
                out["enum"] = [*out["enum"], None]
        return out

    def exact(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Swap in the scalar types that match JSON Schema exactly; drop annotations that would make other types."""
        out = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
        if out.get("type") in ("integer", "number"):
            out["customTypePath"] = f"{self.types}.{_EXACT[out['type']]}"
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
        """A schema inside another. A bound here would make a wrapper class; a named bounded type makes none."""
        bounds = {_BOUNDS[key]: value for key, value in schema.items() if key in _BOUNDS}
        plain = _plain(schema) if bounds and "prefixItems" not in schema else None
        if plain is None:
            return self.exact(schema)
        limits = "".join(f"{pascal(key)}{_spelled(value)}" for key, value in bounds.items())
        name = f"{plain.replace('[', '').replace(']', '').replace('list', 'ListOf').replace('Strict', '')}{limits}"
        arguments = ", ".join(f"{key}={py_literal(value)}" for key, value in bounds.items())
        self.bounded[name] = f"Annotated[{plain}, Field({arguments})]"
        return {"customTypePath": f"{self.plan.package}.models.{BOUNDED}.{name}"}


def _plain(schema: dict[str, Any]) -> str | None:
    """The exact type of a scalar, or of nested lists of scalars that are not bounded themselves."""
    if schema.get("type") == "array" and schema.get("items"):
        inner = schema["items"]
        element = None if any(key in _BOUNDS for key in inner) else _plain(inner)
        return f"list[{element}]" if element else None
    return _EXACT.get(schema.get("type", "")) if "enum" not in schema else None


def _spelled(value: object) -> str:
    """A bound as part of a name; a pattern by a hash, for it may hold any character."""
    if isinstance(value, str):
        return hashlib.sha256(value.encode()).hexdigest()[:8]
    return str(value).replace("-", "Minus").replace("+", "").replace(".", "_")


def _wrapped(text: str) -> str:
    """A description fit for a docstring: nothing invisible in it, and no line too long."""
    lines = visible(text).split("\n")
    return "\n".join(textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False) for line in lines)


def _generate(
    document: Mapping[str, Any], base: str, bases: Mapping[str, str], header: str, imports: Sequence[str]
) -> str:
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
        custom_file_header=header,
        disable_timestamp=True,
        base_class=base,
        base_class_map=dict(bases),
        additional_imports=list(imports),
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
