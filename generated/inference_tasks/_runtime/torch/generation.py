"""``generation_parameters``: what tasks whose models write with `generate` have in common."""

from __future__ import annotations

from typing import Any

from ..server.handler import RequestProblem

FIELD = "parameters.generation_parameters"
LENGTHS = ("max_new_tokens", "max_length")
UNSUPPORTED = ("num_beam_groups", "penalty_alpha")
DEFAULT_TOKENS = 256
MAX_MESSAGE = 300


def given(parameters: Any) -> dict[str, Any]:
    """The generation parameters that the request names."""
    group = parameters.generation_parameters
    return {} if group is None else dict(group.model_dump(by_alias=False))


def refusal(parameters: Any, positions: int | None = None) -> RequestProblem | None:
    """Why this server does not generate as `parameters` say, if it does not.

    `positions` is how many tokens the model can write, the mark before the first counted; None if it knows no limit.
    """
    asked = given(parameters)
    for name in UNSUPPORTED:
        if asked.get(name) is not None:
            return RequestProblem("is not supported by this server", field=f"{FIELD}.{name}")
    for name in LENGTHS:
        room = None if positions is None else positions - (name == "max_new_tokens")
        if room is not None and (asked.get(name) or 0) > room:
            return RequestProblem(f"must be at most {room}, the most this model writes", field=f"{FIELD}.{name}")
    return None


def length(model: Any, positions: int | None = None) -> dict[str, Any]:
    """How long a text gets where neither request nor model says, as an option of `generate`."""
    config = model.generation_config
    if config.max_new_tokens is not None or config.max_length is not None:
        return {}
    return {"max_new_tokens": min(DEFAULT_TOKENS, positions - 1) if positions else DEFAULT_TOKENS}


def generate(model: Any, parameters: Any, **options: Any) -> Any:
    """What `model.generate` makes of `options` and the request's `parameters`. Raises RequestProblem for the latter."""
    asked = given(parameters)
    if any(name in asked for name in LENGTHS):
        options.pop("max_new_tokens", None)
    try:
        return model.generate(**options, **asked)
    except ValueError as error:
        if not asked:
            raise
        raise RequestProblem(f"was refused: {error}"[:MAX_MESSAGE], field=FIELD) from None
