"""Tiny models that write: with random weights, or with weights that make them say what is known beforehand."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

PAD, END, START = "<pad>", "</s>", "<s>"
WIDTH = 32
TINY: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}
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


def lively(model: Any, seed: int = 0, scale: float = 0.4) -> Any:
    """`model` with weights so far apart that it says different things after different texts."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, scale)
    return model


def byte_tokenizer(longest: int = 512, *, wrapped: bool = False, words: Iterable[str] = ()) -> Any:
    """One token a byte, the marks `<pad>`, `</s>`, `<s>` and `words`; text is `wrapped` in marks for encoders."""
    vocabulary = {token: i for i, token in enumerate([PAD, END, START, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if wrapped:
        marks = [(START, vocabulary[START]), (END, vocabulary[END])]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{START} $A {END}", pair=f"{START} $A $B {END}", special_tokens=marks
        )
    tokenizer.add_tokens(list(words))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, bos_token=START, model_max_length=longest
    )


def writer(directory: Path, family: str = "llama", *, chat: str | None = None, longest: int = 512) -> Path:
    """A language model that writes random bytes; `chat` is its chat template."""
    tokenizer = byte_tokenizer(longest)
    tokenizer.chat_template = chat
    marks = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    config = transformers.AutoConfig.for_model(
        family, vocab_size=len(tokenizer), max_position_embeddings=longest, **TINY, **marks
    )
    lively(transformers.AutoModelForCausalLM.from_config(config)).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def bart(directory: Path, longest: int = 64, **options: Any) -> Path:
    """A BART that reads and writes at most `longest` bytes; `options` are for its configuration."""
    tokenizer = byte_tokenizer(longest, wrapped=True)
    lively(transformers.BartForConditionalGeneration(bart_config(len(tokenizer), longest, **options))).save_pretrained(
        directory
    )
    tokenizer.save_pretrained(directory)
    return directory


def bart_config(size: int, longest: int, kind: Any = transformers.BartConfig, **options: Any) -> Any:
    """The configuration of an encoder-decoder of the BART family."""
    numbers: dict[str, Any] = {f"{side}_layers": 1 for side in ("encoder", "decoder")}
    numbers |= {f"{side}_attention_heads": 2 for side in ("encoder", "decoder")}
    numbers |= {f"{side}_ffn_dim": WIDTH for side in ("encoder", "decoder")}
    marks = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2, "decoder_start_token_id": 1}
    return kind(
        vocab_size=size,
        d_model=WIDTH,
        max_position_embeddings=longest,
        forced_eos_token_id=None,
        **(numbers | marks | options),
    )


def t5(directory: Path, tasks: dict[str, Any]) -> Path:
    """A T5 whose configuration says in `tasks` what stands before the texts of its tasks."""
    tokenizer = byte_tokenizer(64, wrapped=True)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=16,
        d_ff=WIDTH,
        num_layers=1,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        task_specific_params=tasks,
    )
    lively(transformers.T5ForConditionalGeneration(config)).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def nllb(directory: Path) -> Path:
    """An NLLB for three languages and the letters of two."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = transformers.NllbTokenizer(
        vocab={piece: i for i, piece in enumerate(pieces)},
        merges=[],
        additional_special_tokens=["eng_Latn", "fra_Latn", "deu_Latn"],
        model_max_length=64,
    )
    marks = {"pad_token_id": 1, "eos_token_id": 2, "bos_token_id": 0, "decoder_start_token_id": 2}
    config = bart_config(len(tokenizer), 64, transformers.M2M100Config, **marks)
    lively(transformers.M2M100ForConditionalGeneration(config)).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def marian(directory: Path, marks: Iterable[str] = ()) -> Path:
    """A Marian, which writes several languages if it has `marks` such as ``>>fra<<`` for them."""
    import sentencepiece

    sentences = ["the house is small", "a cat sits on the mat", "where is the station", "we go home now"]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("source.spm", "target.spm"):
        (directory / name).write_bytes(model.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    tokens = ["</s>", "<unk>", *marks, *(pieces.id_to_piece(i) for i in range(pieces.get_piece_size())), "<pad>"]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    (directory / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = transformers.MarianTokenizer(
        str(directory / "source.spm"), str(directory / "target.spm"), str(directory / "vocab.json"), model_max_length=64
    )
    pad = vocabulary["<pad>"]
    numbers = {"pad_token_id": pad, "eos_token_id": 0, "bos_token_id": 0, "decoder_start_token_id": pad}
    config = bart_config(len(vocabulary), 64, transformers.MarianConfig, **numbers)
    lively(transformers.MarianMTModel(config)).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


VISION: dict[str, Any] = {**TINY, "image_size": 16, "patch_size": 8}


def blip(directory: Path) -> Path:
    """A BLIP, the captioner, for images of 16 x 16 pixels."""
    tokenizer = byte_tokenizer(64)
    text = {**TINY, "vocab_size": len(tokenizer), "max_position_embeddings": 64, "encoder_hidden_size": WIDTH}
    text |= {"bos_token_id": 2, "eos_token_id": 1, "sep_token_id": 1, "pad_token_id": 0}
    config = transformers.BlipConfig(
        text_config=text, vision_config=VISION, projection_dim=WIDTH, image_text_hidden_size=WIDTH
    )
    lively(transformers.BlipForConditionalGeneration(config)).save_pretrained(directory)
    processor = transformers.BlipImageProcessorPil(size={"height": 16, "width": 16})
    transformers.BlipProcessor(processor, tokenizer).save_pretrained(directory)
    return directory


def git(directory: Path) -> Path:
    """A GIT, which reads the image as the beginning of the text."""
    tokenizer = byte_tokenizer(64)
    marks = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    config = transformers.GitConfig(
        vision_config=VISION, vocab_size=len(tokenizer), max_position_embeddings=64, **TINY, **marks
    )
    lively(transformers.GitForCausalLM(config)).save_pretrained(directory)
    processor = transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}, do_center_crop=True
    )
    transformers.GitProcessor(processor, tokenizer).save_pretrained(directory)
    return directory


def vit_gpt2(directory: Path) -> Path:
    """A ViT whose image a GPT-2 puts into words."""
    tokenizer = byte_tokenizer(64)
    marks = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    decoder = transformers.GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=WIDTH,
        n_layer=1,
        n_head=2,
        n_positions=64,
        is_decoder=True,
        add_cross_attention=True,
        **marks,
    )
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.ViTConfig(**VISION), decoder
    )
    model = lively(transformers.VisionEncoderDecoderModel(config))
    model.generation_config.update(decoder_start_token_id=2, pad_token_id=0, eos_token_id=1)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    transformers.ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(directory)
    return directory
