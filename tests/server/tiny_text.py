"""Tiny models that read text, with random weights: demo models in sizes for tests, and other architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from inference_tasks._runtime.torch.demo import text, vocabularies
from inference_tasks._runtime.torch.demo.text import bert
from inference_tasks._runtime.torch.demo.weights import SMALL, labelled, save, spread

CORPUS = """marie curie was born in warsaw and taught at the sorbonne. nadia lives in rotterdam, near the harbour.
the lighthouse on the western cape was built in 1874. for forty years ingrid dahl looked after the lamp.
lisbon is the capital of portugal. she plays the violin in an orchestra. the tide comes in twice a day.
which mountain is in tanzania? how many crates of apples were there in total? monday tuesday refund music
this example is about sports. mountain country height denali kilimanjaro elbrus united states 12 7 9 15 2010""".split(
    "\n"
)
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
LONGEST = 64


def pieces() -> list[str]:
    """Every other word of the corpus, and the others in two pieces."""
    words = _words()
    return [*words[::2], *(word[:3] for word in words[1::2]), *(f"##{word[3:]}" for word in words[1::2] if word[3:])]


def wordpiece() -> Any:
    """A tokenizer like BERT's, in lower case, that has seen little."""
    return vocabularies.wordpiece(LONGEST, pieces())


def byte_pairs(max_length: int = 64) -> Any:
    """A tokenizer like RoBERTa's, whose tokens say nothing about where words end."""
    vocabulary = dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *vocabularies.BYTES])
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


def roberta(tokenizer: Any, **options: Any) -> Any:
    """As `bert`; its positions count from 2, so that it reads 62 tokens."""
    return transformers.RobertaConfig(
        **SMALL,
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        type_vocab_size=1,
        pad_token_id=1,
        **options,
    )


def various(model: Any) -> Any:
    """`model` with outputs that differ enough to be told apart."""
    return spread(model, text.SCALE)


def tagger(directory: Path) -> Path:
    """A BERT that finds people and places."""
    return text.tagger(directory, wordpiece())


def byte_tagger(directory: Path) -> Path:
    """A RoBERTa that finds people and places, with a tokenizer that knows no limit."""
    tokenizer = byte_pairs(int(1e30))
    model = transformers.RobertaForTokenClassification(roberta(tokenizer, **labelled(*TAGS)))
    return save(directory, various(model), tokenizer)


def bytes_tagger(directory: Path) -> Path:
    """A BERT whose tokens are bytes, and whose tokenizer keeps no track of where they stand."""
    tokenizer = transformers.ByT5Tokenizer(extra_ids=0, model_max_length=64)
    return save(
        directory, various(transformers.BertForTokenClassification(bert(tokenizer, **labelled(*TAGS)))), tokenizer
    )


def masked(directory: Path) -> Path:
    """A BERT that fills a mask."""
    return text.masked(directory, wordpiece())


def byte_masked(directory: Path) -> Path:
    """A RoBERTa that fills a mask."""
    tokenizer = byte_pairs()
    return save(directory, various(transformers.RobertaForMaskedLM(roberta(tokenizer))), tokenizer)


def plain(directory: Path, **options: Any) -> Path:
    """A BERT without a head."""
    return text.plain(directory, wordpiece(), **options)


def sentences(
    directory: Path, *modes: str, settings: dict[str, Any] | None = None, limit: int | None = None, **pooling: Any
) -> Path:
    """A BERT as sentence-transformers saves it, with a dense layer of 8 numbers behind the pooling."""
    return text.sentences(
        directory, *modes, tokenizer=wordpiece(), limit=limit, pooling=pooling, settings=settings or {}
    )


def reader(directory: Path) -> Path:
    """A BERT that answers questions about texts."""
    return text.reader(directory, wordpiece())


def byte_reader(directory: Path) -> Path:
    """A RoBERTa that answers questions about texts."""
    tokenizer = byte_pairs()
    model = spread(transformers.RobertaForQuestionAnswering(roberta(tokenizer)), text.SCALE, seed=2)
    return save(directory, model, tokenizer)


def judge(directory: Path, *labels: str) -> Path:
    """A BERT that says what follows from a text."""
    return text.judge(directory, wordpiece(), *labels)


def tables(directory: Path, *, aggregates: bool = True) -> Path:
    """A TAPAS of 64 tokens, 15 columns and 7 rows."""
    return text.tables(directory, longest=LONGEST, aggregates=aggregates, words=pieces())
