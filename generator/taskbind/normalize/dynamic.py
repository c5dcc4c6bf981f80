"""Dynamic references, written out: each becomes an ordinary one.

A `$dynamicRef` leads to the outermost schema resource that evaluation has entered on its way and that has a dynamic
anchor of the name. Evaluation begins at the roots of tasks' documents, so all ways can be followed beforehand: a schema
is settled for one *scope*, the dynamic anchors in force, and where it is reached in another scope as well, a copy of it
is settled for that one. `$recursiveRef` of 2019-09 is the special case of one anchor without a name.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from ..diagnostics import Severity
from ..load.walk import put, subschemas
from .rule import Finding, Place, rule
from .work import Link, Work

_MOST: Final = 5_000  # schemas that may be copied
_KEYS: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_HELD: Final = ("$defs", "definitions")  # evaluation enters these by reference only

Scope = tuple[tuple[str, int], ...]
"""The dynamic anchors in force, by name: the identity of the schema that each stands for."""


@rule("TB225", Severity.INFO, "dynamic reference written out", "$dynamicRef", "$recursiveRef")
def dynamic_refs(place: Place) -> Iterator[Finding]:
    """Where a `$dynamicRef` leads is decided by the schemas on the way to it. All ways begin at the input or output of
    a task, so each reference is written as an ordinary `$ref`, and a schema that several ways lead to is copied for
    each of them."""
    for key in ("$dynamicRef", "$recursiveRef"):
        link = place.schema.get(key)
        if not isinstance(link, Link):
            continue
        del place.schema[key]
        if "$ref" in place.schema:
            members = place.schema.get("allOf")
            inner: dict[str, Any] = {"$ref": link}
            place.schema["allOf"] = [*(members if isinstance(members, list) else ()), inner]
            place.work.adopt(inner, place)
        else:
            place.schema["$ref"] = link
        yield Finding(f"`{key}` is read as `$ref`", "write `$ref`, if nothing is to replace the target", f"/{key}")


@rule("TB226", Severity.ERROR, "dynamic references in too many scopes", "$dynamicRef", "$recursiveRef")
def too_many_scopes(place: Place) -> Iterator[Finding]:
    """The schemas that dynamic references lead to would have to be copied more than 5,000 times in all, once for every
    way of reaching them. Replace some `$dynamicRef` by `$ref`."""
    yield Finding("too many ways lead to this dynamic reference", "write `$ref`", "", repaired=False)


def write_out(work: Work) -> None:
    """Make every dynamic reference of the tree an ordinary one."""
    counts = Counter(name for resource in work.references.resources for name in resource.dynamic)
    open_names = {name for name in work.dynamic_names if counts[name] > 1}
    if open_names:
        scopes = _Scopes(work, open_names)
        if (stuck := scopes.follow()) is not None:
            for finding in too_many_scopes.apply(stuck):
                work.note(too_many_scopes.code, stuck, finding)
    work.run(dynamic_refs)


@dataclass(frozen=True)
class _Use:
    """A reference that evaluation comes by: the schema with it, its keyword, and the scope there."""

    schema: dict[str, Any]
    key: str
    scope: Scope


class _Scopes:
    """Follows every way of evaluation, and settles each schema for a scope."""

    def __init__(self, work: Work, names: set[str]) -> None:
        self.work = work
        self.names = names
        self.homes: dict[int, Scope] = {}
        self.copies: dict[tuple[int, Scope], dict[str, Any]] = {}
        self.copied = 0
        self.uses: deque[_Use] = deque()

    def follow(self) -> Place | None:
        """Settle everything that can be reached; the place where that became too much, if it did."""
        for task in self.work.tree.tasks:
            for document in task.documents:
                self._settle(self.work.roots[document.path], ())
        settled: list[tuple[_Use, Link]] = []
        while self.uses:
            use = self.uses.popleft()
            link = use.schema[use.key]
            scope, target = use.scope, link.target
            if link.name:
                target = next((self._anchored(id) for name, id in scope if name == link.name), target)
            settled.append((use, replace(link, target=self._reached(target, scope), name="")))
            if self.copied > _MOST:
                return self.work.place_of[id(use.schema)]
        for use, link in settled:  # only now, since copies are made of what is not yet settled
            use.schema[use.key] = link
        return None

    def _anchored(self, key: int) -> dict[str, Any]:
        return self.work.place_of[key].schema

    def _entered(self, scope: Scope, schema: dict[str, Any]) -> Scope:
        """The scope inside a schema that is reached from `scope`: its resource's anchors join, outer ones stay."""
        place = self.work.place_of[id(schema)]
        found = dict(scope)
        for name, site in self.work.references.resource(place.document, place.pointer).dynamic.items():
            if name in self.names and name not in found:
                found[name] = id(self.work.schema_at(site.document, site.pointer))
        return tuple(sorted(found.items()))

    def _reached(self, target: dict[str, Any], scope: Scope) -> dict[str, Any]:
        """The schema that stands for `target` in a scope: itself, or a copy."""
        scope = self._entered(scope, target)
        if id(target) not in self.homes:
            self._settle(target, scope)
        if self.homes[id(target)] == scope:
            return target
        if (id(target), scope) not in self.copies:
            copy = self._copy(target)
            self.copies[id(target), scope] = copy
            self._settle(copy, scope)
        return self.copies[id(target), scope]

    def _settle(self, schema: dict[str, Any], scope: Scope) -> None:
        """Settle a schema and what it applies for a scope. What is settled for another one is replaced by a copy."""
        todo = [(schema, scope)]
        while todo:
            current, outer = todo.pop()
            inside = self._entered(outer, current)
            self.homes[id(current)] = inside
            self.uses += [_Use(current, key, inside) for key in _KEYS if isinstance(current.get(key), Link)]
            for step, inner in list(subschemas(current)):
                if not isinstance(inner, dict) or step.split("/")[1] in _HELD or id(inner) not in self.work.place_of:
                    continue
                if id(inner) in self.homes:
                    if self.homes[id(inner)] == self._entered(inside, inner):
                        continue
                    inner = self._copy(inner)
                    put(current, step, inner)
                    self.work.rearranged(current)
                todo.append((inner, inside))

    def _copy(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A copy without the definitions, which evaluation enters by reference only; its places are those copied."""
        copy: dict[str, Any] = {key: _plain(value) for key, value in schema.items() if key not in _HELD}
        todo = [(schema, copy)]
        while todo:
            old, new = todo.pop()
            self.copied += 1
            self.work.adopt(new, self.work.place_of[id(old)])
            entered = {key: value for key, value in old.items() if key not in _HELD}
            for (_, before), (_, after) in zip(subschemas(entered), subschemas(new), strict=True):
                if isinstance(before, dict) and id(before) in self.work.place_of:
                    for key in _HELD:
                        after.pop(key, None)
                    todo.append((before, after))
        return copy


def _plain(value: Any) -> Any:
    """A deep copy of JSON; links are shared, since they are replaced and never changed."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
