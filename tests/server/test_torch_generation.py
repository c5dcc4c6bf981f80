"""The torch tasks that write text: what they write, alone, together and piece by piece, and what they refuse."""

from __future__ import annotations

import gc
import json
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import PIL.Image
import torch
import transformers

from inference_tasks import Client
from inference_tasks._runtime.server.batcher import run_batch
from inference_tasks._runtime.torch import create_handler
from inference_tasks._runtime.torch.base import ModelDirectoryError
from inference_tasks._runtime.torch.demo import writing
from inference_tasks._runtime.torch.pieces import Held
from inference_tasks._runtime.torch.tool_calls import Call, ToolReader
from inference_tasks._tasks import TASKS
from inference_tasks.server import RequestProblem
from tests.end_to_end.tiny_models import reciter

from . import tiny_generation as tiny
from .live import Serve

GENERATION, CHAT = "text-generation", "chat-completion"
SUMMARY, TRANSLATION, CAPTION = "summarization", "translation", "image-to-text"
TEXTS = ["hello", "the quick brown fox", "é", "0 1 2 3 4 5 6 7 8 9", "x"]
FAMILIES = ("llama", "gpt2", "gemma3_text", "bloom")  # Bloom is told no positions, and so writes alone

Make = Callable[..., Any]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Handlers that are made once: `make(task, builder, …)` serves what `builder(directory, …)` wrote."""
    made: dict[str, Any] = {}

    def start(task: str, builder: Callable[..., Path], *args: Any, **options: Any) -> Any:
        key = repr((task, builder.__name__, args, options))
        if key not in made:
            directory = tmp_path_factory.mktemp(builder.__name__) / "model"
            made[key] = create_handler(TASKS[task], builder(directory, *args, **options))
            made[key].load()
        return made[key]

    return start


@pytest.fixture(scope="session")
def llama(make: Make) -> Any:
    return make(GENERATION, tiny.writer)


@pytest.fixture(scope="session")
def chatter(make: Make) -> Any:
    return make(CHAT, tiny.writer, chat=writing.CHAT, longest=1024)


def parameters(task: str, **values: Any) -> Any:
    return TASKS[task].parameters_class(**values)


def prompt(text: str = "hello 0", *, stream: bool = False, max_new_tokens: int | None = 24, **options: Any) -> Any:
    """A request for text generation."""
    given = {**options, "max_new_tokens": max_new_tokens}
    payload = {"inputs": text, "parameters": given, "stream": stream}
    return TASKS[GENERATION].input_adapter.validate_python(payload)


def chat(*messages: Any, max_tokens: int | None = 24, **options: Any) -> Any:
    """A request for chat completion; a text is a user's message."""
    told = [{"role": "user", "content": m} if isinstance(m, str) else m for m in messages or ("hello 0",)]
    payload = {"messages": told, "max_tokens": max_tokens, **options}
    return TASKS[CHAT].input_adapter.validate_python(payload)


def refused(answer: Callable[[], Any]) -> str:
    """The field that `answer` is refused for."""
    with pytest.raises(RequestProblem) as caught:
        answer()
    assert caught.value.status == 422
    return caught.value.fields[0].field


def checked(task: str, events: Iterator[Any]) -> list[Any]:
    """The events of a stream, each valid under the task's spec."""
    found = list(events)
    for event in found:
        TASKS[task].stream_adapter.validate_python(event, by_name=False, by_alias=True)
    return found


def ids(answer: Any) -> list[int]:
    return [token.id for token in answer.details.tokens]


# ------------------------------------------------------------------------------------------------ text generation


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_text_is_what_transformers_generates(make: Make, family: str) -> None:
    made = make(GENERATION, tiny.writer, family)
    for answer, text in zip(made.batch([prompt(t, details=True) for t in TEXTS], None), TEXTS, strict=True):
        given = made.tokenizer(text, return_tensors="pt")
        expected = made.model.generate(**given, max_new_tokens=24, do_sample=False)[0, given["input_ids"].shape[1] :]
        assert ids(answer) == expected.tolist()
        decoded = made.tokenizer.decode(expected, skip_special_tokens=True)
        assert answer.generated_text == decoded.rstrip("\ufffd")


def test_text_generation_pipeline_says_the_same(llama: Any) -> None:
    pipeline = transformers.pipeline("text-generation", model=llama.model, tokenizer=llama.tokenizer)
    for text in TEXTS:
        [expected] = pipeline(text, max_new_tokens=8, do_sample=False, return_full_text=False)
        answer = llama(prompt(text, max_new_tokens=8), None)
        assert answer.generated_text == expected["generated_text"].rstrip("\ufffd")


SETTINGS: list[dict[str, Any]] = [
    {},
    {"seed": 3, "do_sample": True},
    {"seed": 4, "temperature": 0.7, "top_k": 20},
    {"seed": 5, "top_p": 0.8, "typical_p": 0.9},
    {"repetition_penalty": 1.5, "frequency_penalty": 0.5, "details": True},
    {"stop": ["\x1d", "zz"], "return_full_text": True},
    {"watermark": True},
    {"truncate": 3},
    {"grammar": {"type": "regex", "value": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}, "seed": 1, "temperature": 2},
    {"max_new_tokens": 3, "top_n_tokens": 2, "details": True},
]


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_requests_with_all_kinds_of_settings_go_together(make: Make, family: str) -> None:
    made = make(GENERATION, tiny.writer, family)
    requests = [prompt(TEXTS[i % len(TEXTS)], **options) for i, options in enumerate(SETTINGS)]
    for answer, request in zip(made.batch(requests, None), requests, strict=True):
        assert answer.generated_text == made(request, None).generated_text


@pytest.mark.parametrize("options", SETTINGS, ids=repr)
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_stream_says_what_the_whole_answer_says(make: Make, family: str, options: dict[str, Any]) -> None:
    made = make(GENERATION, tiny.writer, family)
    options = {**options, "details": True}
    whole = made(prompt(**options), None)
    events = checked(GENERATION, made.stream(prompt(**options, stream=True)))
    start = "hello 0" if options.get("return_full_text") else ""
    text = "".join(event["token"]["text"] for event in events if not event["token"]["special"])
    assert start + text == whole.generated_text == events[-1]["generated_text"]
    assert [event["index"] for event in events] == list(range(1, len(events) + 1))
    assert [event["token"]["id"] for event in events] == ids(whole)
    for event, token in zip(events, whole.details.tokens, strict=True):
        assert event["token"] == token.model_dump() | {"logprob": pytest.approx(token.logprob, abs=1e-5)}
    assert not any("generated_text" in event or "details" in event for event in events[:-1])
    last = events[-1]["details"]
    assert last["finish_reason"] == whole.details.finish_reason
    assert last["generated_tokens"] == whole.details.generated_tokens == len(events)
    assert last["seed"] == whole.details.seed
    assert last["input_length"] == min(7, options.get("truncate", 7))


