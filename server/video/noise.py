"""How noisy a frame is."""

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

# It leaves out what is even, and what rises or falls evenly.
_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_TO_DEVIATION = float(np.sqrt(np.pi / 2) / 6)

_STRIPS = 12  # parts of the frame that are looked at, of the height of a block
_BLOCK = 16  # pixels
_QUIET = 20  # per cent of the blocks: those that show little beside the noise


def noise_of(luma: Bytes) -> float:
    """Return the standard deviation of a frame's noise, in levels of `luma` (H, W) uint8.

    Immerkaer 1996, "Fast Noise Variance Estimation", in the blocks that have the least of it: elsewhere it is texture.
    """
    height = luma.shape[0]
    tops = np.linspace(0, max(0, height - _BLOCK), min(_STRIPS, -(-height // _BLOCK))).astype(int)
    strips = np.vstack([_averages(luma[top : top + _BLOCK]) for top in tops])
    return float(np.percentile(strips, _QUIET)) * _TO_DEVIATION


def _averages(strip: Bytes) -> Floats:
    """Return the kernel's mean answer for each block of a strip (_BLOCK, W): (1, W / _BLOCK)."""
    answer = np.abs(cv2.filter2D(np.ascontiguousarray(strip), cv2.CV_32F, _KERNEL))
    blocks = max(1, strip.shape[1] // _BLOCK)
    return np.asarray(cv2.resize(answer, (blocks, 1), interpolation=cv2.INTER_AREA), np.float32)
