"""Asking a server, with the generated client."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..binding import TaskBinding
from . import CommandError, NoAnswer


def answer(
    package: str,
    binding: TaskBinding,
    url: str,
    primary: Any,
    values: Mapping[str, Any],
    *,
    token: str | None,
    model: str | None,
) -> Any:
    """The answer of the server at `url` as JSON values; `primary` holds files as bytes, `values` the parameters.

    Raises NoAnswer if there is none, CommandError where the request cannot be sent at all.
    """
    from ..encoded import Base64
    from ..errors import ConfigurationError, InferenceError
    from ..types import dump

    client_class = import_module(f"{package}._client").Client
    inside = {name: value for name, value in values.items() if name in binding.parameters}
    beside = {name: value for name, value in values.items() if name not in binding.parameters}
    if isinstance(primary, dict):
        # To the client, text in place of a file is a path or a URL; in JSON it is base64.
        for member, _ in binding.media_members:
            if isinstance(text := primary.get(member), str):
                try:
                    primary = {**primary, member: Base64(text).data}
                except ValueError:
                    raise CommandError(f"INPUT: {member} is not valid base64; use --file {member}=PATH") from None
    try:
        with client_class(url, token=token, model=model) as client:
            return dump(client._call(binding, primary, inside, beside, tuple(values)))
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    except InferenceError as error:
        raise NoAnswer(f"{binding.id}: {error}") from None
