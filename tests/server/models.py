"""Tiny models with random weights, made on the spot: for the shapes that the trained demo models do not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from inference_tasks._runtime.torch.demo import sound, vision
from inference_tasks._runtime.torch.demo.vocabularies import BYTES
from inference_tasks._runtime.torch.demo.weights import SMALL, labelled

LETTERS = "abcdefghijklmnopqrstuvwxyz'"


def ctc(directory: Path) -> Path:
    """A Wav2Vec2 that spells, without an attention mask."""
    return sound.recognizer(directory)


def whisper(directory: Path) -> Path:
    """A Whisper with its special tokens, which babbles."""
    end = "<|endoftext|>"
    special = ["<|startoftranscript|>", "<|en|>", "<|fr|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    special += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    vocabulary = {token: i for i, token in enumerate([*BYTES, end])}
    tokenizer = transformers.WhisperTokenizer(vocab=vocabulary, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.add_tokens([f"<|{i * 0.02:.2f}|>" for i in range(1501)])
    number = tokenizer.convert_tokens_to_ids
    ends = {"bos_token_id": number(end), "eos_token_id": number(end), "pad_token_id": number(end)}
    start = number("<|startoftranscript|>")
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_target_positions=64,
        decoder_start_token_id=start,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        **ends,
    )
    model = transformers.WhisperForConditionalGeneration(config)
    model.generation_config = transformers.GenerationConfig(
        is_multilingual=True,
        lang_to_id={"<|en|>": number("<|en|>"), "<|fr|>": number("<|fr|>")},
        task_to_id={"transcribe": number("<|transcribe|>"), "translate": number("<|translate|>")},
        no_timestamps_token_id=number("<|notimestamps|>"),
        max_initial_timestamp_index=50,
        return_timestamps=False,
        max_length=20,
        decoder_start_token_id=start,
        **ends,
    )
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    transformers.WhisperFeatureExtractor().save_pretrained(directory)
    return directory


def words(directory: Path, *labels: str, **options: Any) -> Path:
    """A BERT classifier of texts of at most 16 letters (one token each)."""
    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", *LETTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=16
    )
    config = transformers.BertConfig(
        **SMALL, vocab_size=len(vocabulary), max_position_embeddings=16, **labelled(*labels), **options
    )
    transformers.BertForSequenceClassification(config).save_pretrained(directory)
    fast.save_pretrained(directory)
    return directory


def pictures(directory: Path, *labels: str) -> Path:
    """A ViT classifier."""
    return vision.classifier(directory, *labels)


def sounds(directory: Path, *labels: str) -> Path:
    """A Wav2Vec2 classifier with an attention mask."""
    return sound.classifier(directory, *labels)
