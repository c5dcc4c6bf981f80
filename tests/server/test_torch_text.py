"""The tasks of models that read texts: alone and together, parameter by parameter, and beside transformers' own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch
import transformers

from inference_tasks import Client
from inference_tasks._runtime.torch import create_handler
from inference_tasks._runtime.torch.base import ModelDirectoryError
from inference_tasks._runtime.torch.demo.text import bert
from inference_tasks._runtime.torch.demo.weights import save
from inference_tasks._runtime.torch.sentence_transformers import Pooling
from inference_tasks._runtime.torch.tapas import TableTokenizer
from inference_tasks._runtime.torch.texts import batches, chunk_count
from inference_tasks._runtime.validation import validate_request
from inference_tasks._tasks import TASKS
from inference_tasks.server import RequestProblem

from . import tiny_text
from .live import Serve

Make = Callable[..., Any]


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Directories of tiny models, each built once: `directories(builder, argument, option=…)`."""
    built: dict[str, Path] = {}

    def get(build: Any, *arguments: Any, **options: Any) -> Path:
        key = f"{build.__name__} {arguments} {options}"
        if key not in built:
            torch.manual_seed(0)
            built[key] = build(tmp_path_factory.mktemp(build.__name__), *arguments, **options)
        return built[key]

    return get


@pytest.fixture(scope="session")
def made(directories: Any) -> Make:
    """Loaded handlers, each made once: `made(task, builder, …)`."""
    handlers: dict[tuple[str, Path], Any] = {}

    def get(task: str, build: Any, *arguments: Any, **options: Any) -> Any:
        directory = directories(build, *arguments, **options)
        if (task, directory) not in handlers:
            handlers[task, directory] = handler = create_handler(TASKS[task], directory)
            handler.load()
        return handlers[task, directory]

    return get


def ask(handler: Any, inputs: Any, **parameters: Any) -> Any:
    """The answer to one request, as JSON values."""
    binding = handler.binding
    if binding.options:
        return _plain(handler(validate_request(binding, {"inputs": inputs} | parameters)))
    given, shared = _call(handler, inputs, parameters)
    return _plain(handler(given, shared))


def together(handler: Any, items: list[Any], **parameters: Any) -> list[Any]:
    """The answers to requests of one batch, as JSON values or the problem in their place."""
    shared = _call(handler, items[0], parameters)[1]
    answers = handler.batch([_call(handler, item, parameters)[0] for item in items], shared)
    return [answer if isinstance(answer, Exception) else _plain(answer) for answer in answers]


def refused(handler: Any, inputs: Any, **parameters: Any) -> RequestProblem:
    """The problem with one request."""
    with pytest.raises(RequestProblem) as caught:
        ask(handler, inputs, **parameters)
    assert caught.value.status == 422
    return caught.value


def blamed(problem: Any) -> str:
    assert isinstance(problem, RequestProblem), problem
    return problem.fields[0].field


