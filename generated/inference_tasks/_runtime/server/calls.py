"""From a request body to what a handler is called with, all but decoding the media."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import filetype
from pydantic import BaseModel, ValidationError

from ..binding import TaskBinding
from ..dialect import Wire
from ..forms import Form, hear
from ..types import parse_json
from ..validation import Problem, problems, validate_request
from .handler import takes
from .limits import Caps
from .problems import RequestProblem
from .settings import UNSET, Limits
from .urls import Remote, remote

GENERIC_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded"})
MEDIA_TYPES = ("audio/", "image/", "video/")
DATA_URL = re.compile(r"data:[^,;]*(?:;[^,;]*)*;base64,", re.IGNORECASE)
WHITESPACE = b" \t\r\n"
# Quotes inside a JSON string are escaped, so in JSON text this can only be the member itself.
SAMPLING = (b'"do_sample":true', b'"temperature":')
"""What asks for chance: Whisper goes by its temperature alone."""


@dataclass(slots=True)
class Call:
    """One request. `inputs` is what the handler takes, but for media: there it is the encoded file."""

    inputs: Any
    parameters: Any
    canonical_inputs: bytes
    canonical_parameters: bytes
    samples: bool
    """Whether the request asks for randomness: equal requests then deserve different answers."""
    model: str | None = None
    """The model that the request itself names."""
    streamed: bool = False
    """Whether the answer is to come piece by piece."""


class Interpreter:
    """Reads the requests of one task, in the words of a dialect if there is a `wire`.

    Those that are beyond `limits` are refused. With `fetches`, media may be URLs where they may be base64.
    """

    def __init__(
        self, binding: TaskBinding, wire: Wire | None = None, limits: Limits = UNSET, *, fetches: bool = False
    ) -> None:
        self.binding = binding
        self.wire = wire
        self._caps = Caps(binding, limits)
        self._max_values = limits.max_values
        self._fetches = fetches and bool(binding.media or binding.media_members)
        self.shape = takes(binding)
        members = getattr(binding.input_class, "model_fields", {})
        names = {field.alias or name: name for name, field in members.items()}
        self._primary = names.get(binding.primary, binding.primary)
        self._parameters = names.get("parameters", "parameters")

    def read(self, body: bytes, content_type: bytes) -> Call | Remote:
        """The call that `body` is, or first what it takes to fetch.

        Raises RequestProblem: 400 not JSON, 415 not ours, 422 not what the task takes.
        """
        kind = content_type.split(b";", 1)[0].strip().lower().decode("latin-1")
        if kind == "application/json" or kind.endswith("+json"):
            return self._json(body)
        if kind == "multipart/form-data" and self.wire is not None and self.wire.form:
            from .multipart import parsed

            return self.payload(parsed(body, content_type))
        if not body:
            raise RequestProblem("is required, and the body is empty", field=self.binding.primary)
        recognised = filetype.guess_mime(body[:8192])
        if self.binding.media and recognised:
            return self._media(body)
        if body.lstrip(WHITESPACE)[:1] in (b"{", b"["):
            return self._json(body)
        if self.binding.media and (kind in GENERIC_TYPES or kind.startswith(MEDIA_TYPES)):
            return self._media(body)
        raise self._unsupported(kind if kind not in GENERIC_TYPES else recognised or "")

    def payload(self, payload: Any) -> Call:
        """The call that `payload` (JSON values) is. Raises RequestProblem (422)."""
        member = self.wire.model if self.wire is not None and self.wire.model else None
        model = payload.get(member or "model") if isinstance(payload, dict) else None
        if self.wire is not None and isinstance(payload, dict):
            without = {member, *self.wire.ignored}
            payload = {name: value for name, value in self.wire.telling(payload).items() if name not in without}
        request = self._validated(payload)
        self._caps.check(request)
        call = self._of(request)
        if (member or self.binding.names_model) and isinstance(model, str):
            call.model = model
        call.streamed = self.binding.stream_type is not None and getattr(request, "stream", None) is True
        return call

    def _validated(self, payload: Any) -> Any:
        forms, nulls = (self.wire.requests, self.wire.nulls) if self.wire is not None else ((), False)
        return hear(forms, payload, partial(validate_request, self.binding), nulls=nulls, blame=self._problem)

    def _problem(self, error: ValidationError, form: Form) -> RequestProblem:
        neutral = dict(self.wire.neutral) if self.wire is not None else {}
        return RequestProblem.of(problems(error, self.binding, form, neutral))

    def _of(self, request: Any) -> Call:
        if self.shape == "whole":
            canonical = _canonical(request)
            return Call(request, None, canonical, b"", _samples(canonical))
        inputs = getattr(request, self._primary)
        if self.binding.media:
            data = decode_base64(inputs, self.binding.primary)
            return self._call(data, data, request)
        return self._call(inputs, _canonical(inputs), request)

    def _json(self, body: bytes) -> Call | Remote:
        check_values(body, self._max_values)
        try:
            payload = parse_json(body)
        except ValueError as error:
            recognised = filetype.guess_mime(body[:8192])
            hint = f"; these bytes are {recognised}: send them with that Content-Type" if recognised else ""
            raise RequestProblem(f"the body is not valid JSON: {error}{hint}"[:500], status=400) from None
        if self._fetches and (found := remote(payload, self.binding)) is not None:
            return found
        return self.payload(payload)

    def _media(self, body: bytes) -> Call:
        if self.shape == "whole":
            return self.payload({self.binding.primary: base64.b64encode(body).decode("ascii")})
        if self._missing_from_media:
            raise RequestProblem.of(self._missing_from_media)
        return self._call(body, body, None)

    @cached_property
    def _missing_from_media(self) -> list[Problem]:
        """What a request still lacks that is nothing but media."""
        try:
            validate_request(self.binding, {self.binding.primary: "AAAA"})
        except ValidationError as error:
            found = problems(error, self.binding)
            return [problem for problem in found if problem.field.split(".")[0] != self.binding.primary]
        return []

    def _call(self, inputs: Any, canonical: bytes, request: Any) -> Call:
        if self.shape != "split":
            return Call(inputs, None, canonical, b"", False)
        given = getattr(request, self._parameters, None)
        if given is None:
            return Call(inputs, self.binding.parameters_class.model_construct(), canonical, b"{}", False)
        shared = _canonical(given)
        return Call(inputs, given, canonical, shared, _samples(shared))

    def _unsupported(self, kind: str) -> RequestProblem:
        primary = self.binding.primary
        takes_media = f"the bytes of {self.binding.media} media, or " if self.binding.media else ""
        seen = f"not {kind[:80]!r}" if kind else "and the body is not JSON"
        message = f'send {takes_media}JSON like {{"{primary}": …}} with Content-Type: application/json, {seen}'
        return RequestProblem(message, field=primary, status=415)


def check_values(body: bytes, most: int) -> None:
    """Raises RequestProblem (422) for JSON text with more than `most` values."""
    # Counted before there are objects: of each value that is wrong, the finding takes more memory than the value.
    if body.count(b",") >= most:
        raise RequestProblem(f"the body holds more than {most} values, the most this server takes")


def decode_base64(text: Any, field: str) -> bytes:
    """The bytes that `text`, base64 or a base64 ``data:`` URL, stands for. Raises RequestProblem (422) at `field`."""
    if not isinstance(text, str):
        raise RequestProblem("must be a base64 string", field=field)
    if text[:5].lower() == "data:":
        head = DATA_URL.match(text[:1000])
        if head is None:
            raise RequestProblem("is a data: URL without ;base64", field=field)
        text = text[head.end() :]
    elif text[:8].lower().startswith(("http://", "https://", "file://", "ftp://")):
        message = "must be base64: no URL is fetched here (the server's operator may allow it: see the setting fetch)"
        raise RequestProblem(message, field=field)
    if len(text) % 4 or text.endswith("==="):
        raise RequestProblem("is not valid base64: its length must be a multiple of four", field=field)
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise RequestProblem("is not valid base64", field=field) from None
    if not data:
        raise RequestProblem("is empty", field=field)
    return data


def _canonical(value: Any) -> bytes:
    """Bytes that are equal for equal values: JSON by declared order of members, text in quotes."""
    if isinstance(value, BaseModel):
        return value.model_dump_json().encode()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return b"[" + b",".join(_canonical(item) for item in value) + b"]"
    return repr(value).encode("utf-8", "backslashreplace")


def _samples(canonical: bytes) -> bool:
    return any(mark in canonical for mark in SAMPLING)
