"""How one task is bound to its generated models: the data that client and server share.

The generated module `_tasks` holds one :class:`TaskBinding` a task. Everything heavy (pydantic, the task's models) is
imported on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True)
class TaskBinding:
    """One task's names.

    `input_model`, `output_type`, `stream_type` (of one event of a streamed answer, where the task has one) and
    `parameters_model` are names in the generated module `module`. `primary` is the wire name of the main member of a
    request, which may be missing if it is `optional`; `media` its kind (``"audio"``, ``"image"``, ``"video"``,
    ``"binary"``), or None for anything that is not media, and `media_members` are its members that are media, by wire
    name and kind. `parameters` are the wire names inside the request's ``parameters`` object, `options` those beside
    `primary` at its root. `names_model`: the request has a member ``model`` at its root, the name of one.
    """

    id: str
    module: str
    input_model: str
    output_type: str
    primary: str
    media: str | None = None
    content_type: str | None = None
    media_members: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    stream_type: str | None = None
    parameters_model: str | None = None
    parameters: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    names_model: bool = False

    def _get(self, name: str) -> Any:
        return getattr(import_module(self.module), name)

    @cached_property
    def input_class(self) -> Any:
        """The request's model class."""
        return self._get(self.input_model)

    def _adapter(self, name: str) -> TypeAdapter[Any]:
        from pydantic import BaseModel, TypeAdapter

        from .types import UNICODE

        made = self._get(name)
        has_config = isinstance(made, type) and issubclass(made, BaseModel)
        return TypeAdapter(made) if has_config else TypeAdapter(made, config=UNICODE)

    @cached_property
    def input_adapter(self) -> TypeAdapter[Any]:
        """Validates request objects."""
        return self._adapter(self.input_model)

    @cached_property
    def output_adapter(self) -> TypeAdapter[Any]:
        """Validates responses; an array response is a plain list of models."""
        return self._adapter(self.output_type)

    @cached_property
    def stream_adapter(self) -> TypeAdapter[Any] | None:
        """Validates one event of a streamed answer; None for a task that has none."""
        return self._adapter(self.stream_type) if self.stream_type else None

    @cached_property
    def parameters_class(self) -> Any:
        """The model class of ``parameters``, or None for a task without any."""
        return self._get(self.parameters_model) if self.parameters_model else None

    @property
    def method(self) -> str:
        """The client's method name."""
        return self.id.replace("-", "_")
