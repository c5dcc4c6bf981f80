"""What calls that travel together ask for: all but their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .binding import TaskBinding
    from .dialect import Wire

Facts = Mapping[str, Any]
"""What is known of a call besides what it says: see :meth:`dialect.Wire.heard`."""


@dataclass(frozen=True)
class Ask:
    """What calls that travel together have in common: all but their primary inputs.

    `parameters` go into a request's ``parameters``, `root` beside the primary input, both by wire name; they are the
    spec's, in whose words a `wire` puts the request if there is one. `extra` joins it as it is. `url` is where it goes.
    """

    binding: TaskBinding
    parameters: Mapping[str, Any]
    root: Mapping[str, Any]
    wire: Wire | None = None
    model: str | None = None
    extra: Mapping[str, Any] | None = None
    use_cache: bool | None = None
    url: str = ""
