"""How alike two mattes are."""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_HALF = 127


def iou(one: Bytes, other: Bytes) -> float:
    """Return what two mattes have in common beside what either has (intersection over union), 0 to 1.

    Both (H, W) uint8; what is above one half counts as subject. Two mattes without a subject are alike.
    """
    a, b = one > _HALF, other > _HALF
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 1.0
