"""depth-estimation with any model of AutoModelForDepthEstimation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..server.handler import Image
from .pictures import ImageModel, png

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

MAX_POINTS = 1 << 19
DIGITS = 7
ZOEDEPTH_BORDER = 3


class DepthEstimation(ImageModel):
    """Images in, a number for each point out.

    The grid is as large as the image up to 524,288 points, about 724 x 724; that of a larger image has the same
    proportions and no more points. Numbers have seven significant digits, as many as the model calculates with.
    """

    def auto_class(self) -> Any:
        from transformers import AutoModelForDepthEstimation

        return AutoModelForDepthEstimation

    def answers(self, outputs: Any, images: Sequence[Image], parameters: Any) -> Sequence[Any]:
        grids = [_grid(image) for image in images]
        if self.model.config.model_type == "zoedepth":
            depths = [self._inside(depth, image) for depth, image in zip(outputs.predicted_depth, images, strict=True)]
            depths = [_resized(depth, grid) for depth, grid in zip(depths, grids, strict=True)]
        else:
            found = self._processor.post_process_depth_estimation(outputs, grids)
            depths = [depth["predicted_depth"] for depth in found]
        return [
            self._answer(depth.float().cpu().numpy().reshape(grid), image)
            for depth, grid, image in zip(depths, grids, images, strict=True)
        ]

    def _inside(self, depth: torch.Tensor, image: Image) -> torch.Tensor:
        """What ZoeDepth says of the image without the border that its processor puts around it.

        The processor's own function for this needs torchvision.
        """
        height, width = image.height, image.width
        padded = self._processor.do_pad
        above, left = (int(math.sqrt(side / 2) * ZOEDEPTH_BORDER) if padded else 0 for side in (height, width))
        whole = _resized(depth, (height + 2 * above, width + 2 * left))
        return whole[above : above + height, left : left + width]

    @staticmethod
    def _answer(depth: NDArray[np.float32], image: Image) -> dict[str, Any]:
        import numpy as np
        import PIL.Image

        low, high = float(depth.min()), float(depth.max())
        grey = (depth - low) / ((high - low) or 1.0)
        picture = PIL.Image.fromarray((grey * 255).astype(np.uint8))
        if picture.size != image.size:
            picture = picture.resize(image.size, PIL.Image.Resampling.BILINEAR)
        largest = max(abs(low), abs(high))
        decimals = DIGITS - 1 - (math.floor(math.log10(largest)) if largest else 0)
        return {"predicted_depth": depth.astype(np.float64).round(decimals).tolist(), "depth": png(picture)}


def _resized(depth: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    import torch.nn.functional as functional

    return functional.interpolate(depth[None, None].float(), size=size, mode="bicubic", align_corners=False)[0, 0]


def _grid(image: Image) -> tuple[int, int]:
    """Height and width of the grid for `image`."""
    shrink = min(1.0, math.sqrt(MAX_POINTS / (image.width * image.height)))
    height = min(max(1, int(image.height * shrink)), MAX_POINTS)
    return height, min(max(1, int(image.width * shrink)), MAX_POINTS // height)
