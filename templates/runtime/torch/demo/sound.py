"""Demo models that hear and speak."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from .vocabularies import LETTERS, of_letters
from .weights import labelled, save, spread

transformers: Any = import_module("transformers")

EARS: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
"""Configuration of a Wav2Vec2."""


def classifier(directory: Path, *labels: str) -> Path:
    """audio-classification: a Wav2Vec2 with an attention mask."""
    config = transformers.Wav2Vec2Config(
        **EARS,
        feat_extract_norm="layer",
        classifier_proj_size=16,
        **labelled(*(labels or ("silence", "tone", "noise", "clicks", "speech"))),
    )
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    return save(directory, spread(transformers.Wav2Vec2ForSequenceClassification(config), None), extractor)


def recognizer(directory: Path) -> Path:
    """automatic-speech-recognition: a Wav2Vec2 that spells, without an attention mask."""
    vocabulary = ["<pad>", "<s>", "</s>", "<unk>", "|", *LETTERS.strip()]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(vocabulary)}))
    tokenizer = transformers.Wav2Vec2CTCTokenizer(str(directory / "vocab.json"))
    config = transformers.Wav2Vec2Config(**EARS, vocab_size=len(vocabulary), pad_token_id=0)
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False)
    return save(directory, spread(transformers.Wav2Vec2ForCTC(config), None), tokenizer, extractor)


# ------------------------------------------------------------------------------------------------ SpeechT5


def voice(directory: Path) -> None:
    """Add a vocoder and a speaker to the SpeechT5 in `directory`."""
    config = transformers.SpeechT5HifiGanConfig(
        model_in_dim=8,
        upsample_initial_channel=8,
        upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
    )
    spread(transformers.SpeechT5HifiGan(config)).save_pretrained(directory / "vocoder")
    save_file({"voice": torch.linspace(-1, 1, 16)}, directory / "speaker.safetensors")


def speaking(model: Any) -> Any:
    """The SpeechT5 `model` with random weights, but for those that would make it stop at once."""
    spread(model, None)
    with torch.no_grad():
        model.speech_decoder_postnet.prob_out.bias.fill_(-3)
    return model


def speecht5_config(**options: Any) -> Any:
    """The configuration of a SpeechT5 that draws no random numbers."""
    numbers: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        numbers |= {f"{side}_layers": 1, f"{side}_attention_heads": 2, f"{side}_ffn_dim": 16}
    return transformers.SpeechT5Config(
        hidden_size=16,
        **numbers,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        num_mel_bins=8,
        speech_decoder_prenet_units=16,
        speech_decoder_prenet_dropout=0.0,
        speech_decoder_postnet_units=16,
        speech_decoder_postnet_layers=2,
        speaker_embedding_dim=16,
        reduction_factor=2,
        **options,
    )


def converter(directory: Path) -> Path:
    """audio-to-audio: a SpeechT5 that says what a recording says in another voice."""
    model = speaking(transformers.SpeechT5ForSpeechToSpeech(speecht5_config()))
    save(directory, model, transformers.SpeechT5FeatureExtractor(num_mel_bins=8))
    voice(directory)
    return directory


# ------------------------------------------------------------------------------------------------ models of tokens


def codec_config(codes: int, bandwidth: float, **options: Any) -> Any:
    """The configuration of an EnCodec, which turns tokens into sound."""
    return transformers.EncodecConfig(
        num_filters=4,
        hidden_size=16,
        codebook_size=codes,
        codebook_dim=16,
        num_lstm_layers=1,
        target_bandwidths=[bandwidth],
        **options,
    )


def vivid(model: Any, codec: Any) -> Any:
    """The `model` with weights that make it hear every letter and tell its tokens apart; new ones hardly do."""
    spread(model, None)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 2:
                weights.normal_(generator=generator)
        for layer in codec.quantizer.layers:
            layer.codebook.embed.normal_(generator=generator)  # zeros in a new model
    return model


def musicgen(directory: Path, *, channels: int = 1, longest: int = 512) -> Path:
    """text-to-audio: a MusicGen that composes 40 tokens of 80 samples, always the likeliest, unless told otherwise."""
    tokenizer = of_letters(longest)
    text = transformers.T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    codes = 64
    codec = codec_config(
        codes, 4.8, num_residual_layers=1, upsampling_ratios=[5, 4, 4], sampling_rate=16_000, audio_channels=1
    )
    decoder = transformers.MusicgenDecoderConfig(
        vocab_size=codes,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        num_codebooks=4 * channels,
        pad_token_id=codes,
        bos_token_id=codes,
        audio_channels=channels,
    )
    model = transformers.MusicgenForConditionalGeneration(
        transformers.MusicgenConfig(
            text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict()
        )
    )
    vivid(model, model.audio_encoder)
    model.generation_config.update(
        decoder_start_token_id=codes,
        pad_token_id=codes,
        bos_token_id=codes,
        max_length=40,
        do_sample=False,
        guidance_scale=3.0,
    )
    return save(directory, model, tokenizer)


def bark(directory: Path, *, longest: int = 256) -> Path:
    """text-to-speech: a Bark that says at most 12 semantic tokens, always the likeliest unless told otherwise."""
    sizes = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "block_size": 1024}
    tokenizer = of_letters(longest)
    codes, words = 64, 50
    semantic = {
        "semantic_vocab_size": words,
        "eos_token_id": words,
        "semantic_pad_token": words,
        "text_encoding_offset": words + 10,
        "text_pad_token": words + 50,
        "semantic_infer_token": words + 51,
        "max_input_semantic_length": longest,
        "max_new_tokens": 12,
        "do_sample": False,
    }
    coarse = {
        "coarse_semantic_pad_token": words + 2 * codes,
        "coarse_infer_token": words + 2 * codes + 1,
        "do_sample": False,
    }
    codec = codec_config(codes, 3.6, upsampling_ratios=[8, 5, 4, 2], sampling_rate=24_000)
    vocabulary = words + 2 * codes + 2
    config = transformers.BarkConfig(
        semantic_config={**sizes, "input_vocab_size": words + 52, "output_vocab_size": words + 2},
        coarse_acoustics_config={**sizes, "input_vocab_size": vocabulary, "output_vocab_size": vocabulary},
        fine_acoustics_config={
            **sizes,
            "input_vocab_size": codes + 1,
            "output_vocab_size": codes,
            "n_codes_total": 8,
        },
        codec_config=codec.to_dict(),
    )
    model = transformers.BarkModel(config)
    vivid(model, model.codec_model)
    with torch.no_grad():
        model.semantic.lm_head.weight[words].zero_()  # it is not to end before its time
    model.generation_config = transformers.GenerationConfig(
        semantic_config=semantic,
        coarse_acoustics_config=coarse,
        fine_acoustics_config={"temperature": 1.0},
        codebook_size=codes,
        sample_rate=24_000,
    )
    return save(directory, model, tokenizer)
