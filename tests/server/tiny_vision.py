"""Tiny models with random weights that look at pictures, pages and videos, and pictures for them.

Demo models in sizes for tests, and other architectures.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from inference_tasks._runtime.torch.demo import vision, vocabularies
from inference_tasks._runtime.torch.demo.vision import various
from inference_tasks._runtime.torch.demo.weights import SMALL, labelled, save, spread

WORDS = "a an the photo of this is cat dog red green blue what how many are there where date total invoice".split()


def wordpiece(length: int) -> Any:
    """A BERT tokenizer of a few whole words, letters and digits."""
    return vocabularies.wordpiece(length, WORDS)


def without_torchvision(directory: Path, name: str) -> Path:
    """Make the image processor's file name it as published models do, so that loading has to find the Pillow one."""
    path = directory / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_processor_type": name}))
    return directory


# ------------------------------------------------------------------------------------------------ models


def yolos(directory: Path) -> Path:
    """A detector that gets no mask of its padding."""
    return without_torchvision(vision.yolos(directory), "YolosImageProcessor")


def detr(directory: Path) -> Path:
    processor = transformers.DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    model = transformers.DetrForObjectDetection(vision.detr_config("stage4"))
    return save(directory, spread(model), processor)


def detr_panoptic(directory: Path) -> Path:
    return vision.detr_panoptic(directory)


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
    return vision.dpt(directory)


def zoedepth(directory: Path) -> Path:
    """A model that sees a border around each image."""
    backbone = transformers.BeitConfig(
        **SMALL | {"num_hidden_layers": 4},
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
    return vision.clip(directory, longest=64)


def siglip(directory: Path) -> Path:
    tokenizer = vocabularies.of_marked_bytes(64)
    text = SMALL | {"vocab_size": len(tokenizer), "max_position_embeddings": 64}
    config = transformers.SiglipConfig(text_config=text, vision_config=SMALL | {"image_size": 32, "patch_size": 8})
    processor = transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return save(directory, spread(transformers.SiglipModel(config), 0.2), tokenizer, processor)


def owlvit(directory: Path) -> Path:
    return vision.owlvit(directory, longest=16)


def grounding_dino(directory: Path) -> Path:
    tokenizer = wordpiece(64)
    backbone = transformers.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1], num_heads=[1, 1, 2], window_size=4,
        out_features=["stage2", "stage3"],
    )  # fmt: skip
    text = transformers.BertConfig(**SMALL, vocab_size=len(tokenizer), max_position_embeddings=64)
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
    return vision.vilt(directory, wordpiece(24))


def blip(directory: Path) -> Path:
    tokenizer = wordpiece(24)
    text = SMALL | {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 64,
        "encoder_hidden_size": 32,
        "bos_token_id": 2,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "pad_token_id": 0,
    }
    config = transformers.BlipConfig(
        text_config=text, vision_config=SMALL | {"image_size": 32, "patch_size": 8}, projection_dim=16
    )
    processor = transformers.BlipImageProcessorPil(size={"height": 32, "width": 32})
    return save(directory, spread(transformers.BlipForQuestionAnswering(config), 0.1), tokenizer, processor)


def layoutlm(directory: Path) -> Path:
    return vision.layoutlm(directory, wordpiece(64))


def layoutlm_of_bytes(directory: Path) -> Path:
    """A LayoutLM with a tokenizer like RoBERTa's, as some published ones have."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = {token: i for i, token in enumerate([*special, *vocabularies.BYTES])}
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
        **SMALL, vocab_size=len(fast), max_position_embeddings=130, max_2d_position_embeddings=1024, type_vocab_size=1
    )
    return save(directory, spread(transformers.LayoutLMForQuestionAnswering(config), 0.2), fast)


def donut(directory: Path) -> Path:
    """A Donut that writes letters until it is stopped."""
    return vision.donut(directory, longest=64)


def videomae(directory: Path) -> Path:
    config = transformers.VideoMAEConfig(
        **SMALL, image_size=32, patch_size=8, num_frames=4, tubelet_size=2, **labelled(*"abcdefg")
    )
    model = spread(transformers.VideoMAEForVideoClassification(config), 0.2)
    processor = transformers.VideoMAEImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return without_torchvision(save(directory, model, processor), "VideoMAEImageProcessor")


def timesformer(directory: Path) -> Path:
    return vision.timesformer(directory, frames=4, labels="abc")


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
