"""The unmodified JavaScript client of Hugging Face, `@huggingface/inference`, against the real server.

`nox -s javascript` installs it. All calls are made by one process of Node.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import soundfile

from inference_tasks._runtime.types import dump
from inference_tasks.server import Audio
from tests.conftest import ROOT
from tests.support.server import environment

from .canned import TOKEN, WORDS, Server

HERE = Path(__file__).parent
INSTALLED = ROOT / ".nox" / "js"
if shutil.which("node") is None or not (INSTALLED / "node_modules").exists():
    pytest.skip("@huggingface/inference or Node is not installed: run nox -s javascript", allow_module_level=True)

IMAGE = ROOT / "specs" / "image-classification" / "examples" / "seven.png"
SOUND = ROOT / "specs" / "audio-classification" / "examples" / "clicks.flac"
HEY = [{"role": "user", "content": "hey"}]
TABLE = {"name": ["a", "b"], "n": ["1", "2"]}

PICTURE = {"$blob": str(IMAGE), "type": "image/png"}
TUNE = {"$blob": str(SOUND), "type": "audio/flac"}
# Without a media type; some functions take these.
PICTURE_BYTES = {"$buffer": str(IMAGE)}
TUNE_BYTES = {"$buffer": str(SOUND)}


class Node:
    """A process that calls the client as it is told."""

    def __init__(self, url: str) -> None:
        self.url = url
        # As text instead of a file, the program finds the packages of the folder that it runs in.
        program = (HERE / "js_client.mjs").read_text(encoding="utf-8")
        self._process = subprocess.Popen(
            ["node", "--input-type=module", "--eval", program],
            cwd=INSTALLED,
            env=environment(),
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def functions(self) -> set[str]:
        """The functions that the client has."""
        return set(self._told({"do": "functions"}))

    def call(self, function: str, path: str, arguments: Any, *, token: str = TOKEN, **options: Any) -> Any:
        """What comes of a call of `function` at the endpoint `path`: its `result`, or `events`, or an `error`."""
        call = {"name": function, "token": token, "url": f"{self.url}{path}", "args": arguments, "options": options}
        return self._told({"do": "call", **call})

    def _told(self, request: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    running.handlers["tabular-classification"].answer = [0, 1]  # the client takes no other classes
    yield running
    running.close()


@pytest.fixture(scope="module")
def node(server: Server) -> Iterator[Node]:
    process = Node(server.url)
    yield process
    process.close()


def at(task: str) -> str:
    return f"/huggingface/tasks/{task}"


# -------------------------------------------------------------------------------------------------------- plain calls


def whole(answer: Any) -> Any:
    return answer


def first(answer: Any) -> Any:
    return answer[0]


def file(answer: Any) -> Any:
    kinds = {"image": "image/png", "audio": "audio/flac"}
    return next({"type": kind, "base64": answer[member]} for member, kind in kinds.items() if member in answer)


CALLS: list[tuple[str, Any, Any]] = [
    # Function, its arguments, and what it makes of the task's answer.
    ("audioClassification", {"inputs": TUNE}, whole),
    ("audioClassification", {"inputs": TUNE, "parameters": {"top_k": 1}}, whole),
    ("audioClassification", {"data": TUNE_BYTES}, whole),
    ("audioToAudio", {"inputs": TUNE}, whole),
    ("audioToAudio", {"data": TUNE_BYTES}, whole),
    ("automaticSpeechRecognition", {"inputs": TUNE}, whole),
    ("automaticSpeechRecognition", {"inputs": TUNE, "parameters": {"return_timestamps": True}}, whole),
    ("automaticSpeechRecognition", {"data": TUNE_BYTES}, whole),
    ("documentQuestionAnswering", {"inputs": {"image": PICTURE, "question": "what?"}}, first),
    ("documentQuestionAnswering", {"inputs": {"image": PICTURE, "question": "?"}, "parameters": {"top_k": 1}}, first),
    ("featureExtraction", {"inputs": "a"}, whole),
    ("featureExtraction", {"inputs": ["a", "b"], "normalize": True, "truncate": True}, whole),
    ("fillMask", {"inputs": "a [MASK]"}, whole),
    ("fillMask", {"inputs": "a [MASK]", "parameters": {"top_k": 2, "targets": ["b"]}}, whole),
    ("imageClassification", {"inputs": PICTURE}, whole),
    ("imageClassification", {"inputs": PICTURE, "parameters": {"top_k": 1}}, whole),
    ("imageClassification", {"data": PICTURE_BYTES}, whole),
    ("imageSegmentation", {"inputs": PICTURE}, whole),
    ("imageSegmentation", {"inputs": PICTURE_BYTES, "parameters": {"threshold": 0.5}}, whole),
    ("imageToImage", {"inputs": PICTURE}, file),
    ("imageToImage", {"inputs": PICTURE_BYTES, "parameters": {"prompt": "blue", "guidance_scale": 2}}, file),
    ("imageToText", {"inputs": PICTURE}, whole),
    ("imageToText", {"inputs": PICTURE, "parameters": {"max_new_tokens": 3}}, whole),
    ("imageToText", {"data": PICTURE_BYTES}, whole),
    ("objectDetection", {"inputs": PICTURE}, whole),
    ("objectDetection", {"inputs": PICTURE, "parameters": {"threshold": 0.5}}, whole),
    ("objectDetection", {"data": PICTURE_BYTES}, whole),
    ("questionAnswering", {"inputs": {"question": "who?", "context": "me"}}, first),
    ("questionAnswering", {"inputs": {"question": "who?", "context": "me"}, "parameters": {"top_k": 2}}, first),
    ("sentenceSimilarity", {"inputs": {"source_sentence": "a", "sentences": ["b", "c"]}}, whole),
    ("summarization", {"inputs": "long"}, whole),
    ("summarization", {"inputs": "long", "parameters": {"truncation": "only_first"}}, whole),
    ("tableQuestionAnswering", {"inputs": {"table": TABLE, "question": "how many?"}}, first),
    (
        "tableQuestionAnswering",
        {"inputs": {"table": TABLE, "question": "how many?"}, "parameters": {"truncation": True}},
        first,
    ),
    ("tabularClassification", {"inputs": {"data": TABLE}}, whole),
    ("tabularRegression", {"inputs": {"data": TABLE}}, whole),
    ("textClassification", {"inputs": "x"}, whole),
    ("textClassification", {"inputs": "x", "parameters": {"top_k": 3, "function_to_apply": "sigmoid"}}, whole),
    ("textGeneration", {"inputs": "Once"}, whole),
    ("textGeneration", {"inputs": "Once", "parameters": {"max_new_tokens": 3, "stop": ["."], "seed": 1}}, whole),
    ("textToAudio", {"inputs": "a bell"}, file),
    ("textToAudio", {"inputs": "a bell", "parameters": {"generation_parameters": {"do_sample": True}}}, file),
    ("textToImage", {"inputs": "a cat"}, file),
    ("textToImage", {"inputs": "a cat", "parameters": {"seed": 1, "num_inference_steps": 2}}, file),
    ("textToSpeech", {"inputs": "hello"}, file),
    ("textToSpeech", {"inputs": "hello", "parameters": {"generation_parameters": {"do_sample": True}}}, file),
    ("tokenClassification", {"inputs": "x"}, whole),
    ("tokenClassification", {"inputs": "x", "parameters": {"aggregation_strategy": "simple"}}, whole),
    ("translation", {"inputs": "hello"}, whole),
    ("translation", {"inputs": "hello", "parameters": {"src_lang": "en", "tgt_lang": "fr"}}, whole),
    ("visualQuestionAnswering", {"inputs": {"image": PICTURE, "question": "what?"}}, first),
    ("visualQuestionAnswering", {"inputs": {"image": PICTURE, "question": "?"}, "parameters": {"top_k": 1}}, first),
    ("zeroShotClassification", {"inputs": "x", "parameters": {"candidate_labels": ["a", "b"]}}, whole),
    (
        "zeroShotClassification",
        {"inputs": "x", "parameters": {"candidate_labels": ["a", "b"], "multi_label": True}},
        whole,
    ),
    ("zeroShotImageClassification", {"inputs": PICTURE, "parameters": {"candidate_labels": ["a", "b"]}}, whole),
    (
        "zeroShotImageClassification",
        {"inputs": {"image": PICTURE_BYTES}, "parameters": {"candidate_labels": ["a"], "hypothesis_template": "of {}"}},
        whole,
    ),
]

# What these get is the body of the request; the client sends the parameters nowhere.
BARE = {
    "audioClassification",
    "audioToAudio",
    "automaticSpeechRecognition",
    "imageClassification",
    "imageToText",
    "objectDetection",
}

STREAMS = {"chatCompletionStream", "textGenerationStream", "streamingRequest"}

UNREACHABLE = {"imageTextToImage", "imageTextToVideo", "imageToVideo", "textToVideo"}
"""The client refuses to send these to an endpoint: it knows them only of other providers."""


def test_every_function_is_called_here(node: Node) -> None:
    called = {function for function, _, _ in CALLS} | STREAMS | UNREACHABLE | {"chatCompletion", "request"}
    assert node.functions() == called


@pytest.mark.parametrize(("function", "arguments", "result"), CALLS)
def test_calls(server: Server, node: Node, function: str, arguments: Any, result: Any) -> None:
    task = task_of(function)
    handler = server.handlers[task]
    handler.seen = []
    answer = json.loads(handler.binding.output_adapter.dump_json(handler.answer, by_alias=True, exclude_unset=True))
    assert node.call(function, at(task), arguments) == {"result": result(answer)}
    assert heard(handler) == sent(function, arguments)


def sent(function: str, arguments: Any) -> Any:
    """The request that a call stands for, as the spec has it."""
    inputs = without_files(arguments["inputs"] if "inputs" in arguments else arguments["data"])
    if isinstance(inputs, dict) and list(inputs) == ["image"]:  # the older of two ways to write it
        inputs = inputs["image"]
    others = {name: value for name, value in arguments.items() if name not in ("inputs", "data", "parameters")}
    return {"inputs": inputs, "parameters": {} if function in BARE else arguments.get("parameters", {}), **others}


def heard(handler: Any) -> Any:
    """The request that a handler was called for, as the spec has it."""
    inputs, *parameters = map(dump, handler.seen)
    if isinstance(handler.seen[0], handler.binding.input_class):
        return {"parameters": {}, **without_files(inputs)}
    return {"inputs": without_files(inputs), "parameters": parameters[0] if parameters else {}}


def task_of(function: str) -> str:
    return re.sub("([A-Z])", r"-\1", function).lower()


def without_files(value: Any) -> Any:
    """`value` with a name in place of each file, encoded or decoded, that is one of those here."""
    if isinstance(value, dict) and ("$blob" in value or "$buffer" in value):
        return Path(next(iter(value.values()))).name
    if isinstance(value, dict):
        return {name: without_files(member) for name, member in value.items()}
    if isinstance(value, Audio):
        frames, rate = soundfile.info(SOUND).frames, soundfile.info(SOUND).samplerate
        return SOUND.name if (len(value.samples), value.sampling_rate) == (frames, rate) else value
    if isinstance(value, PIL.Image.Image):
        return IMAGE.name if value.tobytes() == PIL.Image.open(IMAGE).convert(value.mode).tobytes() else value
    return IMAGE.name if value == base64.b64encode(IMAGE.read_bytes()).decode() else value


@pytest.mark.parametrize("function", sorted(UNREACHABLE))
def test_some_functions_go_to_no_endpoint(node: Node, function: str) -> None:
    prompt = (
        {"inputs": "a cat"} if function == "textToVideo" else {"inputs": PICTURE, "parameters": {"prompt": "a cat"}}
    )
    failure = node.call(function, at(task_of(function)), prompt)
    assert "not supported for provider 'hf-inference'" in failure["message"]


def test_members_that_the_client_insists_on(server: Server, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"entity": "B-PER", "word": "Na", "score": 0.5, "start": 0, "end": 2}
    tokens = server.handlers["token-classification"]
    monkeypatch.setattr(tokens, "answer", [token, {**token, "entity_group": "PER"}])
    arguments = {"inputs": "x", "parameters": {"aggregation_strategy": "none"}}
    found = node.call("tokenClassification", at("token-classification"), arguments)
    assert found == {"result": [{**token, "entity_group": "B-PER"}, {**token, "entity_group": "PER"}]}
    table = server.handlers["table-question-answering"]
    monkeypatch.setattr(table, "answer", [{"answer": "3", "cells": ["1", "2"]}])
    arguments = {"inputs": {"table": TABLE, "question": "how many?"}}
    found = node.call("tableQuestionAnswering", at("table-question-answering"), arguments)
    assert found == {"result": {"answer": "3", "cells": ["1", "2"], "coordinates": [], "aggregator": ""}}


def test_what_the_client_makes_nothing_of(server: Server, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """These are answers as the spec has them, and nothing else could be put in their place."""
    refused = "Received malformed response"
    monkeypatch.setattr(server.handlers["tabular-classification"], "answer", ["setosa", "virginica"])
    found = node.call("tabularClassification", at("tabular-classification"), {"inputs": {"data": TABLE}})
    assert refused in found["message"]
    token = {"entity_group": "PER", "word": "Na", "score": 0.5, "start": None, "end": None}
    monkeypatch.setattr(server.handlers["token-classification"], "answer", [token])
    found = node.call("tokenClassification", at("token-classification"), {"inputs": "x"})
    assert refused in found["message"]


def test_other_outputs_of_images(server: Server, node: Node) -> None:
    image = server.handlers["text-to-image"].answer.image
    # The client says image/jpeg whatever it was sent.
    url = "data:image/jpeg;base64," + base64.b64encode(image.data).decode()
    assert node.call("textToImage", at("text-to-image"), {"inputs": "a cat"}, outputType="dataUrl") == {"result": url}
    # It has no JSON for a file, and sends nothing if it is to return a URL.
    assert node.call("textToImage", at("text-to-image"), {"inputs": "a cat"}, outputType="json") == {"result": {}}
    failure = node.call("textToImage", at("text-to-image"), {"inputs": "a cat"}, outputType="url")
    assert "does not support URL output" in failure["message"]


# ------------------------------------------------------------------------------------------------------- chat, streams


@pytest.mark.parametrize("path", ["", "/v1", "/huggingface", "/huggingface/v1/", at("chat-completion")])
def test_chat(server: Server, node: Node, path: str) -> None:
    handler = server.handlers["chat-completion"]
    for more in ({}, {"max_tokens": 5, "temperature": 0.5, "stop": ["."]}, {"model": "chat-completion"}):
        answer = node.call("chatCompletion", path, {"messages": HEY, **more})["result"]
        assert answer["choices"][0]["message"]["content"] == handler.answer.choices[0].message.content
        asked = dump(handler.seen[0])
        assert {**asked, "model": ""} == {"messages": HEY, **more, "model": ""}
    events = node.call("chatCompletionStream", path, {"messages": HEY, "max_tokens": 5})["events"]
    assert [event["choices"][0]["delta"]["content"] for event in events] == list(WORDS)
    assert handler.seen[0].max_tokens == 5


@pytest.mark.parametrize("path", ["", "/huggingface", "/v1", at("text-generation"), at("text-generation") + "/v1"])
def test_text_is_generated(server: Server, node: Node, path: str) -> None:
    handler = server.handlers["text-generation"]
    answer = node.call("textGeneration", path, {"inputs": "Once", "parameters": {"max_new_tokens": 3}})
    assert answer == {"result": {"generated_text": handler.answer.generated_text}}
    given = {"max_new_tokens": 3, "temperature": 0.5}
    events = node.call("textGenerationStream", path, {"inputs": "Once", "parameters": given})["events"]
    assert [event["choices"][0]["text"] for event in events] == list(WORDS)
    assert heard(handler) == {"inputs": "Once", "parameters": given, "stream": True}


def test_requests_of_any_kind(server: Server, node: Node) -> None:
    found = node.call("request", at("text-classification"), {"inputs": "x", "parameters": {"top_k": 1}})["result"]
    assert found == [dump(server.handlers["text-classification"].answer)]
    found = node.call("request", "/tasks/text-classification", {"inputs": "x"})["result"]
    assert found == dump(server.handlers["text-classification"].answer)
    events = node.call("streamingRequest", at("text-generation"), {"inputs": "Once"})["events"]
    assert [event["token"]["text"] for event in events] == list(WORDS)


# ------------------------------------------------------------------------------------------------ addresses and errors


@pytest.mark.parametrize("path", ["/huggingface/models/{}", "/models/{}", "/tasks/{}"])
def test_addresses(server: Server, node: Node, path: str) -> None:
    """Where the dialect and the spec agree, our own routes will do."""
    found = node.call("fillMask", path.format("fill-mask"), {"inputs": "a [MASK]"})
    assert found == {"result": dump(server.handlers["fill-mask"].answer)}


def test_models_serve_several_pipelines(server: Server, node: Node) -> None:
    for function, given in (
        ("featureExtraction", "a"),
        ("sentenceSimilarity", {"source_sentence": "a", "sentences": ["b"]}),
    ):
        task = task_of(function)
        found = node.call(function, f"/huggingface/models/{task}/pipeline/{task}", {"inputs": given})
        assert found == {"result": dump(server.handlers[task].answer)}


def test_errors_say_what_is_wrong(node: Node) -> None:
    wrong = {"inputs": "x", "parameters": {"top_k": 0}}
    failure = node.call("textClassification", at("text-classification"), wrong)
    assert (failure["error"], failure["status"]) == ("ProviderApiError", 422)
    assert "parameters.top_k" in failure["message"]
    failure = node.call("fillMask", at("fill-mask"), {"inputs": "x"}, token="hf_wrong")
    assert (failure["status"], "a valid token is required" in failure["message"]) == (401, True)
    failure = node.call("fillMask", at("no-such-task"), {"inputs": "x"})
    assert (failure["status"], "no such task" in failure["message"]) == (404, True)
    failure = node.call("imageClassification", at("image-classification"), {"data": TUNE_BYTES})
    assert failure["status"] == 422


@pytest.mark.parametrize("stream", ["", "Stream"])
@pytest.mark.parametrize("path", ["/huggingface/tasks/{}", "/huggingface/models/{}", "/huggingface"])
def test_errors_of_generation(node: Node, path: str, stream: str) -> None:
    failure = node.call(f"chatCompletion{stream}", path.format("chat-completion"), {"messages": HEY, "temperature": -1})
    assert (failure["error"], failure["status"]) == ("ProviderApiError", 422)
    assert "temperature" in failure["message"]
    wrong = {"inputs": "Once", "parameters": {"temperature": -1}}
    failure = node.call(f"textGeneration{stream}", path.format("text-generation"), wrong)
    assert (failure["error"], failure["status"]) == ("ProviderApiError", 422)
    assert "temperature" in failure["message"]


def test_errors_within_streams(server: Server, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: Any) -> Iterator[Any]:
        yield from islice(
            type(server.handlers["chat-completion"]).stream(server.handlers["chat-completion"], request), 2
        )
        raise RuntimeError("of the tests")

    monkeypatch.setattr(server.handlers["chat-completion"], "stream", broken)
    told = node.call("chatCompletionStream", "", {"messages": HEY})
    assert len(told["events"]) == 2
    assert "internal error" in told["message"]
