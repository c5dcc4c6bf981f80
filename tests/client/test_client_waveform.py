"""Arrays with a sampling rate become WAV files, and sound files tell their rates."""

from __future__ import annotations

import array
import io
import math
import wave
from typing import Any

import av
import numpy as np
import pytest
import soundfile
import torch

from inference_tasks import InputError
from inference_tasks._runtime._waveform import sampling_rate, wav
from inference_tasks._runtime.server.decode import decode_audio

RATE = 22_050
TONE = np.sin(np.arange(2001) / 9) * 0.75


def of(kind: str, values: Any) -> Any:
    """`values`, which are floats, as samples of another type."""
    if kind.startswith("float"):
        return values.astype(kind)
    if kind == "uint8":
        return np.round(values * 127 + 128).astype("u1")
    return np.round(values * np.iinfo(kind).max).astype(kind)


def sent(flavour: Any, server: Any, answer: Any, source: Any) -> bytes:
    server.answer(answer({"text": ""}))
    flavour.call(server.url, "automatic_speech_recognition", source)
    assert server.last.headers["content-type"] == "audio/wav"
    return bytes(server.last.body)


@pytest.mark.parametrize("channels", [None, 1, 2, 3])
@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("float16", "FLOAT"),
        ("float32", "FLOAT"),
        ("float64", "FLOAT"),
        ("int16", "PCM_16"),
        ("int32", "PCM_32"),
        ("uint8", "PCM_U8"),
        (">i2", "PCM_16"),
        (">f4", "FLOAT"),
    ],
)
def test_every_decoder_reads_the_samples_of_an_array(
    flavour: Any, server: Any, answer: Any, kind: str, subtype: str, channels: int | None
) -> None:
    samples = TONE if channels is None else np.stack([TONE[::-1] / (1 + i) for i in range(channels)], axis=1)
    values = of(kind, samples) if kind[0] != ">" else of({"i": "int16", "f": "float32"}[kind[1]], samples).astype(kind)
    data = sent(flavour, server, answer, (values, RATE))

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.format, file.subtype, file.samplerate) == ("WAV", subtype, RATE)
        dtype = {"PCM_16": "int16", "PCM_32": "int32"}.get(subtype, "float32")
        read = file.read(dtype=dtype)
    expected = (values.astype("f4") - 128) / 128 if kind == "uint8" else values
    np.testing.assert_array_equal(read.reshape(values.shape), expected.astype(dtype))

    heard = decode_audio(data, "inputs")  # as this project's server does
    assert heard.sampling_rate == RATE
    mixed = samples if channels is None else samples.mean(axis=1)
    np.testing.assert_allclose(heard.samples, mixed, atol=0.01 if kind == "uint8" else 1e-3)

    with av.open(io.BytesIO(data)) as container:  # FFmpeg's
        frames = sum(frame.samples for frame in container.decode(audio=0))
        assert (frames, container.streams.audio[0].rate) == (len(TONE), RATE)
    assert sampling_rate(data) == RATE


def test_the_header_is_what_the_standard_library_expects(flavour: Any, server: Any, answer: Any) -> None:
    data = sent(flavour, server, answer, (of("int16", np.stack([TONE, -TONE], axis=1)), RATE))
    assert len(data) == 44 + 4 * len(TONE)
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    with wave.open(io.BytesIO(data)) as file:
        assert file.getparams()[:4] == (2, 2, RATE, len(TONE))
        assert file.readframes(len(TONE)) == data[44:]
    odd = sent(flavour, server, answer, (of("uint8", TONE), RATE))  # 2001 bytes of samples
    assert len(odd) % 2 == 0
    assert int.from_bytes(odd[4:8], "little") == len(odd) - 8
    floats = sent(flavour, server, answer, (np.stack([TONE, -TONE], axis=1), RATE))
    assert floats[38:42] == b"fact"
    assert int.from_bytes(floats[46:50], "little") == len(TONE)


