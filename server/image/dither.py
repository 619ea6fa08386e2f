"""Smooth pixels to 8 bits without bands: what rounding takes away is spread over the neighbours."""

from functools import cache

import numpy as np
import pyvips

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
    tile = from_array(_thresholds(levels.bands))
    across, down = -(-levels.width // _SIDE), -(-levels.height // _SIDE)
    thresholds = tile.replicate(across, down).crop(0, 0, levels.width, levels.height)
    return (levels + thresholds).cast("uchar").copy(interpretation="srgb")


@cache
def _thresholds(bands: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    order = (columns * _ACROSS + rows * _DOWN) % _SIDE
    thresholds = _SLACK + (1 - 2 * _SLACK) * (order + 0.5) / _SIDE
    return np.repeat(thresholds.astype(np.float32)[..., np.newaxis], bands, axis=2)
