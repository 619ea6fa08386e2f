"""Which way to take: the small model where both agree on the first frames."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from server.video.likeness import iou

Bytes = NDArray[np.uint8]

FIRST = 5  # frames that are looked at, of which the first, the middle and the last are asked about
ASKED = (0, 2, 4)
ENOUGH = 0.9

_LEAST_SHARE = 0.002  # of a frame that is subject: where both see less, they agree about nothing


def agreement(pairs: Iterable[tuple[Bytes, Bytes]]) -> float:
    """Return how far two models agree, 0 to 1: the lowest IoU of their mattes of a frame.

    `pairs`: mattes of the same frames, (H, W) uint8, of any sizes. Frames in which neither sees a subject say nothing;
    where there are no others, the models do not agree on anything: 0.
    """
    found = [iou(*_of_one_size(one, other)) for one, other in pairs if _subject(one) or _subject(other)]
    return min(found, default=0.0)


def _subject(alpha: Bytes) -> bool:
    return float(np.count_nonzero(alpha > 127)) > _LEAST_SHARE * alpha.size


def _of_one_size(one: Bytes, other: Bytes) -> tuple[Bytes, Bytes]:
    if one.shape == other.shape:
        return one, other
    return one, np.asarray(cv2.resize(other, one.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
