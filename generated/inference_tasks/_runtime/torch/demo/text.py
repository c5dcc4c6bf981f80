"""Demo models that read text: BERT, and TAPAS for tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors.torch import save_file

from .vocabularies import WORDS, unreadable, wordpiece
from .weights import SMALL, labelled, save, spread

transformers: Any = import_module("transformers")

LONGEST = 512
"""How many tokens the models read."""
SCALE = 0.5


def bert(tokenizer: Any, **options: Any) -> Any:
    """Configuration of a BERT for as many tokens as `tokenizer` passes on, if it has a limit."""
    longest = min(tokenizer.model_max_length, LONGEST)
    return transformers.BertConfig(**SMALL | options, vocab_size=len(tokenizer), max_position_embeddings=longest)


def classifier(directory: Path) -> Path:
    """text-classification."""
    tokenizer = wordpiece(LONGEST)
    config = bert(tokenizer, **labelled("NEGATIVE", "POSITIVE"))
    return save(directory, spread(transformers.BertForSequenceClassification(config), SCALE), tokenizer)


def tagger(directory: Path, tokenizer: Any = None, *tags: str) -> Path:
    """token-classification: people and places."""
    tokenizer = tokenizer or wordpiece(LONGEST)
    config = bert(tokenizer, **labelled(*(tags or ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))))
    return save(directory, spread(transformers.BertForTokenClassification(config), SCALE), tokenizer)


def masked(directory: Path, tokenizer: Any = None) -> Path:
    """fill-mask."""
    tokenizer = tokenizer or wordpiece(LONGEST)
    model = spread(transformers.BertForMaskedLM(bert(tokenizer)), SCALE)
    with torch.no_grad():
        model.get_output_embeddings().bias[unreadable(tokenizer)] = -99
    return save(directory, model, tokenizer)


def reader(directory: Path, tokenizer: Any = None) -> Path:
    """question-answering."""
    tokenizer = tokenizer or wordpiece(LONGEST)
    return save(directory, spread(transformers.BertForQuestionAnswering(bert(tokenizer)), SCALE), tokenizer)


def judge(directory: Path, tokenizer: Any = None, *labels: str) -> Path:
    """zero-shot-classification: what follows from a text."""
    tokenizer = tokenizer or wordpiece(LONGEST)
    config = bert(tokenizer, **labelled(*(labels or ("contradiction", "neutral", "entailment"))))
    return save(directory, spread(transformers.BertForSequenceClassification(config), SCALE), tokenizer)


def plain(directory: Path, tokenizer: Any = None, **options: Any) -> Path:
    """A BERT without a head, and without the pooler that no answer comes from; `options` are for its configuration."""
    tokenizer = tokenizer or wordpiece(LONGEST)
    model = transformers.BertModel(bert(tokenizer, **options), add_pooling_layer=False)
    return save(directory, spread(model, SCALE), tokenizer)


def sentences(
    directory: Path,
    *modes: str,
    tokenizer: Any = None,
    limit: int | None = None,
    pooling: Mapping[str, Any] = MappingProxyType({}),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Path:
    """feature-extraction and sentence-similarity: vectors of 8 numbers, of which the first 2 or 4 will do.

    The directory is as sentence-transformers saves it, with a dense layer behind the pooling, which is done in `modes`.
    `pooling` and `settings` are added to the configuration of the pooling and of it all.
    """
    modes = modes or ("mean",)
    plain(directory, tokenizer, matryoshka_dimensions=[2, 4])
    parts = {
        "": "base.modules.transformer.Transformer",
        "1_Pooling": "models.Pooling",
        "2_Dense": "models.Dense",
        "3_Normalize": "models.Normalize",
    }
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.{kind}"}
        for i, (path, kind) in enumerate(parts.items())
    ]
    _write(directory / "modules.json", modules)
    width = SMALL["hidden_size"]
    about = {"embedding_dimension": width, "pooling_mode": list(modes), "include_prompt": True}
    _write(directory / "1_Pooling" / "config.json", about | {**pooling})
    dense = torch.nn.Linear(width * len(modes), 8)
    activation = "torch.nn.modules.activation.Tanh"
    sizes = {"in_features": dense.in_features, "out_features": dense.out_features, "bias": True}
    _write(directory / "2_Dense" / "config.json", sizes | {"activation_function": activation})
    weights = {f"linear.{name}": tensor for name, tensor in spread(dense, 0.1).state_dict().items()}
    save_file(weights, directory / "2_Dense" / "model.safetensors")
    _write(directory / "sentence_bert_config.json", {"max_seq_length": limit, "do_lower_case": False})
    prompts = {"prompts": {"query": "the capital of ", "document": ""}}
    _write(directory / "config_sentence_transformers.json", prompts | {**settings})
    return directory


def tables(directory: Path, *, longest: int = LONGEST, aggregates: bool = True, words: Iterable[str] = WORDS) -> Path:
    """table-question-answering: a TAPAS of 15 columns and 7 rows."""
    known = wordpiece(longest, words).get_vocab()
    vocabulary = [*sorted(known, key=known.__getitem__), "[EMPTY]"]
    operations = ["NONE", "SUM", "AVERAGE", "COUNT"]
    config = transformers.TapasConfig(
        **SMALL,
        vocab_size=len(vocabulary),
        max_position_embeddings=longest,
        type_vocab_sizes=[3, 16, 8, 2, 256, 256, 10],
        init_cell_selection_weights_to_zero=False,
        num_aggregation_labels=len(operations) if aggregates else 0,
        aggregation_labels=dict(enumerate(operations)) if aggregates else None,
        no_aggregation_label_index=0 if aggregates else None,
    )
    model = spread(transformers.TapasForQuestionAnswering(config), SCALE)
    generator = torch.Generator().manual_seed(0)
    # As it is, a random model selects no cell, ever.
    with torch.no_grad():
        model.output_weights.normal_(generator=generator)
        model.column_output_weights.normal_(generator=generator)
        model.output_bias.fill_(1)
    model.save_pretrained(directory)
    (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "TapasTokenizer", "do_lower_case": True, "model_max_length": longest}
    _write(directory / "tokenizer_config.json", settings)
    return directory


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
