"""Smooth pixels to 8 bits without bands: what rounding takes away is spread over the neighbours."""

from functools import cache

import numpy as np
import pyvips
from numpy.typing import NDArray

from server.image.libvips import from_array

# Thresholds on a lattice of rank 1, whose steps are those of the R2 sequence (Roberts 2018, "The unreasonable
# effectiveness of quasirandom sequences") to 1/256: neighbours are far apart, and each row and each column of the tile
# runs through all thresholds, so that its mean is exact. Unlike noise it compresses, and it is the same every time.
_SIDE = 256
_ACROSS, _DOWN = 193, 145

# The outermost thresholds stay off by this: a whole level that arithmetic missed by a trace stays that level.
_SLACK = 1 / 64


def dithered(levels: pyvips.Image) -> pyvips.Image:
    """Return `levels`, float 0..255 of any bands, as uchar sRGB; lazy.

    Every pixel becomes one of the two whole levels around it, and whole levels stay as they are. All bands share their
    thresholds: grey stays grey.
    """
    tile = from_array(np.repeat(_thresholds()[..., np.newaxis], levels.bands, axis=2))
    across, down = -(-levels.width // _SIDE), -(-levels.height // _SIDE)
    thresholds = tile.replicate(across, down).crop(0, 0, levels.width, levels.height)
    return (levels + thresholds).cast("uchar").copy(interpretation="srgb")


def dithered_array(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Do the same to (H, W, bands) float32 0..255, in memory."""
    height, width = levels.shape[:2]
    across, down = -(-width // _SIDE), -(-height // _SIDE)
    thresholds = np.tile(_thresholds(), (down, across))[:height, :width, np.newaxis]
    return np.asarray(np.clip(levels + thresholds, 0, 255), np.uint8)


@cache
def _thresholds() -> NDArray[np.float32]:
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    order = (columns * _ACROSS + rows * _DOWN) % _SIDE
    return np.asarray(_SLACK + (1 - 2 * _SLACK) * (order + 0.5) / _SIDE, np.float32)
