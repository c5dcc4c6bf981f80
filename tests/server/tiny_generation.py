"""Tiny models that write, with random weights: demo models in sizes for tests, and other architectures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import transformers

from inference_tasks._runtime.torch.demo import vision, writing
from inference_tasks._runtime.torch.demo.vocabularies import marks, of_bytes
from inference_tasks._runtime.torch.demo.weights import SMALL, save, spread

WIDTH = 32
VISION: dict[str, Any] = {**SMALL, "image_size": 16, "patch_size": 8}


def lively(model: Any) -> Any:
    """`model` with weights so far apart that it says different things after different texts."""
    return spread(model, writing.SCALE, seed=0)


def writer(directory: Path, family: str = "llama", *, chat: str | None = None, longest: int = 512) -> Path:
    """A language model that writes random bytes; `chat` is its chat template."""
    return writing.writer(directory, family, chat=chat, longest=longest)


def bart(directory: Path, longest: int = 64, **options: Any) -> Path:
    """A BART that reads and writes at most `longest` bytes; `options` are for its configuration."""
    return writing.bart(directory, longest, **options)


def nllb(directory: Path) -> Path:
    """An NLLB for three languages and the letters of two."""
    return writing.nllb(directory, 64)


def blip(directory: Path) -> Path:
    """A BLIP, the captioner, for images of 16 x 16 pixels."""
    return vision.blip(directory, longest=64, letters=False)


def t5(directory: Path, tasks: dict[str, Any]) -> Path:
    """A T5 whose configuration says in `tasks` what stands before the texts of its tasks."""
    tokenizer = of_bytes(64, wrapped=True)
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
    return save(directory, lively(transformers.T5ForConditionalGeneration(config)), tokenizer)


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
    config = writing.bart_config(len(vocabulary), 64, transformers.MarianConfig, **numbers)
    return save(directory, lively(transformers.MarianMTModel(config)), tokenizer)


def git(directory: Path) -> Path:
    """A GIT, which reads the image as the beginning of the text."""
    tokenizer = of_bytes(64)
    config = transformers.GitConfig(
        vision_config=VISION, vocab_size=len(tokenizer), max_position_embeddings=64, **SMALL, **marks(tokenizer)
    )
    lively(transformers.GitForCausalLM(config)).save_pretrained(directory)
    processor = transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}, do_center_crop=True
    )
    transformers.GitProcessor(processor, tokenizer).save_pretrained(directory)
    return directory


def vit_gpt2(directory: Path) -> Path:
    """A ViT whose image a GPT-2 puts into words."""
    tokenizer = of_bytes(64)
    decoder = transformers.GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=WIDTH,
        n_layer=1,
        n_head=2,
        n_positions=64,
        is_decoder=True,
        add_cross_attention=True,
        **marks(tokenizer),
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
