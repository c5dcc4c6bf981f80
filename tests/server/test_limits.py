"""What a schema allows and a server does not: huge numbers, long lists, long texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from inference_tasks._runtime.server.limits import LIMITED, Caps
from inference_tasks._runtime.validation import validate_request
from inference_tasks._tasks import TASKS
from inference_tasks.server import Handler, Limits, RequestProblem

from .live import Echo, Serve, blamed

HUGE = 10**30
LONG = "x" * 200_001
GENERATED = (
    "image-to-text",
    "automatic-speech-recognition",
    "text-to-speech",
    "text-to-audio",
    "summarization",
    "translation",
)

# A request of each task that has something to limit: the place and what is too much there.
ATTACKS: list[tuple[str, str, Any]] = [
    ("text-classification", "parameters.top_k", HUGE),
    ("text-classification", "inputs", LONG),
    ("audio-classification", "parameters.top_k", HUGE),
    ("image-classification", "parameters.top_k", HUGE),
    ("video-classification", "parameters.top_k", HUGE),
    ("video-classification", "parameters.num_frames", 10**9),
    ("fill-mask", "parameters.top_k", 1001),
    ("fill-mask", "parameters.targets", ["a"] * 1001),
    ("question-answering", "parameters.top_k", HUGE),
    ("question-answering", "inputs.question", LONG),
    ("question-answering", "inputs.context", LONG),
    ("visual-question-answering", "parameters.top_k", HUGE),
    ("document-question-answering", "parameters.top_k", HUGE),
    ("table-question-answering", "inputs.question", LONG),
    ("zero-shot-classification", "parameters.candidate_labels", ["a"] * 10**5),
    ("zero-shot-classification", "parameters.candidate_labels.1", ["a", LONG]),
    ("zero-shot-image-classification", "parameters.candidate_labels", ["a"] * 257),
    ("zero-shot-object-detection", "parameters.candidate_labels", ["a"] * 257),
    ("token-classification", "inputs", LONG),
    ("token-classification", "parameters.ignore_labels", ["a"] * 257),
    ("feature-extraction", "inputs", ["a"] * 1001),
    ("feature-extraction", "inputs", LONG),
    ("feature-extraction", "inputs.1", ["a", LONG]),
    ("sentence-similarity", "inputs.sentences", ["a"] * 1001),
    ("text-generation", "parameters.max_new_tokens", HUGE),
    ("text-generation", "parameters.best_of", 10**9),
    ("text-generation", "parameters.top_n_tokens", HUGE),
    ("chat-completion", "n", 10**9),
    ("chat-completion", "max_tokens", 4097),
    ("text-to-image", "parameters.num_inference_steps", 10**9),
    ("text-to-image", "parameters.width", 2049),
    ("text-to-image", "parameters.height", HUGE),
    ("text-to-image", "parameters.negative_prompt", LONG),
    ("text-to-video", "parameters.num_frames", 258),
    ("image-to-image", "parameters.target_size.width", 4096),
    ("image-to-image", "parameters.target_size.height", 4096),
    ("image-to-video", "parameters.num_inference_steps", 201),
    ("image-text-to-image", "parameters.prompt", LONG),
    *((task, f"parameters.generation_parameters.{name}", value)
      for task in GENERATED
      for name, value in (("num_beams", 17), ("num_beam_groups", 17), ("max_new_tokens", 4097), ("max_length", HUGE),
                          ("min_length", HUGE), ("min_new_tokens", HUGE), ("top_k", HUGE))),
]  # fmt: skip

INPUTS: dict[str, Any] = {
    "question-answering": {"question": "q", "context": "c"},
    "visual-question-answering": {"question": "q", "image": "AAAA"},
    "document-question-answering": {"question": "q", "image": "AAAA"},
    "table-question-answering": {"question": "q", "table": {"a": ["b"]}},
    "sentence-similarity": {"source_sentence": "a", "sentences": ["b"]},
}
PARAMETERS: dict[str, Any] = {
    task: {"candidate_labels": ["a"]}
    for task in ("zero-shot-classification", "zero-shot-image-classification", "zero-shot-object-detection")
}


def attack(task: str, field: str, value: Any) -> dict[str, Any]:
    """A request for `task` with `value` at `field`, which may end with an index that the value has itself."""
    if task == "chat-completion":
        payload: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}]}
    else:
        payload = {"inputs": INPUTS.get(task, "AAAA")}
    if task in PARAMETERS or field.startswith("parameters"):
        payload["parameters"] = {**PARAMETERS.get(task, {})}
    *parents, name = field.rsplit(".", 1)[0].split(".") if field[-1].isdigit() else field.split(".")
    target = payload
    for parent in parents:
        target[parent] = {**target.get(parent, {})}
        target = target[parent]
    target[name] = value
    sizes = payload.get("parameters", {}).get("target_size")
    if sizes:
        payload["parameters"]["target_size"] = {"width": 8, "height": 8, **sizes}
    return payload


def anything(task: str) -> Handler[Any, Any, Any]:
    """A handler of one's own for `task` that must not be called."""

    class Never(Handler[Any, Any, Any]):
        binding = TASKS[task]

        def __call__(self, *args: Any, **options: Any) -> Any:
            raise AssertionError("the request should not have come so far")

    return Never()


