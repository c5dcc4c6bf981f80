"""What can be wrong with a request, and how it is told: ``{"error": message, "fields": [{"field", "message"}]}``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..validation import Problem

MAX_SHOWN = 3


class RequestProblem(Exception):  # noqa: N818 - it is the request that is wrong, not the handler
    """A request that cannot be answered; raise it from a handler to answer with `status` (400 to 599).

    `field` is the dotted path of the member to blame (``parameters.top_k``, ``inputs``), if one is. The message goes to
    the client as it is: say what was expected, and put nothing in it that is not theirs.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        status: int = 422,
        fields: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.fields = (Problem(field, message), *fields) if field else tuple(fields)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    @classmethod
    def of(cls, found: Iterable[Problem], status: int = 422) -> RequestProblem:
        """One problem that tells of all `found` (at least one)."""
        found = tuple(found)
        more = f" (and {len(found) - MAX_SHOWN} more)" if len(found) > MAX_SHOWN else ""
        return cls("; ".join(map(str, found[:MAX_SHOWN])) + more, status=status, fields=found)

    @property
    def error(self) -> str:
        """The message with the member it is about in front."""
        if len(self.fields) == 1 and self.fields[0].message == self.message:
            return str(self.fields[0])
        return self.message

    def body(self, place: Sequence[str] = ("error",)) -> bytes:
        """The answer as JSON text, with the message at `place`, the names of members that lead there."""
        content: dict[str, Any] = {}
        inner = content
        for name in place[:-1]:
            inner = inner.setdefault(name, {})
        inner[place[-1]] = self.error
        if self.fields:
            content["fields"] = [{"field": p.field, "message": p.message} for p in self.fields]
        return json.dumps(content | self.members, ensure_ascii=False).encode("utf-8", "backslashreplace")


class TooLarge(RequestProblem):
    """Something in a request that is beyond a limit of its size."""


def busy(reason: str) -> RequestProblem:
    """What a server answers that has no room for a request just now."""
    return RequestProblem(f"the server is busy: {reason}", status=429, headers={"retry-after": "1"})


def too_late(seconds: float) -> RequestProblem:
    """What a request is answered whose deadline has passed."""
    return RequestProblem(f"no answer within {seconds:g} seconds", status=504)


class ClientGone(Exception):  # noqa: N818 - nothing went wrong
    """The client hung up: nobody is left to answer."""


class Abandoned(Exception):  # noqa: N818 - nothing went wrong
    """Nobody waits any more for what a model is computing."""
