"""`taskbind lint` on unmodified foreign specs: everything that is known to be wrong with them, at its place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from taskbind.config import Config
from taskbind.diagnostics import ADVISORY, Diagnostic, Report, Severity
from taskbind.pipeline import lint

# Found by reading the specs, before there was a linter: 61 errors. Below a code stand files (without their folder
# `spec` and their suffix), below those the places in them.
ERRORS = """
TB213
  automatic-speech-recognition/output
    #/properties/chunks/items/properties/timestamp/minLength
    #/properties/chunks/items/properties/timestamp/maxLength
  document-question-answering/input
    #/$defs/DocumentQuestionAnsweringParameters/properties/word_boxes/items/anyOf/1/maxLength
    #/$defs/DocumentQuestionAnsweringParameters/properties/word_boxes/items/anyOf/1/minLength
  table-question-answering/output
    #/items/properties/coordinates/items/minLength
    #/items/properties/coordinates/items/maxLength
TB217
  fill-mask/output
    #/items/required/3
  image-to-text/output
    #/required/0
  placeholder/output
    #/items/required/0
TB218
  video-classification/input
    #/$defs/VideoClassificationParameters/properties/function_to_apply/title
TB230
  chat-completion/input
    #/properties/max_tokens/default
    #/properties/response_format/default
  feature-extraction/input
    #/properties/normalize/default
    #/properties/prompt_name/default
    #/properties/truncate/default
  table-question-answering/input
    #/$defs/TableQuestionAnsweringParameters/properties/sequential/default
    #/$defs/TableQuestionAnsweringParameters/properties/truncation/default
  text-generation/input
    #/properties/stream/default
    #/$defs/TextGenerationInputGenerateParameters/properties/adapter_id/default
    #/$defs/TextGenerationInputGenerateParameters/properties/best_of/default
    #/$defs/TextGenerationInputGenerateParameters/properties/decoder_input_details/default
    #/$defs/TextGenerationInputGenerateParameters/properties/details/default
    #/$defs/TextGenerationInputGenerateParameters/properties/do_sample/default
    #/$defs/TextGenerationInputGenerateParameters/properties/frequency_penalty/default
    #/$defs/TextGenerationInputGenerateParameters/properties/grammar/default
    #/$defs/TextGenerationInputGenerateParameters/properties/max_new_tokens/default
    #/$defs/TextGenerationInputGenerateParameters/properties/repetition_penalty/default
    #/$defs/TextGenerationInputGenerateParameters/properties/return_full_text/default
    #/$defs/TextGenerationInputGenerateParameters/properties/seed/default
    #/$defs/TextGenerationInputGenerateParameters/properties/temperature/default
    #/$defs/TextGenerationInputGenerateParameters/properties/top_k/default
    #/$defs/TextGenerationInputGenerateParameters/properties/top_n_tokens/default
    #/$defs/TextGenerationInputGenerateParameters/properties/top_p/default
    #/$defs/TextGenerationInputGenerateParameters/properties/truncate/default
    #/$defs/TextGenerationInputGenerateParameters/properties/typical_p/default
    #/$defs/TextGenerationInputGenerateParameters/properties/watermark/default
  text-generation/stream_output
    #/properties/details/default
    #/properties/generated_text/default
TB232
  chat-completion/input
    #/properties/frequency_penalty/example
    #/properties/logprobs/example
    #/properties/max_tokens/example
    #/properties/messages/example
    #/properties/n/example
    #/properties/stop/example
    #/properties/tools/example
    #/properties/top_logprobs/example
    #/$defs/ChatCompletionInputStreamOptions/properties/include_usage/example
  chat-completion/output
    #/properties/created/example
  chat-completion/stream_output
    #/properties/created/example
  feature-extraction/input
    #/properties/normalize/example
    #/properties/truncate/example
  text-generation/input
    #/$defs/TextGenerationInputGenerateParameters/properties/max_new_tokens/example
    #/$defs/TextGenerationInputGenerateParameters/properties/seed/example
    #/$defs/TextGenerationInputGenerateParameters/properties/truncate/example
  text-generation/output
    #/$defs/TextGenerationOutputToken/properties/special/example
  text-generation/stream_output
    #/$defs/TextGenerationStreamOutputToken/properties/special/example
TB233
  text-generation/output
    #/$defs/TextGenerationOutputFinishReason/example
  text-generation/stream_output
    #/$defs/TextGenerationStreamOutputFinishReason/example
TB234
  chat-completion/input
    #/$defs/ChatCompletionInputMessageBody/oneOf
  chat-completion/output
    #/$defs/ChatCompletionOutputMessage/oneOf
  chat-completion/stream_output
    #/$defs/ChatCompletionStreamOutputDelta/oneOf