def test_streams_and_batches_take_turns(llama: Any) -> None:
    requests = [prompt(text, stream=True, seed=n + 1, temperature=0.8) for n, text in enumerate(TEXTS)]
    expected = [llama(request, None).generated_text for request in requests]
    streams = [llama.stream(request) for request in requests]
    texts = [""] * len(streams)
    for turn in range(24):
        for index, stream in enumerate(streams):
            event = next(stream, None)
            if event is not None and not event["token"]["special"]:
                texts[index] += event["token"]["text"]
        if turn % 8 == 0:
            answers = llama.batch(requests, None)
            assert [answer.generated_text for answer in answers] == expected
    assert texts == expected
    assert all(next(stream, None) is None for stream in streams)


def test_what_nobody_waits_for_is_written_no_further(llama: Any) -> None:
    requests = [prompt(TEXTS[1])] * 3
    expected = [answer.generated_text for answer in llama.batch(requests, None)]
    forwards: list[int] = []
    hook = llama.model.register_forward_pre_hook(
        lambda module, _, options: forwards.append(len(options["input_ids"])), with_kwargs=True
    )
    try:
        answers = run_batch(llama, requests, None, lambda _: [1] if len(forwards) >= 5 else [])
        # One more step than asked for: the rows of a step are chosen at the end of the one before.
        assert forwards.count(3) == 6 < len(forwards)
    finally:
        hook.remove()
    assert isinstance(answers[1], RequestProblem)
    assert [answers[0].generated_text, answers[2].generated_text] == [expected[0], expected[2]]


