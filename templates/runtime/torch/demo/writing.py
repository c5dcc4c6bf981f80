"""Demo models that write."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from .vocabularies import marks, of_bytes, unreadable
from .weights import SMALL, save, spread

transformers: Any = import_module("transformers")

LONGEST = 4096
"""How many bytes a language model reads and writes."""
WRITTEN = 48
"""How many bytes the others write, unless a request says otherwise."""
SCALE = 0.4
CHAT = (
    "{% for message in messages %}"
    "[{{ message.role }}{% if message.name %} {{ message.name }}{% endif %}] {{ message.content }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}"
    "{{ '\n' }}"
    "{% endfor %}"
    "{% if tools %}Tools: {{ tools | tojson }} "
    'Write <tool_call>{"name": ..., "arguments": ...}</tool_call>{{ "\n" }}{% endif %}'
    "{% if reasoning_effort %}Effort: {{ reasoning_effort }}{{ '\n' }}{% endif %}"
    "[assistant] "
)


def writer(
    directory: Path, family: str = "llama", *, chat: str | None = None, longest: int = LONGEST, letters: bool = False
) -> Path:
    """A language model that writes bytes, or mostly `letters` and blanks; `chat` is its chat template."""
    tokenizer = of_bytes(longest)
    tokenizer.chat_template = chat
    config = transformers.AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        max_position_embeddings=longest,
        num_key_value_heads=SMALL["num_attention_heads"],
        **SMALL,
        **marks(tokenizer),
    )
    model = spread(transformers.AutoModelForCausalLM.from_config(config), SCALE, seed=0)
    if letters:
        with torch.no_grad():
            weights = model.get_output_embeddings().weight
            weights.mul_(2)
            weights[unreadable(tokenizer)] = 0
    return save(directory, model, tokenizer)


def chatter(directory: Path) -> Path:
    """chat-completion."""
    return writer(directory, chat=CHAT, letters=True)


def storyteller(directory: Path) -> Path:
    """text-generation."""
    return writer(directory, letters=True)


def bart_config(size: int, longest: int, kind: Any = transformers.BartConfig, **options: Any) -> Any:
    """The configuration of an encoder-decoder of the BART family."""
    numbers: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        numbers |= {f"{side}_layers": 1, f"{side}_attention_heads": 2, f"{side}_ffn_dim": SMALL["intermediate_size"]}
    own = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2, "decoder_start_token_id": 1}
    return kind(
        vocab_size=size,
        d_model=SMALL["hidden_size"],
        max_position_embeddings=longest,
        forced_eos_token_id=None,
        **(numbers | own | options),
    )


def bart(directory: Path, longest: int = LONGEST, *, letters: bool = False, **options: Any) -> Path:
    """A BART that reads and writes at most `longest` bytes, or writes only `letters` and blanks.

    `options` are for its configuration.
    """
    tokenizer = of_bytes(longest, wrapped=True)
    model = transformers.BartForConditionalGeneration(bart_config(len(tokenizer), longest, **options))
    if letters:
        model.final_logits_bias[0, unreadable(tokenizer)] = -99
        model.generation_config.max_length = WRITTEN
    return save(directory, spread(model, SCALE, seed=0), tokenizer)


def summarizer(directory: Path) -> Path:
    """summarization."""
    return bart(directory, letters=True)


def nllb(directory: Path, longest: int = 512, **generation: Any) -> Path:
    """An NLLB for three languages and the letters of two; `generation` is for its generation's configuration."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = transformers.NllbTokenizer(
        vocab={piece: i for i, piece in enumerate(pieces)},
        merges=[],
        additional_special_tokens=["eng_Latn", "fra_Latn", "deu_Latn"],
        model_max_length=longest,
    )
    own = {"pad_token_id": 1, "eos_token_id": 2, "bos_token_id": 0, "decoder_start_token_id": 2}
    config = bart_config(len(tokenizer), longest, transformers.M2M100Config, **own)
    model = spread(transformers.M2M100ForConditionalGeneration(config), SCALE, seed=0)
    model.generation_config.update(**generation)
    return save(directory, model, tokenizer)


def translator(directory: Path) -> Path:
    """translation: from English to French, unless a request names other languages."""
    french = 32  # after the 31 pieces and eng_Latn
    return nllb(directory, max_length=WRITTEN, forced_bos_token_id=french)