"""

# The same for what is poor style.
WARNINGS = """
TB260
  chat-completion/input
    #/$defs/ChatCompletionInputMessage/allOf/1
    #/$defs/ChatCompletionInputMessageBody/oneOf/0
    #/$defs/ChatCompletionInputMessageBody/oneOf/1
    #/$defs/ChatCompletionInputMessageChunk/oneOf/0
    #/$defs/ChatCompletionInputMessageChunk/oneOf/1
    #/$defs/ChatCompletionInputToolChoice/oneOf/3
  document-question-answering/output
    #/items
  fill-mask/output
    #/items
  image-segmentation/output
    #/items
  image-text-to-image/input
    #/$defs/ImageTextToImageParameters/properties/target_size
  image-text-to-video/input
    #/$defs/ImageTextToVideoParameters/properties/target_size
  image-to-image/input
    #/$defs/ImageToImageParameters/properties/target_size
  image-to-video/input
    #/$defs/ImageToVideoParameters/properties/target_size
  object-detection/output
    #/items
  placeholder/output
    #/items
  question-answering/output
    #/items
  table-question-answering/output
    #/items
  text-generation/input
    #/$defs/TextGenerationInputGrammarType/oneOf/0
    #/$defs/TextGenerationInputGrammarType/oneOf/1
    #/$defs/TextGenerationInputGrammarType/oneOf/2
  token-classification/output
    #/items
  visual-question-answering/output
    #/items
TB261
  chat-completion/input
    #/$defs/ChatCompletionInputFunctionDefinition/properties/parameters
  depth-estimation/input
    #/properties/inputs
  depth-estimation/output
    #/properties/predicted_depth
    #/properties/depth
  document-question-answering/input
    #/properties/inputs/properties/image
  image-text-to-image/output
    #/properties/image
  image-text-to-video/output
    #/properties/video
  image-to-image/output
    #/properties/image
  image-to-text/input
    #/properties/inputs
  image-to-video/output
    #/properties/video
  text-generation/input
    #/$defs/TextGenerationInputGrammarType/oneOf/0/properties/value
    #/$defs/TextGenerationInputJsonSchemaConfig/properties/schema
  text-to-audio/output
    #/properties/audio
  text-to-image/output
    #/properties/image
  text-to-speech/output
    #/properties/audio
  text-to-video/output
    #/properties/video
  video-classification/input
    #/properties/inputs
  visual-question-answering/input
    #/properties/inputs/properties/image
TB262
  depth-estimation/input
    #/properties/inputs
  depth-estimation/output
    #/properties/depth
  image-segmentation/output
    #/items/properties/mask
  image-text-to-image/output
    #/properties/image
  image-text-to-video/output
    #/properties/video
  image-to-image/output
    #/properties/image
  image-to-video/output
    #/properties/video
  text-to-image/output
    #/properties/image
  text-to-video/output
    #/properties/video
  video-classification/input
    #/properties/inputs
TB263
  document-question-answering/input
    #/properties/inputs/properties/image
  image-to-text/input
    #/properties/inputs
  text-to-audio/output
    #/properties/audio
  text-to-speech/output
    #/properties/audio
  visual-question-answering/input
    #/properties/inputs/properties/image
TB264
  document-question-answering/input
    #/properties/inputs/properties/image/comment
  visual-question-answering/input
    #/properties/inputs/properties/image/comment
TB265
  image-text-to-video/input
    #/$defs/ImageTextToVideoParameters/properties/num_frames/type
  image-to-video/input
    #/$defs/ImageToVideoParameters/properties/num_frames/type
  text-to-audio/output
    #/properties/sampling_rate/type
  text-to-speech/output
    #/properties/sampling_rate/type
  text-to-video/input
    #/$defs/TextToVideoParameters/properties/num_frames/type
TB266
  chat-completion/input
    #/$defs/ChatCompletionInputJsonSchemaConfig/properties/schema
  depth-estimation/input
    #/$defs/DepthEstimationParameters
  sentence-similarity/input
    #/$defs/SentenceSimilarityParameters
  summarization/input
    #/$defs/SummarizationParameters/properties/generate_parameters
  translation/input
    #/$defs/TranslationParameters/properties/generate_parameters
TB267
  table-question-answering/input
    #/$defs/TableQuestionAnsweringParameters/properties/truncation
  text-to-video/input
    #/$defs/TextToVideoParameters/properties/negative_prompt
  video-classification/input
    #/$defs/VideoClassificationParameters/properties/num_frames
