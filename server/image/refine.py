"""A model's alpha to small maps from which full-resolution alpha and colours follow by arithmetic.

Everything here works at the working size (the model's, or the picture's where that is smaller), in memory. Two
methods are combined, so that applying them at full size is one multiplication and one addition a band:

* the fast guided filter (He, Sun 2015, "Fast Guided Filter"): alpha = A · luma + B, where A and B are smooth
  and luma is sharp, so that hair the model has never seen at its size comes back;
* local foreground and background colours by blurring (Forte 2021, "Approximate Fast Foreground Colour
  Estimation"), whose difference is what has to be added where a pixel is not all subject:
  I = aF + (1 - a)B, hence F = I + (1 - a)(F - B).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from server.image.decode import View

Floats = NDArray[np.float32]

BACKGROUND, UNKNOWN, SUBJECT = 0, 128, 255

# Models answer a haze of a few per cent where they are sure; it is taken for what they mean.
_SURE_BELOW, _SURE_ABOVE = 0.03, 0.97
_GUIDE_RADIUS = 4
_GUIDE_EPSILON = 1e-4  # variance of luma in 0..1 under which alpha is smoothed instead of following the picture
_COLOUR_SIDE = 512
_FAR_RADIUS, _NEAR_RADIUS = 22, 3  # of the colour estimate, in pixels of _COLOUR_SIDE
_NO_WEIGHT = 1e-3


@dataclass(frozen=True)
class RefinementMaps:
    """What full-size alpha and colours are made from, all of one working size (H, W).

    `maps`: (H, W, 5) float32: A and B (alpha in 0..255 is A · luma + B cut to a whole number, luma in 0..255), then
    F - B for red, green and blue (-255..255). `trimap`: (H, W) uint8: BACKGROUND or
    SUBJECT where the maps give exactly 0 or 255, also two pixels around; UNKNOWN elsewhere.
    """

    maps: Floats
    trimap: NDArray[np.uint8]


def refine(view: View, alpha: NDArray[np.uint8]) -> RefinementMaps:
    """Compute the maps for a picture from a model's answer.

    `view`: the picture at the working size. `alpha`: the model's answer, (h, w) uint8 of any size; 0 background, 255
    subject.
    """
    height, width = view.colour.shape[:2]
    if alpha.shape != (height, width):
        alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    coarse = (alpha * np.float32(1 / 255) - np.float32(_SURE_BELOW)) / np.float32(_SURE_ABOVE - _SURE_BELOW)
    coarse = np.clip(coarse, np.float32(0), np.float32(1))
    slope, offset, band = _guided(view.flattened(), coarse)
    seen = None if view.alpha is None else view.alpha.astype(np.float32) * (1 / 255)
    difference = _colour_difference(view.colour, coarse, seen)
    if view.alpha is not None:
        band = band | (view.alpha < 255)
    return RefinementMaps(np.dstack([slope, offset * 255 + 0.5, difference]), _trimap(coarse, band))


def _guided(image: NDArray[np.uint8], coarse: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return slope and offset of alpha over luma, and where they are more than the coarse alpha itself."""
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) * (1 / 255)
    mean_guide, mean_alpha = _mean(guide, _GUIDE_RADIUS), _mean(coarse, _GUIDE_RADIUS)
    covariance = _mean(guide * coarse, _GUIDE_RADIUS) - mean_guide * mean_alpha
    variance = _mean(guide * guide, _GUIDE_RADIUS) - mean_guide * mean_guide
    slope = covariance / (variance + _GUIDE_EPSILON)
    offset = mean_alpha - slope * mean_guide
    slope, offset = _mean(slope, _GUIDE_RADIUS), _mean(offset, _GUIDE_RADIUS)
    # Only the band between the sure areas is refined, and the refinement fades in over it.
    unsure = ((coarse > 0) & (coarse < 1)).astype(np.float32)
    weight = _mean(np.asarray(cv2.dilate(unsure, np.ones((3, 3))), np.float32), 2)
    weight[weight < 1e-3] = 0  # what the running sums of the blur leave
    return slope * weight, offset * weight + coarse * (1 - weight), weight > 0


def _colour_difference(colour: NDArray[np.uint8], coarse: Floats, seen: Floats | None) -> Floats:
    """Return the local subject colour less the local background colour, (H, W, 3), -255..255.

    `seen`: the input's own alpha, 0..1, so that colours nobody sees do not count; None where all is seen.
    """
    height, width = coarse.shape
    side = (min(width, _COLOUR_SIDE), min(height, _COLOUR_SIDE))
    image = _resized(colour, side)
    subject = _resized(coarse, side)
    visible = np.ones_like(subject) if seen is None else _resized(seen, side)
    difference = _local_colour(image, subject * visible) - _local_colour(image, (1 - subject) * visible)
    enlarged = cv2.resize(difference, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.float32).reshape(height, width, 3)


def _local_colour(image: Floats, weight: Floats) -> Floats:
    """Return the weighted mean colour around each pixel: of its near surroundings as far as they carry weight, of its
    far ones elsewhere. One radius alone either misses colours or carries them across edges."""
    weighted = np.dstack([image * weight[..., None], weight])
    near, far = _mean(weighted, _NEAR_RADIUS), _mean(weighted, _FAR_RADIUS)
    trust = np.minimum(near[..., 3:] * 4, np.float32(1))
    near_colour = near[..., :3] / (near[..., 3:] + _NO_WEIGHT)
    far_colour = far[..., :3] / (far[..., 3:] + _NO_WEIGHT)
    blended: Floats = near_colour * trust + far_colour * (1 - trust)
    return blended


def _mean(values: Floats, radius: int) -> Floats:
    return np.asarray(cv2.blur(values, (2 * radius + 1,) * 2), np.float32)


def _resized(array: NDArray[np.uint8] | Floats, side: tuple[int, int]) -> Floats:
    resized = cv2.resize(array, side, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.float32).reshape(side[1], side[0], *array.shape[2:])


def _trimap(coarse: Floats, band: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return where the result is sure, with a margin: interpolation and block rounding look up to two pixels around."""
    unknown = cv2.dilate((band | (coarse > 0) & (coarse < 1)).astype(np.uint8), np.ones((5, 5), np.uint8))
    # Sure areas of both kinds may touch where the model is sharp: that edge is unknown too.
    high, low = cv2.dilate(coarse, np.ones((5, 5))), cv2.erode(coarse, np.ones((5, 5)))
    sure = (unknown == 0) & (high == low)
    return np.where(sure, np.where(coarse > 0.5, SUBJECT, BACKGROUND), UNKNOWN).astype(np.uint8)
