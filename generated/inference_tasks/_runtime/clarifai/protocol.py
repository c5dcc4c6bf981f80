"""Predict calls as a client makes them: up to 128 inputs in a request, an output with its own status for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .._ask import Ask
from .._body import Body
from .._exchange import Verdict, as_http_says
from .._http import Response
from .._payload import JSON
from .._protocol import CallProtocol, invalid
from .._texts import any_text
from .._urls import joined
from ..dialect import Dialect
from ..errors import APIStatusError, InputError, status_error
from . import outcome
from .address import Address, address
from .call import Call, call_of, content


class Predict(CallProtocol):
    """The predict call of Clarifai's API. Media that are given by URL are fetched by the service, if it may."""

    most: ClassVar[int] = 128
    streams: ClassVar[bool] = False

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def url(self, base: str, ask: Ask) -> str:
        if ask.model is not None:
            model = address(ask.model)
        elif self._dialect.hosts(base):
            raise InputError(f"model: {self._dialect.title} has many; say which: model=… here or for the client")
        else:
            model = Address(ask.binding.id)  # the name by which a server of ours has a task's first model
        return joined(base, model.route)

    def fetches(self, ask: Ask, kind: str, *member: str) -> bool:
        wire = ask.wire
        has_place = wire is not None and not wire.measured and wire.takes("data", kind, "base64")
        return has_place and any_text(ask.binding, *member)

    def turns(self, base: str) -> bool:
        return not self._dialect.hosts(base)  # Clarifai itself takes images as they are stored; servers of ours do not.

    def call(self, ask: Ask, primary: Any) -> Call:
        return call_of(ask, primary)

    def alike(self, call: Call) -> Any:
        return call.params

    def held(self, call: Call) -> int:
        return call.held

    def check(self, call: Call) -> None:
        for media in call.later.values():
            if not isinstance(media.source, bytes):
                media.source.check()

    def content(self, ask: Ask, calls: Sequence[Call]) -> tuple[bytes | Body, str]:
        return content(ask, calls), JSON

    def verdict(self, response: Response) -> Verdict:
        return outcome.verdict(response) if outcome.is_clarifais(response) else as_http_says(response)

    def failures(self, response: Response, count: int, hide: str | None) -> list[APIStatusError | None]:
        if outcome.is_clarifais(response):
            return outcome.failures(response, count, hide)
        # Not Clarifai itself: whatever stands before it.
        return [status_error(response.status, response.headers, response.content, hide=hide)] * count

    def answer(self, ask: Ask, response: Response, index: int, count: int) -> Any:
        outputs = outcome.outputs_of(response)
        if len(outputs) != count:
            found = f"{len(outputs)} outputs for {count} inputs" if response.json is not None else "no JSON"
            raise invalid(response, f"{ask.binding.id}: the answer has {found}")
        output = outputs[index] if isinstance(outputs[index], dict) else {"data": []}
        data = {} if output.get("data") is None else output["data"]
        if not isinstance(data, dict):
            raise invalid(response, f"{ask.binding.id}: output {index} of the answer is no object with data")
        return data