def alike(one: Any, other: Any, tolerance: float = 1e-4) -> bool:
    """Whether JSON values are equal, numbers nearly so."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key], tolerance) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(alike(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return bool(one == pytest.approx(other, abs=tolerance) if isinstance(one, float) else one == other)


def same_alone(handler: Any, items: list[Any], **parameters: Any) -> None:
    """Each of `items` is answered alike with the others and on its own."""
    for item, answer in zip(items, together(handler, items, **parameters), strict=True):
        assert alike(answer, ask(handler, item, **parameters)), item


def _call(handler: Any, inputs: Any, parameters: dict[str, Any]) -> tuple[Any, Any]:
    payload = {"inputs": inputs} | ({"parameters": parameters} if parameters else {})
    request = validate_request(handler.binding, payload)
    if handler.binding.parameters_model is None:
        return request.inputs, None
    return request.inputs, request.parameters or handler.binding.parameters_class.model_construct()


def _plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_plain(item) for item in answer]
    return answer.model_dump(mode="json") if hasattr(answer, "model_dump") else answer


TEXTS = [
    "Marie Curie was born in Warsaw and taught at the Sorbonne.",
    "Nadia lives in Rotterdam.",
    "",
    "Lisbon",
    "She plays the violin in an orchestra, Ñandú.",
]
LONG = " ".join(tiny_text.CORPUS)

# ------------------------------------------------------------------------------------------------ token classification

TAGS = "token-classification"
TAGGERS = (tiny_text.tagger, tiny_text.byte_tagger)
STRATEGIES = ("none", "simple", "first", "average", "max")


def pipeline_finds(directory: Path, text: str, limit: int, **options: Any) -> list[dict[str, Any]]:
    pipe = transformers.pipeline("token-classification", model=str(directory))
    pipe.tokenizer.model_max_length = limit
    found = pipe(text, **options)
    return [{k: float(v) if k == "score" else v for k, v in find.items() if k != "index"} for find in found]


@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
@pytest.mark.parametrize("build", TAGGERS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_entities_are_those_of_the_pipeline(made: Make, build: Any, strategy: str) -> None:
    handler = made(TAGS, build)
    for ignored in (["O"], [], ["O", "LOC", "I-PER"]):
        for text in TEXTS:
            options = {"aggregation_strategy": strategy, "ignore_labels": ignored}
            expected = pipeline_finds(handler.directory, text, handler.max_tokens, **options)
            assert alike(ask(handler, text, **options), expected), (text, options)


@pytest.mark.parametrize("build", TAGGERS)
def test_entities_alone_and_together(made: Make, build: Any) -> None:
    handler = made(TAGS, build)
    same_alone(handler, [*TEXTS, LONG])
    same_alone(handler, [*TEXTS, LONG], aggregation_strategy="max", stride=8, ignore_labels=[])


def test_entities_without_parameters_are_joined_and_without_o(made: Make) -> None:
    handler = made(TAGS, tiny_text.tagger)
    assert ask(handler, TEXTS[0]) == ask(handler, TEXTS[0], aggregation_strategy="simple", ignore_labels=["O"])


def test_a_long_text_is_cut_or_read_in_chunks(made: Make) -> None:
    handler = made(TAGS, tiny_text.tagger)
    everything = {"aggregation_strategy": "simple", "ignore_labels": []}
    cut = ask(handler, LONG, **everything)
    assert cut[-1]["end"] < len(LONG) / 2 + 50
    for stride in (0, 1, 20):
        read = ask(handler, LONG, stride=stride, **everything)
        assert read[-1]["end"] == len(LONG)
        expected = pipeline_finds(handler.directory, LONG, handler.max_tokens, stride=stride, **everything)
        assert alike(read, expected)


def test_words_end_at_any_blank_and_where_the_tokenizer_says(made: Make) -> None:
    handler = made(TAGS, tiny_text.byte_tagger)
    words = ask(handler, "was\nborn", aggregation_strategy="first", ignore_labels=[])
    assert {find["start"] for find in words} <= {0, 3, 4}
    handler = made(TAGS, tiny_text.tagger)
    marked = ask(handler, "cafe\u0301 is", aggregation_strategy="none", ignore_labels=[])
    assert marked[0]["start"] == 0


def test_stride_is_refused_where_it_makes_no_sense(made: Make) -> None:
    handler = made(TAGS, tiny_text.tagger)
    for parameters in ({"stride": 3, "aggregation_strategy": "none"}, {"stride": 62}, {"stride": 10**30}):
        assert blamed(refused(handler, "hello", **parameters)) == "parameters.stride"
    assert "more than 256 chunks" in str(refused(handler, "lamp " * 1000, stride=61))


def test_a_tokenizer_without_positions_finds_without_them(made: Make, directories: Any) -> None:
    handler = made(TAGS, tiny_text.bytes_tagger)
    for strategy in ("none", "simple"):
        options = {"aggregation_strategy": strategy, "ignore_labels": []}
        found = ask(handler, TEXTS[1], **options)
        assert {(find["start"], find["end"]) for find in found} == {(None, None)}
        assert alike(found, pipeline_finds(handler.directory, TEXTS[1], 64, **options))
    assert blamed(refused(handler, TEXTS[1], stride=1)) == "parameters.stride"
    for strategy in ("first", "average", "max"):
        problem = refused(handler, TEXTS[1], aggregation_strategy=strategy)
        assert blamed(problem) == "parameters.aggregation_strategy"


# ------------------------------------------------------------------------------------------------ fill-mask

MASK = "fill-mask"
MASKED = [
    "Lisbon is the [MASK] of Portugal.",
    "[MASK]",
    "She plays the [MASK] in an orchestra, and the tide comes in.",
]


@pytest.mark.parametrize("build", [tiny_text.masked, tiny_text.byte_masked])
def test_masks_are_filled_as_by_the_pipeline(made: Make, build: Any) -> None:
    handler = made(MASK, build)
    pipe = transformers.pipeline("fill-mask", model=str(handler.directory))
    cases: list[dict[str, Any]] = [{}, {"top_k": 2}, {"top_k": 4, "targets": ["the", "violin", " lamp", "the"]}]
    for text in MASKED:
        text = text.replace("[MASK]", handler.tokenizer.mask_token)
        for options in cases:
            assert alike(ask(handler, text, **options), pipe(text, **options))


def test_masks_alone_and_together(made: Make) -> None:
    handler = made(MASK, tiny_text.masked)
    same_alone(handler, MASKED)
    same_alone(handler, MASKED, targets=["the", "lamp"])


def test_fill_mask_parameters(made: Make) -> None:
    handler = made(MASK, tiny_text.masked)
    assert len(ask(handler, MASKED[0])) == 5
    everything = ask(handler, MASKED[0], top_k=1000)
    assert len(everything) == len(handler.tokenizer)
    assert sum(answer["score"] for answer in everything) == pytest.approx(1, abs=1e-5)
    rated = ask(handler, MASKED[0], targets=["the", "lamp"])
    by_token = {answer["token"]: answer["score"] for answer in everything}
    assert [answer["score"] for answer in rated] == pytest.approx([by_token[a["token"]] for a in rated], abs=1e-6)
    assert blamed(refused(handler, MASKED[0], targets=["the", " "])) == "parameters.targets.1"


def test_texts_without_one_mask_fail_alone(made: Make) -> None:
    handler = made(MASK, tiny_text.masked)
    answers = together(handler, [MASKED[0], "no mask", "[MASK] [MASK]", "[MASK]" + " lamp" * 100, "x" * 100_001])
    assert alike(answers[0], ask(handler, MASKED[0]))
    assert [blamed(answer) for answer in answers[1:]] == ["inputs"] * 4
    assert "once; it holds it 0 times" in str(answers[1])
    assert "once; it holds it 2 times" in str(answers[2])
    assert "reads at most 64" in str(answers[3])


# ------------------------------------------------------------------------------------------------ zero-shot

ZERO = "zero-shot-classification"
CLASSES = ["sports", "music", "the capital of portugal"]


@pytest.mark.parametrize("labels", [(), ("entailment", "neutral", "contradiction"), ("entailment", "not_entailment")])
def test_classes_are_scored_as_by_the_pipeline(made: Make, labels: tuple[str, ...]) -> None:
    handler = made(ZERO, tiny_text.judge, *labels)
    pipe = transformers.pipeline("zero-shot-classification", model=str(handler.directory))
    for options in ({}, {"multi_label": True}, {"hypothesis_template": "it is {} {}."}):
        for classes in (CLASSES, ["music"]):
            for text in TEXTS:
                if not text:
                    continue
                template = str(options.get("hypothesis_template", "This example is {}."))
                expected = pipe(
                    text, classes, **options | {"hypothesis_template": template.replace("{} {}", "{0} {0}")}
                )
                answer = ask(handler, text, candidate_labels=classes, **options)
                pairs = zip(expected["labels"], expected["scores"], strict=True)
                assert alike(answer, [{"label": label, "score": score} for label, score in pairs])


def test_the_contradiction_is_found_by_its_name(made: Make) -> None:
    handler = made(ZERO, tiny_text.judge, "neutral", "entailment", "contradiction")
    assert (handler._entailment, handler._contradiction) == (1, 2)


def test_classes_alone_and_together(made: Make) -> None:
    handler = made(ZERO, tiny_text.judge)
    same_alone(handler, TEXTS, candidate_labels=CLASSES)
    same_alone(handler, TEXTS, candidate_labels=CLASSES, multi_label=True)


def test_zero_shot_refusals(made: Make) -> None:
    handler = made(ZERO, tiny_text.judge)
    one: dict[str, Any] = {"candidate_labels": ["music"]}
    assert blamed(refused(handler, "x", candidate_labels=["a", "y" * 200_001])) == "parameters.candidate_labels.1"
    assert blamed(refused(handler, "x", hypothesis_template="no place", **one)) == "parameters.hypothesis_template"
    # What str.format would make of it stays as it is.
    assert ask(handler, "x", hypothesis_template="{0.__class__} {}", **one)
    answers = together(handler, [LONG, "music", "lamp " * 60], **one)
    assert [blamed(answers[i]) for i in (0, 2)] == ["inputs"] * 2
    assert alike(answers[1], ask(handler, "music", **one))


def test_a_classifier_that_judges_no_entailment_is_refused(directories: Any) -> None:
    handler = create_handler(TASKS[ZERO], directories(tiny_text.judge, "good", "bad"))
    with pytest.raises(ModelDirectoryError, match="entailment"):
        handler.load()


# ------------------------------------------------------------------------------------------------ feature extraction

FEATURES = "feature-extraction"


def unit(vector: Any) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.tensor(vector), dim=-1)


def hidden(handler: Any, text: str) -> torch.Tensor:
    """The last hidden state of `text` alone, by transformers."""
    with torch.inference_mode():
        state = handler.model(**handler.tokenizer(text, return_tensors="pt")).last_hidden_state[0]
    return torch.as_tensor(state)


def test_tokens_have_the_vectors_of_the_pipeline(made: Make) -> None:
    handler = made(FEATURES, tiny_text.plain)
    tokenizer = transformers.AutoTokenizer.from_pretrained(handler.directory)
    model = transformers.BertModel.from_pretrained(handler.directory, add_pooling_layer=False)
    pipe = transformers.pipeline("feature-extraction", model=model, tokenizer=tokenizer)
    for text in TEXTS:
        assert alike(ask(handler, text, normalize=False), pipe(text)[0])
        assert alike(ask(handler, text), unit(pipe(text)[0]).tolist())
    assert alike(ask(handler, TEXTS, normalize=False), [found[0] for found in pipe(TEXTS)])


def test_a_directory_says_how_tokens_become_one_vector(made: Make) -> None:
    handler = made(FEATURES, tiny_text.sentences)
    for text in TEXTS:
        pooled = handler.dense(hidden(handler, text).mean(0))
        assert alike(ask(handler, text, normalize=False), pooled.tolist())
        assert alike(ask(handler, text), unit(pooled.tolist()).tolist())
    assert len(ask(handler, TEXTS)) == len(TEXTS)
    assert len(ask(handler, TEXTS[0])) == 8


def test_pooling_modes() -> None:
    tokens = torch.tensor([[1.0, -1.0], [3.0, 5.0], [8.0, -7.0]])
    expected = {
        "cls": [1, -1],
        "max": [8, 5],
        "mean": [4, -1],
        "mean_sqrt_len_tokens": [12 / 3**0.5, -3 / 3**0.5],
        "weightedmean": [31 / 6, -12 / 6],
        "lasttoken": [8, -7],
    }
    for mode, vector in expected.items():
        assert Pooling((mode,))(tokens).tolist() == pytest.approx(vector)
    assert Pooling(("cls", "max"))(tokens).tolist() == [1, -1, 8, 5]
    assert Pooling(("cls",))(tokens, 1).tolist() == [3, 5]
    assert Pooling(("weightedmean",))(tokens, 1).tolist() == pytest.approx([30 / 5, -11 / 5])


def test_older_directories_name_pooling_by_flags(made: Make) -> None:
    flags = {"pooling_mode": None, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    handler = made(FEATURES, tiny_text.sentences, "cls", **flags)
    assert handler.about.pooling == Pooling(("cls",))
    assert alike(ask(handler, "lisbon", normalize=False), handler.dense(hidden(handler, "lisbon")[0]).tolist())


def test_prompts(made: Make) -> None:
    handler = made(FEATURES, tiny_text.sentences)
    assert ask(handler, "lisbon", prompt_name="query") == ask(handler, "the capital of lisbon")
    assert ask(handler, "lisbon", prompt_name="document") == ask(handler, "lisbon", prompt_name=None)
    problem = refused(handler, "lisbon", prompt_name="passage")
    assert blamed(problem) == "prompt_name"
    assert "'document', 'query'" in str(problem)
    assert "its prompts: none" in str(refused(made(FEATURES, tiny_text.plain), "lisbon", prompt_name="query"))


def test_a_prompt_may_be_left_out_of_the_pooling(made: Make) -> None:
    handler = made(FEATURES, tiny_text.sentences, include_prompt=False)
    prompt = len(handler.tokenizer("the capital of ")["input_ids"]) - 1
    state = hidden(handler, "the capital of lisbon")
    expected = handler.dense(state[prompt:].mean(0)).tolist()
    assert alike(ask(handler, "lisbon", prompt_name="query", normalize=False), expected)


def test_texts_are_cut_only_if_the_request_says_so(made: Make) -> None:
    handler = made(FEATURES, tiny_text.sentences, limit=8)
    text = "lisbon is the capital of portugal and nadia lives in rotterdam"
    for options in ({}, {"truncate": None}, {"truncate": False}):
        problem = refused(handler, text, **options)
        assert blamed(problem) == "inputs"
        assert "reads at most 8" in str(problem)
    assert blamed(refused(handler, ["lisbon", text])) == "inputs.1"
    ids = handler.tokenizer(text, add_special_tokens=False)["input_ids"]
    for direction, kept in (("right", ids[:6]), ("left", ids[-6:])):
        row = torch.tensor([[handler.tokenizer.cls_token_id, *kept, handler.tokenizer.sep_token_id]])
        with torch.inference_mode():
            state = handler.model(input_ids=row).last_hidden_state[0]
        expected = handler.dense(state.mean(0)).tolist()
        assert alike(ask(handler, text, truncate=True, truncation_direction=direction, normalize=False), expected)
    assert ask(handler, text, truncate=True) == ask(handler, text, truncate=True, truncation_direction="right")


def test_dimensions_are_for_models_trained_for_them(made: Make) -> None:
    handler = made(FEATURES, tiny_text.sentences)
    full = ask(handler, "lisbon", normalize=False)
    assert alike(ask(handler, "lisbon", normalize=False, dimensions=4), full[:4])
    assert alike(ask(handler, "lisbon", dimensions=4), unit(full[:4]).tolist())
    assert "one of 2, 4" in str(refused(handler, "lisbon", dimensions=3))
    assert blamed(refused(made(FEATURES, tiny_text.plain), "lisbon", dimensions=4)) == "dimensions"
    free = made(FEATURES, tiny_text.plain, is_matryoshka=True)
    assert len(ask(free, "lisbon", dimensions=5)[0]) == 5
    assert blamed(refused(free, "lisbon", dimensions=33)) == "dimensions"


def test_vectors_are_written_as_numbers(made: Make) -> None:
    handler = made(FEATURES, tiny_text.sentences)
    assert ask(handler, "lisbon", encoding_format="float") == ask(handler, "lisbon")
    assert blamed(refused(handler, "lisbon", encoding_format="base64")) == "encoding_format"


@pytest.mark.parametrize("build", [tiny_text.plain, tiny_text.sentences])
def test_requests_of_all_kinds_go_together(made: Make, build: Any) -> None:
    handler = made(FEATURES, build)
    payloads: list[dict[str, Any]] = [
        {"inputs": TEXTS[0]},
        {"inputs": TEXTS, "normalize": False},
        {"inputs": LONG, "truncate": True},
        {"inputs": LONG},
        {"inputs": "lisbon", "truncate": True, "truncation_direction": "left"},
        {"inputs": "lisbon", "prompt_name": "nothing"},
    ]
    answers = handler.batch([validate_request(handler.binding, payload) for payload in payloads], None)
    for payload, answer in zip(payloads, answers, strict=True):
        if isinstance(answer, RequestProblem):
            assert blamed(refused(handler, **payload)) == blamed(answer)
        else:
            assert alike(_plain(answer), ask(handler, **payload))
    assert [isinstance(answer, RequestProblem) for answer in answers] == [False] * 3 + [True, False, True]


def test_the_vectors_of_all_tokens_are_not_answered_for_any_amount(made: Make) -> None:
    assert "8192 tokens" in str(refused(made(FEATURES, tiny_text.plain), ["lamp " * 30] * 200))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("modules.json", '[{"type": "sentence_transformers.models.LSTM", "path": "1_LSTM"}]', "'LSTM'"),
        ("modules.json", "{", "readable as JSON"),
        ("modules.json", "{}", "what sentence-transformers writes"),
        ("1_Pooling/config.json", '{"pooling_mode": "best"}', "no pooling mode"),
        ("1_Pooling/config.json", "{}", "no pooling mode"),
        ("2_Dense/config.json", '{"activation_function": "os.system"}', "no dense layer"),
    ],
)
def test_directories_with_parts_that_are_not_here_are_refused(
    tmp_path: Path, name: str, content: str, why: str
) -> None:
    tiny_text.sentences(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(ModelDirectoryError, match=why):
        create_handler(TASKS[FEATURES], tmp_path).load()


def test_pickled_layers_are_never_loaded(tmp_path: Path) -> None:
    tiny_text.sentences(tmp_path)
    (tmp_path / "2_Dense" / "model.safetensors").rename(tmp_path / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(ModelDirectoryError, match=r"model\.safetensors"):
        create_handler(TASKS[FEATURES], tmp_path).load()


# ------------------------------------------------------------------------------------------------ sentence similarity

SIMILAR = "sentence-similarity"
COMPARED = {"source_sentence": TEXTS[0], "sentences": [TEXTS[0], TEXTS[1], TEXTS[4]]}


@pytest.mark.parametrize("build", [tiny_text.plain, tiny_text.sentences])
def test_similarity_is_the_cosine_of_pooled_vectors(made: Make, build: Any) -> None:
    handler = made(SIMILAR, build)
    vectors = [handler.dense(hidden(handler, t).mean(0)) for t in (TEXTS[0], *COMPARED["sentences"])]
    expected = [float(unit(vectors[0].tolist()) @ unit(v.tolist())) for v in vectors[1:]]
    assert alike(ask(handler, COMPARED), expected, 1e-5)
    assert ask(handler, COMPARED)[0] == pytest.approx(1, abs=1e-5)
    others = {"source_sentence": "lisbon", "sentences": ["a lamp"]}
    same_alone(handler, [COMPARED, others, {**others, "sentences": ["x", "violin", "y"]}])


@pytest.mark.parametrize("function", ["dot", "euclidean", "manhattan"])
def test_similarity_is_what_the_directory_says(made: Make, function: str) -> None:
    handler = made(SIMILAR, tiny_text.sentences, settings={"similarity_fn_name": function})
    one, other = (handler.dense(hidden(handler, text).mean(0)) for text in TEXTS[:2])
    expected = {"dot": one @ other, "euclidean": -(one - other).norm(), "manhattan": -(one - other).abs().sum()}
    answer = ask(handler, {"source_sentence": TEXTS[0], "sentences": [TEXTS[1]]})
    assert answer == pytest.approx([float(expected[function])], abs=1e-4)


def test_similarity_uses_the_default_prompt(made: Make) -> None:
    prompted = made(SIMILAR, tiny_text.sentences, settings={"default_prompt_name": "query"})
    plain = made(SIMILAR, tiny_text.sentences)
    item = {"source_sentence": "lisbon", "sentences": ["rotterdam"]}
    full = {"source_sentence": "the capital of lisbon", "sentences": ["the capital of rotterdam"]}
    assert ask(prompted, item) == pytest.approx(ask(plain, full), abs=1e-5)


def test_bad_sentences_fail_alone(made: Make) -> None:
    handler = made(SIMILAR, tiny_text.plain)
    answers = together(
        handler,
        [
            COMPARED,
            {"source_sentence": LONG, "sentences": ["x"]},
            {"source_sentence": "x", "sentences": ["x", LONG]},
        ],
    )
    assert alike(answers[0], ask(handler, COMPARED))
    assert [blamed(answer) for answer in answers[1:]] == [
        "inputs.source_sentence",
        "inputs.sentences.1",
    ]


def test_unknown_ways_to_compare_are_refused(tmp_path: Path) -> None:
    tiny_text.sentences(tmp_path, settings={"similarity_fn_name": "astrology"})
    with pytest.raises(ModelDirectoryError, match="astrology"):
        create_handler(TASKS[SIMILAR], tmp_path).load()


# ------------------------------------------------------------------------------------------------ question answering

QA = "question-answering"
LIGHTHOUSE = {
    "question": "Who looked after the lamp?",
    "context": "The lighthouse on the western cape was built in 1874. For forty years Ingrid Dahl looked after it.",
}
LONG_QUESTION = {"question": "Which mountain?", "context": LONG}


def best_spans(handler: Any, item: dict[str, str], longest: int, chunk: slice = slice(None)) -> list[dict[str, Any]]:
    """All answers within a chunk of the tokens of the text, best first: every pair of tokens tried in turn."""
    tokenizer = handler.tokenizer
    question = tokenizer(item["question"])["input_ids"]
    encoded = tokenizer(item["context"], add_special_tokens=False, return_offsets_mapping=True)
    piece, offsets = encoded["input_ids"][chunk], encoded["offset_mapping"][chunk]
    row = torch.tensor([[*question, *piece, tokenizer.sep_token_id]])
    types = torch.tensor([[0] * len(question) + [1] * (len(piece) + 1)])
    with torch.inference_mode():
        output = handler.model(input_ids=row, token_type_ids=types)
    places = [0, *range(len(question), len(question) + len(piece))]
    start, end = (logits[0][places].softmax(-1).tolist() for logits in (output.start_logits, output.end_logits))
    spans = [{"answer": "", "score": start[0] * end[0], "start": 0, "end": 0}]
    for i in range(len(piece)):
        for j in range(i, min(i + longest, len(piece))):
            left, right = offsets[i][0], offsets[j][1]
            score = start[i + 1] * end[j + 1]
            spans.append({"answer": item["context"][left:right], "score": score, "start": left, "end": right})
    return sorted(spans, key=lambda span: -float(span["score"]))


@pytest.mark.parametrize("longest", [1, 4, 15])
def test_answers_are_the_best_pairs_of_tokens(made: Make, longest: int) -> None:
    handler = made(QA, tiny_text.reader)
    expected = best_spans(handler, LIGHTHOUSE, longest)
    options = {"max_answer_len": longest, "align_to_words": False, "top_k": 7}
    possible = [span for span in expected if span["answer"]]
    assert alike(ask(handler, LIGHTHOUSE, **options), possible[:7], 1e-5)
    assert alike(ask(handler, LIGHTHOUSE, handle_impossible_answer=True, **options), expected[:7], 1e-5)
    everything = ask(handler, LIGHTHOUSE, handle_impossible_answer=True, **options | {"top_k": 100})
    assert alike(everything, expected[:100], 1e-5)


def test_one_answer_without_parameters(made: Make) -> None:
    handler = made(QA, tiny_text.reader)
    usual = {"top_k": 1, "max_answer_len": 15, "handle_impossible_answer": False, "align_to_words": True}
    assert ask(handler, LIGHTHOUSE) == ask(handler, LIGHTHOUSE, **usual)
    assert len(ask(handler, LIGHTHOUSE)) == 1


@pytest.mark.parametrize("build", [tiny_text.reader, tiny_text.byte_reader])
def test_answers_are_pieces_of_the_text_in_whole_words(made: Make, build: Any) -> None:
    handler = made(QA, build)
    context = LIGHTHOUSE["context"]
    split = ask(handler, LIGHTHOUSE, top_k=30, align_to_words=False)
    whole = ask(handler, LIGHTHOUSE, top_k=30)
    for answer in split + whole:
        assert answer["answer"] == context[answer["start"] : answer["end"]]
    assert len({(answer["start"], answer["end"]) for answer in whole}) == 30
    for answer in whole:
        for edge in (answer["start"], answer["end"]):
            assert edge in (0, len(context)) or not context[edge - 1 : edge + 1].isalnum()
    assert any(
        context[edge - 1 : edge + 1].isalnum()
        for a in split
        for edge in (a["start"], a["end"])
        if 0 < edge < len(context)
    )


@pytest.mark.parametrize("build", [tiny_text.reader, tiny_text.byte_reader])
def test_words_that_chunks_cut_are_whole_all_the_same(made: Make, build: Any) -> None:
    handler = made(QA, build)
    context = LIGHTHOUSE["context"]
    seen = set()
    for longest in range(26, 34):
        for answer in ask(handler, LIGHTHOUSE, top_k=100, max_seq_len=longest, doc_stride=0):
            seen |= {answer["start"], answer["end"]}
    assert all(edge in (0, len(context)) or not context[edge - 1 : edge + 1].isalnum() for edge in seen)


@pytest.mark.parametrize("given", [{}, {"max_seq_len": 30}, {"max_seq_len": 30, "doc_stride": 0}, {"doc_stride": 5}])
def test_a_long_text_is_read_in_chunks(made: Make, given: dict[str, int]) -> None:
    handler = made(QA, tiny_text.reader)
    asked = len(handler.tokenizer(LONG_QUESTION["question"], add_special_tokens=False)["input_ids"])
    room = given.get("max_seq_len", 64) - asked - 3
    stride = given.get("doc_stride", min(128, room // 2))
    tokens = len(handler.tokenizer(LONG, add_special_tokens=False)["input_ids"])
    expected: dict[tuple[int, int], float] = {}
    for first in range(0, tokens - stride, room - stride):
        for span in best_spans(handler, LONG_QUESTION, 15, slice(first, first + room)):
            if span["answer"]:
                place = span["start"], span["end"]
                expected[place] = max(span["score"], expected.get(place, 0))
    best = sorted(expected.items(), key=lambda item: -item[1])[:5]
    answers = ask(handler, LONG_QUESTION, top_k=5, align_to_words=False, **given)
    found = [((answer["start"], answer["end"]), answer["score"]) for answer in answers]
    assert alike(found, best, 1e-5)


def test_a_long_question_is_cut(made: Make) -> None:
    handler = made(QA, tiny_text.reader)
    context = LIGHTHOUSE["context"]
    cut = ask(handler, {"question": "lamp tide mountain violin", "context": context}, max_question_len=2)
    ids = handler.tokenizer("lamp tide mountain violin", add_special_tokens=False)["input_ids"]
    kept = handler.tokenizer.decode(ids[:2])
    assert alike(cut, ask(handler, {"question": kept, "context": context}))
    assert not alike(cut, ask(handler, {"question": "lamp tide mountain violin", "context": context}))


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"top_k": 101}, "parameters.top_k"),
        ({"max_answer_len": 513}, "parameters.max_answer_len"),
        ({"max_seq_len": 65}, "parameters.max_seq_len"),
        ({"max_seq_len": 5}, "parameters.max_seq_len"),
        ({"max_seq_len": 30, "doc_stride": 30}, "parameters.doc_stride"),
        ({"max_seq_len": 30, "doc_stride": 29}, "parameters.doc_stride"),
        ({"doc_stride": 64}, "parameters.doc_stride"),
    ],
)
def test_question_answering_refusals(made: Make, parameters: dict[str, Any], field: str) -> None:
    parameters = {"doc_stride": 0} | parameters if "max_seq_len" in parameters else parameters
    assert blamed(refused(made(QA, tiny_text.reader), LIGHTHOUSE, **parameters)) == field


def test_a_reader_without_positions_is_refused(tmp_path: Path) -> None:
    tokenizer = transformers.ByT5Tokenizer(extra_ids=0)
    save(tmp_path, transformers.BertForQuestionAnswering(bert(tokenizer)), tokenizer)
    with pytest.raises(ModelDirectoryError, match="where in the text"):
        create_handler(TASKS[QA], tmp_path).load()


@pytest.mark.parametrize("build", [tiny_text.reader, tiny_text.byte_reader])
def test_questions_alone_and_together(made: Make, build: Any) -> None:
    handler = made(QA, build)
    items = [LIGHTHOUSE, LONG_QUESTION, {"question": "?", "context": "Lisbon"}]
    same_alone(handler, items)
    same_alone(handler, items, top_k=3, handle_impossible_answer=True, max_seq_len=40)
    bad = [
        {"question": "x", "context": " "},
        {"question": "x", "context": "lamp " * 19_000},
    ]
    answers = together(handler, [LIGHTHOUSE, *bad])
    assert alike(answers[0], ask(handler, LIGHTHOUSE))
    assert [blamed(answer) for answer in answers[1:]] == ["inputs.context"] * 2


# ------------------------------------------------------------------------------------------------ tables

TABLE = "table-question-answering"
PEAKS = {
    "Mountain": ["Denali", "Kilimanjaro", "Elbrus"],
    "Country": ["United States", "", "n/a"],
    "Height": ["12 m", "9", "1,500"],
}
ASKED = {"question": "Which height is over 12?", "table": PEAKS}
DAYS = {"question": "how many after 3 may 2010", "table": {"Day": ["1 May 2010", "4 May 2010"], "n": ["7", "7"]}}


def pairs(handler: Any, item: dict[str, Any], **parameters: Any) -> Any:
    return ask(handler, item, **parameters)[0]


def test_tables_are_read_as_tapas_reads_them(directories: Any) -> None:
    pytest.importorskip("pandas", reason="transformers' own tokenizer for tables needs pandas")
    import pandas

    directory = directories(tiny_text.tables)
    theirs = transformers.AutoTokenizer.from_pretrained(directory)
    ours = TableTokenizer(directory)
    for item in (ASKED, DAYS):
        expected = theirs(table=pandas.DataFrame(item["table"]), queries=item["question"], padding=False)
        cells = list(zip(*item["table"].values(), strict=True))
        asked = ours.tokens(item["question"])
        read = ours.encode(item["question"], asked, cells, ours.rows(list(item["table"]), cells))
        assert read.ids == expected["input_ids"]
        assert [list(types) for types in read.types] == expected["token_type_ids"]


def test_answers_about_tables_are_those_of_the_pipeline(made: Make) -> None:
    pytest.importorskip("pandas", reason="transformers' own pipeline for tables needs pandas")
    for aggregates in (True, False):
        handler = made(TABLE, tiny_text.tables, aggregates=aggregates)
        pipe = transformers.pipeline("table-question-answering", model=str(handler.directory))
        for item in (ASKED, DAYS):
            expected = pipe(table=item["table"], query=item["question"])
            answer = pairs(handler, item)
            assert {**answer, "coordinates": [tuple(place) for place in answer["coordinates"]]} == expected


def test_numbers_and_dates_in_tables_are_compared(directories: Any) -> None:
    ours = TableTokenizer(directories(tiny_text.tables))

    def types(item: dict[str, Any]) -> dict[tuple[int, int], tuple[int, ...]]:
        cells = list(zip(*item["table"].values(), strict=True))
        read = ours.encode(item["question"], [], cells, ours.rows(list(item["table"]), cells))
        return {(row, column): tuple(rest) for _, column, row, _, *rest in read.types if row}

    peaks = types(ASKED)
    assert [peaks[row, 3] for row in (1, 2, 3)] == [(2, 2, 1), (1, 3, 4), (3, 1, 2)]
    assert [peaks[row, 1] for row in (1, 2, 3)] == [(0, 0, 0)] * 3
    days = types(DAYS)
    assert [days[row, 1] for row in (1, 2)] == [(1, 2, 4), (2, 1, 2)]
    assert [days[row, 2] for row in (1, 2)] == [(1, 1, 0)] * 2


def test_answers_hold_the_cells_that_the_model_selects(made: Make) -> None:
    handler = made(TABLE, tiny_text.tables)
    seen = set()
    for seed in range(12):
        item = {**ASKED, "question": " ".join(["lamp", "tide", "violin", "who", "12"][: seed % 5 + 1]) + "?" * seed}
        answer = pairs(handler, item)
        cells = [list(PEAKS.values())[column][row] for row, column in answer["coordinates"]]
        assert answer["cells"] == cells
        assert answer["coordinates"] == sorted(answer["coordinates"])
        prefix = "" if answer["aggregator"] == "NONE" else f"{answer['aggregator']} > "
        assert answer["answer"] == prefix + ", ".join(cells)
        seen.add((answer["answer"], len(cells)))
    assert len(seen) > 1
    assert "aggregator" not in pairs(made(TABLE, tiny_text.tables, aggregates=False), ASKED)


@pytest.mark.parametrize("padding", [None, "do_not_pad", "longest", "max_length"])
@pytest.mark.parametrize("sequential", [False, True])
def test_padding_and_order_change_no_answer(made: Make, padding: str | None, sequential: bool) -> None:
    handler = made(TABLE, tiny_text.tables)
    options = {"sequential": sequential} | ({} if padding is None else {"padding": padding})
    lengths: list[tuple[int, ...]] = []
    hook = handler.model.register_forward_pre_hook(
        lambda module, args, kwargs: lengths.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    answers = together(handler, [ASKED, DAYS, ASKED], **options)
    hook.remove()
    assert answers == [ask(handler, item) for item in (ASKED, DAYS, ASKED)]
    apart = sequential or padding == "do_not_pad"
    assert [rows for rows, _ in lengths] == ([1, 1, 1] if apart else [3])
    if padding == "max_length":
        assert {length for _, length in lengths} == {64}


def test_rows_that_do_not_fit_are_left_out_if_the_request_says_so(made: Make) -> None:
    handler = made(TABLE, tiny_text.tables)
    tall = {"question": "which day?", "table": {"day": ["monday"] * 9, "n": [str(i) for i in range(9)]}}
    wide = {
        "question": "which day?",
        "table": {"day": ["the lamp of the western cape and a violin"] * 7, "n": ["1"] * 7},
    }
    for item, rows in ((tall, 7), (wide, None)):
        for options in ({}, {"truncation": False}):
            assert blamed(refused(handler, item, **options)) == "inputs.table"
        ids = handler._tokenizer
        fitting = rows or next(
            n
            for n in range(7, 0, -1)
            if ids.length(
                ids.tokens(item["question"]),
                ids.rows(list(item["table"]), list(zip(*(c[:n] for c in item["table"].values()), strict=True))),
            )
            <= 64
        )
        shorter = {**item, "table": {name: cells[:fitting] for name, cells in item["table"].items()}}
        assert ask(handler, item, truncation=True) == ask(handler, shorter)
    huge = {"question": "which day?", "table": {"day": ["lamp " * 100]}}
    assert "first row" in str(refused(handler, huge, truncation=True))


def test_tables_that_are_none_fail_alone(made: Make) -> None:
    handler = made(TABLE, tiny_text.tables)
    bad = [
        {"question": "x", "table": {}},
        {"question": "x", "table": {"a": ["1"], "b": ["1", "2"]}},
        {"question": "x", "table": {str(i): ["1"] for i in range(16)}},
        {"question": "x", "table": {"a": ["1"] * 20_001}},
        {"question": "x", "table": {"a": ["1" * 200_001]}},
    ]
    answers = together(handler, [ASKED, *bad])
    assert answers[0] == ask(handler, ASKED)
    assert [blamed(answer) for answer in answers[1:]] == ["inputs.table"] * 5


def test_a_directory_without_a_table_tokenizer_is_refused(tmp_path: Path) -> None:
    tiny_text.tables(tmp_path)
    vocabulary = (tmp_path / "vocab.txt").read_text()
    (tmp_path / "vocab.txt").write_text(vocabulary.replace("[EMPTY]\n", ""))
    with pytest.raises(ModelDirectoryError, match=r"lacks \[EMPTY\]"):
        create_handler(TASKS[TABLE], tmp_path).load()
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(ModelDirectoryError, match=r"vocab\.txt"):
        create_handler(TASKS[TABLE], tmp_path).load()


# ------------------------------------------------------------------------------------------------ what they share


def test_rows_of_like_length_go_together() -> None:
    lengths = [5, 9000, 3, 5, 9000, 1]
    found = list(batches(lengths))
    assert sorted(index for batch in found for index in batch) == list(range(6))
    assert all(len(batch) * max(lengths[i] for i in batch) <= 16_384 for batch in found)
    assert [sorted({lengths[i] for i in batch}) for batch in batches(lengths, can_pad=False)][-3:] == [[5], [3], [1]]
    assert max(map(len, batches([1] * 200))) == 64


def test_chunks_are_counted() -> None:
    for tokens in range(1, 40):
        for room, stride in ((10, 0), (10, 3), (7, 6)):
            starts = [first for first in range(0, tokens, room - stride) if first == 0 or first + stride < tokens]
            assert chunk_count(tokens, room, stride) == len(starts), (tokens, room, stride)


def test_a_tokenizer_without_padding_reads_one_length_at_a_time(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tiny_text.tagger(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "pad_token"}))
    handler: Any = create_handler(TASKS[TAGS], tmp_path)
    handler.load()
    assert handler.tokenizer.pad_token_id is None
    same_alone(handler, TEXTS, ignore_labels=[])


def test_served_over_http(serve: Serve, directories: Any, made: Make) -> None:
    builders = {
        TAGS: tiny_text.tagger,
        MASK: tiny_text.masked,
        ZERO: tiny_text.judge,
        FEATURES: tiny_text.sentences,
        SIMILAR: tiny_text.sentences,
        QA: tiny_text.reader,
        TABLE: tiny_text.tables,
    }
    live = serve(*(create_handler(TASKS[task], directories(build)) for task, build in builders.items()))
    with Client(live.url) as client:
        calls: dict[str, Any] = {
            TAGS: (client.token_classification(TEXTS[0], aggregation_strategy="first"), TEXTS[0]),
            MASK: (client.fill_mask(MASKED[0], top_k=2), MASKED[0]),
            ZERO: (client.zero_shot_classification(TEXTS[0], candidate_labels=CLASSES), TEXTS[0]),
            FEATURES: (client.feature_extraction(TEXTS[0], prompt_name="query"), TEXTS[0]),
            SIMILAR: (client.sentence_similarity(COMPARED), COMPARED),
            QA: (client.question_answering(LIGHTHOUSE, top_k=2), LIGHTHOUSE),
            TABLE: (client.table_question_answering(ASKED, truncation=True), ASKED),
        }
        parameters: dict[str, dict[str, Any]] = {
            TAGS: {"aggregation_strategy": "first"},
            MASK: {"top_k": 2},
            ZERO: {"candidate_labels": CLASSES},
            FEATURES: {"prompt_name": "query"},
            QA: {"top_k": 2},
            TABLE: {"truncation": True},
        }
        for task, (answer, inputs) in calls.items():
            expected = ask(made(task, builders[task]), inputs, **parameters.get(task, {}))
            assert alike(_plain(answer), expected), task
    refusal = live.post(f"/tasks/{QA}", json={"inputs": LIGHTHOUSE, "parameters": {"max_seq_len": 65}})
    assert refusal.status_code == 422
    assert refusal.json()["fields"][0]["field"] == "parameters.max_seq_len"
