"""Synthetic speech and the few audio helpers that the two audio tasks share.

Speech comes from espeak-ng (GPL-3.0; a program's licence does not extend to the sound it makes). Its output is
deterministic for a given version, text, voice, speed and pitch.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

Audio: TypeAlias = npt.NDArray[np.float32]

RATE = 16_000
"""Samples per second of everything here: what the demo models expect."""

_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")
_SPEAKERS = ("m1", "m2", "m3", "m4", "m6", "f1", "f2", "f3", "f4", "klatt2", "klatt4")

SEEN_VOICES = tuple(f"{accent}+{speaker}" for accent in _ACCENTS for speaker in _SPEAKERS)
"""Voices that training may use."""

UNSEEN_VOICES = tuple(f"{accent}+{speaker}" for accent in ("en-us", "en-gb") for speaker in ("m7", "f5", "klatt3"))
"""Voices kept back, to measure how far a model carries to a new speaker."""

_HEADER = 44  # bytes before the samples in the WAV that espeak-ng streams


@dataclass(frozen=True)
class Line:
    """A line to be spoken: what, by whom, how fast (words per minute), how high (0 to 99)."""

    text: str
    voice: str
    speed: int = 160
    pitch: int = 50


def speak(line: Line) -> Audio:
    """The line as mono sound at ``RATE``, from -1 to 1."""
    command = ["espeak-ng", "-v", line.voice, "-s", str(line.speed), "-p", str(line.pitch), "--stdout", line.text]
    wave = subprocess.run(command, check=True, capture_output=True).stdout
    rate = int.from_bytes(wave[24:28], "little")
    sound = np.frombuffer(wave[_HEADER:], dtype="<i2").astype(np.float32) / 32768
    return np.asarray(soxr.resample(sound, rate, RATE), dtype=np.float32)


def speak_all(lines: Iterable[Line]) -> list[Audio]:
    """Speak many lines, two at a time, in order."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(speak, lines))


def record(sound: npt.NDArray[np.floating], rng: np.random.Generator, snr: tuple[float, float]) -> Audio:
    """The sound as a microphone might have caught it: any level, and noise at a signal-to-noise ratio in dB."""
    level = np.abs(sound).max() + 1e-6
    clean = sound / level * 0.9 * 10 ** rng.uniform(-1.5, 0)
    power = float(np.mean(clean**2)) / 10 ** (rng.uniform(*snr) / 10)
    return np.asarray(clean + rng.normal(scale=power**0.5, size=len(clean)), dtype=np.float32)


def silence(seconds: float) -> Audio:
    """Nothing, for a while."""
    return np.zeros(int(seconds * RATE), dtype=np.float32)


def load(path: Path) -> Audio:
    """A mono recording at ``RATE``, read from a file."""
    sound, rate = soundfile.read(path, dtype="float32")
    if rate != RATE or sound.ndim != 1:
        raise ValueError(f"{path.name}: expected mono at {RATE} Hz")
    return np.asarray(sound, dtype=np.float32)


def store(path: Path, sound: Audio) -> None:
    """Write 16-bit sound; the suffix chooses the format."""
    soundfile.write(path, np.clip(sound, -1, 1), RATE, subtype="PCM_16")
