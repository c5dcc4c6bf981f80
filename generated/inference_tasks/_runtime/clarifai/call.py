"""A predict call: what it says of one input, and the request that several of them with the same options are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .._ask import Ask
from .._body import Body
from .._payload import as_text, checked, stand_in
from ..media import Link, Media

_OUTPUT_CONFIG: Final = frozenset({"language", "max_concepts", "min_value", "sample_ms", "select_concepts"})
"""Options that had a place of their own before all options were `params`."""


@dataclass(frozen=True)
class Call:
    """One input's `data`, and the options `params`; `later` are media that are read while they are sent."""

    data: Mapping[str, Any]
    params: Mapping[str, Any]
    later: Mapping[str, Media] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """About how many bytes of memory it takes."""
        files = sum(len(media.source) for media in self.later.values() if isinstance(media.source, bytes))
        return files + _length(self.data)


def _length(value: Any) -> int:
    """The characters of all texts in a value."""
    if isinstance(value, Mapping):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list) else len(value) if isinstance(value, str) else 0


def _merged(own: Any, others: Any) -> Any:
    """What two values come to: objects have the members of both, of anything else the other's is taken."""
    if not (isinstance(own, Mapping) and isinstance(others, Mapping)):
        return others
    return {**own, **{name: _merged(own.get(name), value) for name, value in others.items()}}


def call_of(ask: Ask, primary: Any) -> Call:
    """The call of one input, checked against the task's spec. Raises InputError."""
    assert ask.wire is not None, "a dialect has wires only"
    links: dict[str, str] = {}

    def without_link(value: Any) -> Any:
        if not isinstance(value, Link):
            return value
        text = stand_in()
        links[text] = value.url
        return text

    primary = {name: without_link(value) for name, value in primary.items()} if isinstance(primary, dict) else primary
    later: dict[str, Media] = {}
    request = checked(ask, without_link(primary), later)
    if ask.binding.stream_type and request.get("stream") is False:
        del request["stream"]  # Answers are whole here, as that asks for.
    said = ask.wire.asked(request, ask.model)
    return Call(_linked(said.get("data", {}), links), said.get("params", {}), later)


def _linked(value: Any, links: Mapping[str, str]) -> Any:
    """`value` with the URL of each link, in the place of base64 that stands for it."""
    if isinstance(value, list):
        return [_linked(item, links) for item in value]
    if not isinstance(value, dict):
        return value
    url = links.get(value["base64"]) if "base64" in value else None
    return {"url": url} if url is not None else {name: _linked(member, links) for name, member in value.items()}


def content(ask: Ask, calls: Sequence[Call]) -> bytes | Body:
    """The content of the request for `calls`, whose options are the same. Raises InputError.

    All options are where Clarifai's own client puts them, among the `params` of the model's version. The old ones stand
    in `output_config` beside that too: models that were made before `params` look nowhere else.
    """
    body: dict[str, Any] = {"inputs": [{"data": call.data} for call in calls]}
    if params := calls[0].params:
        config = {name: value for name, value in params.items() if name in _OUTPUT_CONFIG}
        info = {"output_config": config, "params": params} if config else {"params": params}
        body["model"] = {"model_version": {"output_info": info}}
    if ask.use_cache is not None:
        body["use_predict_cache"] = ask.use_cache
    later = {text: media for call in calls for text, media in call.later.items()}
    return as_text(ask, _merged(body, ask.extra or {}), later)
