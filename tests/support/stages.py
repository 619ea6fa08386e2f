"""Stages to cast shadows on."""

import numpy as np
from numpy.typing import NDArray

from server.image.decode import View
from server.image.layout import Layout
from server.image.stage import Stage


def stage_with(
    alpha: NDArray[np.uint8], layout: Layout | None = None, picture_size: tuple[int, int] | None = None
) -> Stage:
    """The stage of a subject, in a picture of the working size that is its own canvas unless told otherwise."""
    height, width = picture_size or alpha.shape[:2]
    view = View(np.zeros((*alpha.shape, 3), np.uint8), None)
    return Stage(layout or Layout(width, height), (height, width), view, alpha)


def bar(size: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[np.uint8]:
    """A subject with straight sides in a picture of (height, width)."""
    alpha = np.zeros(size, np.uint8)
    alpha[slice(*rows), slice(*columns)] = 255
    return alpha
