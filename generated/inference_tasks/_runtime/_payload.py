"""The body of a request: a media file as it is, or JSON that has been checked against the task's input model."""

from __future__ import annotations

import binascii
import json
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._body import LARGE, Base64Of, Body
from ._multipart import multipart
from ._texts import any_text
from .errors import InputError
from .media import Media
from .validation import problems, validate_request

if TYPE_CHECKING:
    from ._ask import Ask
    from .binding import TaskBinding

JSON = "application/json"


def payload(ask: Ask, primary: Any) -> tuple[bytes | Body, str]:
    """The body of the request that is one call, and its content type.

    `primary` is a :class:`Media`, JSON values and models (an object's members may be Media), or None where it may be
    missing. Media alone travel as they are, everything else as JSON that has been checked against the task's input
    model, in the words of the dialect, with what `ask` has besides added as it is. Raises InputError.
    """
    wire = ask.wire
    as_form, as_json, kind = (wire.form, wire.only_json, wire.body) if wire is not None else (False, False, "")
    if isinstance(primary, Media) and not (as_form or as_json or ask.parameters or ask.root or ask.extra):
        return primary.content, kind or primary.content_type
    later: dict[str, Media] = {}
    body: Any = checked(ask, primary, later, 0 if as_form else LARGE)
    if wire is not None:
        body = wire.asked(body, ask.model)
    if ask.extra:
        if not isinstance(body, dict):
            raise InputError(f"extra_body: on the wire a request of {ask.binding.id} is no object with members")
        body = {**body, **ask.extra}
    if not as_form:
        return as_text(ask, body, later), kind if as_json else JSON
    try:
        return multipart(body, later)
    except (ValueError, TypeError, RecursionError):
        raise _unwritable(ask, "a form") from None


def checked(ask: Ask, primary: Any, later: dict[str, Media], smallest: int = LARGE) -> dict[str, Any]:
    """The request of one call in the words of the spec, which it has been checked against. Raises InputError.

    Media of `smallest` bytes and more go into `later`, by the stand-in that takes their place.
    """
    return _validated(ask.binding, _written(ask.binding, primary, later, smallest), ask.parameters, ask.root)


def as_text(ask: Ask, body: Any, later: Mapping[str, Media]) -> bytes | Body:
    """`body` as JSON, with the media of `later` in place of their stand-ins. Raises InputError."""
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return _filled_in(text, later) if later else text.encode()
    except (ValueError, TypeError, RecursionError):
        raise _unwritable(ask, "JSON") from None


def _unwritable(ask: Ask, what: str) -> InputError:
    # The text of the error that led here may quote the input.
    return InputError(f"{ask.binding.id}: the request cannot be written as {what}")


def stand_in() -> str:
    """A text that takes the place of another for a while.

    It is valid base64, as the real text will be, and that is all the model looks at. It is random, so that no other
    text of the request is mistaken for it.
    """
    return binascii.b2a_base64(os.urandom(24), newline=False).decode("ascii")


def _base64(media: Media) -> str:
    return binascii.b2a_base64(media.data, newline=False).decode("ascii")


def _written(binding: TaskBinding, primary: Any, later: dict[str, Media], smallest: int) -> Any:
    """`primary` as JSON has it, but for media of `smallest` bytes and more.

    Those go into `later`, by the stand-in that takes their place. Where the spec says more about the text than that it
    is base64, such as its length, no stand-in will do, and the media is read.
    """

    def text(media: Media, *member: str) -> str:
        if media.size < smallest or not any_text(binding, *member):
            return _base64(media)
        taken = stand_in()
        later[taken] = media
        return taken

    if isinstance(primary, Media):
        return text(primary)
    if not isinstance(primary, dict):
        return primary
    return {name: text(value, name) if isinstance(value, Media) else value for name, value in primary.items()}


def _filled_in(text: str, later: Mapping[str, Media]) -> Body:
    """The JSON `text` with media in place of their stand-ins."""
    pieces = re.split(f"({'|'.join(map(re.escape, later))})", text)
    return Body([Base64Of(later[piece].source) if piece in later else piece.encode() for piece in pieces])


def _validated(
    binding: TaskBinding, primary: Any, parameters: Mapping[str, Any], root: Mapping[str, Any]
) -> dict[str, Any]:
    from pydantic import ValidationError

    from .types import dump

    body: dict[str, Any] = {binding.primary: primary, **root}
    if primary is None and binding.optional:
        del body[binding.primary]
    if parameters:
        body["parameters"] = dict(parameters)
    try:
        body = dump(body)
        validate_request(binding, body)
        return body
    except ValidationError as error:
        found = problems(error, binding)
    except (ValueError, TypeError, RecursionError):
        raise InputError(f"{binding.id}: the request cannot be written as JSON") from None
    raise InputError(f"{binding.id}: {'; '.join(map(str, found))}", problems=found)
