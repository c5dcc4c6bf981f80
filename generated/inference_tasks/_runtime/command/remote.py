"""Asking a server, with the generated client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from ..binding import TaskBinding
from . import CommandError, NoAnswer, ReadError

In = TypeVar("In")
Out = TypeVar("Out")


class Server:
    """The server at `url`, or the hosted one of a `dialect`, for one task.

    It is asked for up to `concurrency` answers at once.
    """

    def __init__(
        self,
        package: str,
        binding: TaskBinding,
        url: str | None,
        *,
        token: str | None,
        model: str | None,
        dialect: str | None,
        concurrency: int,
    ) -> None:
        from ..errors import ConfigurationError

        self._binding = binding
        self._concurrency = concurrency
        try:
            client = import_module(f"{package}._client").Client
            self._client: Any = client(url, token=token, model=model, dialect=dialect)
        except ConfigurationError as error:
            raise CommandError(str(error)) from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def answer(self, primary: Any, values: Mapping[str, Any]) -> Any:
        """The answer as JSON values; `primary` holds files as bytes, `values` the parameters.

        Raises NoAnswer if there is none, CommandError where the request cannot be sent at all.
        """
        from ..types import dump

        with self._errors():
            return dump(self._client._call(*self._arguments(primary, values)))

    def events(self, primary: Any, values: Mapping[str, Any]) -> Iterator[Any]:
        """The events of a streamed answer as JSON values, as they come in. Raises what :meth:`answer` raises."""
        from ..types import dump

        with self._errors(), self._client._stream(*self._arguments(primary, values)) as events:
            for event in events:
                yield dump(event)

    def map(self, call: Callable[[In], Out], inputs: Iterable[In]) -> Iterator[Out]:
        """`call` of each of `inputs`, in their order, several at once in threads."""
        results: Iterator[Out] = self._client.map(call, inputs, concurrency=self._concurrency)
        return results

    def _arguments(self, primary: Any, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """What the client's own methods pass on: parameters within and beside ``parameters``, and which may be null."""
        from ..encoded import Base64

        inside = {name: value for name, value in values.items() if name in self._binding.parameters}
        beside = {name: value for name, value in values.items() if name not in self._binding.parameters}
        if isinstance(primary, dict):
            # To the client, text in place of a file is a path or a URL; in JSON it is base64.
            for member, _ in self._binding.media_members:
                if isinstance(text := primary.get(member), str):
                    try:
                        primary = {**primary, member: Base64(text).data}
                    except ValueError:
                        raise ReadError(f"INPUT: {member} is not valid base64; use --file {member}=PATH") from None
        return self._binding, primary, inside, beside, tuple(values)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """The client's errors as ours."""
        from ..errors import ConfigurationError, InferenceError

        try:
            yield
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        except InferenceError as error:
            task = f"{self._binding.id}: "  # which most of its own messages begin with
            raise NoAnswer(f"{task}{str(error).removeprefix(task)}") from None
