"""Keeps mattes steady over time: what moves with the picture and hardly differs from before is noise.

Each matte is laid over the one before it, carried along the motion. Where both differ little, most of the difference is
left out; where they differ much, or where the motion is not to be believed, the new matte counts: so a still outline
does not flicker, and nothing of where the subject was is left behind. A recursive filter with motion compensation and a
gain that follows the difference (after Dubois and Sabri 1984, "Noise Reduction in Image Sequences Using
Motion-Compensated Temporal Filtering").
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from server.video.flow import carried
from server.video.watch import Seen

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_GAIN = 0.15  # share of a small difference that is let in
_SMALL, _LARGE = 12, 64  # levels of alpha: differences up to here are noise, and from here on are real
_SAME_LUMA, _OTHER_LUMA = 6, 20  # levels: what the motion leads to looks the same up to here, and other from here on
_AROUND = (3, 3)

_LEVELS = np.arange(256, dtype=np.float32)
_BY_DIFFERENCE = np.interp(_LEVELS, (_SMALL, _LARGE), (_GAIN, 1)).astype(np.float32)
_BY_LUMA = np.interp(_LEVELS, (_SAME_LUMA, _OTHER_LUMA), (_GAIN, 1)).astype(np.float32)


class Steadied:
    """The mattes of a video so far."""

    def __init__(self) -> None:
        self._before: tuple[Seen, Floats] | None = None

    def next(self, seen: Seen, alpha: Bytes) -> Floats:
        """Return the steadied matte of the next frame, (H, W) float32, 0 to 255. `alpha`: (H, W) uint8."""
        steady = alpha.astype(np.float32)
        if self._before is not None and seen.back is not None:
            before, matte = self._before
            steady = steadied(seen, steady, before, matte)
        self._before = seen, steady
        return steady


def steadied(seen: Seen, alpha: Floats, before: Seen, matte: Floats) -> Floats:
    """Return `alpha` of one frame, steadied by the `matte` of the frame before; all (H, W) float32, 0 to 255."""
    if seen.back is None:
        raise ValueError("there is a cut between the frames")
    old = carried(matte, seen.back)
    difference = cv2.subtract(alpha, old)
    height, width = alpha.shape
    looks = cv2.absdiff(seen.small, carried(before.small, seen.back))
    looks = cv2.resize(cv2.blur(looks, _AROUND), (width, height))
    gain = cv2.max(cv2.LUT(cv2.convertScaleAbs(difference), _BY_DIFFERENCE), cv2.LUT(looks, _BY_LUMA))
    return np.asarray(old + gain * difference, np.float32)