def test_each_step_computes_one_token_outside_of_which_gradients_are_as_before(
    llama: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    forward = llama.model.forward

    def counted(**options: Any) -> Any:
        calls.append(options["input_ids"].shape)
        assert torch.is_inference_mode_enabled()
        return forward(**options)

    monkeypatch.setattr(llama.model, "forward", counted)
    stream = llama.stream(prompt(stream=True))
    for step in range(1, 5):
        next(stream)
        assert len(calls) == step
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()
    assert calls == [(1, 7), (1, 1), (1, 1), (1, 1)]


def test_closing_a_stream_frees_its_memory(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    caches: list[Any] = []
    kind = transformers.DynamicCache

    def remembered(**options: Any) -> Any:
        cache = kind(**options)
        caches.append(weakref.ref(cache))
        return cache

    monkeypatch.setattr("transformers.DynamicCache", remembered)
    stream = llama.stream(prompt(stream=True))
    next(stream)
    gc.collect()
    assert caches[0]() is not None
    stream.close()
    gc.collect()
    assert caches[0]() is None


def test_a_seed_gives_the_same_text_again_and_none_another(llama: Any) -> None:
    same = {llama(prompt(do_sample=True, seed=7), None).generated_text for _ in range(3)}
    assert len(same) == 1
    different = [llama(prompt(do_sample=True, details=True), None) for _ in range(3)]
    assert len({answer.generated_text for answer in different}) == 3
    again = llama(prompt(do_sample=True, seed=different[0].details.seed), None)
    assert again.generated_text == different[0].generated_text
    assert llama(prompt(details=True, seed=7), None).details.seed is None  # nothing is drawn


@pytest.mark.parametrize("option", [{"temperature": 1}, {"top_k": 300}, {"top_p": 1}, {"typical_p": 1}])
def test_what_switches_sampling_on_samples_alike(llama: Any, option: dict[str, Any]) -> None:
    expected = llama(prompt(seed=7, do_sample=True), None).generated_text
    assert llama(prompt(seed=7, **option), None).generated_text == expected
    assert expected != llama(prompt(), None).generated_text


def test_narrow_sampling_takes_the_likeliest(llama: Any) -> None:
    greedy = llama(prompt(), None).generated_text
    zero = {"temperature": 0, "top_p": 0.5, "do_sample": True}
    for option in ({"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-300}, zero):
        assert llama(prompt(**option), None).generated_text == greedy


def test_temperature_evens_out(llama: Any) -> None:
    answers = {t: [llama(prompt(temperature=t, seed=s, details=True), None) for s in (1, 2, 3)] for t in (0.3, 10**400)}
    likely = {t: sum(token.logprob for a in many for token in a.details.tokens) for t, many in answers.items()}
    assert likely[0.3] > likely[10**400]


def test_typical_sampling_leaves_out_what_surprises_too_little_or_too_much(llama: Any) -> None:
    answer = llama(prompt(typical_p=0.01, seed=1, details=True, max_new_tokens=1), None)
    scores = llama.model(**llama.tokenizer("hello 0", return_tensors="pt")).logits[0, -1].log_softmax(-1)
    entropy = -(scores.exp() * scores).sum()
    assert ids(answer) == [int((-scores - entropy).abs().argmin())]


def test_repetition_penalty_divides_scores_of_what_prompt_and_text_hold(llama: Any) -> None:
    given = llama.tokenizer("hello 0", return_tensors="pt")
    expected = llama.model.generate(**given, max_new_tokens=24, do_sample=False, repetition_penalty=1.7)[0, 7:]
    assert ids(llama(prompt(repetition_penalty=1.7, details=True), None)) == expected.tolist()


def test_frequency_penalty_keeps_tokens_from_coming_often(llama: Any) -> None:
    counts = [
        max(map(found.count, found))
        for penalty in (-1.9, 0, 2)
        if (found := ids(llama(prompt(frequency_penalty=penalty, details=True, max_new_tokens=64), None)))
    ]
    assert counts[0] > counts[1] > counts[2]


def test_a_text_ends_with_a_stop_sequence_also_across_tokens(llama: Any) -> None:
    text = llama(prompt(), None).generated_text
    for stop in (text[1:4], text[3], text[2:4]):
        assert stop.isascii()  # so that each of its characters is a token
        answer = llama(prompt(stop=["never there", stop], details=True), None)
        assert answer.generated_text == text[: text.index(stop) + len(stop)]
        assert answer.details.finish_reason == "stop_sequence"
    assert llama(prompt(stop=["never there"]), None).generated_text == text


def test_the_end_mark_ends_the_text(make: Make) -> None:
    words = ["a", "n", "b", "u"]
    made = make(GENERATION, reciter, words, transformers.LlamaConfig)
    answer = made(prompt("n", details=True), None)
    assert answer.generated_text == "bu"
    assert answer.details.finish_reason == "eos_token"
    assert [token.special for token in answer.details.tokens] == [False, False, True]
    events = checked(GENERATION, made.stream(prompt("n", stream=True)))
    assert [event["token"]["text"] for event in events] == ["b", "u", "<|im_end|>"]
    assert events[-1]["generated_text"] == "bu"
    # Rows that end early leave the batch without disturbing the others.
    answers = made.batch([prompt("a"), prompt("b"), prompt("u"), prompt("n")], None)
    assert [answer.generated_text for answer in answers] == ["nbu", "u", "", "bu"]


def test_length_and_full_text(llama: Any) -> None:
    answer = llama(prompt(max_new_tokens=5, details=True), None)
    assert (answer.details.generated_tokens, answer.details.finish_reason) == (5, "length")
    assert llama(prompt(max_new_tokens=5, return_full_text=True), None).generated_text == (
        "hello 0" + answer.generated_text
    )
    assert llama(prompt(max_new_tokens=0, return_full_text=True), None).generated_text == "hello 0"
    assert len(ids(llama(prompt(max_new_tokens=None, details=True), None))) == 100
    assert llama(prompt(), None).model_dump(exclude_unset=True).keys() == {"generated_text"}


def test_truncate_drops_the_beginning(llama: Any) -> None:
    cut = llama(prompt("hello 0", truncate=2, details=True, decoder_input_details=True), None)
    assert [token.text for token in cut.details.prefill] == [" ", "0"]
    assert cut.generated_text == llama(prompt(" 0"), None).generated_text
    assert llama(prompt("hello 0", truncate=50), None).generated_text == llama(prompt(), None).generated_text


def test_details_hold_the_probabilities_of_the_model(llama: Any) -> None:
    text = "hello " * 50  # longer than what is scored at once
    answer = llama(
        prompt(text, details=True, decoder_input_details=True, top_n_tokens=3, temperature=3, seed=2, max_new_tokens=6),
        None,
    )
    given = llama.tokenizer(text)["input_ids"] + ids(answer)
    with torch.no_grad():
        scores = llama.model(torch.tensor([given])).logits[0].log_softmax(-1)
    told = [*answer.details.prefill, *answer.details.tokens]
    assert told[0].logprob is None
    assert [token.id for token in told] == given
    for place, token in enumerate(told[1:]):
        assert token.logprob == pytest.approx(float(scores[place, token.id]), abs=1e-4)
    for place, top in enumerate(answer.details.top_tokens, start=len(given) - 7):
        assert [token.id for token in top] == scores[place].topk(3).indices.tolist()
        assert [token.logprob for token in top] == pytest.approx(scores[place].topk(3).values.tolist(), abs=1e-4)


def test_best_of_returns_the_likeliest(llama: Any) -> None:
    answer = llama(prompt(best_of=4, do_sample=True, details=True, max_new_tokens=6), None)
    others = answer.details.best_of_sequences
    assert len(others) == 3

    def likelihood(details: Any) -> float:
        return sum(token.logprob for token in details.tokens) / len(details.tokens)

    ranked = [likelihood(details) for details in (answer.details, *others)]
    assert ranked == sorted(ranked, reverse=True)
    assert len({details.seed for details in (answer.details, *others)}) == 4
    again = llama(prompt(do_sample=True, seed=others[0].seed, max_new_tokens=6), None)
    assert again.generated_text == others[0].generated_text


def test_watermark_favours_its_tokens(llama: Any) -> None:
    plain, marked = (ids(llama(prompt(watermark=w, details=True, max_new_tokens=64), None)) for w in (False, True))
    config = transformers.WatermarkingConfig()
    detector = transformers.WatermarkDetector(llama.model.config, "cpu", config, ignore_repeated_ngrams=True)
    shares = [detector(torch.tensor([found]), return_dict=True).green_fraction[0] for found in (plain, marked)]
    assert shares[1] > shares[0] + 0.2


GRAMMARS = [
    ({"type": "regex", "value": "[0-9]{4}-[0-9]{2}é"}, re.compile("[0-9]{4}-[0-9]{2}é").fullmatch),
    ({"type": "json", "value": {"enum": ["red", "green"]}}, lambda text: json.loads(text) in ("red", "green")),
    ({"type": "json", "value": '{"type": "boolean"}'}, lambda text: isinstance(json.loads(text), bool)),
    (
        {
            "type": "json_schema",
            "value": {
                "name": "mail",
                "schema": {
                    "type": "object",
                    "properties": {"urgent": {"type": "boolean"}},
                    "required": ["urgent"],
                    "additionalProperties": False,
                },
            },
        },
        lambda text: json.loads(text) in ({"urgent": True}, {"urgent": False}),
    ),
]


@pytest.mark.parametrize(("grammar", "holds"), GRAMMARS)
def test_a_grammar_is_kept(llama: Any, grammar: Any, holds: Callable[[str], Any]) -> None:
    for seed in (1, 2, 3):
        answer = llama(prompt(grammar=grammar, temperature=1.5, seed=seed, max_new_tokens=200, details=True), None)
        assert answer.details.finish_reason == "eos_token"
        assert holds(answer.generated_text)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"adapter_id": "mine"}, "adapter_id"),
    ({"top_n_tokens": 2}, "top_n_tokens"),
    ({"top_n_tokens": 21, "details": True}, "top_n_tokens"),
    ({"decoder_input_details": True}, "decoder_input_details"),
    ({"best_of": 2}, "best_of"),
    ({"best_of": 2, "do_sample": True, "seed": 1}, "best_of"),
    ({"max_new_tokens": 506}, "max_new_tokens"),
    ({"max_new_tokens": 10**30}, "max_new_tokens"),
    ({"truncate": 0}, "truncate"),
    ({"stop": ["a", ""]}, "stop.1"),
    ({"seed": 1 << 64}, "seed"),
    ({"grammar": {"type": "regex", "value": "(a"}}, "grammar.value"),
    ({"grammar": {"type": "regex", "value": "a(?=b)"}}, "grammar.value"),
    ({"grammar": {"type": "json", "value": "{"}}, "grammar.value"),
    ({"grammar": {"type": "json", "value": {"$ref": "https://example.com/s"}}}, "grammar.value"),
    ({"grammar": {"type": "json_schema", "value": {"schema": {"type": "thing"}}}}, "grammar.value.schema"),
]


@pytest.mark.parametrize(("options", "field"), REFUSED)
def test_text_generation_refuses(llama: Any, options: dict[str, Any], field: str) -> None:
    good, bad = prompt(), prompt(**options)
    answers = llama.batch([good, bad, good], None)
    assert isinstance(answers[1], RequestProblem)
    assert [problem.field for problem in answers[1].fields] == [f"parameters.{field}"]
    assert answers[0] == answers[2] == llama(good, None)
    assert refused(lambda: next(llama.stream(prompt(**options, stream=True)))) == f"parameters.{field}"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"best_of": 2, "do_sample": True}, "best_of"),
        ({"decoder_input_details": True, "details": True}, "decoder_input_details"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
    ],
)
def test_what_does_not_work_with_a_stream(llama: Any, options: dict[str, Any], field: str) -> None:
    assert refused(lambda: next(llama.stream(prompt(**options, stream=True)))) == f"parameters.{field}"
    assert isinstance(llama(prompt(**options), None).generated_text, str)


@pytest.mark.parametrize("text", ["", "x" * 512, "x" * 1_000_001])
def test_prompts_that_do_not_fit_are_refused(llama: Any, text: str) -> None:
    assert refused(lambda: llama(prompt(text), None)) == "inputs"


@pytest.mark.parametrize(
    "grammar",
    [
        {"type": "regex", "value": "a" * 20_001},
        {"type": "json", "value": {"enum": ["a" * 20_001]}},
        {"type": "json_schema", "value": {"schema": {"enum": ["a" * 20_001]}}},
    ],
    ids=lambda grammar: str(grammar["type"]),
)
def test_grammars_that_take_long_to_compile_are_refused(llama: Any, grammar: Any) -> None:
    with pytest.raises(RequestProblem, match="longer than 20000 characters") as caught:
        llama(prompt(grammar=grammar), None)
    assert caught.value.fields[0].field.startswith("parameters.grammar.value")


def test_grammars_need_their_package(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "llguidance", None)
    grammar = {"type": "regex", "value": "a"}
    with pytest.raises(RequestProblem, match="llguidance"):
        llama(prompt(grammar=grammar), None)


