"""A background made by a generation model, which sees the subject where it will stand.

The model paints at its own size, which is smaller than most canvases; its answer is enlarged to cover the canvas. The
subject that it saw is not taken from it: the true one is laid over.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from server.composition import Generated
from server.generation import Generators, Prompt
from server.image.libvips import from_array
from server.image.resample import laid
from server.image.stage import Stage

_BEHIND = 128  # Grey: no colour of the old background may leak into the new one.
_SOLID = 250  # Alpha from which a pixel is all subject; below, the background shines through and must be painted.
_ROWS = 64  # 1.5 MB of floats at 2048 pixels
_EDGE = 1 / 256  # of the longest side: how far the model paints in under the subject's edge, which then hides no seam


@dataclass(frozen=True)
class Painted:
    """A generated background and what made it: see `server.generation`. `image`: lazy, uchar sRGB, three bands."""

    image: pyvips.Image
    model: str
    device: str
    method: str
    seed: int


@dataclass(frozen=True)
class Order:
    """What a generation model is given.

    `image`: (H, W, 3) uint8 sRGB, the subject over grey. `mask`: (H, W) uint8; 255 is to be painted, 0 is subject.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def render(stage: Stage, background: Generated, generators: Generators) -> Painted:
    """Have the background painted, which may take long, and return it for the stage's canvas.

    Raises what `generators` and the model raise.
    """
    model = generators(background.model or None)
    height, width = painted_size(stage.width, stage.height, model.max_side, model.multiple)
    order = order_for(stage, height, width)
    prompt = Prompt(background.prompt, background.negative_prompt, background.seed, background.steps)
    generation = model.generate(prompt, order.image, order.mask)
    image = cover(generation.image, stage.width, stage.height)
    return Painted(image, model.name, generation.device, model.method, background.seed)


def painted_size(width: int, height: int, max_side: int, multiple: int) -> tuple[int, int]:
    """Return (height, width) to paint for a canvas: its proportions, at its size or the largest that the model paints.

    Each side is rounded to the nearest `multiple` that is not over `max_side`.
    """
    scale = min(1.0, max_side / max(width, height))
    most = max_side // multiple
    across, down = (min(max(1, round(side * scale / multiple)), most) for side in (width, height))
    return down * multiple, across * multiple


def order_for(stage: Stage, height: int, width: int) -> Order:
    """Return what to ask for: the stage's canvas at `width` × `height`."""
    alpha = _placed(stage, stage.alpha, height, width)
    image = _over_grey(_placed(stage, stage.view.colour, height, width), alpha)
    reach = 2 * max(1, round(max(height, width) * _EDGE)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    # The frame is no edge of the subject: what it cuts off goes on beyond it.
    solid = cv2.erode((alpha >= _SOLID).view(np.uint8), kernel)
    return Order(image, np.where(solid, np.uint8(0), np.uint8(255)))


def _over_grey(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`colour`, (H, W, 3), over grey, by `alpha`, (H, W).

    In strips that a core's cache holds: four arrays of floats as large as the picture took longer than to paint some.
    """
    image = np.full(colour.shape, _BEHIND, np.uint8)
    for top in range(0, len(alpha), _ROWS):
        rows = slice(top, top + _ROWS)
        if alpha[rows].any():
            weight = alpha[rows, :, np.newaxis].repeat(3, axis=2).astype(np.float32)
            weight *= np.float32(1 / 255)
            weight *= colour[rows] - np.float32(_BEHIND)
            # Cut off, not rounded: a half more is the same, and quicker.
            weight += np.float32(_BEHIND + 0.5)
            image[rows] = weight
    return image


def cover(painted: NDArray[np.uint8], width: int, height: int) -> pyvips.Image:
    """Return a model's answer, (H, W, 3) uint8 sRGB, lazily at `width` × `height`: uchar sRGB, three bands.

    Where the proportions differ, by the rounding of the painted size, the surplus is cut off evenly. Enlarged
    bicubically, and pixel centre on pixel centre.
    """
    image = from_array(painted)
    scale = max(width / image.width, height / image.height)
    corner = (width - image.width * scale) / 2, (height - image.height * scale) / 2
    enlarged = laid(image, (scale, scale), corner, (width, height), "bicubic")
    return enlarged.copy(interpretation="srgb")


def _placed(stage: Stage, pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The stage's `pixels`, of the working size, on its canvas at `width` × `height`, with zeros around."""
    layout, (tall, wide) = stage.layout, stage.picture_size
    down, across = height / layout.height, width / layout.width
    # Averaged first where the canvas shows the picture smaller, as interpolation would skip pixels.
    rows = min(pixels.shape[0], max(1, round(tall * layout.scale * down)))
    columns = min(pixels.shape[1], max(1, round(wide * layout.scale * across)))
    small = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    # From pixel centres of `small` to those of the canvas.
    x, y = wide / columns * layout.scale * across, tall / rows * layout.scale * down
    matrix = np.array([[x, 0, x / 2 + layout.left * across - 0.5], [0, y, y / 2 + layout.top * down - 0.5]], np.float64)
    placed = cv2.warpAffine(
        small, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8)
    left, top = round(layout.left * across), round(layout.top * down)
    right, bottom = left + round(columns * x), top + round(rows * y)
    placed[: max(0, top)] = 0
    placed[max(0, bottom) :] = 0
    placed[:, : max(0, left)] = 0
    placed[:, max(0, right) :] = 0
    return np.asarray(placed, np.uint8)
