"""Small arrays to the pixels of a canvas, cheaply."""

import numpy as np
import pyvips
from numpy.typing import NDArray

from server.image.libvips import from_array


def enlarged(levels: NDArray[np.uint8], cell: int) -> pyvips.Image:
    """Return (H, W) uint8 with `cell` × `cell` pixels for each value, interpolated bilinearly; lazy uchar, one band.

    `cell`: a power of two. Repeating values and averaging as many pixels is that interpolation, at a sixth of the cost
    of a resampling; libvips is exact in it for powers of two. For cells of more than one pixel, all comes half a pixel
    too far to the right and down.
    """
    blocks = from_array(levels).zoom(cell, cell)
    if cell == 1:
        return blocks
    return blocks.convsep(pyvips.Image.new_from_array([[1] * cell], scale=cell), precision="integer")