# ------------------------------------------------------------------------------------------------ chat completion


def said(answer: Any, index: int = 0) -> str:
    content = answer.choices[index].message.content
    assert isinstance(content, str)
    return content


def told(events: list[Any], index: int = 0) -> list[Any]:
    """The pieces of one answer of a stream."""
    return [choice for event in events for choice in event["choices"] if choice["index"] == index]


WORDS = ["The", " sky", " is", " blue", ".", "\n", "Really", "!"]


@pytest.fixture(scope="session")
def knowing(make: Make) -> Any:
    """A model that answers everything with WORDS."""
    return make(CHAT, reciter, WORDS, transformers.LlamaConfig)


def test_a_conversation_is_answered(knowing: Any) -> None:
    answer = knowing(chat("Why?", max_tokens=None), None)
    assert said(answer) == "".join(WORDS)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.role == "assistant"
    assert answer.usage.completion_tokens == len(WORDS) + 1
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.id != knowing(chat("Why?"), None).id
    short = knowing(chat("Why?", max_tokens=3), None)
    assert (said(short), short.choices[0].finish_reason) == ("The sky is", "length")


def test_a_streamed_answer_has_its_role_first_and_its_usage_last(knowing: Any) -> None:
    usage = {"include_usage": True}
    events = checked(CHAT, knowing.stream(chat("Why?", stream=True, stream_options=usage)))
    assert len({event["id"] for event in events}) == 1
    pieces = told(events)
    assert "".join(piece["delta"]["content"] for piece in pieces) == "".join(WORDS)
    assert [piece["delta"].get("role") for piece in pieces] == ["assistant", *[None] * len(WORDS)]
    assert [piece.get("finish_reason") for piece in pieces] == [*[None] * len(WORDS), "stop"]
    assert events[-1]["choices"] == []
    assert events[-1]["usage"] == knowing(chat("Why?"), None).usage.model_dump()
    assert not any("usage" in event for event in events[:-1])
    without = checked(CHAT, knowing.stream(chat("Why?", stream=True)))
    assert len(without) == len(events) - 1


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (["."], "The sky is blue"),
        ([" blue.\nR"], "The sky is"),
        (["e.", "is bl"], "The sky "),
        (["nothing", "\n"], "The sky is blue."),
        (["The"], ""),
        (["!?", "l!"], "".join(WORDS)),
    ],
)
def test_an_answer_ends_before_a_stop_sequence(knowing: Any, stop: list[str], expected: str) -> None:
    answer = knowing(chat("Why?", stop=stop, logprobs=True), None)
    assert said(answer) == expected
    assert answer.choices[0].finish_reason == "stop"
    pieces = told(checked(CHAT, knowing.stream(chat("Why?", stop=stop, stream=True, logprobs=True))))
    assert "".join(piece["delta"]["content"] for piece in pieces) == expected
    tokens = [token["token"] for piece in pieces for token in piece["logprobs"]["content"]]
    assert tokens == [token.token for token in answer.choices[0].logprobs.content]
    assert "".join(tokens).startswith(expected)
    assert "".join(tokens[:-1]) != expected or not expected


CHATS: list[dict[str, Any]] = [
    {},
    {"temperature": 1, "seed": 0},
    {"temperature": 1.3, "top_p": 0.9, "seed": 3, "n": 3, "logprobs": True, "top_logprobs": 2},
    {"top_p": 0.5, "seed": 4},
    {"frequency_penalty": 1.5, "presence_penalty": -0.5},
    {"stop": ["\x1d", "zz"]},
    {"logit_bias": {"40": 3, "50": -100}},
    {"response_format": {"type": "json_object", "value": {"properties": {"a": {"type": "integer"}}}}},
    {"reasoning_effort": "low"},
    {"max_tokens": 0},
]


@pytest.mark.parametrize("options", CHATS, ids=repr)
def test_a_streamed_chat_says_what_the_whole_answer_says(chatter: Any, options: dict[str, Any]) -> None:
    whole = chatter(chat(**options), None)
    usage = {"include_usage": True}
    events = checked(CHAT, chatter.stream(chat(**options, stream=True, stream_options=usage)))
    assert len(whole.choices) == options.get("n", 1)
    for index, choice in enumerate(whole.choices):
        pieces = told(events, index)
        assert "".join(piece["delta"]["content"] for piece in pieces) == choice.message.content
        assert pieces[-1]["finish_reason"] == choice.finish_reason
        if options.get("logprobs"):
            tokens = [token for piece in pieces for token in piece["logprobs"]["content"]]
            assert [token["token"] for token in tokens] == [token.token for token in choice.logprobs.content]
            assert all(len(token["top_logprobs"]) == 2 for token in tokens)
    assert events[-1]["usage"] == whole.usage.model_dump()


def test_chats_with_all_kinds_of_settings_go_together(chatter: Any) -> None:
    requests = [chat("x" * (7 * i + 1), **options) for i, options in enumerate(CHATS)]
    for answer, request in zip(chatter.batch(requests, None), requests, strict=True):
        assert [said(answer, i) for i in range(request.n or 1)] == [
            said(chatter(request, None), i) for i in range(request.n or 1)
        ]


def test_several_answers_differ_and_begin_with_that_of_the_seed(chatter: Any) -> None:
    several = chatter(chat(n=3, seed=5), None)
    assert len({said(several, i) for i in range(3)}) == 3
    assert said(several) == said(chatter(chat(temperature=1, seed=5), None))
    assert len({said(chatter(chat(temperature=1), None)) for _ in range(3)}) == 3
    greedy = said(chatter(chat(), None))
    assert {said(chatter(chat(temperature=0, top_p=0.5, seed=s), None)) for s in (1, 2)} == {greedy}


def test_logprobs_are_the_models(chatter: Any) -> None:
    answer = chatter(chat(logprobs=True, top_logprobs=2, max_tokens=4, temperature=2, seed=1), None)
    text = chatter.tokenizer.apply_chat_template(
        [{"role": "user", "content": "hello 0"}], tokenize=False, add_generation_prompt=True
    )
    given = chatter.tokenizer(text)["input_ids"]
    for token in answer.choices[0].logprobs.content:
        with torch.no_grad():
            scores = chatter.model(torch.tensor([given])).logits[0, -1].log_softmax(-1)
        likeliest = scores.topk(2)
        assert [top.logprob for top in token.top_logprobs] == pytest.approx(likeliest.values.tolist(), abs=1e-4)
        names = [chatter.tokenizer.decode([i]) for i in likeliest.indices.tolist()]
        assert [top.token for top in token.top_logprobs] == names
        written = int((scores - token.logprob).abs().argmin())
        assert chatter.tokenizer.decode([written]) == token.token
        given.append(written)
    assert chatter(chat(), None).choices[0].logprobs is None


