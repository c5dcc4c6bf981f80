"""Tiny models with random weights that read text: made on the spot, each in a directory of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .models import SMALL, labelled

CORPUS = """marie curie was born in warsaw and taught at the sorbonne. nadia lives in rotterdam, near the harbour.
the lighthouse on the western cape was built in 1874. for forty years ingrid dahl looked after the lamp.
lisbon is the capital of portugal. she plays the violin in an orchestra. the tide comes in twice a day.
which mountain is in tanzania? how many crates of apples were there in total? monday tuesday refund music
this example is about sports. mountain country height denali kilimanjaro elbrus united states 12 7 9 15 2010""".split(
    "\n"
)
BYTES = pre_tokenizers.ByteLevel.alphabet()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def wordpiece(max_length: int = 64) -> Any:
    """A tokenizer like BERT's, in lower case, that has seen little: it knows every other word of the corpus."""
    words = _words()
    letters = sorted(set("".join(words)) | set("abcdefghijklmnopqrstuvwxyz0123456789.,?!"))
    pieces = [*words[::2], *(word[:3] for word in words[1::2]), *(f"##{word[3:]}" for word in words[1::2] if word[3:])]
    vocabulary = dict.fromkeys([*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *pieces])
    numbered = {token: index for index, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(numbered, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **names,
    )


def byte_pairs(max_length: int = 64) -> Any:
    """A tokenizer like RoBERTa's, whose tokens say nothing about where words end."""
    vocabulary = dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(BYTES)])
    merges: dict[tuple[str, str], None] = {}
    for word in _words()[::2]:
        for size in range(1, len(word)):
            # The blank before a word is part of its first token.
            merges[f"\u0120{word[: size - 1]}", word[size - 1]] = None
            vocabulary[f"\u0120{word[:size]}"] = None
    numbered = {token: index for index, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.BPE(numbered, list(merges), unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    names = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        model_input_names=["input_ids", "attention_mask"],
        **{f"{name}_token": token for name, token in names.items()},
    )


def _words() -> list[str]:
    return sorted({word.strip(".,?") for word in " ".join(CORPUS).split()} - {""})


def bert(tokenizer: Any, **options: Any) -> Any:
    """Configuration of a BERT whose outputs differ enough to be told apart."""
    return transformers.BertConfig(
        **SMALL, vocab_size=len(tokenizer), max_position_embeddings=64, initializer_range=0.5, **options
    )


def roberta(tokenizer: Any, **options: Any) -> Any:
    """As `bert`; its positions count from 2, so that it reads 62 tokens."""
    return transformers.RobertaConfig(
        **SMALL,
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        type_vocab_size=1,
        pad_token_id=1,
        initializer_range=0.5,
        **options,
    )


def save(directory: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def tagger(directory: Path) -> Path:
    """A BERT that finds people and places."""
    tokenizer = wordpiece()
    return save(directory, transformers.BertForTokenClassification(bert(tokenizer, **labelled(*TAGS))), tokenizer)


def byte_tagger(directory: Path) -> Path:
    """A RoBERTa that finds people and places, with a tokenizer that knows no limit."""
    tokenizer = byte_pairs(int(1e30))
    model = transformers.RobertaForTokenClassification(roberta(tokenizer, **labelled(*TAGS)))
    return save(directory, model, tokenizer)


def bytes_tagger(directory: Path) -> Path:
    """A BERT whose tokens are bytes, and whose tokenizer keeps no track of where they stand."""
    tokenizer = transformers.ByT5Tokenizer(extra_ids=0, model_max_length=64)
    return save(directory, transformers.BertForTokenClassification(bert(tokenizer, **labelled(*TAGS))), tokenizer)


def masked(directory: Path) -> Path:
    """A BERT that fills a mask."""
    tokenizer = wordpiece()
    return save(directory, transformers.BertForMaskedLM(bert(tokenizer)), tokenizer)


def byte_masked(directory: Path) -> Path:
    """A RoBERTa that fills a mask."""
    tokenizer = byte_pairs()
    return save(directory, transformers.RobertaForMaskedLM(roberta(tokenizer)), tokenizer)


def plain(directory: Path, **options: Any) -> Path:
    """A BERT without a head, and without the pooler that no answer comes from."""
    tokenizer = wordpiece()
    return save(directory, transformers.BertModel(bert(tokenizer, **options), add_pooling_layer=False), tokenizer)


def sentences(
    directory: Path, *modes: str, settings: dict[str, Any] | None = None, limit: int | None = None, **options: Any
) -> Path:
    """A BERT as sentence-transformers saves it, with a dense layer of 8 numbers behind the pooling."""
    plain(directory, matryoshka_dimensions=[2, 4], **options.pop("config", {}))
    named = [("", "base.modules.transformer.Transformer"), ("1_Pooling", "models.Pooling")]
    named += [("2_Dense", "models.Dense"), ("3_Normalize", "models.Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.{kind}"}
        for i, (path, kind) in enumerate(named)
    ]
    (directory / "modules.json").write_text(json.dumps(modules))
    pooling = {"embedding_dimension": 32, "pooling_mode": list(modes or ["mean"]), "include_prompt": True}
    (directory / "1_Pooling").mkdir()
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(pooling | options))
    width = 32 * len(modes or ["mean"])
    dense = {"in_features": width, "out_features": 8, "bias": True}
    dense["activation_function"] = "torch.nn.modules.activation.Tanh"
    (directory / "2_Dense").mkdir()
    (directory / "2_Dense" / "config.json").write_text(json.dumps(dense))
    weights = {"linear.weight": torch.randn(8, width) * 0.1, "linear.bias": torch.randn(8)}
    save_file(weights, directory / "2_Dense" / "model.safetensors")
    (directory / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": limit, "do_lower_case": False}))
    settings = {"prompts": {"query": "the capital of ", "document": ""}} | (settings or {})
    (directory / "config_sentence_transformers.json").write_text(json.dumps(settings))
    return directory


def reader(directory: Path) -> Path:
    """A BERT that answers questions about texts."""
    tokenizer = wordpiece()
    return save(directory, transformers.BertForQuestionAnswering(bert(tokenizer)), tokenizer)


def byte_reader(directory: Path) -> Path:
    """A RoBERTa that answers questions about texts."""
    tokenizer = byte_pairs()
    return save(directory, transformers.RobertaForQuestionAnswering(roberta(tokenizer)), tokenizer)


def judge(directory: Path, *labels: str) -> Path:
    """A BERT that says what follows from a text."""
    tokenizer = wordpiece()
    names = labels or ("contradiction", "neutral", "entailment")
    return save(directory, transformers.BertForSequenceClassification(bert(tokenizer, **labelled(*names))), tokenizer)


def tables(directory: Path, *, aggregates: bool = True) -> Path:
    """A TAPAS of 64 tokens, 15 columns and 7 rows."""
    vocabulary = sorted((vocab := wordpiece().get_vocab()), key=vocab.__getitem__)
    operations = ["NONE", "SUM", "AVERAGE", "COUNT"]
    config = transformers.TapasConfig(
        **SMALL,
        vocab_size=len(vocabulary) + 1,
        max_position_embeddings=64,
        type_vocab_sizes=[3, 16, 8, 2, 256, 256, 10],
        initializer_range=0.5,
        init_cell_selection_weights_to_zero=False,
        num_aggregation_labels=4 if aggregates else 0,
        aggregation_labels=dict(enumerate(operations)) if aggregates else None,
        no_aggregation_label_index=0 if aggregates else None,
    )
    model = transformers.TapasForQuestionAnswering(config)
    # As it is, a random model selects no cell, ever.
    torch.nn.init.normal_(model.output_weights)
    torch.nn.init.normal_(model.column_output_weights)
    torch.nn.init.ones_(model.output_bias)
    model.save_pretrained(directory)
    (directory / "vocab.txt").write_text("\n".join([*vocabulary, "[EMPTY]"]) + "\n")
    settings = {"tokenizer_class": "TapasTokenizer", "do_lower_case": True, "model_max_length": 64}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings))
    return directory
