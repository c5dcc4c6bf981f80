"""The unmodified client of Hugging Face, `huggingface_hub`, against the real server, in the dialect `huggingface`."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import soundfile

from .canned import TOKEN, WORDS, Server

hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

SPECS = Path(__file__).parents[2] / "specs"
IMAGE = SPECS / "image-classification" / "examples" / "seven.png"
SOUND = SPECS / "audio-classification" / "examples" / "clicks.flac"
HEY = [{"role": "user", "content": "hey"}]
TABLE = {"name": ["a", "b"], "n": ["1", "2"]}


class Hub(Server):
    """The server, and clients of it."""

    def client(self, path: str, cls: Any = hub.InferenceClient, **settings: Any) -> Any:
        headers = {"x-wait-for-model": "true"}
        return cls(model=f"{self.url}{path}", token=TOKEN, headers=headers, timeout=30, **settings)

    def at(self, task: str, **settings: Any) -> Any:
        return self.client(f"/huggingface/tasks/{task}", **settings)


@pytest.fixture(scope="module")
def server() -> Iterator[Hub]:
    running = Hub()
    yield running
    running.close()


def labels(found: Any) -> list[tuple[str, float]]:
    return [(one.label, one.score) for one in found]


# ------------------------------------------------------------------------------------------------------------- media


@pytest.mark.parametrize("task", ["image-classification", "object-detection", "image-segmentation"])
@pytest.mark.parametrize("given", ["bytes", "path", "parameters"])
def test_images(server: Hub, task: str, given: str) -> None:
    source = IMAGE.read_bytes() if given == "bytes" else IMAGE
    parameters = {"top_k": 1} if task == "image-classification" else {"threshold": 0.5}
    method = getattr(server.at(task), task.replace("-", "_"))
    found = method(source, **(parameters if given == "parameters" else {}))
    assert [one.label for one in found] == [one.label for one in server.handlers[task].answer]
    assert server.seen(task).size == PIL.Image.open(IMAGE).size
    if given == "parameters":
        assert server.handlers[task].seen[1].model_dump() == parameters


@pytest.mark.parametrize("given", ["bytes", "path", "parameters"])
def test_sounds(server: Hub, given: str) -> None:
    source = SOUND.read_bytes() if given == "bytes" else SOUND
    more = {"top_k": 2} if given == "parameters" else {}
    found = server.at("audio-classification").audio_classification(source, **more)
    assert labels(found) == labels(server.handlers["audio-classification"].answer)
    assert server.seen("audio-classification").sampling_rate == soundfile.info(SOUND).samplerate
    more = {"extra_body": {"return_timestamps": True}} if given == "parameters" else {}
    heard = server.at("automatic-speech-recognition").automatic_speech_recognition(source, **more)
    assert heard.text == server.handlers["automatic-speech-recognition"].answer.text
    changed = server.at("audio-to-audio").audio_to_audio(source)
    assert [one.label for one in changed] == [one.label for one in server.handlers["audio-to-audio"].answer]
    assert changed[0].blob == server.handlers["audio-to-audio"].answer[0].blob.data


def test_texts_about_images(server: Hub) -> None:
    found = server.at("image-to-text").image_to_text(IMAGE.read_bytes())
    assert found.generated_text == server.handlers["image-to-text"].answer.generated_text
    found = server.at("zero-shot-image-classification").zero_shot_image_classification(
        IMAGE.read_bytes(), ["a", "b"], hypothesis_template="of {}"
    )
    assert labels(found) == labels(server.handlers["zero-shot-image-classification"].answer)
    asked = server.at("visual-question-answering").visual_question_answering(IMAGE.read_bytes(), "what?", top_k=1)
    assert [one.answer for one in asked] == [one.answer for one in server.handlers["visual-question-answering"].answer]
    assert server.seen("visual-question-answering").question == "what?"
    asked = server.at("document-question-answering").document_question_answering(IMAGE.read_bytes(), "what?")
    assert [one.answer for one in asked] == [
        one.answer for one in server.handlers["document-question-answering"].answer
    ]


@pytest.mark.parametrize("parameters", [{}, {"guidance_scale": 2.0}])
def test_images_are_made(server: Hub, parameters: dict[str, Any]) -> None:
    for task, arguments in (("text-to-image", ("a cat",)), ("image-to-image", (IMAGE.read_bytes(),))):
        made = getattr(server.at(task), task.replace("-", "_"))(*arguments, **parameters)
        expected = server.handlers[task].answer.image.image()
        assert (made.size, made.tobytes()) == (
            expected.size,
            PIL.Image.open(io.BytesIO(server.handlers[task].answer.image.data)).tobytes(),
        )


def test_speech_is_made(server: Hub) -> None:
    made = server.at("text-to-speech").text_to_speech("hello", do_sample=True, temperature=0.5)
    assert made == server.handlers["text-to-speech"].answer.audio.data
    given = server.handlers["text-to-speech"].seen[1].generation_parameters
    assert given.model_dump() == {"do_sample": True, "temperature": 0.5}


# -------------------------------------------------------------------------------------------------------------- texts


def test_texts_are_labelled(server: Hub) -> None:
    for more in ({}, {"top_k": 3, "function_to_apply": "sigmoid"}):
        found = server.at("text-classification").text_classification("x", **more)
        assert labels(found) == labels(server.handlers["text-classification"].answer)
    found = server.at("zero-shot-classification").zero_shot_classification("x", ["a", "b"], multi_label=True)
    assert labels(found) == labels(server.handlers["zero-shot-classification"].answer)
    found = server.at("token-classification").token_classification("x", aggregation_strategy="simple")
    assert [one.word for one in found] == [one.word for one in server.handlers["token-classification"].answer]
    found = server.at("fill-mask").fill_mask("a [MASK]", top_k=2)
    assert [one.sequence for one in found] == [one.sequence for one in server.handlers["fill-mask"].answer]


def test_questions_are_answered(server: Hub) -> None:
    answers = server.handlers["question-answering"].answer
    found = server.at("question-answering").question_answering("who?", "me")
    first = found[0] if isinstance(found, list) else found
    assert first.answer == answers[0].answer
    assert server.seen("question-answering").question == "who?"
    found = server.at("table-question-answering").table_question_answering(table=TABLE, query="how many?")
    assert found.answer == server.handlers["table-question-answering"].answer[0].answer
    assert server.seen("table-question-answering").question == "how many?"


def test_texts_are_compared(server: Hub) -> None:
    found = server.at("sentence-similarity").sentence_similarity("a", other_sentences=["b", "c"])
    assert found == server.handlers["sentence-similarity"].answer
    for more in ({}, {"normalize": True}):
        vectors = server.at("feature-extraction").feature_extraction("a", **more)
        assert vectors.size > 0


def test_texts_are_written(server: Hub) -> None:
    found = server.at("summarization").summarization("long", generate_parameters={"max_length": 5})
    assert found.summary_text == server.handlers["summarization"].answer.summary_text
    found = server.at("translation").translation("hello", src_lang="en", tgt_lang="fr")
    assert found.translation_text == server.handlers["translation"].answer.translation_text
    found = server.at("text-generation").text_generation("Once", max_new_tokens=3)
    assert found == server.handlers["text-generation"].answer.generated_text


def test_tables_are_classified(server: Hub) -> None:
    found = server.at("tabular-classification").tabular_classification(TABLE)
    assert found == server.handlers["tabular-classification"].answer


# ------------------------------------------------------------------------------------------------------- chat, streams


@pytest.mark.parametrize("path", ["/huggingface", "/huggingface/v1", "", "/huggingface/tasks/chat-completion"])
def test_chat(server: Hub, path: str) -> None:
    client = server.client(path)
    found = client.chat_completion(HEY, max_tokens=5, temperature=0.5)
    answer = server.handlers["chat-completion"].answer
    assert found.choices[0].message.content == answer.choices[0].message.content
    assert server.seen("chat-completion").max_tokens == 5
    pieces = [event.choices[0].delta.content for event in client.chat_completion(HEY, stream=True)]
    assert pieces == list(WORDS)


def test_text_is_streamed(server: Hub) -> None:
    client = server.at("text-generation")
    assert list(client.text_generation("Once", stream=True)) == list(WORDS)
    events = list(client.text_generation("Once", stream=True, details=True))
    assert events[-1].generated_text == "".join(WORDS)


# ------------------------------------------------------------------------------------------------ addresses and errors


def test_models_have_addresses(server: Hub) -> None:
    found = server.client("/huggingface/models/text-classification").text_classification("x")
    assert labels(found) == labels(server.handlers["text-classification"].answer)
    found = server.client("/huggingface/models/sentence-similarity/pipeline/sentence-similarity").sentence_similarity(
        "a", other_sentences=["b"]
    )
    assert found == server.handlers["sentence-similarity"].answer


def test_the_only_model_answers_at_the_bare_address() -> None:
    running = Hub("text-classification")
    try:
        found = running.client("").text_classification("x")
        assert labels(found) == labels(running.handlers["text-classification"].answer)
        assert labels(running.client("/huggingface").text_classification("x")) == labels(found)
    finally:
        running.close()


def test_a_server_is_asked_how_it_is(server: Hub) -> None:
    client = server.client("/huggingface", provider="hf-inference")
    assert client.health_check() is True
    assert "text-classification" in client.get_endpoint_info()["model_id"]


def test_errors_say_what_is_wrong(server: Hub) -> None:
    with pytest.raises(hub.errors.HfHubHTTPError, match=r"parameters\.top_k"):
        server.at("text-classification").text_classification("x", top_k=0)
    with pytest.raises(hub.errors.HfHubHTTPError, match="401"):
        hub.InferenceClient(model=f"{server.url}/huggingface/tasks/fill-mask", token="wrong").fill_mask("x")
    with pytest.raises(hub.errors.HfHubHTTPError, match="no such task"):
        server.at("no-such-task").fill_mask("x")


def test_the_async_client(server: Hub) -> None:
    async def run() -> None:
        cls = hub.AsyncInferenceClient
        found = await server.at("text-classification", cls=cls).text_classification("x", top_k=1)
        assert labels(found) == labels(server.handlers["text-classification"].answer)
        found = await server.at("image-classification", cls=cls).image_classification(IMAGE.read_bytes())
        assert labels(found) == labels(server.handlers["image-classification"].answer)
        made = await server.at("text-to-image", cls=cls).text_to_image("a cat")
        assert made.size == server.handlers["text-to-image"].answer.image.image().size
        chat = server.client("/huggingface", cls=cls)  # it must outlive its streams
        stream = await chat.chat_completion(HEY, stream=True)
        assert [event.choices[0].delta.content async for event in stream] == list(WORDS)

    asyncio.run(run())
