"""What the speech recogniser hears: digits and commands spoken by espeak-ng, in two ways.

``spoken`` utterances are said in one breath, as a person would, but nothing tells when each word begins. ``joined``
ones are put together from words said one at a time, which makes those moments known. Training needs both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from .voices import RATE, Audio, Line, record, silence, speak_all

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COMMANDS = ("yes", "no", "stop", "go", "left", "right", "up", "down")
LONGEST = 5

Words = tuple[str, ...]


@dataclass(frozen=True)
class Utterance:
    """Some words, how they sound and, if that is known, when each one starts and ends, in seconds."""

    words: Words
    sound: Audio
    spans: tuple[tuple[float, float], ...] = ()


class Studio:
    """Records utterances by some voices; ``kept_back`` names the word sequences that nobody may say."""

    def __init__(self, voices: Sequence[str], seed: int, kept_back: Collection[Words] = ()) -> None:
        self._voices = voices
        self._kept_back = kept_back
        self._random = Random(seed)
        self._rng = np.random.default_rng(seed)

    def spoken(self, count: int) -> list[Utterance]:
        """Utterances said in one breath, some with pauses."""
        random = self._random
        said = [self._words() for _ in range(count)]
        lines = [self._line(random.choice((" ", " ", ", ")).join(words), random.choice(self._voices)) for words in said]
        sounds = speak_all(lines)
        return [self._finish(words, sound, ()) for words, sound in zip(said, sounds, strict=True)]

    def joined(self, count: int) -> list[Utterance]:
        """Utterances put together from single words, with the time of each word."""
        keys = [(word, voice) for voice in self._voices for word in DIGITS + COMMANDS]
        sounds = speak_all(self._line(word, voice) for word, voice in keys)
        bank = {key: _trim(sound) for key, sound in zip(keys, sounds, strict=True)}
        utterances = []
        for _ in range(count):
            words, voice = self._words(), self._random.choice(self._voices)
            parts: list[Audio] = []
            spans: list[tuple[float, float]] = []
            for word in words:
                start = sum(map(len, parts)) / RATE
                sound = bank[word, voice]
                spans.append((start, start + len(sound) / RATE))
                gap = (0.0, 0.03) if self._random.random() < 0.4 else (0.05, 0.5)
                parts += [sound, silence(self._random.uniform(*gap))]
            utterances.append(self._finish(words, np.concatenate(parts[:-1]), tuple(spans)))
        return utterances

    def _words(self) -> Words:
        """One to five words: digits, commands, or both."""
        while True:
            choice = self._random.choice((DIGITS, COMMANDS, DIGITS + COMMANDS))
            words = tuple(self._random.choices(choice, k=self._random.randint(1, LONGEST)))
            if words not in self._kept_back:
                return words

    def _line(self, text: str, voice: str) -> Line:
        """The text at any speed and pitch."""
        return Line(text, voice, self._random.randint(110, 200), self._random.randint(25, 75))

    def _finish(self, words: Words, sound: Audio, spans: Sequence[tuple[float, float]]) -> Utterance:
        """Add noise, and up to 0.4 s of near silence before and after."""
        lead, trail = (self._rng.uniform(0, 0.4) for _ in range(2))
        padded = np.concatenate([silence(lead), record(sound, self._rng, (10, 40)), silence(trail)])
        padded += self._rng.normal(scale=10 ** self._rng.uniform(-5, -3), size=len(padded)).astype(np.float32)
        return Utterance(words, padded, tuple((start + lead, end + lead) for start, end in spans))


def _trim(sound: Audio) -> Audio:
    """The part between the first and the last moment that can be heard."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]
