"""Demo models that look at pictures and films."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from .vocabularies import marks, of_bytes, of_marked_bytes, unreadable, wordpiece
from .weights import SMALL, labelled, save, spread
from .writing import WRITTEN

transformers: Any = import_module("transformers")

LONGEST = 128
"""How many tokens of text the models read."""
PIXELS = 64
"""Width and height of what most of them see."""
FINE: dict[str, Any] = {"size": {"height": PIXELS, "width": PIXELS}}
COARSE: dict[str, Any] = {"size": {"shortest_edge": PIXELS, "longest_edge": 96}}
CUT: dict[str, Any] = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
PATCHES: dict[str, Any] = {**SMALL, "image_size": 32, "patch_size": 8}


def classifier(directory: Path, *labels: str) -> Path:
    """image-classification: a ViT."""
    config = transformers.ViTConfig(**PATCHES, **labelled(*(labels or "0123456789")))
    processor = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})
    return save(directory, spread(transformers.ViTForImageClassification(config)), processor)


def yolos(directory: Path) -> Path:
    """object-detection."""
    config = transformers.YolosConfig(
        **SMALL,
        image_size=[PIXELS, PIXELS],
        patch_size=16,
        num_detection_tokens=10,
        **labelled("cat", "dog", "bird"),
    )
    processor = transformers.YolosImageProcessorPil(**COARSE)
    return save(directory, spread(transformers.YolosForObjectDetection(config)), processor)


def detr_config(*stages: str) -> Any:
    """The configuration of a DETR that reads the outputs of these `stages` of a ResNet."""
    backbone = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], out_features=list(stages)
    )
    return transformers.DetrConfig(
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=backbone,
        d_model=16,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=6,
        **labelled("cat", "dog", "bird"),
    )


def various(model: Any) -> Any:
    """`model`, which divides an image among queries, with queries that differ and seldom find nothing."""
    spread(model, 0.2, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "quer" in name and parameter.dim() > 1:
                parameter.normal_(0, 3, generator=generator)
            if re.search(r"(class_labels_classifier|class_predictor)\.weight$", name):
                parameter.mul_(8)
            if re.search(r"(class_labels_classifier|class_predictor)\.bias$", name):
                parameter[-1] = -9
    return model


def detr_panoptic(directory: Path) -> Path:
    """image-segmentation."""
    model = transformers.DetrForSegmentation(detr_config("stage1", "stage2", "stage3", "stage4"))
    return save(directory, various(model), transformers.DetrImageProcessorPil(**COARSE))


def dpt(directory: Path) -> Path:
    """depth-estimation."""
    config = transformers.DPTConfig(
        **SMALL | {"num_hidden_layers": 4},
        image_size=PIXELS,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=8,
        is_hybrid=False,
    )
    model = spread(transformers.DPTForDepthEstimation(config), 0.2)
    return save(directory, model, transformers.DPTImageProcessorPil(**FINE))


def clip(directory: Path, *, longest: int = LONGEST) -> Path:
    """zero-shot-image-classification."""
    tokenizer = of_marked_bytes(longest)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    text = SMALL | {"vocab_size": len(tokenizer), "max_position_embeddings": longest} | ends
    config = transformers.CLIPConfig(
        text_config=text, vision_config=PATCHES, projection_dim=16, logit_scale_init_value=1.0
    )
    return save(
        directory, spread(transformers.CLIPModel(config), 0.2), tokenizer, transformers.CLIPImageProcessorPil(**CUT)
    )


def owlvit(directory: Path, *, longest: int = LONGEST) -> Path:
    """zero-shot-object-detection."""
    tokenizer = of_marked_bytes(longest)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    text = SMALL | {"vocab_size": len(tokenizer), "max_position_embeddings": longest} | ends
    vision = SMALL | {"image_size": PIXELS, "patch_size": 16}
    config = transformers.OwlViTConfig(text_config=text, vision_config=vision, projection_dim=32)
    processor = transformers.OwlViTImageProcessorPil(**FINE, crop_size=FINE["size"])
    return save(directory, spread(transformers.OwlViTForObjectDetection(config), 0.2), tokenizer, processor)


def vilt(directory: Path, tokenizer: Any = None) -> Path:
    """visual-question-answering."""
    tokenizer = tokenizer or wordpiece(LONGEST)
    config = transformers.ViltConfig(
        **PATCHES,
        vocab_size=len(tokenizer),
        max_position_embeddings=tokenizer.model_max_length,
        modality_type_vocab_size=2,
        **labelled("yes", "no", "two", "red", "cat", "dog", "left"),
    )
    processor = transformers.ViltImageProcessorPil(size={"shortest_edge": 32}, size_divisor=8)
    return save(directory, spread(transformers.ViltForQuestionAnswering(config), 0.2), tokenizer, processor)


def layoutlm(directory: Path, tokenizer: Any = None) -> Path:
    """document-question-answering, for pages that come with their words."""
    tokenizer = tokenizer or wordpiece(512)
    config = transformers.LayoutLMConfig(
        **SMALL,
        vocab_size=len(tokenizer),
        max_position_embeddings=tokenizer.model_max_length,
        max_2d_position_embeddings=1024,
    )
    return save(directory, spread(transformers.LayoutLMForQuestionAnswering(config), 0.2), tokenizer)


def donut(directory: Path, *, longest: int = LONGEST) -> Path:
    """document-question-answering, from pictures: a Donut that writes mostly letters, until it is stopped."""
    signs = ["<s_docvqa>", "<s_question>", "</s_question>", "<s_answer>", "</s_answer>"]
    tokenizer = of_bytes(longest, words=signs)
    encoder = transformers.DonutSwinConfig(
        image_size=[PIXELS, PIXELS], patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[1, 2], window_size=4
    )
    decoder = transformers.MBartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        decoder_ffn_dim=32,
        tie_word_embeddings=False,
        max_position_embeddings=longest,
        is_decoder=True,
        add_cross_attention=True,
        **marks(tokenizer),
    )
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    own = {**marks(tokenizer), "decoder_start_token_id": tokenizer.convert_tokens_to_ids(signs[0])}
    config.update(own)
    model = spread(transformers.VisionEncoderDecoderModel(config))
    model.generation_config = transformers.GenerationConfig(**own)
    with torch.no_grad():
        model.decoder.get_output_embeddings().weight[unreadable(tokenizer)] = 0
    return save(directory, model, tokenizer, transformers.DonutImageProcessorPil(**FINE))


def blip(directory: Path, *, longest: int = WRITTEN, letters: bool = True) -> Path:
    """image-to-text: a BLIP that writes at most `longest` bytes, or only `letters` and blanks."""
    tokenizer = of_bytes(longest)
    text = {**SMALL, "vocab_size": len(tokenizer), "max_position_embeddings": longest}
    text |= {"encoder_hidden_size": SMALL["hidden_size"], "sep_token_id": tokenizer.eos_token_id, **marks(tokenizer)}
    vision = PATCHES | {"image_size": 16}
    config = transformers.BlipConfig(
        text_config=text, vision_config=vision, projection_dim=32, image_text_hidden_size=32
    )
    model = spread(transformers.BlipForConditionalGeneration(config), 0.4, seed=0)
    if letters:
        with torch.no_grad():
            model.text_decoder.get_output_embeddings().bias[unreadable(tokenizer)] = -99
    processor = transformers.BlipImageProcessorPil(size={"height": 16, "width": 16})
    return save(directory, model, transformers.BlipProcessor(processor, tokenizer))


def timesformer(directory: Path, *, frames: int = 8, labels: Sequence[str] = ("ball", "boat", "juggling")) -> Path:
    """video-classification."""
    config = transformers.TimesformerConfig(**PATCHES, num_frames=frames, **labelled(*labels))
    model = spread(transformers.TimesformerForVideoClassification(config), 0.2)
    return save(directory, model, transformers.VideoMAEImageProcessorPil(**CUT))
