"""Tiny models for other people's servers, made on the spot, that say what is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tests.server.models import whisper

START = "<|im_start|>assistant\n"
END = "<|im_end|>"


def reciter(directory: Path, words: Sequence[str], config: type[Any]) -> Path:
    """A chat model of the kind of `config` that answers everything with `words`, and then ends.

    Each word is one token. They all differ: the model knows only which one follows which, and reads of a conversation
    no more than its end, from which the first word follows.
    """
    vocabulary = {token: i for i, token in enumerate([START, *words, END, "<|unknown|>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<|unknown|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=END, unk_token="<|unknown|>"
    )
    fast.chat_template = f"{{% for message in messages %}}{{{{ message.content }}}}\n{{% endfor %}}{{{{ {START!r} }}}}"
    width = 2 * len(vocabulary)
    model = transformers.AutoModelForCausalLM.from_config(
        config(
            vocab_size=len(vocabulary),
            hidden_size=width,
            intermediate_size=2,
            num_hidden_layers=1,
            num_attention_heads=1,
            num_key_value_heads=1,
            max_position_embeddings=2048,
            tie_word_embeddings=False,
            bos_token_id=vocabulary[START],
            eos_token_id=vocabulary[END],
            pad_token_id=vocabulary[END],
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()  # so that the layer adds nothing, and a token's embedding comes out as it went in
        model.base_model.norm.weight.fill_(1)
        model.get_input_embeddings().weight.copy_(torch.eye(len(vocabulary), width))
        for token, following in pairwise([START, *words, END]):
            model.get_output_embeddings().weight[vocabulary[following], vocabulary[token]] = 1
    model.save_pretrained(directory)
    fast.save_pretrained(directory)
    return directory


def stammerer(directory: Path, letter: str) -> Path:
    """A Whisper that hears nothing but `letter`, again and again."""
    directory.mkdir(parents=True)
    whisper(directory)
    tokenizer = transformers.WhisperTokenizer.from_pretrained(directory)
    generation = transformers.GenerationConfig.from_pretrained(directory)
    only = tokenizer.convert_tokens_to_ids(letter)
    generation.suppress_tokens = [i for i in range(len(tokenizer)) if i != only]
    generation.save_pretrained(directory)
    return directory
