"""Places in types: what may stand at one, and what a type requires beside those that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from . import ir
from .jsonpath import EACH, Path, Step, written
from .load.toml import meant

_FREE: Final = ir.Any()


class NoSuchPlaceError(ValueError):
    """A type has no such place. `fix` says how to mend that."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def find(api: ir.Api, type: ir.Type, path: Path) -> tuple[ir.Type, ...]:
    """The types that a value may have there, without references and unions. Raises NoSuchPlaceError."""
    here: list[ir.Type] = [type]
    for count, step in enumerate(path):
        outer = list(_variants(api, here))
        # Types that refer to themselves come back as the same objects: each is looked into once.
        here = list({id(inner): inner for type in outer for inner in _inside(type, step)}.values())
        if here:
            continue
        place = written(path[:count])
        if not isinstance(step, str):
            what = " or ".join(dict.fromkeys(_called(type) for type in outer))
            message = f"{place} is {what}, no list with a place {written((step,))[1:]}"
            raise NoSuchPlaceError(message, "write a place of the spec")
        known = list(dict.fromkeys(f.name for type in outer if isinstance(type, ir.Object) for f in type.fields))
        fix = meant(step, known, "its members") if known else "write a place of the spec"
        raise NoSuchPlaceError(f"{place} has no member {step[:60]!r}", fix)
    return tuple(_variants(api, here))


def lacking(api: ir.Api, type: ir.Type, named: Sequence[Path]) -> tuple[str, ...]:
    """The members that a value of `type` must have, and that none of the places in it is: ``box.xmin``.

    Of alternatives that can have the places, what all of them require is required. Items of lists have no name.
    """
    return tuple(_Lacking(api, named).of(type, ()))


class _Lacking:
    """What values must have beside `named`; names are keys of dicts, in the order of the spec."""

    def __init__(self, api: ir.Api, named: Sequence[Path]) -> None:
        self._api = api
        self._named = named
        # Types that refer to themselves come to a place in many ways, and as the same objects.
        self._known: dict[tuple[int, Path], dict[str, None]] = {}

    def of(self, type: ir.Type, here: Path) -> dict[str, None]:
        """What a value of `type` that stands `here` must have."""
        inside = [place[len(here) :] for place in self._named if _begins(place, here)]
        if () in inside:
            return {}
        holding = [
            self._of_one(variant, here)
            for variant in {id(variant): variant for variant in _variants(self._api, [type])}.values()
            if not inside or any(True for step, *_ in inside for _ in _inside(variant, step))
        ]
        return {name: None for name in (holding[0] if holding else ()) if all(name in others for others in holding)}

    def _of_one(self, type: ir.Type, here: Path) -> dict[str, None]:
        key = id(type), here
        if key not in self._known:
            self._known[key] = {name: None for part in _parts(type) for name in self._of_part(*part, here)}
        return self._known[key]

    def _of_part(self, step: Step, type: ir.Type, required: bool, here: Path) -> dict[str, None]:
        place = (*here, step)
        if any(_begins(other, place) for other in self._named):
            return self.of(type, place)
        return {".".join(str(name) for name in place if name is not EACH): None} if required else {}


def _parts(type: ir.Type) -> Iterator[tuple[Step, ir.Type, bool]]:
    """What stands directly in a type: where, as what, and whether it must."""
    match type:
        case ir.Object(fields=fields):
            yield from ((field.name, field.type, field.required) for field in fields)
        case ir.Array(prefix=prefix, items=items, min_items=least):
            yield from ((index, item, index < (least or 0)) for index, item in enumerate(prefix))
            if items is not None:
                yield EACH, items, False


def _begins(place: Path, outer: Path) -> bool:
    """Whether `place` is `outer` or inside it; an item is one of all items."""
    return len(place) >= len(outer) and all(
        step == other or (other is EACH and isinstance(step, int)) for step, other in zip(place, outer, strict=False)
    )


def _variants(api: ir.Api, types: Iterable[ir.Type]) -> Iterator[ir.Type]:
    """The types that a value may have, without references and unions."""
    for type in types:
        type = api.resolve(type)
        if isinstance(type, ir.Union):
            yield from _variants(api, type.variants)
        else:
            yield type


def _inside(type: ir.Type, step: Step) -> Iterator[ir.Type]:
    """The types that may stand one step inside a type."""
    match type, step:
        case ir.Any(), _:
            yield type
        case ir.Object(fields=fields, additional=additional), str():
            declared = [field.type for field in fields if field.name == step]
            yield from declared
            if not declared and not isinstance(additional, bool):
                yield additional
            elif not fields and additional is True:
                yield _FREE
        case ir.Map(values=values), str():
            yield values
        case ir.Array(prefix=prefix, items=items), int() if step < len(prefix):
            yield prefix[step]
        case ir.Array(prefix=prefix, items=items), int():
            yield from (items,) if items else ()
        case ir.Array(prefix=prefix, items=items), _ if step is EACH:
            yield from (*prefix, *((items,) if items else ()))
        case _:
            return


def _called(type: ir.Type) -> str:
    return {"object": "an object", "map": "an object", "array": "a shorter list"}.get(type.kind, "a single value")
