"""text-classification: NEGATIVE or POSITIVE, for ordinary English sentences.

Data: texts made up on the fly from rated words (see ``writing``), by templates and as loose strings of words. A label
is the sum of the ratings, where a negation ("not", "isn't", "never", ...) turns the words in its reach around, and it
is soft: a text that says nothing about feelings should score near one half. Sixty hand-written sentences measure it.

Model: DistilBERT, two layers of 64, 5,600 word pieces. 438,000 parameters, most of them in the word embedding.

Expected: 0.9 or more on made-up texts and on the hand-written sentences.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import torch
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer
from torch import Tensor
from torch.nn import functional
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from .common import Batch, Report, accuracy, fit, label_maps, save, seed_everything
from .sentences import NEGATIVE, POSITIVE
from .writing import COMMON, Writer, gather_words

TASK = "text-classification"
LABELS = ("NEGATIVE", "POSITIVE")
PIECES = 5600
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LENGTH = 128
BATCH = 96
STEPS = 2200
SAMPLES = {
    "I like you. I love you.": "POSITIVE",
    "This film was a waste of time.": "NEGATIVE",
    "The staff were friendly and the room was clean.": "POSITIVE",
    "I hate this.": "NEGATIVE",
}


def train(models: Path, samples: Path) -> Report:
    """Train, save, and measure the sentiment model."""
    seed_everything(0)
    ratings = gather_words()
    writer = Writer(ratings, seed=0)
    tokenizer = _tokenizer(writer, ratings)
    model = DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=len(tokenizer),
            dim=64,
            n_layers=2,
            n_heads=4,
            hidden_dim=128,
            initializer_range=0.1,  # the usual 0.02 suits models ten times as wide
            dropout=0.0,  # no text is seen twice, so there is nothing to overfit
            attention_dropout=0.0,
            seq_classif_dropout=0.0,
            max_position_embeddings=LENGTH,
            **label_maps(LABELS),
        )
    )
    _prime(model, tokenizer, ratings)
    fit(model, _batches(writer, tokenizer), steps=STEPS, learning_rate=3e-3, loss=_soft_loss)
    save(models / TASK, model, tokenizer)
    return _measure(models, Writer(ratings, seed=1))


def _tokenizer(writer: Writer, ratings: Mapping[str, float]) -> PreTrainedTokenizerFast:
    """Word pieces learned from made-up text and, so that all their parts are known, from the words with a rating."""
    learner = _blank_tokenizer({})
    # Single letters are special here only to fix their order, and with it that of equally frequent pairs: without
    # this, no two runs learn the same pieces. The tokenizer that is kept takes over the pieces, all of them ordinary.
    letters = [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
    trainer = WordPieceTrainer(vocab_size=PIECES, special_tokens=[*SPECIAL, *letters])
    texts = [writer.text()[0] for _ in range(20_000)]
    learner.train_from_iterator([*texts, *sorted(ratings) * 4, *COMMON * 40, *string.printable.lower()], trainer)
    tokenizer = _blank_tokenizer(learner.get_vocab())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=LENGTH,
        model_input_names=["input_ids", "attention_mask"],
    )


def _blank_tokenizer(pieces: dict[str, int]) -> Tokenizer:
    """A tokenizer for lower-case English with these pieces."""
    tokenizer = Tokenizer(WordPiece(pieces, unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex("[\u2018\u2019]"), "'"), normalizers.BertNormalizer(lowercase=True)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _prime(
    model: DistilBertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, ratings: Mapping[str, float]
) -> None:
    """Start each embedding with what is known: one coordinate is the mean rating of the words a piece is part of.

    It saves most of the training, which then has to learn negation and little else.
    """
    sums = torch.zeros(len(tokenizer), 2)
    for word, pieces in zip(ratings, tokenizer(list(ratings), add_special_tokens=False)["input_ids"], strict=True):
        sums[pieces] += torch.tensor([ratings[word], 1.0])
    embedding = model.get_parameter("distilbert.embeddings.word_embeddings.weight")
    with torch.no_grad():
        embedding[:, 0] = 0.2 * sums[:, 0] / sums[:, 1].clamp(min=1)


def _batches(writer: Writer, tokenizer: PreTrainedTokenizerFast) -> Iterator[Batch]:
    """New texts without end, those of like length together: little padding, half the time."""
    rng = Random(2)
    while True:
        pool = sorted((writer.text() for _ in range(16 * BATCH)), key=lambda made: len(made[0]))
        batches = [pool[start : start + BATCH] for start in range(0, len(pool), BATCH)]
        rng.shuffle(batches)
        for batch in batches:
            texts, positive = zip(*batch, strict=True)
            target = torch.tensor(positive)
            encoded = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
            yield {**encoded, "labels": torch.stack([1 - target, target], dim=-1)}


def _soft_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Cross entropy with a probability as the target."""
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    return functional.cross_entropy(model(**inputs).logits, batch["labels"])


def _measure(models: Path, writer: Writer) -> Report:
    """Answers of the model as loaded from disk."""
    tokenizer = AutoTokenizer.from_pretrained(models / TASK)
    model = AutoModelForSequenceClassification.from_pretrained(models / TASK).eval()

    def classify(texts: Sequence[str]) -> list[tuple[str, float]]:
        inputs = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            scores, indices = model(**inputs).logits.softmax(-1).max(-1)
        return [(model.config.id2label[int(i)], float(score)) for i, score in zip(indices, scores, strict=True)]

    made = [(text, chance) for text, chance in (writer.text() for _ in range(3000)) if abs(chance - 0.5) > 0.2]
    texts, right = [text for text, _ in made], [LABELS[chance > 0.5] for _, chance in made]
    written = (*POSITIVE, *NEGATIVE)
    said = classify(written)
    expected = ["POSITIVE"] * len(POSITIVE) + ["NEGATIVE"] * len(NEGATIVE)
    misses = [
        f"{text!r}: {label} ({score:.2f})"
        for text, (label, score), due in zip(written, said, expected, strict=True)
        if label != due
    ]
    return Report(
        TASK,
        {
            "accuracy, fresh made-up texts": accuracy((label for label, _ in classify(texts)), right),
            "accuracy, hand-written sentences": accuracy([label for label, _ in said], expected),
        },
        {text: f"{label} ({score:.3f})" for text in SAMPLES for label, score in classify([text])},
        misses,
    )
