"""What Hugging Face's clients look like from outside, for the page that leads from them to ours.

Tests hold these facts against the `huggingface_hub` that is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Method:
    """One method of `InferenceClient`: names of its inputs and of its parameters, in one text each, and its answer."""

    inputs: str
    parameters: str
    answer: str

    @property
    def names(self) -> list[str]:
        """The names of everything that can be passed, but the model; the first input comes first."""
        return f"{self.inputs} {self.parameters}".split()


METHODS: Final = {
    "audio_classification": Method("audio", "top_k function_to_apply", "list[AudioClassificationOutputElement]"),
    "audio_to_audio": Method("audio", "", "list[AudioToAudioOutputElement]"),
    "automatic_speech_recognition": Method("audio", "", "AutomaticSpeechRecognitionOutput"),
    "chat_completion": Method(
        "messages",
        "stream frequency_penalty logit_bias logprobs max_tokens n presence_penalty response_format seed stop "
        "stream_options temperature tool_choice tool_prompt tools top_logprobs top_p",
        "ChatCompletionOutput",
    ),
    "document_question_answering": Method(
        "image question",
        "doc_stride handle_impossible_answer lang max_answer_len max_question_len max_seq_len top_k word_boxes",
        "list[DocumentQuestionAnsweringOutputElement]",
    ),
    "feature_extraction": Method(
        "text", "normalize prompt_name truncate truncation_direction dimensions encoding_format", "numpy.ndarray"
    ),
    "fill_mask": Method("text", "targets top_k", "list[FillMaskOutputElement]"),
    "image_classification": Method("image", "function_to_apply top_k", "list[ImageClassificationOutputElement]"),
    "image_segmentation": Method(
        "image",
        "mask_threshold overlap_mask_area_threshold subtask threshold",
        "list[ImageSegmentationOutputElement]",
    ),
    "image_to_image": Method(
        "image prompt", "negative_prompt num_inference_steps guidance_scale target_size", "PIL.Image.Image"
    ),
    "image_to_text": Method("image", "", "ImageToTextOutput"),
    "image_to_video": Method(
        "image", "prompt negative_prompt num_frames num_inference_steps guidance_scale seed target_size", "bytes"
    ),
    "object_detection": Method("image", "threshold", "list[ObjectDetectionOutputElement]"),
    "question_answering": Method(
        "question context",
        "align_to_words doc_stride handle_impossible_answer max_answer_len max_question_len max_seq_len top_k",
        "QuestionAnsweringOutputElement | list[QuestionAnsweringOutputElement]",
    ),
    "sentence_similarity": Method("sentence other_sentences", "", "list[float]"),
    "summarization": Method(
        "text", "clean_up_tokenization_spaces generate_parameters truncation", "SummarizationOutput"
    ),
    "table_question_answering": Method(
        "table query", "padding sequential truncation", "TableQuestionAnsweringOutputElement"
    ),
    "tabular_classification": Method("table", "", "list[str]"),
    "tabular_regression": Method("table", "", "list[float]"),
    "text_classification": Method("text", "top_k function_to_apply", "list[TextClassificationOutputElement]"),
    "text_generation": Method(
        "prompt",
        "details stream adapter_id best_of decoder_input_details do_sample frequency_penalty grammar max_new_tokens "
        "repetition_penalty return_full_text seed stop temperature top_k top_n_tokens top_p truncate typical_p "
        "watermark",
        "str | TextGenerationOutput",
    ),
    "text_to_image": Method(
        "prompt",
        "negative_prompt height width num_inference_steps guidance_scale scheduler seed",
        "PIL.Image.Image",
    ),
    "text_to_speech": Method(
        "text",
        "do_sample early_stopping epsilon_cutoff eta_cutoff max_length max_new_tokens min_length min_new_tokens "
        "num_beam_groups num_beams penalty_alpha temperature top_k top_p typical_p use_cache",
        "bytes",
    ),
    "text_to_video": Method("prompt", "guidance_scale negative_prompt num_frames num_inference_steps seed", "bytes"),
    "token_classification": Method(
        "text", "aggregation_strategy ignore_labels stride", "list[TokenClassificationOutputElement]"
    ),
    "translation": Method(
        "text", "src_lang tgt_lang clean_up_tokenization_spaces truncation generate_parameters", "TranslationOutput"
    ),
    "visual_question_answering": Method("image question", "top_k", "list[VisualQuestionAnsweringOutputElement]"),
    "zero_shot_classification": Method(
        "text candidate_labels", "multi_label hypothesis_template", "list[ZeroShotClassificationOutputElement]"
    ),
    "zero_shot_image_classification": Method(
        "image candidate_labels", "hypothesis_template", "list[ZeroShotImageClassificationOutputElement]"
    ),
}
"""The methods for one task each, without what all or several have for any server: `model`, `extra_body`."""


@dataclass(frozen=True)
class Counterpart:
    """A name there, the name here or what to do instead, and what else to know. The last two are finished Markdown."""

    there: str
    here: str
    note: str


SETTINGS: Final = (
    Counterpart("model", "`base_url`", "There the address of one task or model, here that of the server."),
    Counterpart("base_url", "`base_url`", "The same."),
    Counterpart("token", "`token`", "Here sent to this server only, and over plain `http` to this machine only."),
    Counterpart("api_key", "`token`", "Another name of the same."),
    Counterpart(
        "timeout", "`timeout`", "Seconds. Without one, there is no limit there; here 5 to connect, 60 to read."
    ),
    Counterpart("headers", "`default_headers`", "Sent with each request."),
    Counterpart("cookies", "`default_headers`", "As the header `cookie`."),
    Counterpart("bill_to", "`default_headers`", "As the header `x-hf-bill-to`, which only the hosted service reads."),
    Counterpart("provider", "–", "A client here calls one server."),
)
"""The settings of `InferenceClient`, all of them."""

ERRORS: Final = (
    Counterpart("HfHubHTTPError", "`APIStatusError`", "Here with a subclass for each status."),
    Counterpart("InferenceTimeoutError", "`APITimeoutError`", ""),
    Counterpart("OverloadedError", "`RateLimitError`", "Status 429; the client has tried again before it raises it."),
    Counterpart(
        "ValidationError", "`InputError`, `UnprocessableEntityError`", "Before anything is sent, or status 422."
    ),
    Counterpart("GenerationError", "`ServerError`, `StreamError`", "The model failed, before or during a stream."),
)
"""What `huggingface_hub.errors` has for failed calls."""
