"""The clients that carry the steps of a call out: one for threads, one for asyncio and trio."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from ._exchange import Pause, Steps, Work
from ._http import AsyncTransport, Request, SyncTransport
from ._several import Several
from .core import BaseClient
from .errors import InferenceError
from .streaming import AsyncStream, Stream

if TYPE_CHECKING:
    from ._http import AsyncHTTPClient, AsyncLive, Live, SyncHTTPClient
    from .binding import TaskBinding

Out = TypeVar("Out")


class SyncClient(BaseClient["SyncHTTPClient"]):
    """A client for threads. `http_client` may be an `httpx.Client` or `httpx2.Client`, which stays yours to close."""

    def _connect(self, http_client: SyncHTTPClient | None) -> None:
        self._transport = SyncTransport(http_client)
        self._sleep: Callable[[float], None] = time.sleep

    def _call(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        return self._run(self._steps(binding, primary, parameters, root, nullable, **options))

    def _stream(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        ask, response = self._run(self._opened(binding, primary, parameters, root, nullable, **options))
        stream: Stream[Any] = Stream(cast("Live", response.live), partial(self._event, ask, response))
        return self._streamed(response, stream)

    def _run(self, steps: Steps[Any]) -> Any:
        answer: Any = None
        failure: InferenceError | None = None
        while True:
            try:
                step = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as end:
                return end.value
            answer = failure = None
            try:
                answer = self._do(step)
            except InferenceError as error:
                failure = error

    def _do(self, step: Request | Pause | Work) -> Any:
        if isinstance(step, Request):
            return self._transport.send(step)
        return self._sleep(step.seconds) if isinstance(step, Pause) else step.run()

    def map(
        self,
        method: Callable[..., Out],
        inputs: Iterable[Any],
        *,
        concurrency: int = 8,
        per_call: int = 1,
        keep_errors: bool = False,
        progress: bool = False,
        **keywords: Any,
    ) -> Generator[Out | InferenceError, None, None]:
        """Call `method`, one of this client's own, with each of `inputs`; the results come in their order.

        Up to `concurrency` calls run at once, and inputs for twice as many are taken ahead, so that any number of them
        fits into memory. `keywords` go to every call. In dialects whose calls carry several inputs (Clarifai's up to
        128), `per_call` of them travel together: fewer where they hold more than 64 MB, or more than the server says
        that it takes. Their answers come together too, and may be 64 MB in all. With `keep_errors`, an input that
        fails gives its InferenceError in place of a result; without, it is raised and the rest is dropped. `progress`
        shows a bar on a terminal. Raises InputError for more inputs per call than a call carries.

        Example:
            from pathlib import Path

            for labels in client.map(client.image_classification, Path("photos").glob("*.png"), top_k=1):
                print(labels[0].label)
        """
        from .batch import in_threads

        self._check_packing(method, per_call)

        def call(parcel: list[Any]) -> list[Any]:
            if per_call == 1:
                return [method(parcel[0], **keywords)]
            return cast("list[Any]", method(Several(parcel), **keywords))

        return in_threads(call, inputs, concurrency, per_call=per_call, keep_errors=keep_errors, progress=progress)

    def close(self) -> None:
        """Close the connections to the server; those of a client made by `with_options` stay open.

        Example:
            client.close()
        """
        if self._owner:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClientBase(BaseClient["AsyncHTTPClient"]):
    """A client for asyncio and trio. `http_client` may be an `AsyncClient` of httpx or httpx2; which stays yours."""

    def _connect(self, http_client: AsyncHTTPClient | None) -> None:
        self._transport = AsyncTransport(http_client)
        self._sleep: Callable[[float], Awaitable[None]] = _sleep

    async def _call(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        return await self._run(self._steps(binding, primary, parameters, root, nullable, **options))

    async def _stream(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        ask, response = await self._run(self._opened(binding, primary, parameters, root, nullable, **options))
        stream: AsyncStream[Any] = AsyncStream(cast("AsyncLive", response.live), partial(self._event, ask, response))
        return self._streamed(response, stream)

    async def _run(self, steps: Steps[Any]) -> Any:
        answer: Any = None
        failure: InferenceError | None = None
        while True:
            try:
                step = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as end:
                return end.value
            answer = failure = None
            try:
                answer = await self._do(step)
            except InferenceError as error:
                failure = error

    async def _do(self, step: Request | Pause | Work) -> Any:
        if isinstance(step, Request):
            return await self._transport.send(step)
        return await (self._sleep(step.seconds) if isinstance(step, Pause) else _in_thread(step.run))

    def map(
        self,
        method: Callable[..., Awaitable[Out]],
        inputs: Iterable[Any] | AsyncIterable[Any],
        *,
        concurrency: int = 8,
        per_call: int = 1,
        keep_errors: bool = False,
        progress: bool = False,
        **keywords: Any,
    ) -> AsyncGenerator[Out | InferenceError, None]:
        """Call `method`, one of this client's own, with each of `inputs`; the results come in their order.

        Up to `concurrency` calls run at once, and inputs for twice as many are taken ahead, so that any number of them
        fits into memory. `keywords` go to every call. In dialects whose calls carry several inputs (Clarifai's up to
        128), `per_call` of them travel together: fewer where they hold more than 64 MB, or more than the server says
        that it takes. Their answers come together too, and may be 64 MB in all. With `keep_errors`, an input that
        fails gives its InferenceError in place of a result; without, it is raised and the rest is cancelled. `progress`
        shows a bar on a terminal. Raises InputError for more inputs per call than a call carries. For asyncio only.

        Example:
            from pathlib import Path

            async for labels in client.map(client.image_classification, Path("photos").glob("*.png"), top_k=1):
                print(labels[0].label)
        """
        from .batch import in_tasks

        self._check_packing(method, per_call)

        async def call(parcel: list[Any]) -> list[Any]:
            if per_call == 1:
                return [await method(parcel[0], **keywords)]
            return cast("list[Any]", await method(Several(parcel), **keywords))

        return in_tasks(call, inputs, concurrency, per_call=per_call, keep_errors=keep_errors, progress=progress)

    async def close(self) -> None:
        """Close the connections to the server; those of a client made by `with_options` stay open.

        Example:
            await client.close()
        """
        if self._owner:
            await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)


async def _in_thread(run: Callable[[], Any]) -> Any:
    from anyio import to_thread

    return await to_thread.run_sync(run)
