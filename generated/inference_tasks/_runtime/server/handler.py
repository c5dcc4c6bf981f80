"""What a user implements: one object that answers one task.

The calling convention follows the shape of the task's request, and :func:`takes` names it:

========== ======================================= ==============================================
shape      request                                 call
========== ======================================= ==============================================
``split``  ``inputs`` beside ``parameters``        ``handler(inputs, parameters)``
``plain``  ``inputs`` alone                        ``handler(inputs)``
``whole``  other members at the root (a chat), or  ``handler(request)``, the validated request
           ``inputs`` that may be missing
========== ======================================= ==============================================

`inputs` is decoded: an :data:`Image`, an :class:`Audio`, bytes for other media, a ``str`` for text, the generated model
for an object, whose media are still base64 (`decode_base64`, then `decode_image` with the handler's `limits`).
`parameters` is always a parameters model, empty if the request had none. :meth:`Handler.batch` has one form for all
three: the items, and the parameters they share (None unless ``split``).
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import PIL.Image

from ..binding import TaskBinding
from .problems import RequestProblem
from .settings import UNSET, Limits

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["Audio", "Handler", "Image", "RequestProblem", "takes"]

In = TypeVar("In")
Params = TypeVar("Params")
Out = TypeVar("Out")

Image = PIL.Image.Image
"""An upright RGB image of at most `max_pixels`, see :class:`Limits`."""


@dataclass(frozen=True, eq=False)
class Audio:
    """One channel of sound: `samples` is a float32 array within [-1, 1], `sampling_rate` is in Hz."""

    samples: NDArray[np.float32]
    sampling_rate: int

    @property
    def seconds(self) -> float:
        """The duration."""
        return len(self.samples) / self.sampling_rate

    def resampled(self, rate: int) -> Audio:
        """The same sound at `rate` Hz; itself if it has that rate already."""
        if rate == self.sampling_rate:
            return self
        import soxr

        return Audio(soxr.resample(self.samples, self.sampling_rate, rate), rate)


def modules_of(values: Iterable[Any]) -> Iterator[torch.nn.Module]:
    """The torch modules in `values`: modules themselves, and those in collections such as pipelines."""
    # Whoever has a module has all of torch; it must not be imported for those who do not, and may just be, elsewhere.
    kind: Any = getattr(sys.modules.get("torch.nn.modules.module"), "Module", ())
    for value in values:
        parts = getattr(value, "components", None)
        for part in parts.values() if isinstance(parts, Mapping) else (value,):
            if isinstance(part, kind):
                yield part


def weights_of(values: Iterable[Any]) -> int:
    """The bytes of all torch weights in `values`, each once; see `modules_of`."""
    sizes: dict[int, int] = {}
    for module in modules_of(values):
        tensors = (*module.parameters(), *module.buffers())
        sizes |= {id(tensor): tensor.numel() * tensor.element_size() for tensor in tensors}
    return sum(sizes.values())


def takes(binding: TaskBinding) -> Literal["split", "plain", "whole"]:
    """What a handler of `binding` is called with (see the table above)."""
    if binding.options or binding.optional:
        return "whole"
    return "split" if binding.parameters_model else "plain"


class Handler(ABC, Generic[In, Params, Out]):
    """Answers one task. Derive from the generated class of the task rather than from this one.

    `load`, `unload`, `__call__`, `batch` and the steps of `stream` all run in one thread that belongs to this handler:
    one after the other, but for the steps that run inside of `pause`. An ``async`` `__call__` runs in the event loop of
    the server.
    """

    binding: TaskBinding
    """The task: set by the generated class."""

    name: str = ""
    """The model's name in ``/models/{name}``; the task's id if left empty."""

    max_batch: int = 32
    """The most items `batch` is given at once, at least 1."""

    deterministic: bool = True
    """Whether equal requests have equal answers, so that an answer may be kept and given again."""

    validated: bool = False
    """Whether what `batch` answers comes straight out of validation, so that it need not be checked again."""

    load_seconds: float = 10.0
    """About how long `load` takes, told to clients that come too early."""

    lazy: bool | None = None
    """Whether to load when first asked for, instead of at the start; None leaves it to the settings."""

    labels: Sequence[str] = ()
    """The labels that answers choose from, each once, in an order of the model's own; none if there is no such list.

    They are asked for once it is loaded: `load` may set them.
    """

    label_names: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    """What labels are called in other languages: by language (a tag as ``de`` or ``zh-Hans``), the name of each label.

    A label without a name is called what it is everywhere.
    """

    limits: Limits = UNSET
    """What a request may ask for: set by the server, which checks all of it that can be seen in the request itself."""

    pausing: Callable[[], Sequence[int]] | None = None
    """What `pause` does: set by the server for as long as a batch runs, and what comes in between."""

    def load(self) -> None:
        """Get ready: called before the first answer, and again after `unload`. What it raises marks it as failed."""

    def unload(self) -> None:
        """Let go of what `load` took: called when the model is idle for long, or others need its memory.

        Whatever an attribute still refers to stays in memory. A handler that does not override this is never unloaded.
        """

    def memory(self) -> int:
        """How many bytes the loaded model takes: here the weights of the torch modules among its attributes.

        What a forward pass needs on top is not counted. Override it for a model that keeps its weights elsewhere.
        """
        return weights_of(vars(self).values())

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Out | Awaitable[Out]:
        """The answer to one request. Raise RequestProblem for one that cannot be answered.

        Write ``async def`` where the work is waiting, as for another service: such calls run in the server's event
        loop instead of the handler's thread, up to `max_batch` at once, and `batch` is not used.
        """

    def batch(self, inputs: Sequence[In], parameters: Params) -> Sequence[Out | Exception]:
        """One answer, or the exception in its place, for each of `inputs` (1 to `max_batch`), which share `parameters`.

        Override it where the model is faster on many at once. An exception raised from here makes the server try the
        items one by one, so that a bad one does not fail its neighbours.
        """
        split = takes(self.binding) == "split"
        return [self._one(item, parameters) if split else self._one(item) for item in inputs]

    def pause(self) -> Sequence[int]:
        """Let steps of streamed answers run; returns which items of the batch nobody waits for any more, by index.

        For `batch` and ``__call__`` to call between two steps of work that takes long. Raises Abandoned, to be passed
        on, once nobody waits for any of them.
        """
        return self.pausing() if self.pausing is not None else ()

    def stream(self, request: In) -> Iterator[Any]:
        """The events of a streamed answer, in order: models of the task's stream, or JSON values.

        Called for a request with ``stream: true``; override it where the model can do that. Each step runs in the
        model's thread, and other requests are answered between two steps, so a step should be short. A client that
        leaves makes the server close the iterator.
        """
        raise NotImplementedError

    def _one(self, *args: Any) -> Any:
        try:
            return self(*args)
        except Exception as error:
            return error
