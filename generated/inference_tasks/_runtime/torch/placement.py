"""Where a model computes, in which numbers, and whether it is compiled for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..server.settings import DType

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Placement:
    """`device` is ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; None is a GPU if there is one.

    `threads` is how many threads torch may use for one operation: more than idle cores make it spin instead of compute.
    """

    device: str | None = None
    dtype: DType = "float32"
    compile: bool = False
    threads: int = 1

    @property
    def torch_device(self) -> torch.device:
        """The device."""
        import torch

        return torch.device(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))

    @property
    def torch_dtype(self) -> torch.dtype:
        """The numbers that weights are kept in, and that most of a forward pass computes with."""
        import torch

        found: torch.dtype = getattr(torch, self.dtype)
        return found

    def prepare(self, module: Any) -> None:
        """Make `module`, whose weights are of this dtype already, ready to be called with tensors of float32.

        Raises RuntimeError if it is to be compiled and nothing can be compiled here.
        """
        if self.dtype != "float32":
            _surround(module, self.torch_dtype)
        if self.compile:
            self.compile_forward(module)

    def compile_forward(self, module: Any) -> None:
        """Have torch compile what `module` computes, once for inputs of any size, when it is first called."""
        import torch

        check_compiler(self.torch_device)
        module.forward = torch.compile(module.forward, dynamic=True)


ANYWHERE = Placement()


def check_compiler(device: torch.device) -> None:
    """Raise RuntimeError unless torch can compile for `device`: on a CPU it needs a C++ compiler."""
    import torch

    try:
        torch.compile(lambda x: x * 2 + 1)(torch.ones(8, device=device))
    except Exception as error:  # of the many that compilers' backends have
        reason = str(error).strip().partition("\n")[0][:200]
        raise RuntimeError(f"compile: torch cannot compile for {device} here: {reason}") from None


def _surround(module: Any, dtype: torch.dtype) -> None:
    """Let what calls `module` see float32 only, whatever it computes with: processors and answers know nothing else."""
    import torch

    def narrow(_: Any, args: Any, options: Any) -> Any:
        return _cast(args, dtype), _cast(options, dtype)

    def widen(_: Any, __: Any, output: Any) -> Any:
        return _cast(output, torch.float32)

    module.register_forward_pre_hook(narrow, with_kwargs=True)
    module.register_forward_hook(widen)
    # Generating calls the encoder on its own.
    encoder = module.get_encoder() if hasattr(module, "get_encoder") else module
    if encoder is not None and encoder is not module:
        encoder.register_forward_pre_hook(narrow, with_kwargs=True)


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """`value` with its tensors of floats as `dtype`; what a model remembers (its cache) is left alone."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if type(value) in (tuple, list):
        return type(value)(_cast(item, dtype) for item in value)
    if isinstance(value, dict):  # the outputs of transformers are ordered dictionaries that are attributes, too
        for name in list(value):
            value[name] = _cast(value[name], dtype)
    return value