@pytest.mark.parametrize("task", sorted({task for task, *_ in ATTACKS}))
def test_what_is_too_much_is_422_before_any_handler_and_names_the_limit(serve: Serve, task: str) -> None:
    live = serve(anything(task))
    for asked, field, value in ATTACKS:
        if asked == task:
            answer = live.post(f"/tasks/{task}", json=attack(task, field, value))
            assert answer.status_code == 422, (field, answer.text)
            assert blamed(answer) == [field]
            assert "at most" in answer.json()["error"] or "longer than 200000 characters" in answer.json()["error"]
            assert len(answer.content) < 500, "nothing of the input comes back"


def test_every_number_and_list_of_every_task_was_thought_of() -> None:
    """What a request can ask much of is limited by name, or stands here with the reason why not."""
    harmless = {
        "seed", "doc_stride", "stride", "truncate", "dimensions", "frame_sampling_rate",  # bounded by what is sent
        "max_answer_len", "max_seq_len", "max_question_len",  # by the model
        "messages", "tools", "tool_calls", "word_boxes", "content",  # by the size of a body
        "targets", "inputs", "sentences", "stop",  # lists of texts: max_texts
    }  # fmt: skip
    for binding in TASKS.values():
        unknown = set(_numbers_and_lists(binding.input_class, ())) - set(LIMITED) - harmless
        assert not unknown, (binding.id, unknown)


def _numbers_and_lists(model: Any, above: tuple[Any, ...]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        pending, kinds = [info.annotation], []
        while pending:
            kind = pending.pop()
            kinds.append(getattr(kind, "__origin__", kind))
            pending += get_args(kind)
        if dict not in kinds and (list in kinds or int in kinds):
            yield info.alias or name
        for kind in kinds:
            if hasattr(kind, "model_fields") and kind not in above:
                yield from _numbers_and_lists(kind, (*above, model))


def test_what_is_at_the_limit_is_answered(serve: Serve, echo: Echo) -> None:
    live = serve(echo, max_top_k=7, max_characters=5)
    assert live.text("12345", {"top_k": 7}).json() == [{"label": "12345", "score": 7.0}]
    assert live.text("12345", {"top_k": 8}).json()["error"] == "parameters.top_k: must be at most 7 on this server"
    assert live.text("123456").json()["error"] == "inputs: is longer than 5 characters"
    assert echo.limits == Limits(max_top_k=7, max_characters=5)


def test_more_values_than_any_request_needs_are_refused_before_they_are_made(serve: Serve, echo: Echo) -> None:
    live = serve(echo, max_values=3)
    assert live.text("1,2,").status_code == 200
    for body in (b'{"inputs": [0, 0, 0, 0]}', b'{"inputs": "x", "a": 1, "b": 2, "c": 3}'):
        answer = live.post("/tasks/text-classification", content=body)
        assert answer.status_code == 422
        assert "more than 3 values" in answer.json()["error"]
    labels = attack("zero-shot-classification", "parameters.candidate_labels", ["a"] * 10**6)
    assert (
        serve(anything("zero-shot-classification")).post("/tasks/zero-shot-classification", json=labels).status_code
        == 422
    )


@pytest.mark.parametrize("kind", ["regex", "json_schema"])
def test_what_is_one_of_several_kinds_is_looked_into(serve: Serve, kind: str) -> None:
    """A grammar is one of three kinds of objects, told apart by their type."""
    value, field = {
        "regex": (LONG, "parameters.grammar.value"),
        "json_schema": ({"name": LONG, "schema": {}}, "parameters.grammar.value.name"),
    }[kind]
    payload = {"inputs": "x", "parameters": {"grammar": {"type": kind, "value": value}}}
    answer = serve(anything("text-generation")).post("/tasks/text-generation", json=payload)
    assert answer.status_code == 422
    assert blamed(answer) == [field]


def test_limits_hold_in_dialects(serve: Serve, echo: Echo) -> None:
    live = serve(echo, max_top_k=7)
    answer = live.post("/huggingface/models/text-classification", json={"inputs": "x", "parameters": {"top_k": 8}})
    assert answer.status_code == 422
    assert "at most 7" in answer.text


def test_every_limit_has_a_test_of_its_own() -> None:
    """Raising one alone lets its attacks through, and nothing else does."""
    high = Limits(**dict.fromkeys(vars(Limits()), HUGE))
    for task, field, value in ATTACKS:
        request = validate_request(TASKS[task], attack(task, field, value))
        Caps(TASKS[task], high).check(request)
        name = field.split(".")[-2 if field[-1].isdigit() else -1]
        limit = LIMITED.get(name, "max_texts")
        if isinstance(value, str) or LONG in (value if isinstance(value, list) else ()):
            limit = "max_characters"
        with pytest.raises(RequestProblem):
            Caps(TASKS[task], replace(high, **{limit: 1})).check(request)
