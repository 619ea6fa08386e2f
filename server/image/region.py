"""The part of a picture in which its subject is looked for."""

import cv2
import numpy as np
from numpy.typing import NDArray

from server.errors import InvalidParameterError
from server.image.box import Box, box_between
from server.output import Region

AROUND = 8
"""Cells: more than refinement looks around, so that it takes the region's border for no edge."""


def region_box(region: Region, picture_size: tuple[int, int]) -> Box:
    """Return the region of a picture of (height, width) in whole pixels.

    Raises InvalidParameterError where nothing of the picture is in it.
    """
    height, width = picture_size
    top, bottom = round(region.top.of(height)), round(min(region.bottom.of(height), height))
    left, right = round(region.left.of(width)), round(min(region.right.of(width), width))
    box = box_between(top, left, bottom, right)
    if not box.width:
        raise InvalidParameterError("The region has no pixels in the picture.", {"field": "region"})
    return box


def cells(box: Box, picture_size: tuple[int, int], shape: tuple[int, int]) -> Box:
    """Return the cells of a small copy of the picture, (rows, columns), that the box touches."""
    (height, width), (rows, columns) = picture_size, shape
    return box_between(
        box.top * rows // height,
        box.left * columns // width,
        -(-box.bottom * rows // height),
        -(-box.right * columns // width),
    )


def part(array: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return that part of an array, as a view."""
    return array[box.top : box.bottom, box.left : box.right]


def put_back(alpha: NDArray[np.uint8], box: Box, shape: tuple[int, int], around: int = AROUND) -> NDArray[np.uint8]:
    """Return what was found in a part of an array, of any size, in an array of that shape.

    Its border goes on for so many cells `around` it; beyond is 0.
    """
    fitted = cv2.resize(alpha, (box.width, box.height), interpolation=cv2.INTER_AREA)
    wide = cv2.copyMakeBorder(fitted, *(around,) * 4, borderType=cv2.BORDER_REPLICATE)
    whole = np.zeros((shape[0] + 2 * around, shape[1] + 2 * around), np.uint8)
    whole[box.top : box.bottom + 2 * around, box.left : box.right + 2 * around] = wide
    return whole[around : around + shape[0], around : around + shape[1]]
