"""automatic-speech-recognition: the ten digits and eight commands, as text with the time of each word.

Data: espeak-ng speech (see ``voices`` and ``utterances``): one to five words by 66 voices, slow and fast, low and high,
with noise and silence around. No recording is used, and what the samples say is kept out of training.

Model: Wav2Vec2-BERT with a CTC head over letters, three conformer layers of 96 on 80 mel bands. 457,000 parameters.

Time: the feature extractor makes a frame every 160 samples (10 ms) and stacks ``stride`` = 3 of them, so the model
answers once in 480 samples: 30 ms. The standard config says so: ``inputs_to_logits_ratio`` of ``Wav2Vec2BertConfig`` is
twice ``feature_projection_input_dim``, 2 * 3 * 80 = 480 samples, which is right only because there are 80 bands.
So ``seconds = frame * config.inputs_to_logits_ratio / feature_extractor.sampling_rate``.

Plain CTC learns to answer late in a word, some 0.2 s after its start. Where the times are known, the first and last
letter of each word are therefore taught where they belong.

Expected: a word error rate of 0.05 or less for new utterances, word times right to 0.05 s. People are harder to hear.
"""

from __future__ import annotations

import json
import string
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    AutoModelForCTC,
    AutoProcessor,
    SeamlessM4TFeatureExtractor,
    Wav2Vec2BertConfig,
    Wav2Vec2BertForCTC,
    Wav2Vec2BertProcessor,
    Wav2Vec2CTCTokenizer,
)

from .common import Batch, Report, examples, fit, save, seed_everything
from .utterances import Studio, Utterance
from .voices import RATE, SEEN_VOICES, UNSEEN_VOICES, Audio, Line, load, record, silence, speak, store

TASK = "automatic-speech-recognition"
MELS, STRIDE = 80, 3
FRAME = 160 * STRIDE / RATE  # seconds
SPOKEN, JOINED = 3600, 1400
BATCH = 16
STEPS = 1600
ANCHOR = 0.2  # weight of the edges of words beside CTC: with more, spelling suffers
IGNORED = -100
SAMPLES = {"digits.flac": "three one four", "command.wav": "go left"}


@dataclass(frozen=True)
class Lesson:
    """An utterance as the model meets it: features, letters, and the letters that are due at known frames."""

    features: Tensor
    letters: Tensor
    anchors: Tensor


