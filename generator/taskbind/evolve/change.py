"""One difference between two IRs, as a record that whatever judges or prints it can tell apart from all others."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from .. import ir

Side = Literal["request", "response", "stream", "task", "dialect", "python"]


class Kind(StrEnum):
    """What happened, and what `before` and `after` of the :class:`Change` are.

    Types and members are those of the IR, and belong to the IR that they come from.
    """

    ADDED = "added"
    """`after` is the :class:`ir.Task`, :class:`ir.Dialect`, :class:`ir.Wire`, :class:`ir.Field`, or a type: of an item
    that has a place of its own, of the events of a stream. `before` is None."""
    REMOVED = "removed"
    """The same in `before`; `after` is None."""
    RENAMED = "renamed"
    """The same under another name; `before` and `after` are both :class:`ir.Task` or both :class:`ir.Field`."""
    REQUIRED = "required"
    """The member must be there now; both None."""
    OPTIONAL = "optional"
    """The member may be left out now; both None."""
    TYPE = "type"
    """The types there and here, null aside; `name` is ``exclusive`` where the variants of a union may no longer, or
    now, overlap."""
    VALUES = "values"
    """The values of an enum as a tuple of texts; None where any text goes."""
    BOUNDS = "bounds"
    """`name` is an attribute of :class:`ir.Scalar` or :class:`ir.Array`: a bound of a number, a length, ``unique``."""
    FORMAT = "format"
    """`name` is ``pattern``, ``format`` or ``content_type``; texts, or None."""
    NULLABLE = "nullable"
    """Whether null is a value: booleans."""
    DEFAULT = "default"
    """JSON values, or :data:`ir.ABSENT`."""
    CLOSED = "closed"
    """Other members (or further items) than the known ones: booleans, or the type that they have or had to have."""
    OPENED = "opened"
    """The same the other way round."""
    CHECK = "check"
    """What types cannot say (``not``, ``if``, …): tuples of JSON Schemas."""
    DEPRECATED = "deprecated"
    """Booleans."""
    WIRE = "wire"
    """How a dialect is spoken: the values of the attribute `name` of :class:`ir.Dialect` or :class:`ir.Wire`."""
    DESCRIPTION = "description"
    """What people read: texts, or the values of the attribute `name` where there is one."""


@dataclass(frozen=True)
class Change:
    """One difference.

    `task` is the id of the task, empty for a dialect as a whole. `path` is the place in the data (``parameters.top_k``,
    ``[].box.xmin``; empty for the root), in the words of the tables of the docs; on the side "dialect" it is the
    dialect, and on the side "python" a name (``models.Voice``, ``Client.echo(top_k=)``), as `before` and `after` are
    there. `kind` says what `before` and `after` are, and `name` which of several attributes, where a kind has them.
    `source` is where the specs of NEW say so, or those of OLD where it is gone: the nearest member or definition.
    Changes are equal wherever they are written.
    """

    task: str
    side: Side
    path: str
    kind: Kind
    before: Any = None
    after: Any = None
    name: str = ""
    source: ir.Source | None = field(default=None, compare=False)


def equal(one: Any, other: Any) -> bool:
    """Equality of JSON values; ``1`` and ``1.0`` are equal, ``1`` and ``true`` are not."""
    match one, other:
        case bool(), _:
            return one is other
        case ((list() | tuple()), (list() | tuple())):
            return len(one) == len(other) and all(map(equal, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return not isinstance(other, bool) and bool(one == other)
