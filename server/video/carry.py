"""Mattes of two frames, carried to the frames between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from server.video.flow import Floats, carried, chained, trust
from server.video.likeness import iou

Bytes = NDArray[np.uint8]

_LEAST = np.float32(0.02)  # trust in what is not to be believed: where neither side is, the nearer one counts


@dataclass(frozen=True, eq=False)
class Side:
    """A matte as it was carried from one side: `alpha` (H, W) uint8, and how far it is to be believed there, `trust`
    (h, w) float32, 0 to 1, of the size of flows."""

    alpha: Bytes
    trust: Floats


def carried_from(alpha: Bytes, lumas: Sequence[Bytes], towards: Sequence[Floats], away: Sequence[Floats]) -> list[Side]:
    """Return the matte of the first of some frames, carried to each of the others.

    `alpha`: (H, W) uint8, of the first. `lumas`: (h, w) uint8, of all, by how far they are from it. `towards`: flows
    from each but the first to the one before it in that order; `away`: those back. Flows are chained, since small
    motion is found where large motion is not.
    """
    sides: list[Side] = []
    there = back = None
    for luma, nearer, farther in zip(lumas[1:], towards, away, strict=True):
        there = nearer if there is None else chained(nearer, there)
        back = farther if back is None else chained(back, farther)
        sides.append(Side(carried(alpha, there), trust(there, back, luma, lumas[0])))
    return sides


def blended(one: Side, other: Side, nearness: float) -> Bytes:
    """Return the matte made of both sides, (H, W) uint8. `nearness`: how near `one` is, 0 to 1; the other has the
    rest."""
    ours = np.maximum(one.trust, _LEAST) * np.float32(nearness)
    theirs = np.maximum(other.trust, _LEAST) * np.float32(1 - nearness)
    return _mixed(one.alpha, other.alpha, ours / (ours + theirs))


def agreement(one: Side, other: Side) -> float:
    """Return how alike both sides are where they are to be believed, as IoU."""
    mine = _mixed(one.alpha, other.alpha, np.maximum(one.trust, 1 - other.trust))
    yours = _mixed(other.alpha, one.alpha, np.maximum(other.trust, 1 - one.trust))
    return iou(mine, yours)


def _mixed(one: Bytes, other: Bytes, share: Floats) -> Bytes:
    """Return `share` (h, w) of `one` and the rest of `other`."""
    height, width = one.shape
    weight = cv2.resize(share, (width, height))
    return np.asarray(cv2.blendLinear(one, other, weight, 1 - weight), np.uint8)