@pytest.mark.parametrize(
    "source",
    [
        {"array": TONE, "sampling_rate": RATE},
        {"path": None, "array": TONE.astype("f4"), "sampling_rate": np.int64(RATE)},
        (torch.tensor(TONE), RATE),
        (torch.tensor(TONE, requires_grad=True), RATE),
        (np.repeat(TONE, 2)[::2], RATE),
        (np.asfortranarray(np.stack([TONE], axis=1)), RATE),
        (np.ma.array(TONE), RATE),
    ],
    ids="mapping datasets tensor gradient strided fortran masked".split(),
)
def test_every_form_of_an_array_is_the_same_sound(flavour: Any, server: Any, answer: Any, source: Any) -> None:
    heard, rate = soundfile.read(io.BytesIO(sent(flavour, server, answer, source)), dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(heard, TONE.astype("f4"))


def test_an_array_with_parameters_and_a_large_one(flavour: Any, server: Any, answer: Any) -> None:
    import base64

    server.answer(answer({"text": ""}))
    long = np.resize(TONE, 500_000).astype("f4")
    for samples in (TONE.astype("f4"), long):
        flavour.call(server.url, "automatic_speech_recognition", (samples, RATE), return_timestamps=True)
        heard, _ = soundfile.read(io.BytesIO(base64.b64decode(server.last.json["inputs"])), dtype="float32")
        np.testing.assert_array_equal(heard, samples)


def nearly(value: float) -> Any:
    samples = TONE.copy()
    samples[7] = value
    return samples


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (TONE, r"does not say its sampling rate; pass \(array, sampling_rate\)"),
        (torch.tensor(TONE), "does not say its sampling rate"),
        ((TONE, 0), "rate must be a positive int in hertz, got 0"),
        ((TONE, -1), "positive int"),
        ((TONE, 16000.0), "got 16000.0"),
        ((TONE, True), "got True"),
        ((TONE, "16000"), "positive int"),
        ((TONE, None), "got None"),
        ((TONE, 1 << 31), "more than a WAV file can hold"),
        ((RATE, TONE), "sampling rate must be"),
        (([0.1, 0.2], RATE), "expected a NumPy array or a tensor beside the sampling rate, got list"),
        (("a.wav", RATE), "got str"),
        ((TONE, RATE, 1), r"expected a path, .* or \(array, sampling_rate\), got tuple"),
        ({"array": TONE}, "got dict"),
        ((TONE[:0], RATE), r"is empty: its shape is \(0,\)"),
        ((np.zeros((5, 0)), RATE), "is empty"),
        ((np.zeros(()), RATE), r"the shape \(\); expected \(samples,\) or"),
        ((np.zeros((1, 2, 3)), RATE), r"the shape \(1, 2, 3\)"),
        ((np.zeros((2, 48_000)), RATE), r"48000 channels; .*pass its transpose, array\.T"),
        ((np.zeros(9, "i8"), RATE), "is of int64; samples are float16, float32"),
        ((np.zeros(9, "c8"), RATE), "is of complex64"),
        ((np.zeros(9, bool), RATE), "is of bool"),
        ((np.array(["a"]), RATE), "is of str"),
        ((np.array([None]), RATE), "is of object"),
        ((torch.zeros(9, dtype=torch.bfloat16), RATE), "does not become an array"),
        ((nearly(math.nan), RATE), "not finite"),
        ((nearly(math.inf), RATE), "not finite"),
        ((nearly(-math.inf), RATE), "not finite"),
        ((TONE * 32767, RATE), "go from -.* to .*; floats must be between -1 and 1"),
        ((nearly(-2.5), RATE), "go from -2.5 to"),
    ],
)
def test_what_is_no_sound_is_found_before_anything_is_sent(
    flavour: Any, server: Any, source: Any, message: str
) -> None:
    with pytest.raises(InputError, match=f"inputs: .*{message}") as caught:
        flavour.call(server.url, "automatic_speech_recognition", source)
    assert len(str(caught.value)) < 300
    assert server.seen == []


def test_an_array_is_no_picture(flavour: Any, server: Any) -> None:
    for source in (np.zeros((3, 2, 3), "u1"), (TONE, RATE), {"array": TONE, "sampling_rate": RATE}):
        with pytest.raises(InputError, match=r"or PIL image, got an array; pass PIL\.Image\.fromarray\(array\)"):
            flavour.call(server.url, "image_classification", source)
    assert server.seen == []


