"""Frames as a video file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from importlib import import_module
from typing import Any

from ..encoded import Base64
from ..server.handler import Image

CODEC = "libx264"
QUALITY = {"crf": "17", "mbtree": "0"}
"""Constant quality, from 0 (lossless) to 51; 17 is hardly told from the original.

The tree of macroblocks is off because x264's vector code fills it differently from run to run, and with it the film.
"""


def mp4(frames: Sequence[Image], rate: float) -> Base64:
    """`frames`, RGB and all of one size with even sides, as MP4 (H.264) in base64 with `rate` frames a second."""
    av: Any = import_module("av")  # whose types are unfinished
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(CODEC, rate=Fraction(rate).limit_denominator(1000), options=QUALITY)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"  # the one that browsers play; it halves the colours, hence the even sides
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
    return Base64.of(file.getvalue())
