"""A background made by a generation model: what to ask of the model, and its answer at the canvas's size.

The model paints at its own size, which is smaller than most canvases; its answer is enlarged to cover the canvas. The
subject that it saw is not taken from it: the true one is laid over.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from server.image.libvips import from_array

_BEHIND = 128  # Grey: no colour of the old background may leak into the new one.
_SOLID = 250  # Alpha from which a pixel is all subject; below, the background shines through and must be painted.
_EDGE = 1 / 256  # of the longest side: how far the model paints in under the subject's edge, which then hides no seam


@dataclass(frozen=True)
class Order:
    """What a generation model is given.

    `image`: (H, W, 3) uint8 sRGB, the subject over grey. `mask`: (H, W) uint8; 255 is to be painted, 0 is subject.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def painted_size(width: int, height: int, max_side: int, multiple: int) -> tuple[int, int]:
    """Return (height, width) to paint for a canvas: its aspect, no larger than it or than `max_side` by more than
    rounding to `multiple` asks for, and never over `max_side`."""
    scale = min(1.0, max_side / max(width, height))
    most = max_side // multiple
    across, down = (min(max(1, round(side * scale / multiple)), most) for side in (width, height))
    return down * multiple, across * multiple


def order(colour: NDArray[np.uint8], alpha: NDArray[np.uint8], size: tuple[int, int]) -> Order:
    """Return what to ask for.

    `colour`: (h, w, 3) uint8 sRGB and `alpha`: (h, w) uint8, the subject as it will stand on the canvas, the whole
    canvas at any size. `size`: (height, width) as `painted_size` gives it.
    """
    shape = size[::-1]
    weight = cv2.resize(alpha, shape, interpolation=cv2.INTER_AREA).astype(np.float32)[..., np.newaxis] / 255
    shown = cv2.resize(colour, shape, interpolation=cv2.INTER_AREA).astype(np.float32)
    image = np.rint(_BEHIND + weight * (shown - _BEHIND)).astype(np.uint8)
    reach = 2 * max(1, round(max(size) * _EDGE)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    # The frame is no edge of the subject: what the picture cuts off goes on beyond it.
    solid = cv2.erode((weight[..., 0] * 255 >= _SOLID).astype(np.uint8), kernel)
    return Order(image, np.where(solid > 0, 0, 255).astype(np.uint8))


def render(painted: NDArray[np.uint8], width: int, height: int) -> pyvips.Image:
    """Return the model's answer, (H, W, 3) uint8 sRGB, lazily at `width` × `height`: uchar sRGB, three bands.

    It covers the canvas: where the aspects differ, by the rounding of the painted size, the surplus is cut off evenly.
    Enlarged bicubically, and pixel centre on pixel centre.
    """
    image = from_array(painted)
    scale = max(width / image.width, height / image.height)
    enlarged = image.affine(
        [scale, 0, 0, scale],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, width, height],
        odx=(width - image.width * scale) / 2 + (scale - 1) / 2,
        ody=(height - image.height * scale) / 2 + (scale - 1) / 2,
        extend="copy",
    )
    return enlarged.copy(interpretation="srgb")
