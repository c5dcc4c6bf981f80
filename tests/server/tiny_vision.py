"""Tiny models with random weights that look at pictures, pages and videos, and pictures for them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .models import labelled

WORDS = "a an the photo of this is cat dog red green blue what how many are there where date total invoice".split()
TINY: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def spread(model: Any, scale: float = 0.3, seed: int = 3) -> Any:
    """`model` with weights so far apart that different inputs get clearly different answers."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, scale)
    return model


def various(model: Any) -> Any:
    """`model`, which divides an image among queries, with queries that differ and seldom find nothing."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
            if "quer" in name and parameter.dim() > 1:
                parameter.normal_(0, 3)
            if name.endswith(("class_labels_classifier.bias", "class_predictor.bias")):
                parameter[-1] = -9
    return model


def wordpiece(length: int) -> Any:
    """A BERT tokenizer of a few whole words, letters and digits."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789?.:-"
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=length,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def bytewise(length: int) -> Any:
    """A tokenizer of bytes like CLIP's: its last token ends a text, and pads it."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    start, end = "<|startoftext|>", "<|endoftext|>"
    vocabulary = {token: index for index, token in enumerate(["!pad", *alphabet, start, end])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token=end))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, vocabulary[start]), (end, vocabulary[end])]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=length,
        bos_token=start,
        eos_token=end,
        pad_token=end,
        unk_token=end,
        model_input_names=["input_ids", "attention_mask"],
    )


def save(directory: Path, *parts: Any) -> Path:
    for part in parts:
        part.save_pretrained(directory)
    return directory


def without_torchvision(directory: Path, name: str) -> Path:
    """Make the image processor's file name it as published models do, so that loading has to find the Pillow one."""
    path = directory / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_processor_type": name}))
    return directory


# ------------------------------------------------------------------------------------------------ models


def yolos(directory: Path) -> Path:
    """A detector that gets no mask of its padding."""
    config = transformers.YolosConfig(
        **TINY, image_size=[64, 64], patch_size=16, num_detection_tokens=10, **labelled("cat", "dog", "bird")
    )
    processor = transformers.YolosImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    save(directory, spread(transformers.YolosForObjectDetection(config)), processor)
    return without_torchvision(directory, "YolosImageProcessor")


def _detr_config(*stages: str) -> Any:
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


def detr(directory: Path) -> Path:
    processor = transformers.DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    model = transformers.DetrForObjectDetection(_detr_config("stage4"))
    return save(directory, spread(model), processor)


def detr_panoptic(directory: Path) -> Path:
    processor = transformers.DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    model = transformers.DetrForSegmentation(_detr_config("stage1", "stage2", "stage3", "stage4"))
    return save(directory, various(model), processor)


def mask2former(directory: Path) -> Path:
    backbone = transformers.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=16,
        dim_feedforward=16,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        num_queries=6,
        **labelled("sky", "sea", "boat"),
    )
    processor = transformers.Mask2FormerImageProcessorPil(size={"height": 64, "width": 64}, do_resize=True)
    return save(directory, various(transformers.Mask2FormerForUniversalSegmentation(config)), processor)


def segformer(directory: Path) -> Path:
    config = transformers.SegformerConfig(
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        **labelled("sky", "road", "car"),
    )
    processor = transformers.SegformerImageProcessorPil(size={"height": 64, "width": 64})
    save(directory, spread(transformers.SegformerForSemanticSegmentation(config)), processor)
    return without_torchvision(directory, "SegformerImageProcessor")


def dpt(directory: Path) -> Path:
    config = transformers.DPTConfig(
        **TINY | {"num_hidden_layers": 4},
        image_size=64,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=8,
        is_hybrid=False,
    )
    processor = transformers.DPTImageProcessorPil(size={"height": 64, "width": 64})
    return save(directory, spread(transformers.DPTForDepthEstimation(config), 0.2), processor)


def zoedepth(directory: Path) -> Path:
    """A model that sees a border around each image."""
    backbone = transformers.BeitConfig(
        **TINY | {"num_hidden_layers": 4},
        image_size=64,
        patch_size=16,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        use_mask_token=False,
        use_relative_position_bias=True,
    )
    config = transformers.ZoeDepthConfig(
        backbone_config=backbone,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=8,
        bottleneck_features=8,
        num_relative_features=8,
        bin_embedding_dim=16,
        num_attractors=[4, 2, 2, 1],
        bin_configurations=[{"n_bins": 8, "min_depth": 0.1, "max_depth": 10.0, "name": "nyu"}],
    )
    processor = transformers.ZoeDepthImageProcessorPil(size={"height": 64, "width": 64})
    return save(directory, spread(transformers.ZoeDepthForDepthEstimation(config), 0.2), processor)


def clip(directory: Path) -> Path:
    tokenizer = bytewise(64)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    text = TINY | {"vocab_size": len(tokenizer), "max_position_embeddings": 64, "pad_token_id": 0} | ends
    vision = TINY | {"image_size": 32, "patch_size": 8}
    config = transformers.CLIPConfig(
        text_config=text, vision_config=vision, projection_dim=16, logit_scale_init_value=1.0
    )
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return save(directory, spread(transformers.CLIPModel(config), 0.2), tokenizer, processor)


def siglip(directory: Path) -> Path:
    tokenizer = bytewise(64)
    text = TINY | {"vocab_size": len(tokenizer), "max_position_embeddings": 64}
    config = transformers.SiglipConfig(text_config=text, vision_config=TINY | {"image_size": 32, "patch_size": 8})
    processor = transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return save(directory, spread(transformers.SiglipModel(config), 0.2), tokenizer, processor)


