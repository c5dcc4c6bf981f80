"""Tiny models with random weights that make images, films and sound, or read tables.

Demo models in sizes for tests, and other architectures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers

from inference_tasks._runtime.torch.demo import diffusion, sound, tables
from inference_tasks._runtime.torch.demo.vocabularies import LETTERS, of_letters
from inference_tasks._runtime.torch.demo.weights import save, spread

SAMPLE = 32
"""Width and height in pixels that the image models have by default."""


def stable(directory: Path, kind: str = "StableDiffusionPipeline", **options: Any) -> Path:
    """A Stable Diffusion of 32 x 32 pixels, two pixels a latent."""
    return diffusion.stable(directory, kind, **{"blocks": 2, "sample": SAMPLE, "longest": 32} | options)


def instructed(directory: Path) -> Path:
    """An InstructPix2Pix, which changes images and makes none from nothing."""
    return stable(directory, "StableDiffusionInstructPix2PixPipeline", channels=8)


def ltx(directory: Path, kind: str = "LTXPipeline") -> Path:
    """An LTX-Video, 32 x 32 pixels and eight frames a latent, as the real one."""
    import diffusers

    tokenizer = of_letters(32)
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
    pipeline = getattr(diffusers, kind)(
        transformer=spread(transformer, None),
        vae=spread(vae, None),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        text_encoder=spread(encoder, None),
        tokenizer=tokenizer,
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
    return save(directory, transformers.VitsModel(config), tokenizer)


def musicgen(directory: Path, *, channels: int = 1) -> Path:
    """A MusicGen that reads at most 64 letters."""
    return sound.musicgen(directory, channels=channels, longest=64)


def bark(directory: Path) -> Path:
    """A Bark that reads at most 32 letters."""
    return sound.bark(directory, longest=32)


def converter(directory: Path) -> Path:
    """A SpeechT5 that says what a recording says in another voice; it draws no random numbers."""
    return sound.converter(directory)


def speecht5(directory: Path) -> Path:
    """A SpeechT5 that reads at most 30 letters, with a vocoder and a voice; it draws no random numbers."""
    tokenizer = of_letters(30)
    config = sound.speecht5_config(vocab_size=len(tokenizer), max_text_positions=30, pad_token_id=0, eos_token_id=1)
    save(directory, sound.speaking(transformers.SpeechT5ForTextToSpeech(config)), tokenizer)
    sound.voice(directory)
    return directory


def table(directory: Path, *, hidden_sizes: list[int] | None = None, **options: Any) -> Path:
    """A model for tables with a column of numbers and one of categories."""
    columns = [
        {"name": "weight", "mean": 1100.0, "scale": 200.0},
        {"name": "district", "categories": ["Old Town", "Harbour", 3]},
    ]
    hidden = [8] if hidden_sizes is None else hidden_sizes
    return tables.table(directory, columns, hidden=hidden, seed=2, **options)  # one with which all classes occur
