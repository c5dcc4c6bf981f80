"""Tiny models with random weights that make images, films and sound, or read tables."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

LETTERS = "abcdefghijklmnopqrstuvwxyz' "
SAMPLE = 32
"""Width and height in pixels that the image models have by default."""


def letters(longest: int) -> Any:
    """A tokenizer with one token a letter, and one for the end."""
    vocabulary = {token: i for i, token in enumerate(["<pad>", "</s>", "<unk>", *LETTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=longest
    )


def clip() -> dict[str, Any]:
    """A CLIP that reads at most 30 letters."""
    end = "<|endoftext|>"
    vocabulary = {
        token: i for i, token in enumerate(["<|startoftext|>", end, *LETTERS, *(f"{c}</w>" for c in LETTERS)])
    }
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=32)
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return {"tokenizer": tokenizer, "text_encoder": transformers.CLIPTextModel(config)}


def stable(directory: Path, kind: str = "StableDiffusionPipeline", *, channels: int = 4, **options: Any) -> Path:
    """A Stable Diffusion of 32 x 32 pixels, two pixels a latent; `channels` go into its network."""
    import diffusers

    vae = diffusers.AutoencoderKL(
        block_out_channels=[8, 8],
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        norm_num_groups=4,
        sample_size=SAMPLE,
    )
    unet = diffusers.UNet2DConditionModel(
        sample_size=SAMPLE // 2,
        in_channels=channels,
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=32,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    parts: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    parts |= clip() | options
    pipeline = getattr(diffusers, kind)(vae=vae, unet=unet, scheduler=diffusers.DDIMScheduler(), **parts)
    pipeline.save_pretrained(directory)
    return directory


def instructed(directory: Path) -> Path:
    """An InstructPix2Pix, which changes images and makes none from nothing."""
    return stable(directory, "StableDiffusionInstructPix2PixPipeline", channels=8)


def ltx(directory: Path, kind: str = "LTXPipeline") -> Path:
    """An LTX-Video, 32 x 32 pixels and eight frames a latent, as the real one."""
    import diffusers

    tokenizer = letters(32)
    encoder = transformers.T5EncoderModel(
        transformers.T5Config(vocab_size=len(tokenizer), d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2)
    )
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=32,
    )
    four = (8, 8, 8, 8)
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=four,
        decoder_block_out_channels=four,
        layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4,
        timestep_conditioning=False,
        patch_size=4,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    pipeline = getattr(diffusers, kind)(
        transformer=transformer, vae=vae, scheduler=scheduler, text_encoder=encoder, tokenizer=tokenizer
    )
    pipeline.save_pretrained(directory)
    return directory


def enlarger(directory: Path) -> Path:
    """A Swin2SR that doubles the sides of an image."""
    config = transformers.Swin2SRConfig(
        image_size=16, embed_dim=8, depths=[1], num_heads=[2], window_size=4, upscale=2, mlp_ratio=1.0
    )
    transformers.Swin2SRForImageSuperResolution(config).save_pretrained(directory)
    transformers.Swin2SRImageProcessorPil().save_pretrained(directory)
    return directory


def vits(directory: Path, **options: Any) -> Path:
    """A VITS that speaks letters; it draws no random numbers."""
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<unk>", *LETTERS])}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = transformers.VitsTokenizer(
        str(directory / "vocab.json"), pad_token="<pad>", unk_token="<unk>", phonemize=False
    )
    config = transformers.VitsConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=9,
        prior_encoder_num_flows=1,
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        wavenet_dilation_rate=1,
        depth_separable_num_layers=1,
        duration_predictor_num_flows=1,
        duration_predictor_flow_bins=4,
        upsample_initial_channel=16,
        upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
        noise_scale=0.0,
        noise_scale_duration=0.0,
        **options,
    )
    transformers.VitsModel(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def _vivid(model: Any, codec: Any) -> Any:
    """The `model` with weights that make it hear every letter and tell its tokens apart; new ones hardly do."""
    import torch

    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 2:
                weights.normal_()
        for layer in codec.quantizer.layers:
            layer.codebook.embed.normal_()  # zeros in a new model
    return model


def musicgen(directory: Path, *, channels: int = 1) -> Path:
    """A MusicGen that composes 40 tokens of 80 samples, always the likeliest, unless told otherwise."""
    tokenizer = letters(64)
    text = transformers.T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    codec = transformers.EncodecConfig(
        num_filters=4,
        num_residual_layers=1,
        hidden_size=16,
        codebook_size=64,
        codebook_dim=16,
        upsampling_ratios=[5, 4, 4],
        sampling_rate=16_000,
        target_bandwidths=[4.8],
        audio_channels=1,
        num_lstm_layers=1,
    )
    decoder = transformers.MusicgenDecoderConfig(
        vocab_size=64,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        num_codebooks=4 * channels,
        pad_token_id=64,
        bos_token_id=64,
        audio_channels=channels,
    )
    config = transformers.MusicgenConfig(
        text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict()
    )
    model = transformers.MusicgenForConditionalGeneration(config)
    _vivid(model, model.audio_encoder)
    model.generation_config.update(
        decoder_start_token_id=64, pad_token_id=64, bos_token_id=64, max_length=40, do_sample=False, guidance_scale=3.0
    )
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def _voice(directory: Path) -> None:
    import torch
    from safetensors.torch import save_file

    config = transformers.SpeechT5HifiGanConfig(
        model_in_dim=8,
        upsample_initial_channel=8,
        upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
    )
    vocoder = transformers.SpeechT5HifiGan(config)
    with torch.no_grad():
        for weights in vocoder.parameters():
            weights.mul_(30)  # random ones whisper
    vocoder.save_pretrained(directory / "vocoder")
    save_file({"voice": torch.linspace(-1, 1, 16)}, directory / "speaker.safetensors")


def _speaking(model: Any) -> Any:
    import torch

    with torch.no_grad():
        model.speech_decoder_postnet.prob_out.bias.fill_(-3)  # random ones stop at once
    return model


def _speecht5(**options: Any) -> Any:
    return transformers.SpeechT5Config(
        hidden_size=16,
        encoder_layers=1,
        encoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=16,
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


def speecht5(directory: Path) -> Path:
    """A SpeechT5 that reads at most 30 letters, with a vocoder and a voice; it draws no random numbers."""
    tokenizer = letters(30)
    config = _speecht5(vocab_size=len(tokenizer), max_text_positions=30, pad_token_id=0, eos_token_id=1)
    _speaking(transformers.SpeechT5ForTextToSpeech(config)).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    _voice(directory)
    return directory


def converter(directory: Path) -> Path:
    """A SpeechT5 that says what a recording says in another voice; it draws no random numbers."""
    _speaking(transformers.SpeechT5ForSpeechToSpeech(_speecht5())).save_pretrained(directory)
    transformers.SpeechT5FeatureExtractor(num_mel_bins=8).save_pretrained(directory)
    _voice(directory)
    return directory


def bark(directory: Path) -> Path:
    """A Bark that says at most 12 semantic tokens, always the likeliest unless told otherwise."""
    sizes = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "block_size": 1024}
    tokenizer = letters(64)
    codes, words = 64, 50
    semantic = {
        "semantic_vocab_size": words,
        "eos_token_id": words,
        "semantic_pad_token": words,
        "text_encoding_offset": words + 10,
        "text_pad_token": words + 50,
        "semantic_infer_token": words + 51,
        "max_input_semantic_length": 32,
        "max_new_tokens": 12,
        "do_sample": False,
    }
    coarse = {
        "coarse_semantic_pad_token": words + 2 * codes,
        "coarse_infer_token": words + 2 * codes + 1,
        "do_sample": False,
    }
    codec = transformers.EncodecConfig(
        num_filters=4,
        num_residual_layers=1,
        hidden_size=16,
        codebook_size=codes,
        codebook_dim=16,
        num_lstm_layers=1,
        upsampling_ratios=[8, 5, 4, 2],
        sampling_rate=24_000,
        target_bandwidths=[3.6],
    )
    fine = {**sizes, "input_vocab_size": codes + 1, "output_vocab_size": codes, "n_codes_total": 8}
    vocabulary = words + 2 * codes + 2
    config = transformers.BarkConfig(
        semantic_config={**sizes, "input_vocab_size": words + 52, "output_vocab_size": words + 2},
        coarse_acoustics_config={**sizes, "input_vocab_size": vocabulary, "output_vocab_size": vocabulary},
        fine_acoustics_config=fine,
        codec_config=codec.to_dict(),
    )
    model = transformers.BarkModel(config)
    _vivid(model, model.codec_model)
    model.semantic.lm_head.weight.data[words].zero_()  # it is not to end before its time
    model.generation_config = transformers.GenerationConfig(
        semantic_config=semantic,
        coarse_acoustics_config=coarse,
        fine_acoustics_config={"temperature": 1.0},
        codebook_size=codes,
        sample_rate=24_000,
    )
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def table(directory: Path, *, hidden_sizes: list[int] | None = None, **options: Any) -> Path:
    """A model for tables with a column of numbers and one of categories."""
    import torch
    from safetensors.torch import save_file

    sizes = [4, *([8] if hidden_sizes is None else hidden_sizes), len(options.get("classes", [0]))]
    config = {
        "model_type": "tabular",
        "columns": [
            {"name": "weight", "mean": 1100.0, "scale": 200.0},
            {"name": "district", "categories": ["Old Town", "Harbour", 3]},
        ],
        "hidden_sizes": sizes[1:-1],
        **options,
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config))
    weights = {}
    for index, (before, after) in enumerate(pairwise(sizes)):
        weights[f"layers.{index}.weight"] = torch.randn(after, before)
        weights[f"layers.{index}.bias"] = torch.randn(after)
    save_file(weights, directory / "model.safetensors")
    return directory