def test_logit_bias_forces_and_forbids(chatter: Any) -> None:
    letter = chatter.tokenizer.convert_tokens_to_ids("k")
    assert said(chatter(chat(logit_bias={str(letter): 100}, max_tokens=5), None)) == "kkkkk"
    greedy = chatter(chat(logprobs=True), None)
    first = greedy.choices[0].logprobs.content[0]
    scores = {str(i): -100 for i in range(3, 259) if chatter.tokenizer.decode([i]) == first.token}
    assert chatter(chat(logit_bias=scores, logprobs=True), None).choices[0].logprobs.content[0] != first
    nothing = {str(i): -100 for i in range(chatter.model.config.vocab_size)}
    assert refused(lambda: chatter(chat(logit_bias=nothing), None)) == "logit_bias"
    assert refused(lambda: list(chatter.stream(chat(logit_bias=nothing, stream=True)))) == "logit_bias"


@pytest.mark.parametrize("name", ["frequency_penalty", "presence_penalty"])
def test_penalties_count_the_answer_alone(chatter: Any, name: str) -> None:
    counts = []
    for penalty in (-2, 0, 2):
        answer = chatter(chat(**{name: penalty}, logprobs=True, max_tokens=64), None)
        found = [(token.token, round(token.logprob, 3)) for token in answer.choices[0].logprobs.content]
        counts.append(len({text for text, _ in found}))
    assert counts[0] < counts[2]
    first = [chatter(chat(**{name: penalty}, max_tokens=1, logprobs=True), None) for penalty in (0, 2)]
    assert first[0].choices[0].logprobs == first[1].choices[0].logprobs


FORMATS = [
    ({"type": "json_object", "value": {"required": ["a"], "properties": {"a": {"const": 1}}}}, {"a": 1}.items()),
    (
        {
            "type": "json_schema",
            "json_schema": {"name": "x", "strict": True, "schema": {"enum": [{"b": [True]}]}},
        },
        {"b": [True]}.items(),
    ),
]


@pytest.mark.parametrize(("form", "expected"), FORMATS)
def test_a_response_format_is_kept(chatter: Any, form: Any, expected: Any) -> None:
    bias = {str(chatter.tokenizer.convert_tokens_to_ids(mark)): 50 for mark in "}"}  # so that it comes to an end
    answer = chatter(chat(response_format=form, max_tokens=200, logit_bias=bias), None)
    assert answer.choices[0].finish_reason == "stop"
    assert json.loads(said(answer)).items() >= expected


def test_plain_text_is_a_response_format(chatter: Any) -> None:
    assert said(chatter(chat(response_format={"type": "text"}), None)) == said(chatter(chat(), None))


FORECAST = {
    "type": "function",
    "function": {
        "name": "get_forecast",
        "parameters": {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]},
    },
}
CALL = [
    "I",
    " look",
    ".",
    "\n",
    "<tool_call>",
    '{"name": "get_',
    'forecast", "arguments"',
    ': {"days": 1}}',
    "</tool",
    "_call>",
]


@pytest.fixture(scope="session")
def caller(make: Make) -> Any:
    """A model that calls a function."""
    return make(CHAT, calling, CALL)


class TestTools:
    """Calls of functions."""

    def test_a_call_is_told(self, caller: Any) -> None:
        answer = caller(chat("Rain?", tools=[FORECAST]), None)
        [choice] = answer.choices
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content == "I look."
        [call] = choice.message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("get_forecast", {"days": 1})
        events = checked(CHAT, caller.stream(chat("Rain?", tools=[FORECAST], stream=True)))
        pieces = told(events)
        assert "".join(piece["delta"]["content"] for piece in pieces) == "I look."
        [[streamed]] = [piece["delta"]["tool_calls"] for piece in pieces if "tool_calls" in piece["delta"]]
        assert (streamed["index"], streamed["function"]) == (0, call.function.model_dump(exclude_unset=True))
        assert pieces[-1]["finish_reason"] == "tool_calls"

    def test_what_is_no_call_of_a_tool_stays_text(self, caller: Any) -> None:
        other = {"type": "function", "function": {"name": "other"}}
        for options in ({"tools": [other]}, {"tools": [FORECAST], "tool_choice": "none"}, {}, {"tools": []}):
            answer = caller(chat("Rain?", **options), None)
            assert said(answer) == "".join(CALL)
            assert answer.choices[0].finish_reason == "stop"
            pieces = told(checked(CHAT, caller.stream(chat("Rain?", **options, stream=True))))
            assert "".join(piece["delta"]["content"] for piece in pieces) == "".join(CALL)

    @pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_forecast"}}])
    def test_a_call_can_be_forced(self, chatter: Any, choice: Any) -> None:
        other = {"type": "function", "function": {"name": 'say_"it"'}}
        bias = {str(chatter.tokenizer.convert_tokens_to_ids(mark)): 50 for mark in ("</s>", "}")}
        request = chat("Rain?", tools=[other, FORECAST], tool_choice=choice, logit_bias=bias, max_tokens=200)
        answer = chatter(request, None)
        assert answer.choices[0].finish_reason == "tool_calls"
        assert answer.choices[0].message.content is None
        for call in answer.choices[0].message.tool_calls:
            if choice == "required":
                assert call.function.name in ("get_forecast", 'say_"it"')
            else:
                assert call.function.name == "get_forecast"
                assert isinstance(json.loads(call.function.arguments)["days"], int)

    def test_tools_and_their_results_reach_the_model(self, chatter: Any) -> None:
        call = {"id": "1", "type": "function", "function": {"name": "get_forecast", "arguments": '{"days": 1}'}}
        messages = ["Rain?", {"role": "assistant", "content": None, "tool_calls": [call]}]
        messages.append({"role": "tool", "tool_call_id": "1", "content": "sun"})
        job = chatter.job(chat(*messages, tools=[FORECAST]))
        assert chatter.tokenizer.decode(job.rows[0].prompt) == (
            "[user] Rain?\n[assistant] "
            '<tool_call>{"name": "get_forecast", "arguments": {"days": 1}}</tool_call>\n[tool] sun\n'
            f"Tools: {json.dumps([FORECAST])} "
            'Write <tool_call>{"name": ..., "arguments": ...}</tool_call>\n[assistant] '
        )

    @pytest.mark.parametrize(
        ("options", "field"),
        [
            ({"tool_prompt": "Look:"}, "tool_prompt"),
            ({"tool_choice": "required"}, "tool_choice"),
            ({"tools": [FORECAST], "tool_choice": {"function": {"name": "x"}}}, "tool_choice.function.name"),
            ({"tools": [FORECAST], "response_format": {"type": "json_object"}}, "response_format"),
            (
                {"tools": [FORECAST, {"type": "function", "function": {"name": "x", "strict": True}}]},
                "tools.1.function.strict",
            ),
        ],
    )
    def test_refusals(self, chatter: Any, options: dict[str, Any], field: str) -> None:
        assert refused(lambda: chatter(chat(**options), None)) == field

    def test_models_without_tools_refuse_them(self, knowing: Any) -> None:
        assert refused(lambda: knowing(chat(tools=[FORECAST]), None)) == "tools"