def owlvit(directory: Path) -> Path:
    tokenizer = bytewise(16)
    text = TINY | {"vocab_size": len(tokenizer), "max_position_embeddings": 16, "pad_token_id": 0}
    text |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    vision = TINY | {"image_size": 64, "patch_size": 16}
    config = transformers.OwlViTConfig(text_config=text, vision_config=vision, projection_dim=32)
    processor = transformers.OwlViTImageProcessorPil(
        size={"height": 64, "width": 64}, crop_size={"height": 64, "width": 64}
    )
    return save(directory, spread(transformers.OwlViTForObjectDetection(config), 0.2), tokenizer, processor)


def grounding_dino(directory: Path) -> Path:
    tokenizer = wordpiece(64)
    backbone = transformers.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1], num_heads=[1, 1, 2], window_size=4,
        out_features=["stage2", "stage3"],
    )  # fmt: skip
    text = transformers.BertConfig(**TINY, vocab_size=len(tokenizer), max_position_embeddings=64)
    config = transformers.GroundingDinoConfig(
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        backbone_config=backbone,
        text_config=text,
        d_model=32,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=8,
        num_feature_levels=3,
        max_text_len=32,
    )
    processor = transformers.GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    return save(directory, spread(transformers.GroundingDinoForObjectDetection(config), 0.2), tokenizer, processor)


def vilt(directory: Path) -> Path:
    tokenizer = wordpiece(24)
    config = transformers.ViltConfig(
        **TINY,
        vocab_size=len(tokenizer),
        image_size=32,
        patch_size=8,
        max_position_embeddings=24,
        modality_type_vocab_size=2,
        **labelled("yes", "no", "two", "red", "cat", "dog", "left"),
    )
    processor = transformers.ViltImageProcessorPil(size={"shortest_edge": 32}, size_divisor=8)
    return save(directory, spread(transformers.ViltForQuestionAnswering(config), 0.2), tokenizer, processor)


def blip(directory: Path) -> Path:
    tokenizer = wordpiece(24)
    text = TINY | {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 64,
        "encoder_hidden_size": 32,
        "bos_token_id": 2,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "pad_token_id": 0,
    }
    config = transformers.BlipConfig(
        text_config=text, vision_config=TINY | {"image_size": 32, "patch_size": 8}, projection_dim=16
    )
    processor = transformers.BlipImageProcessorPil(size={"height": 32, "width": 32})
    return save(directory, spread(transformers.BlipForQuestionAnswering(config), 0.1), tokenizer, processor)


def layoutlm(directory: Path) -> Path:
    tokenizer = wordpiece(64)
    config = transformers.LayoutLMConfig(
        **TINY, vocab_size=len(tokenizer), max_position_embeddings=64, max_2d_position_embeddings=1024
    )
    return save(directory, spread(transformers.LayoutLMForQuestionAnswering(config), 0.2), tokenizer)


def layoutlm_of_bytes(directory: Path) -> Path:
    """A LayoutLM with a tokenizer like RoBERTa's, as some published ones have."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=128,
        cls_token="<s>",
        sep_token="</s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )
    config = transformers.LayoutLMConfig(
        **TINY, vocab_size=len(fast), max_position_embeddings=130, max_2d_position_embeddings=1024, type_vocab_size=1
    )
    return save(directory, spread(transformers.LayoutLMForQuestionAnswering(config), 0.2), fast)


def donut(directory: Path) -> Path:
    """A Donut that writes letters until it is stopped."""
    special = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "<s_docvqa>",
        "<s_question>",
        "</s_question>",
        "<s_answer>",
        "</s_answer>",
    ]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*special, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=special[4:],
        model_max_length=128,
    )
    encoder = transformers.DonutSwinConfig(
        image_size=[64, 64], patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[1, 2], window_size=4
    )
    decoder = transformers.MBartConfig(
        vocab_size=len(fast),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        decoder_ffn_dim=32,
        max_position_embeddings=64,
        is_decoder=True,
        add_cross_attention=True,
        pad_token_id=1,
        eos_token_id=2,
        bos_token_id=0,
    )
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 4, 1, 2
    model = spread(transformers.VisionEncoderDecoderModel(config), 0.3)
    model.generation_config = transformers.GenerationConfig(decoder_start_token_id=4, pad_token_id=1, eos_token_id=2)
    processor = transformers.DonutImageProcessorPil(size={"height": 64, "width": 64})
    return save(directory, model, fast, processor)


def videomae(directory: Path) -> Path:
    config = transformers.VideoMAEConfig(
        **TINY, image_size=32, patch_size=8, num_frames=4, tubelet_size=2, **labelled(*"abcdefg")
    )
    model = spread(transformers.VideoMAEForVideoClassification(config), 0.2)
    processor = transformers.VideoMAEImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return without_torchvision(save(directory, model, processor), "VideoMAEImageProcessor")


def timesformer(directory: Path) -> Path:
    config = transformers.TimesformerConfig(**TINY, image_size=32, patch_size=8, num_frames=4, **labelled(*"abc"))
    model = spread(transformers.TimesformerForVideoClassification(config), 0.2)
    processor = transformers.VideoMAEImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return save(directory, model, processor)


# ------------------------------------------------------------------------------------------------ what they look at


def picture(seed: int = 0, size: tuple[int, int] = (60, 40)) -> PIL.Image.Image:
    """An image of large random blots."""
    blots = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blots).resize(size, PIL.Image.Resampling.BICUBIC)


def png(image: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def video(pictures: Sequence[PIL.Image.Image]) -> bytes:
    """An MP4 with these frames, compressed without loss."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=8, options={"qp": "0"})
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        for image in pictures:
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return file.getvalue()