def train(models: Path, samples: Path) -> Report:
    """Train, save, and measure the speech recogniser."""
    seed_everything(0)
    extractor = SeamlessM4TFeatureExtractor(feature_size=MELS, num_mel_bins=MELS, sampling_rate=RATE, stride=STRIDE)
    tokenizer = _tokenizer()
    studio = Studio(SEEN_VOICES, 0, kept_back={tuple(text.split()) for text in SAMPLES.values()})
    utterances = studio.spoken(SPOKEN) + studio.joined(JOINED)
    lessons = [_lesson(utterance, extractor, tokenizer) for utterance in utterances]

    model = Wav2Vec2BertForCTC(
        Wav2Vec2BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=96,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=192,
            feature_projection_input_dim=MELS * STRIDE,
            conv_depthwise_kernel_size=15,
            initializer_range=0.1,  # the usual 0.02 suits models ten times as wide; with it, this one hardly learns
            apply_spec_augment=False,
            layerdrop=0.0,
            final_dropout=0.0,
            conformer_conv_dropout=0.0,
            ctc_zero_infinity=True,
            ctc_loss_reduction="mean",
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    batches = _batches(lessons, np.random.default_rng(0))
    fit(model, batches, steps=STEPS, learning_rate=4e-3, weight_decay=0.1, loss=_loss)
    save(models / TASK, model, Wav2Vec2BertProcessor(extractor, tokenizer))

    folder = examples(samples, TASK)
    rng = np.random.default_rng(1)
    for name, line in (
        ("digits.flac", Line(SAMPLES["digits.flac"], "en-us+m3", 150)),
        ("command.wav", Line(SAMPLES["command.wav"], "en-gb+f2", 150)),
    ):
        store(folder / name, record(np.concatenate([silence(0.2), speak(line), silence(0.1)]), rng, (35, 36)))
    return _measure(models, folder)


def _tokenizer() -> Wav2Vec2CTCTokenizer:
    """Letters, and a bar between words."""
    symbols = ["<pad>", "<s>", "</s>", "<unk>", "|", *string.ascii_lowercase]
    with tempfile.TemporaryDirectory() as scratch:
        vocabulary = Path(scratch) / "vocab.json"
        vocabulary.write_text(json.dumps({symbol: index for index, symbol in enumerate(symbols)}))
        return Wav2Vec2CTCTokenizer(str(vocabulary))


def _lesson(utterance: Utterance, extractor: SeamlessM4TFeatureExtractor, tokenizer: Wav2Vec2CTCTokenizer) -> Lesson:
    """Prepare an utterance; where word times are known, say which symbol is due at the edges of each word."""
    features = torch.tensor(extractor(utterance.sound, sampling_rate=RATE)["input_features"][0])
    symbols = tokenizer.get_vocab()
    letters = torch.tensor([symbols[letter] for letter in "|".join(utterance.words)])
    anchors = torch.full((len(features),), IGNORED)
    if utterance.spans:
        edges = [(round(start / FRAME), round(end / FRAME)) for start, end in utterance.spans]
        following = [start for start, _ in edges[1:]]
        anchors[: edges[0][0]] = symbols["<pad>"]
        anchors[edges[-1][1] :] = symbols["<pad>"]
        for word, (start, end), limit in zip(utterance.words, edges, [*following, len(features)], strict=True):
            bar = min(end, limit - 1)
            anchors[bar:limit] = symbols["<pad>"]
            if limit < len(features):
                anchors[bar] = symbols["|"]
            anchors[start] = symbols[word[0]]
            anchors[bar - 1] = symbols[word[-1]]
    return Lesson(features, letters, anchors)


def _batches(lessons: Sequence[Lesson], rng: np.random.Generator) -> Iterator[Batch]:
    """Shuffled batches without end, of utterances of about the same length, with a little noise on the features."""
    lengths = np.array([len(lesson.features) for lesson in lessons])
    while True:
        order = np.argsort(lengths + rng.uniform(0, 20, len(lengths)))
        groups = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        for group in rng.permutation(len(groups)):
            chosen = [lessons[index] for index in groups[group]]
            features = pad_sequence([lesson.features for lesson in chosen], batch_first=True)
            yield {
                "input_features": features + 0.1 * torch.randn(features.shape),
                "attention_mask": pad_sequence(
                    [torch.ones(len(lesson.features), dtype=torch.long) for lesson in chosen], batch_first=True
                ),
                "labels": pad_sequence([lesson.letters for lesson in chosen], True, IGNORED),
                "anchors": pad_sequence([lesson.anchors for lesson in chosen], True, IGNORED),
            }


def _loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """CTC for the letters, cross entropy for what is due at known frames."""
    anchors = batch["anchors"]
    answer = model(**{name: value for name, value in batch.items() if name != "anchors"})
    ctc: Tensor = answer.loss
    if not (anchors != IGNORED).any():
        return ctc
    return ctc + ANCHOR * functional.cross_entropy(answer.logits.transpose(1, 2), anchors, ignore_index=IGNORED)


def _word_errors(heard: Sequence[str], words: Sequence[str]) -> int:
    """The number of words to change, drop or add: Levenshtein's distance."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(words, 1):
        previous, row = row, [count]
        for index, other in enumerate(heard):
            row.append(min(previous[index + 1] + 1, row[index] + 1, previous[index] + (word != other)))
    return row[-1]


def _measure(models: Path, folder: Path) -> Report:
    """Answers of the model as loaded from disk."""
    processor = AutoProcessor.from_pretrained(models / TASK)
    model = AutoModelForCTC.from_pretrained(models / TASK).eval()
    frame = model.config.inputs_to_logits_ratio / processor.feature_extractor.sampling_rate

    def transcribe(sound: Audio) -> list[tuple[str, float, float]]:
        """Each word, with when it starts and ends, in seconds."""
        inputs = processor(audio=sound, sampling_rate=RATE, return_tensors="pt")
        with torch.inference_mode():
            symbols = model(**inputs).logits.argmax(-1)[0]
        words = processor.tokenizer.decode(symbols, output_word_offsets=True).word_offsets
        return [(word["word"], word["start_offset"] * frame, word["end_offset"] * frame) for word in words]

    def error_rate(utterances: Sequence[Utterance]) -> float:
        wrong = sum(_word_errors([word for word, *_ in transcribe(one.sound)], one.words) for one in utterances)
        return wrong / sum(len(one.words) for one in utterances)

    def time_errors(utterances: Sequence[Utterance]) -> tuple[float, float]:
        """How far off the starts and the ends are, on average, where the words are right."""
        errors = []
        for one in utterances:
            heard = transcribe(one.sound)
            if tuple(word for word, *_ in heard) == one.words:
                errors.append(np.abs(np.subtract([times for _, *times in heard], one.spans)))
        starts, ends = np.concatenate(errors).mean(axis=0)
        return float(starts), float(ends)

    same, new = Studio(SEEN_VOICES, 1), Studio(UNSEEN_VOICES, 2)
    joined = same.joined(150)
    starts, ends = time_errors(joined)
    answers = {name: transcribe(load(folder / name)) for name in SAMPLES}
    said = {name: " ".join(word for word, *_ in words) for name, words in answers.items()}
    return Report(
        TASK,
        {
            "word error rate, new utterances": error_rate(same.spoken(300)),
            "word error rate, new joined utterances": error_rate(joined),
            "word error rate, new voices": error_rate(new.spoken(150)),
            "mean error of a word's start, seconds": starts,
            "mean error of a word's end, seconds": ends,
        },
        {
            name: " ".join(f"{word}[{start:.2f}-{end:.2f}]" for word, start, end in words)
            for name, words in answers.items()
        },
        [f"{name}: {said[name]!r}" for name, right in SAMPLES.items() if said[name] != right],
    )