def calling(directory: Path, words: list[str]) -> Path:
    """A reciter whose chat template shows tools."""
    reciter(directory, words, transformers.LlamaConfig)
    template = directory / "chat_template.jinja"
    shown = '{% if tools %}{{ tools | tojson }}<tool_call>{"arguments": ...}</tool_call>{% endif %}'
    template.write_text(shown + template.read_text())
    return directory


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_calls_are_found_however_the_text_is_cut(size: int) -> None:
    call = '<tool_call>\n{"name": "f", "arguments": {"a": "</x>"}}\n</tool_call>'
    cases = [
        (f"one {call}\n{call}\n", ["one"], 2),
        (f"{call} two <tool_c", [" two <tool_c"], 1),
        ('<tool_call>{"name": "g", "arguments": {}}</tool_call>', None, 0),
        ('<tool_call>{"name": "f", "arguments": []}</tool_call>', None, 0),
        ("<tool_call>{broken</tool_call> end ", None, 0),
        ("<tool_call>never ends", None, 0),
        ("a < b <tool> \n", None, 0),
    ]
    for text, words, calls in cases:
        reader = ToolReader(["f"])
        found: list[str | Call] = []
        for start in range(0, len(text), size):
            found += reader.add(text[start : start + size])
        found += reader.end()
        said = "".join(part for part in found if isinstance(part, str))
        assert said == (text if words is None else "".join(words))
        assert sum(isinstance(part, Call) for part in found) == calls


def test_text_that_could_become_a_mark_is_held_back() -> None:
    held = Held(["stop", "to"])
    assert [held.safe(text) for text in ("a", "as", "ast", "asta")] == ["a", "", "", "sta"]
    assert held.rest("asta s") == " s"


def test_roles_and_parts_reach_the_template(chatter: Any) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    messages: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": parts, "name": "Eva"},
        {"role": "assistant", "content": "c", "tool_calls": None},
        "d",
    ]
    job = chatter.job(chat(*messages, reasoning_effort="low"))
    assert chatter.tokenizer.decode(job.rows[0].prompt) == (
        "[system] Be brief.\n[user Eva] a\nb\n[assistant] c\n[user] d\nEffort: low\n[assistant] "
    )


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
BROKEN = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{"}}
CHAT_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"seed": 1 << 64}, "seed"),
    ({"stop": [""]}, "stop.0"),
    ({"max_tokens": 1100}, "max_tokens"),
    ({"logit_bias": {"259": 1}}, "logit_bias.259"),
    ({"logit_bias": {"-1": 1}}, "logit_bias.-1"),
    ({"logit_bias": {"²": 1}}, "logit_bias.²"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"response_format": {"type": "json_object", "value": {"type": "thing"}}}, "response_format.value"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": False}}},
        "response_format.json_schema.strict",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "description": "y"}}},
        "response_format.json_schema.description",
    ),
    ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages.0.content.0"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [BROKEN]}]},
        "messages.0.tool_calls.0.function.arguments",
    ),
    ({"messages": [{"role": "user", "content": "x" * 1100}]}, "messages"),
]


@pytest.mark.parametrize(("options", "field"), CHAT_REFUSED, ids=repr)
def test_chat_completion_refuses(chatter: Any, options: dict[str, Any], field: str) -> None:
    good = chat()
    answers = chatter.batch([good, chat(**options), good], None)
    assert isinstance(answers[1], RequestProblem)
    assert [problem.field for problem in answers[1].fields] == [field]
    assert said(answers[0]) == said(answers[2]) == said(chatter(good, None))


def test_what_a_template_does_not_look_at_is_refused(knowing: Any) -> None:
    named = {"role": "user", "content": "x", "name": "Eva"}
    assert refused(lambda: knowing(chat("y", named), None)) == "messages.1.name"
    assert refused(lambda: knowing(chat(reasoning_effort="low"), None)) == "reasoning_effort"


def test_thinking_can_be_switched_off_where_the_template_knows_how(make: Make) -> None:
    made = make(CHAT, tiny.writer, chat="{% if enable_thinking is false %}no thoughts{% else %}think{% endif %}")
    prompts = [made.job(chat(reasoning_effort=effort)).rows[0].prompt for effort in ("none", None)]
    assert [made.tokenizer.decode(ids) for ids in prompts] == ["no thoughts", "think"]
    assert refused(lambda: made(chat(reasoning_effort="high"), None)) == "reasoning_effort"


def test_a_template_that_refuses_says_why(make: Make) -> None:
    template = "{{ raise_exception('Roles must alternate') }}"
    made = make(CHAT, tiny.writer, chat=template)
    with pytest.raises(RequestProblem, match="Roles must alternate") as caught:
        made(chat(), None)
    assert caught.value.fields[0].field == "messages"


def test_a_model_without_a_chat_template_is_refused(make: Make) -> None:
    with pytest.raises(ModelDirectoryError, match="no chat template"):
        make(CHAT, tiny.writer)


# ------------------------------------------------------------------------------------------------ text to text


@pytest.fixture(scope="session")
def bart(make: Make) -> Any:
    return make(SUMMARY, tiny.bart)


def summary(handler: Any, text: str, **options: Any) -> str:
    found: str = handler(text, parameters(SUMMARY, **options)).summary_text
    return found


def test_summaries_are_what_transformers_generates(bart: Any) -> None:
    texts = ["a b c", "The storm cut the power of four thousand homes.", "é", "x" * 62]
    answers = bart.batch(texts, parameters(SUMMARY))
    for text, answer in zip(texts, answers, strict=True):
        given = bart._tokenizer(text, return_tensors="pt")
        expected = bart.model.generate(**given, max_new_tokens=63)
        assert answer.summary_text == bart._tokenizer.decode(expected[0], skip_special_tokens=True)
        assert answer == bart(text, parameters(SUMMARY))


def test_texts_that_do_not_fit_are_refused_alone_or_cut(bart: Any) -> None:
    texts = ["a", "", "y" * 63, "z" * 100_001, " \n"]
    answers = bart.batch(texts, parameters(SUMMARY))
    assert answers[0] == bart("a", parameters(SUMMARY))
    for answer in answers[1:]:
        assert isinstance(answer, RequestProblem)
        assert answer.fields[0].field == "inputs"
    for strategy in ("longest_first", "only_first"):
        assert summary(bart, "ab" * 50, truncation=strategy) == summary(bart, "ab" * 31)
    for strategy in ("do_not_truncate", "only_second"):
        assert refused(lambda s=strategy: summary(bart, "ab" * 50, truncation=s)) == "inputs"


GENERATION_PARAMETERS: list[dict[str, Any]] = [
    {"max_new_tokens": 5},
    {"max_length": 7},
    {"num_beams": 3, "max_new_tokens": 12, "early_stopping": True},
    {"num_beams": 2, "max_new_tokens": 12, "early_stopping": "never"},
    {"min_new_tokens": 20, "max_new_tokens": 30},
    {"use_cache": False, "max_new_tokens": 12},
]


@pytest.mark.parametrize("given", GENERATION_PARAMETERS, ids=repr)
def test_generation_parameters_are_those_of_generate(bart: Any, given: dict[str, Any]) -> None:
    text = "the old bridge"
    expected = bart.model.generate(**bart._tokenizer(text, return_tensors="pt"), **given)
    decoded = bart._tokenizer.decode(expected[0], skip_special_tokens=True)
    assert summary(bart, text, generation_parameters=given) == decoded


