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
    from .binding import TaskBinding
    from .dialect import Wire

JSON = "application/json"


def payload(
    binding: TaskBinding,
    primary: Any,
    parameters: Mapping[str, Any],
    root: Mapping[str, Any],
    *,
    wire: Wire | None = None,
    model: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> tuple[bytes | Body, str]:
    """The body of one request, and its content type.

    `primary` is a :class:`Media`, JSON values and models (an object's members may be Media), or None where it may be
    missing; `parameters` go into the request's ``parameters``, `root` beside the primary input. Media without either
    travel as they are, everything else as JSON that has been checked against the task's input model. A `wire` then puts
    it in another dialect's words, which may name the `model` and the content type, and `extra` joins it as it is.
    Raises InputError.
    """
    as_form, as_json, kind = (wire.form, wire.only_json, wire.body) if wire is not None else (False, False, "")
    if isinstance(primary, Media) and not (as_form or as_json or parameters or root or extra):
        return primary.content, kind or primary.content_type
    later: dict[str, Media] = {}
    smallest = 0 if as_form else LARGE
    body = _checked(binding, _written(binding, primary, later, smallest), parameters, root)
    if wire is not None:
        body = wire.asked(body, model)
    if extra:
        if not isinstance(body, dict):
            raise InputError(f"extra_body: on the wire a request of {binding.id} is no object with members")
        body = {**body, **extra}
    try:
        if as_form:
            return multipart(body, later)
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return _filled_in(text, later) if later else text.encode(), kind if as_json else JSON
    except (ValueError, TypeError, RecursionError):
        # The text of these may quote the input.
        raise InputError(f"{binding.id}: the request cannot be written as {'a form' if as_form else 'JSON'}") from None


def _base64(media: Media) -> str:
    return binascii.b2a_base64(media.data, newline=False).decode("ascii")


def _written(binding: TaskBinding, primary: Any, later: dict[str, Media], smallest: int) -> Any:
    """`primary` as JSON has it, but for media of `smallest` bytes and more.

    Those go into `later`, by the stand-in that takes their place.

    A stand-in is valid base64, as the real text will be, and that is all the model looks at: where the spec says more
    about the text, such as its length, no stand-in will do, and the media is read. It is random, so that no other text
    of the request is mistaken for it.
    """

    def text(media: Media, *member: str) -> str:
        if media.size < smallest or not any_text(binding, *member):
            return _base64(media)
        stand_in = binascii.b2a_base64(os.urandom(24), newline=False).decode("ascii")
        later[stand_in] = media
        return stand_in

    if isinstance(primary, Media):
        return text(primary)
    if not isinstance(primary, dict):
        return primary
    return {name: text(value, name) if isinstance(value, Media) else value for name, value in primary.items()}


def _filled_in(text: str, later: Mapping[str, Media]) -> Body:
    """The JSON `text` with media in place of their stand-ins."""
    pieces = re.split(f"({'|'.join(map(re.escape, later))})", text)
    return Body([Base64Of(later[piece].source) if piece in later else piece.encode() for piece in pieces])


def _checked(
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
