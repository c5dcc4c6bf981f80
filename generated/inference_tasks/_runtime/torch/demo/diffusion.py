"""Demo models that make images and films, with diffusers."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from .vocabularies import LETTERS, of_letters
from .weights import spread

diffusers: Any = import_module("diffusers")
transformers: Any = import_module("transformers")

LONGEST = 256
"""How many letters of a prompt the models read, marks counted."""
SAMPLE = 128
"""Width and height in pixels of the images, unless a request says otherwise."""
FILM_SAMPLE = 64
"""The same of the films."""
BLOCKS = 4
"""Of the autoencoder: 2 ** (4 - 1) pixels a side become one latent."""


def clip(longest: int) -> dict[str, Any]:
    """A CLIP that reads at most `longest` letters, its two marks counted."""
    letters = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    vocabulary = {token: i for i, token in enumerate(["<|startoftext|>", "<|endoftext|>", *letters])}
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=longest)
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=longest,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return {"tokenizer": tokenizer, "text_encoder": spread(transformers.CLIPTextModel(config), None)}


def stable(
    directory: Path,
    kind: str = "StableDiffusionPipeline",
    *,
    channels: int = 4,
    blocks: int = BLOCKS,
    sample: int = SAMPLE,
    longest: int = LONGEST,
    **options: Any,
) -> Path:
    """A Stable Diffusion, for text-to-image, image-to-image and image-text-to-image.

    It makes images of `sample` x `sample` pixels; `channels` go into its network.
    """
    vae = diffusers.AutoencoderKL(
        block_out_channels=[8] * blocks,
        down_block_types=["DownEncoderBlock2D"] * blocks,
        up_block_types=["UpDecoderBlock2D"] * blocks,
        norm_num_groups=4,
        sample_size=sample,
    )
    unet = diffusers.UNet2DConditionModel(
        sample_size=sample // 2 ** (blocks - 1),
        in_channels=channels,
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=32,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    scheduler = diffusers.DDIMScheduler(steps_offset=1, clip_sample=False)
    parts: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    parts |= clip(longest) | options
    pipeline = getattr(diffusers, kind)(vae=spread(vae, None), unet=spread(unet, None), scheduler=scheduler, **parts)
    pipeline.save_pretrained(directory)
    return directory


def _film(directory: Path, kind: str, channels: int) -> Path:
    """A CogVideoX, which makes 49 frames unless a request says otherwise; `channels` go into its network."""
    blocks = ("CogVideoXDownBlock3D", "CogVideoXUpBlock3D")
    vae = diffusers.AutoencoderKLCogVideoX(
        block_out_channels=(8,) * BLOCKS,
        down_block_types=(blocks[0],) * BLOCKS,
        up_block_types=(blocks[1],) * BLOCKS,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=4,
        temporal_compression_ratio=4,
    )
    side = FILM_SAMPLE // 2 ** (BLOCKS - 1)
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=channels,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=32,
        num_layers=1,
        sample_width=side,
        sample_height=side,
    )
    tokenizer = of_letters(LONGEST)
    encoder = transformers.T5EncoderModel(
        transformers.T5Config(vocab_size=len(tokenizer), d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2)
    )
    pipeline = getattr(diffusers, kind)(
        tokenizer=tokenizer,
        text_encoder=spread(encoder, None),
        vae=spread(vae, None),
        transformer=spread(transformer, None),
        scheduler=diffusers.CogVideoXDDIMScheduler(),
    )
    pipeline.save_pretrained(directory)
    return directory


def film_from_text(directory: Path) -> Path:
    """text-to-video."""
    return _film(directory, "CogVideoXPipeline", 4)


def film_from_image(directory: Path) -> Path:
    """image-to-video and image-text-to-video: sees the latents of the image, too."""
    return _film(directory, "CogVideoXImageToVideoPipeline", 8)