def test_sampling_draws(bart: Any) -> None:
    drawn = {"do_sample": True, "temperature": 1.5, "top_k": 50, "top_p": 0.95, "typical_p": 0.9, "max_new_tokens": 20}
    torch.manual_seed(0)
    assert len({summary(bart, "the bridge", generation_parameters=drawn) for _ in range(3)}) == 3
    cut = {"do_sample": True, "epsilon_cutoff": 0.9, "eta_cutoff": 0.0, "max_new_tokens": 20}
    greedy = summary(bart, "the bridge", generation_parameters={"max_new_tokens": 20})
    assert summary(bart, "the bridge", generation_parameters=cut) == greedy


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"max_new_tokens": 64}, ".max_new_tokens"),
        ({"max_length": 65}, ".max_length"),
        ({"num_beam_groups": 2}, ".num_beam_groups"),
        ({"penalty_alpha": 0.5}, ".penalty_alpha"),
        ({"do_sample": True, "temperature": 0}, ".temperature"),
        ({"do_sample": True, "epsilon_cutoff": 1}, ".epsilon_cutoff"),
        ({"do_sample": True, "eta_cutoff": 1}, ".eta_cutoff"),
        *(
            ({**off, name: value}, f".{name}")
            for off in ({}, {"do_sample": False}, {"num_beams": 2})
            for name, value in (("temperature", 1.5), ("top_k", 5), ("top_p", 0.5), ("typical_p", 0.5),
                                ("epsilon_cutoff", 0.1), ("eta_cutoff", 0.1))
        ),
        ({"early_stopping": True}, ".early_stopping"),
        ({"early_stopping": "never", "num_beams": 1}, ".early_stopping"),
        ({"min_new_tokens": 6, "max_new_tokens": 5}, ".min_new_tokens"),
        ({"min_new_tokens": 6, "max_length": 6}, ".min_new_tokens"),
        ({"min_length": 7, "max_new_tokens": 5}, ".min_length"),
        ({"min_length": 7, "max_length": 6}, ".min_length"),
        ({"min_new_tokens": 64}, ".min_new_tokens"),
    ],
)  # fmt: skip
def test_what_cannot_be_generated_is_refused(bart: Any, given: dict[str, Any], field: str) -> None:
    found = refused(lambda: summary(bart, "x", generation_parameters=given))
    assert found == f"parameters.generation_parameters{field}"


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": 1, "top_k": 0, "top_p": 1, "typical_p": 1, "epsilon_cutoff": 0, "eta_cutoff": 0},
        {"do_sample": False, "temperature": 0, "early_stopping": False},
    ],
)
def test_what_switches_nothing_on_may_be_said(bart: Any, given: dict[str, Any]) -> None:
    assert summary(bart, "the bridge", generation_parameters=given) == summary(bart, "the bridge")


@pytest.mark.parametrize("name", ["min_new_tokens", "min_length"])
def test_the_shortest_text_may_be_the_longest(bart: Any, name: str) -> None:
    """One more of each is refused above."""
    count = {"min_new_tokens": 5, "min_length": 6}[name]
    drawn: list[Any] = []
    watch = bart.model.model.decoder.register_forward_hook(lambda *_: drawn.append(1))
    try:
        summary(bart, "the bridge", generation_parameters={name: count, "max_new_tokens": 5})
    finally:
        watch.remove()
    assert len(drawn) == 5


def test_a_model_that_samples_of_its_own_accord_takes_its_parameters(make: Make) -> None:
    made = make(SUMMARY, drawing)
    torch.manual_seed(0)
    assert len({summary(made, "the bridge", generation_parameters={"temperature": 2.0}) for _ in range(3)}) == 3
    assert len({summary(made, "the bridge", generation_parameters={"top_k": 1}) for _ in range(3)}) == 1
    cold = {"do_sample": False, "temperature": 2.0}
    found = refused(lambda: summary(made, "x", generation_parameters=cold))
    assert found == "parameters.generation_parameters.temperature"


def drawing(directory: Path) -> Path:
    """A BART that samples unless told otherwise."""
    tiny.bart(directory)
    config = json.loads((directory / "generation_config.json").read_text())
    (directory / "generation_config.json").write_text(json.dumps({**config, "do_sample": True, "max_new_tokens": 20}))
    return directory


def test_one_long_text_does_not_make_the_short_ones_long(make: Make) -> None:
    made = make(SUMMARY, tiny.bart, 512)
    texts = [*["a b"] * 20, "ab" * 250, *["b a"] * 20]
    sizes: list[int] = []
    watch = made.model.model.encoder.register_forward_pre_hook(
        lambda module, args, options: sizes.append(options["input_ids"].numel()), with_kwargs=True
    )
    try:
        answers = made.batch(texts, parameters(SUMMARY, generation_parameters={"max_new_tokens": 3}))
    finally:
        watch.remove()
    assert len(sizes) == 2
    assert sum(sizes) < 2 * sum(len(made._tokenizer(text)["input_ids"]) for text in texts)
    alone = {text: summary(made, text, generation_parameters={"max_new_tokens": 3}) for text in set(texts)}
    assert [answer.summary_text for answer in answers] == [alone[text] for text in texts]


def test_blanks_are_cleaned_up(make: Make) -> None:
    made = make(SUMMARY, spaced)
    text = summary(made, "x")
    assert " ," in text
    assert summary(made, "x", clean_up_tokenization_spaces=False) == text
    assert summary(made, "x", clean_up_tokenization_spaces=True) == text.replace(" ,", ",")


def spaced(directory: Path) -> Path:
    """A BART that writes nothing but blanks and commas."""
    tiny.bart(directory)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    blank, comma = tokenizer.convert_tokens_to_ids(["Ġ", ","])
    config = json.loads((directory / "generation_config.json").read_text())
    others = [i for i in range(len(tokenizer)) if i not in (blank, comma)]
    config |= {"suppress_tokens": others, "max_new_tokens": 8, "no_repeat_ngram_size": 3}
    (directory / "generation_config.json").write_text(json.dumps(config))
    return directory


PREFIXES = {
    "summarization": {"prefix": "short: "},
    "translation_en_to_de": {"prefix": "into German: "},
    "translation_en_to_fr": {"prefix": "into French: "},
}


def test_t5_is_told_what_to_do(make: Make) -> None:
    plain, told = make(SUMMARY, tiny.t5, {}), make(SUMMARY, tiny.t5, PREFIXES)
    limit = {"max_new_tokens": 10}
    assert summary(told, "abc", generation_parameters=limit) == summary(
        plain, "short: abc", generation_parameters=limit
    )
    assert summary(told, "abc", generation_parameters=limit) != summary(plain, "abc", generation_parameters=limit)


def translated(handler: Any, text: str, **options: Any) -> str:
    answer = handler(text, parameters(TRANSLATION, generation_parameters={"max_new_tokens": 10}, **options))
    found: str = answer.translation_text
    return found


