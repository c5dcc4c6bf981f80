"""image-classification: one digit, "0" to "9".

Data: scikit-learn's ``load_digits``, 1,797 handwritten digits of 8 x 8 pixels, from the UCI "Optical Recognition
of Handwritten Digits" set (CC BY 4.0), which the scikit-learn wheel (BSD-3-Clause) carries. A fifth is held out.
Some digits drawn with Pillow's built-in font are mixed in, so that print is not wholly foreign to the model.

Model: a three-stage ResNet on 32 x 32 pixels, 81,000 parameters. Every batch is turned, moved, scaled and
blurred a little, and half the images are inverted: dark on light is as good as light on dark.

Expected: 0.98 or more on the held-out digits, either way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.nn import functional
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    ViTImageProcessorPil,
)

from .common import Batch, Report, accuracy, examples, fit, label_maps, save, seed_everything

TASK = "image-classification"
LABELS = tuple("0123456789")
SIDE = 32
BATCH = 64
STEPS = 900
PRINTED = 240
SAMPLES = {"three.png": "3", "seven.png": "7"}

Pixels = npt.NDArray[np.uint8]


def train(models: Path, samples: Path) -> Report:
    """Train, save, and measure the digit classifier."""
    seed_everything(0)
    pixels, labels = load_digits(return_X_y=True)
    pictures = [_enlarge(row.reshape(8, 8)) for row in pixels]
    seen, unseen = train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=0)

    rng = np.random.default_rng(0)
    printed = [_print(index % 10, rng) for index in range(PRINTED)]
    images = torch.tensor(np.stack([pictures[i] for i in seen] + printed), dtype=torch.float32) / 127.5 - 1
    answers = torch.tensor([*labels[seen], *(index % 10 for index in range(PRINTED))])

    model = ResNetForImageClassification(
        ResNetConfig(
            embedding_size=16,
            hidden_sizes=[16, 32, 64],
            depths=[1, 1, 1],
            layer_type="basic",
            **label_maps(LABELS),
        )
    )
    fit(model, _batches(images, answers, rng), steps=STEPS, learning_rate=4e-3)
    save(models / TASK, model, ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}))

    folder = examples(samples, TASK)
    for name, digit in SAMPLES.items():
        first = next(i for i in unseen if str(labels[i]) == digit)
        _sample(pixels[first].reshape(8, 8)).save(folder / name, optimize=True)
    return _measure(models, folder, [pictures[i] for i in unseen], [str(labels[i]) for i in unseen])


def _enlarge(digit: npt.NDArray[np.float64]) -> Pixels:
    """An 8 x 8 digit with values 0 to 16, as the model sees it."""
    small = Image.fromarray((digit / 16 * 255).astype(np.uint8))
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _sample(digit: npt.NDArray[np.float64]) -> Image.Image:
    """A held-out digit as a person would send it: larger, dark on light."""
    small = Image.fromarray(255 - (digit / 16 * 255).astype(np.uint8))
    return small.resize((128, 128), Image.Resampling.BICUBIC)


def _print(digit: int, rng: np.random.Generator) -> Pixels:
    """A digit in Pillow's own typeface, at some size and place."""
    canvas = Image.new("L", (4 * SIDE, 4 * SIDE), 0)
    font = ImageFont.load_default(float(rng.uniform(90, 150)))
    x, y = rng.normal(2 * SIDE, 4, size=2)
    ImageDraw.Draw(canvas).text((x, y), str(digit), fill=255, font=font, anchor="mm")
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _batches(images: Tensor, answers: Tensor, rng: np.random.Generator) -> Iterator[Batch]:
    """Shuffled batches without end, each image shown in a new way."""
    while True:
        order = torch.tensor(rng.permutation(len(answers)))
        for chosen in order.split(BATCH):
            view = _vary(images[chosen][:, None], rng)
            yield {"pixel_values": view.expand(-1, 3, -1, -1), "labels": answers[chosen]}


def _vary(view: Tensor, rng: np.random.Generator) -> Tensor:
    """Turn, scale, shear and move each image; blur some; invert half of them."""
    count = len(view)
    turn, shear = rng.normal(0, 0.1, count), rng.normal(0, 0.1, count)
    zoom, move = rng.uniform(0.85, 1.3, count), rng.normal(0, 0.1, (2, count))
    rows = [
        [zoom * np.cos(turn), zoom * (shear - np.sin(turn)), move[0]],
        [zoom * np.sin(turn), zoom * np.cos(turn), move[1]],
    ]
    grid = functional.affine_grid(
        torch.tensor(np.array(rows), dtype=torch.float32).permute(2, 0, 1), list(view.shape), False
    )
    view = functional.grid_sample(view + 1, grid, align_corners=False) - 1  # what lies outside is background: -1
    if rng.random() < 0.3:
        view = functional.avg_pool2d(view, 3, stride=1, padding=1, count_include_pad=False)
    sign = torch.tensor(rng.choice([-1.0, 1.0], count), dtype=torch.float32)
    return view * sign[:, None, None, None]


def _measure(models: Path, folder: Path, pictures: Sequence[Pixels], expected: Sequence[str]) -> Report:
    """Answers of the model as loaded from disk."""
    processor = AutoImageProcessor.from_pretrained(models / TASK)
    model = AutoModelForImageClassification.from_pretrained(models / TASK).eval()

    def classify(images: Sequence[Image.Image]) -> list[tuple[str, float]]:
        inputs = processor([image.convert("RGB") for image in images], return_tensors="pt")
        with torch.inference_mode():
            scores, indices = model(**inputs).logits.softmax(-1).max(-1)
        return [(model.config.id2label[int(i)], float(score)) for i, score in zip(indices, scores, strict=True)]

    def score(images: Sequence[Pixels], labels: Sequence[str]) -> float:
        return accuracy([label for label, _ in classify([Image.fromarray(image) for image in images])], labels)

    answers = {name: classify([Image.open(folder / name)])[0] for name in SAMPLES}
    misses = [f"{name}: {answers[name][0]}" for name, digit in SAMPLES.items() if answers[name][0] != digit]
    fresh = np.random.default_rng(1)
    return Report(
        TASK,
        {
            "accuracy, held-out digits": score(pictures, expected),
            "accuracy, held-out digits inverted": score([255 - picture for picture in pictures], expected),
            "accuracy, printed digits": score([_print(i % 10, fresh) for i in range(100)], list(LABELS) * 10),
        },
        {name: f"{label} ({value:.3f})" for name, (label, value) in answers.items()},
        misses,
    )
