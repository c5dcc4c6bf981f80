"""``generation_parameters``: what tasks whose models write with `generate` have in common."""

from __future__ import annotations

from typing import Any

from ..server.handler import RequestProblem

FIELD = "parameters.generation_parameters"
LENGTHS = ("max_new_tokens", "max_length")
UNSUPPORTED = ("num_beam_groups", "penalty_alpha")
SAMPLING = {
    "temperature": (0.0, 1.0),
    "top_k": (0,),
    "top_p": (1.0,),
    "typical_p": (1.0,),
    "epsilon_cutoff": (0.0,),
    "eta_cutoff": (0.0,),
}
"""What shapes the drawing of tokens, and its values that are at home where the likeliest is taken."""

CUTOFFS = ("epsilon_cutoff", "eta_cutoff")
DEFAULT_TOKENS = 256
MAX_MESSAGE = 300

Found = tuple[str, str] | None
"""A member and what is wrong with it."""


def given(parameters: Any) -> dict[str, Any]:
    """The generation parameters that the request names."""
    group = parameters.generation_parameters
    return {} if group is None else dict(group.model_dump(by_alias=False))


def refusal(
    parameters: Any, config: Any, positions: int | None = None, *, samples: bool | None = None
) -> RequestProblem | None:
    """Why this server does not generate as `parameters` say, if it does not; nothing that they say is left undone.

    `config` is the generation config of the model. `positions` is how many tokens it can write, the mark before the
    first counted; None if it knows no limit. `samples`: whether tokens are drawn if ``do_sample`` is not given; by
    default what `config` says.
    """
    asked = given(parameters)
    found = (
        _unsupported(asked)
        or _sampling(asked, bool(config.do_sample if samples is None else samples))
        or _search(asked, config.num_beams or 1)
        or _lengths(asked, config, positions)
    )
    return None if found is None else RequestProblem(found[1], field=f"{FIELD}.{found[0]}")


def _unsupported(asked: dict[str, Any]) -> Found:
    return next(
        ((name, "is not supported by this server") for name in UNSUPPORTED if asked.get(name) is not None), None
    )


def _sampling(asked: dict[str, Any], samples: bool) -> Found:
    draws = asked.get("do_sample")
    if samples if draws is None else draws:
        if asked.get("temperature") == 0:
            return "temperature", "must be above 0 while sampling"
        for name in CUTOFFS:
            if asked.get(name) == 1:
                return name, "must be below 1"
        return None
    for name, idle in SAMPLING.items():
        if asked.get(name) not in (None, *idle):
            return name, "needs do_sample: without it the likeliest token is always taken"
    return None


def _search(asked: dict[str, Any], beams: int) -> Found:
    if asked.get("early_stopping") and (asked.get("num_beams") or beams) < 2:
        return "early_stopping", "needs num_beams above 1: it is about beam search"
    return None


def _lengths(asked: dict[str, Any], config: Any, positions: int | None) -> Found:
    for name in LENGTHS:
        room = None if positions is None else positions - (name == "max_new_tokens")
        if room is not None and (asked.get(name) or 0) > room:
            return name, f"must be at most {room}, the most this model writes"
    fewest = next((name for name in ("min_new_tokens", "min_length") if asked.get(name) is not None), None)
    if fewest is None:
        return None
    default = {"max_new_tokens": config.max_new_tokens, "max_length": config.max_length, **length(config, positions)}
    limits = [(name, said[name]) for said in (asked, default) for name in LENGTHS if said.get(name) is not None]
    name, most = limits[0]
    # Before the first token stands one mark, which lengths without "new" count.
    bound = most - (name == "max_length") + (fewest == "min_length")
    return (fewest, f"must be at most {bound}, since {name} is {most}") if asked[fewest] > bound else None


def length(config: Any, positions: int | None = None) -> dict[str, Any]:
    """How long a text gets where neither request nor the model's generation `config` says, for `generate`."""
    if config.max_new_tokens is not None or config.max_length is not None:
        return {}
    return {"max_new_tokens": min(DEFAULT_TOKENS, positions - 1) if positions else DEFAULT_TOKENS}


def generate(model: Any, parameters: Any, **options: Any) -> Any:
    """What `model.generate` makes of `options` and the request's `parameters`. Raises RequestProblem for the latter."""
    asked = given(parameters)
    if any(name in asked for name in LENGTHS):
        options.pop("max_new_tokens", None)
    try:
        return model.generate(**(options | asked))
    except ValueError as error:
        if not asked:
            raise
        raise RequestProblem(f"was refused: {error}"[:MAX_MESSAGE], field=FIELD) from None