def test_t5_translates_between_the_languages_of_its_configuration(make: Make) -> None:
    plain, made = make(TRANSLATION, tiny.t5, {}), make(TRANSLATION, tiny.t5, PREFIXES)
    for target, prefix in (("de", "into German: "), ("fr", "into French: ")):
        assert translated(made, "abc", src_lang="en", tgt_lang=target) == translated(plain, prefix + "abc")
    assert translated(made, "abc") == translated(plain, "abc")
    for options, field in (
        ({"src_lang": "en"}, "tgt_lang"),
        ({"tgt_lang": "de"}, "src_lang"),
        ({"src_lang": "de", "tgt_lang": "en"}, "src_lang"),
        ({"src_lang": "en", "tgt_lang": "it"}, "tgt_lang"),
    ):
        assert refused(lambda o=options: translated(made, "abc", **o)) == f"parameters.{field}"
    assert refused(lambda: translated(plain, "abc", src_lang="en", tgt_lang="de")) == "parameters.tgt_lang"


def test_models_with_a_token_for_each_language(make: Make) -> None:
    made = make(TRANSLATION, tiny.nllb)
    texts = ["the museum is closed", "x"]
    french = parameters(TRANSLATION, src_lang="eng_Latn", tgt_lang="fra_Latn")
    for source, target in (("eng_Latn", "fra_Latn"), ("deu_Latn", "eng_Latn")):
        made._tokenizer.src_lang = source
        given = made._tokenizer(texts[0], return_tensors="pt")
        code = made._tokenizer.convert_tokens_to_ids(target)
        expected = made.model.generate(**given, forced_bos_token_id=code, max_new_tokens=10)
        assert code in expected[0].tolist()
        decoded = made._tokenizer.decode(expected[0], skip_special_tokens=True)
        assert translated(made, texts[0], src_lang=source, tgt_lang=target) == decoded
    together = made.batch(texts, french)
    assert together == [made(text, french) for text in texts]
    for options, field in (
        ({}, "src_lang"),
        ({"src_lang": "eng_Latn"}, "tgt_lang"),
        ({"src_lang": "eng_Latn", "tgt_lang": "a"}, "tgt_lang"),
        ({"src_lang": "</s>", "tgt_lang": "fra_Latn"}, "src_lang"),
    ):
        assert refused(lambda o=options: translated(made, "abc", **o)) == f"parameters.{field}"


def test_a_model_that_was_trained_on_towards_one_language_needs_no_languages(make: Make) -> None:
    made = make(TRANSLATION, settled)
    expected = translated(made, "the house", src_lang="eng_Latn", tgt_lang="fra_Latn")
    translated(made, "the house", src_lang="deu_Latn", tgt_lang="fra_Latn")  # leaves no trace
    assert translated(made, "the house") == expected


def settled(directory: Path) -> Path:
    """An NLLB that writes French unless told otherwise."""
    tiny.nllb(directory)
    code = transformers.AutoTokenizer.from_pretrained(directory).convert_tokens_to_ids("fra_Latn")
    config = json.loads((directory / "generation_config.json").read_text())
    (directory / "generation_config.json").write_text(json.dumps({**config, "forced_bos_token_id": code}))
    return directory


def test_marian_translates_one_pair_or_into_what_its_marks_say(make: Make) -> None:
    pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    pair, many = make(TRANSLATION, tiny.marian), make(TRANSLATION, tiny.marian, (">>fra<<", ">>deu<<"))
    given = pair._tokenizer("the house is small", return_tensors="pt")
    expected = pair.model.generate(**given, max_new_tokens=10)
    decoded = pair._tokenizer.decode(expected[0], skip_special_tokens=True)
    assert translated(pair, "the house is small") == decoded
    assert refused(lambda: translated(pair, "a", tgt_lang="fra")) == "parameters.tgt_lang"
    row = many._read(many.instruction(parameters(TRANSLATION, tgt_lang="fra")).prefix, "the house", False)
    assert row[0] == many._tokenizer.convert_tokens_to_ids(">>fra<<")
    assert isinstance(translated(many, "the house", tgt_lang="deu"), str)
    assert refused(lambda: translated(many, "a")) == "parameters.tgt_lang"
    assert refused(lambda: translated(many, "a", src_lang="eng", tgt_lang="fra")) == "parameters.src_lang"


# ------------------------------------------------------------------------------------------------ image to text

COLOURS = ["red", "green", "blue", "white"]


@pytest.mark.parametrize("builder", [tiny.blip, tiny.git, tiny.vit_gpt2], ids=lambda builder: builder.__name__)
def test_images_are_put_into_words(make: Make, builder: Any) -> None:
    made = make(CAPTION, builder)
    images = [PIL.Image.new("RGB", (20 + n, 10), colour) for n, colour in enumerate(COLOURS)]
    given = parameters(CAPTION, generation_parameters={"max_new_tokens": 8})
    answers = made.batch(images, given)
    for image, answer in zip(images, answers, strict=True):
        assert answer == made(image, given)
        pixels = made._prepare(images=[image], return_tensors="pt")["pixel_values"]
        expected = made.model.generate(pixel_values=pixels, max_new_tokens=8)
        assert answer.generated_text == made._tokenizer.decode(expected[0], skip_special_tokens=True).strip()
    assert len({answer.generated_text for answer in answers}) > 1
    short = parameters(CAPTION, generation_parameters={"max_new_tokens": 3})
    assert all(len(answer.generated_text) <= 3 for answer in made.batch(images, short))
    too_long = parameters(CAPTION, generation_parameters={"max_new_tokens": 64})
    assert refused(lambda: made(images[0], too_long)) == "parameters.generation_parameters.max_new_tokens"


def test_models_that_want_words_with_the_image_are_refused(tmp_path: Path) -> None:
    tiny.blip(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "llava"}))
    with pytest.raises(ModelDirectoryError, match="llava does not write"):
        create_handler(TASKS[CAPTION], tmp_path).load()


# ------------------------------------------------------------------------------------------------ over HTTP


def test_served_over_http(serve: Serve, make: Make, llama: Any, chatter: Any, bart: Any, tmp_path: Path) -> None:
    made = [make(TRANSLATION, tiny.nllb), make(CAPTION, tiny.vit_gpt2)]
    live = serve(llama, chatter, bart, *made)
    PIL.Image.new("RGB", (20, 10), "red").save(tmp_path / "red.png")
    with Client(live.url, strict_responses=True, max_retries=0) as client:
        text = client.text_generation("hello 0", max_new_tokens=24).generated_text
        assert text == llama(prompt(), None).generated_text
        events = list(client.text_generation("hello 0", max_new_tokens=24, stream=True))
        assert "".join(event.token.text for event in events) == text == events[-1].generated_text
        messages = [{"role": "user", "content": "hello 0"}]
        answer = client.chat_completion(messages, max_tokens=8)
        assert said(answer) == said(chatter(chat(max_tokens=8), None))
        pieces = list(client.chat_completion(messages, max_tokens=8, stream=True))
        assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == said(answer)
        assert client.summarization("a b").summary_text == summary(bart, "a b")
        french = client.translation("the house", src_lang="eng_Latn", tgt_lang="fra_Latn")
        assert isinstance(french.translation_text, str)
        assert isinstance(client.image_to_text(tmp_path / "red.png").generated_text, str)
    refusal = live.post(
        "/tasks/text-generation", json={"inputs": "x", "parameters": {"adapter_id": "a"}, "stream": True}
    )
    assert refusal.status_code == 422
    assert [problem["field"] for problem in refusal.json()["fields"]] == ["parameters.adapter_id"]