def test_a_little_over_full_scale_is_sound(flavour: Any, server: Any, answer: Any) -> None:
    sent(flavour, server, answer, (nearly(1.25), RATE))


@pytest.mark.parametrize(
    "samples", [TONE.tolist(), tuple(TONE), array.array("d", TONE)], ids="list tuple array".split()
)
def test_a_list_of_samples_becomes_the_same_file(samples: Any) -> None:
    heard, rate = soundfile.read(io.BytesIO(wav(samples, RATE)), dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(heard, TONE.astype("f4"))


@pytest.mark.parametrize(("samples", "rate"), [([0.0], 0), ([0.0], -1), ([0.0], 1 << 40), (["a"], 1), ([10**999], 1)])
def test_a_list_that_is_no_sound_is_a_value_error(samples: Any, rate: int) -> None:
    with pytest.raises(ValueError):
        wav(samples, rate)


# --------------------------------------------------------------------------------------------------------- rates


def written(format: str, subtype: str | None, rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, TONE, rate, format=format, subtype=subtype)
    return buffer.getvalue()


def encoded(codec: str, container: str, rate: int) -> bytes:
    """A file that FFmpeg wrote, with a title, which MP3 files have in an ID3 tag."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        output.metadata["title"] = "Ton " * 99
        stream = output.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(TONE[np.newaxis, :].astype("f4"), format="fltp", layout="mono")
        frame.sample_rate = rate
        for resampled in av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=0).resample(
            frame
        ):
            output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize(
    ("format", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("WAVEX", "PCM_24"),
        ("RF64", None),
        ("FLAC", None),
        ("MP3", None),
        ("OGG", "VORBIS"),
    ],
)
def test_files_of_libsndfile_tell_their_rate(format: str, subtype: str | None, rate: int) -> None:
    assert sampling_rate(written(format, subtype, rate)) == rate


@pytest.mark.parametrize(
    ("codec", "container", "rate"),
    [
        ("libmp3lame", "mp3", 44_100),
        ("libmp3lame", "mp3", 16_000),
        ("libmp3lame", "mp3", 8_000),
        ("flac", "flac", 96_000),
        ("flac", "ogg", 44_100),
        ("pcm_s16le", "wav", 22_050),
    ],
)
def test_files_of_ffmpeg_tell_their_rate(codec: str, container: str, rate: int) -> None:
    data = encoded(codec, container, rate)
    assert sampling_rate(data) == rate
    if container == "mp3":
        assert data[:3] == b"ID3"


def test_opus_is_always_decoded_at_48_kilohertz() -> None:
    for rate in (16_000, 48_000):
        assert sampling_rate(encoded("libopus", "ogg", rate)) == 48_000
        assert sampling_rate(written("OGG", "OPUS", rate)) == 48_000


def test_what_names_no_rate_is_none() -> None:
    for data in (
        b"",
        b"RIFF",
        b"OggS",
        b"fLaC",
        b"ID3",
        b"\xff\xfb",
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"ID3" + bytes(7),
    ):
        assert sampling_rate(data) is None
    for whole in (written("WAV", None, 8_000), written("FLAC", None, 8_000), written("OGG", None, 8_000)):
        for length in range(120):
            assert sampling_rate(whole[:length]) in (None, 8_000)
    assert sampling_rate(encoded("aac", "adts", 44_100)) is None


def test_other_chunks_before_the_format_are_skipped() -> None:
    data = written("WAV", "PCM_16", 24_000)
    assert sampling_rate(data[:12] + b"JUNK\x03\0\0\0abc\0" + b"note\x02\0\0\0ab" + data[12:]) == 24_000


def test_padding_after_a_tag_is_skipped() -> None:
    data = encoded("libmp3lame", "mp3", 24_000)
    size = int.from_bytes(bytes(data[6:10])) & 0x7F | (data[8] & 0x7F) << 7
    assert sampling_rate(data[: 10 + size] + bytes(500) + data[10 + size :]) == 24_000
    assert sampling_rate(b"ID3\x04\0\0\0\0\0\x02ab" + written("FLAC", None, 8_000)) == 8_000