TB268
  automatic-speech-recognition/output
    #/properties/chunks/description
  question-answering/input
    #/$defs/QuestionAnsweringParameters/properties/top_k/description
    #/$defs/QuestionAnsweringParameters/properties/max_seq_len/description
  visual-question-answering/input
    #/$defs/VisualQuestionAnsweringParameters/properties/top_k/description
TB269
  image-text-to-image/input
    #
  image-text-to-video/input
    #
TB270
  depth-estimation/output
    #
  image-to-image/output
    #
TB271
  summarization/input
    #/$defs/SummarizationParameters/properties/generate_parameters/title
  translation/input
    #/$defs/TranslationParameters/properties/generate_parameters/title
TB272
  object-detection/output
    #/$defs/BoundingBox/title
  summarization/input
    #/$defs/SummarizationParameters/properties/generate_parameters/title
  translation/input
    #/$defs/TranslationParameters/properties/generate_parameters/title
  zero-shot-object-detection/output
    #/$defs/BoundingBox/title
TB273
  chat-completion/input
    #/description
  chat-completion/output
    #/description
  chat-completion/stream_output
    #/description
  feature-extraction/input
    #/description
  feature-extraction/output
    #/description
  text-generation/input
    #/description
  text-generation/output
    #/description
  text-generation/stream_output
    #/description
"""

# Strings that spell null where a string is valid: valid as they stand, and hardly meant.
DOUBTFUL = {
    ("feature-extraction/input", "/properties/prompt_name/example"),
    ("text-generation/input", "/$defs/TextGenerationInputGenerateParameters/properties/adapter_id/example"),
}
COUNTS = {
    "TB113": 2,  # template
    "TB201": 40,  # $defs in draft-06
    "TB205": 4,  # keyword beside $ref, dead
    "TB206": 44,  # annotation beside $ref; on 44 references together with TB205
    "TB210": 16,  # comment: type=binary
    "TB211": 10,  # allOf of one
    "TB212": 58,  # nullable
    "TB214": 48,  # format of a number
    "TB216": 3,  # redundant bound
    "TB219": 2,  # discriminator
    "TB220": 71,  # example
    "TB274": 149,  # no description
    "TB275": 9,  # bound in prose
    "TB276": 1,  # blanks around a text
}


@pytest.fixture(scope="module")
def report(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return lint(Config(corpus / "hf-tasks", tmp_path_factory.mktemp("lint") / "out"))


def table(text: str) -> Counter[tuple[str, str, str]]:
    """The places of a table as (code, file, pointer)."""
    out: Counter[tuple[str, str, str]] = Counter()
    code = file = ""
    for line in text.splitlines():
        if line.startswith("    #"):
            out[code, file, line.strip().removeprefix("#")] += 1
        elif line.startswith("  "):
            file = line.strip()
        else:
            code = line
    return out


def place(diagnostic: Diagnostic) -> tuple[str, str]:
    return diagnostic.path.replace("/spec/", "/").removesuffix(".json"), diagnostic.pointer


def test_all_known_errors_are_reported_and_no_other(report: Report) -> None:
    known = table(ERRORS)
    assert known.total() == 61
    found = {(d.code, *place(d)): d for d in report if d.severity is Severity.ERROR or d.code in ADVISORY}
    assert found.keys() - known.keys() == {("TB232", *where) for where in DOUBTFUL}
    assert known.keys() - found.keys() == set()
    assert all(d.line and d.fix and d.message for d in found.values())
    assert not report.fatal


def test_all_known_warnings_are_reported_and_no_other(report: Report) -> None:
    known = table(WARNINGS)
    found = Counter((d.code, *place(d)) for d in report if "TB260" <= d.code <= "TB273")
    assert found == known
    assert Counter(code for code, _, _ in known) == {
        "TB260": 22,
        "TB261": 18,
        "TB262": 10,
        "TB263": 5,
        "TB264": 2,
        "TB265": 5,
        "TB266": 5,
        "TB267": 3,
        "TB268": 4,
        "TB269": 2,
        "TB270": 2,
        "TB271": 2,
        "TB272": 4,
        "TB273": 8,
    }


def test_everything_else_is_as_often_as_known(report: Report) -> None:
    found = Counter(d.code for d in report)
    assert {code: found[code] for code in COUNTS} == COUNTS
    beside = {(d.path, d.pointer.rpartition("/")[0]) for d in report if d.code in ("TB205", "TB206")}
    assert len(beside) == 44


def test_a_template_is_linted_and_not_generated(report: Report) -> None:
    found = {(d.code, d.pointer) for d in report if d.path.startswith("placeholder/")}
    assert {("TB113", "/$id"), ("TB217", "/items/required/0"), ("TB260", "/items"), ("TB201", "/$defs")} <= found
