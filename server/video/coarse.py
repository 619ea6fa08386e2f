"""A frame with its matte at the working size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.video.watch import Seen

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Coarse:
    """A frame with its matte, (H, W) uint8 at the working size; 0 background, 255 subject."""

    seen: Seen
    alpha: Bytes
