"""What type checkers make of the client: `nox -s types` holds mypy and pyright against every line of this module."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import assert_type

from inference_tasks import AsyncClient, Client, InferenceError
from inference_tasks._runtime.raw import RawResponse
from inference_tasks._runtime.streaming import AsyncStream, Stream
from inference_tasks.models.common import ClassificationOutput
from inference_tasks.models.text_generation import TextGenerationOutput, TextGenerationStreamOutput

Labels = list[ClassificationOutput]


def sync_calls(client: Client) -> None:
    """The sync client."""
    assert_type(client.text_classification("x", top_k=1), Labels)
    assert_type(client.text_generation("x"), TextGenerationOutput)
    assert_type(client.text_generation("x", stream=True), Stream[TextGenerationStreamOutput])
    assert_type(client.with_options(timeout=1), Client)
    assert_type(Client.huggingface(token="x", max_retries=0), Client)
    raw = client.with_raw_response
    assert_type(raw.text_classification("x", top_k=1), RawResponse[Labels])
    assert_type(raw.text_generation("x"), RawResponse[TextGenerationOutput])
    assert_type(raw.text_generation("x", stream=True), RawResponse[Stream[TextGenerationStreamOutput]])
    assert_type(
        client.map(client.image_classification, ["a.png"], top_k=1), Generator[Labels | InferenceError, None, None]
    )


async def async_calls(client: AsyncClient) -> None:
    """The async client."""
    assert_type(await client.text_classification("x", top_k=1), Labels)
    assert_type(await client.text_generation("x"), TextGenerationOutput)
    assert_type(await client.text_generation("x", stream=True), AsyncStream[TextGenerationStreamOutput])
    assert_type(client.with_options(timeout=1), AsyncClient)
    assert_type(AsyncClient.huggingface(token="x", max_retries=0), AsyncClient)
    raw = client.with_raw_response
    assert_type(await raw.text_classification("x", top_k=1), RawResponse[Labels])
    assert_type(await raw.text_generation("x", stream=True), RawResponse[AsyncStream[TextGenerationStreamOutput]])
    assert_type(client.map(client.image_classification, ["a.png"]), AsyncGenerator[Labels | InferenceError, None])
