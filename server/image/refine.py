"""A model's alpha to small maps from which full-size alpha and colours follow by arithmetic.

Everything here works at the working size (the model's, or the picture's where that is smaller), in memory, and is
chosen so that applying it at full size is one multiplication and one addition a band:

* alpha = coarse + A · (luma - coarse luma): the model's alpha, plus what the full-size picture shows and the working
  size does not, scaled by the local slope A of alpha over luma. A is the fast guided filter's (He, Sun 2015); its
  offset is not, because it smooths alpha over its window, where the model's own alpha is sharper. With coarse and A
  smooth and luma sharp, hair that is thinner than the model's pixels comes back, and a picture of the working size
  keeps the model's alpha as it is.
* colour = I + (1 - alpha)(F - B): from the compositing equation I = alpha F + (1 - alpha)B, with the local colours F of
  the subject and B of the background by blurring at two radii, weighted by purity (after Forte 2021,
  "Approximate Fast Foreground Colour Estimation").
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from server.image.decode import View

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

BACKGROUND, UNKNOWN, SUBJECT = 0, 128, 255

# Models answer a haze of a few per cent where they are sure; it is taken for what they mean.
_SURE_BELOW, _SURE_ABOVE = 0.03, 0.97
_STRETCH = np.interp(np.arange(256) / 255, (_SURE_BELOW, _SURE_ABOVE), (0, 255)).round().astype(np.uint8)

_SLOPE_RADIUS = 1  # of the windows in which alpha is taken for a line over luma; wider ones smear
_SLOPE_EPSILON = np.float32(1e-3 * 255**2)  # variance of luma (0..255) below which alpha does not follow it
_SLOPE_REACH = np.ones((5, 5), np.uint8)  # two such windows: what a slope depends on
_MARGIN = np.ones((5, 5), np.uint8)  # interpolation and block rounding look up to two pixels around

_COLOUR_SIDE = 256  # local colours vary slowly
_NEAR_RADIUS, _FAR_RADIUS = 1, 8  # in pixels of that side
_PURITY = 8  # a colour counts by alpha to this power: mixed pixels are the question, not the answer
_ENOUGH = 10  # the near surroundings decide where a tenth of them is pure
_LEAST_WEIGHT = np.float32(1e-5)  # where nothing is pure, everything counts alike


@dataclass(frozen=True)
class RefinementMaps:
    """What full-size alpha and colours are made from, all of one working size (H, W).

    `maps`: (H, W, 5) float32: A and B (alpha in 0..255 is A · luma + B cut to a whole number, luma in 0..255), then
    F - B for red, green and blue (-255..255). `trimap`: (H, W) uint8: BACKGROUND or SUBJECT where the maps give
    exactly 0 or 255, also two pixels around; UNKNOWN elsewhere. `alpha`: (H, W) uint8, the model's answer without its
    haze.
    """

    maps: Floats
    trimap: Bytes
    alpha: Bytes


def refine(view: View, alpha: Bytes) -> RefinementMaps:
    """Compute the maps for a picture from a model's answer.

    `view`: the picture at the working size. `alpha`: the model's answer, (h, w) uint8 of any size; 0 background, 255
    subject.
    """
    height, width = view.colour.shape[:2]
    coarse = without_haze(_resized(alpha, (width, height)))
    highest, lowest = cv2.dilate(coarse, _SLOPE_REACH), cv2.erode(coarse, _SLOPE_REACH)
    # In floats, as at full size: alpha may be steep over luma.
    luma = np.asarray(cv2.cvtColor(view.colour.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)
    slope = luma_slope(luma, coarse.astype(np.float32))
    # Exactly none where alpha is sure; rounding leaves a trace.
    slope[(highest == 0) | (lowest == 255)] = 0
    offset = coarse - slope * luma + np.float32(0.5)
    maps = cv2.merge([slope, offset, *cv2.split(_colour_difference(view, coarse))])
    trimap = np.full((height, width), UNKNOWN, np.uint8)
    trimap[cv2.dilate(highest, _MARGIN) == 0] = BACKGROUND
    trimap[cv2.erode(lowest, _MARGIN) == 255] = SUBJECT
    return RefinementMaps(np.asarray(maps, np.float32), trimap, coarse)


def without_haze(alpha: Bytes) -> Bytes:
    """Return a model's answer without the haze that it gives where it is sure; of any shape."""
    return np.asarray(cv2.LUT(alpha, _STRETCH), np.uint8)


def luma_slope(luma: Floats, alpha: Floats) -> Floats:
    """Return the local slope of alpha over luma, a guided filter's smoothed A; all (H, W), 0..255."""
    mean_luma, mean_alpha = _mean(luma, _SLOPE_RADIUS), _mean(alpha, _SLOPE_RADIUS)
    covariance = _mean(luma * alpha, _SLOPE_RADIUS) - mean_luma * mean_alpha
    variance = _mean(luma * luma, _SLOPE_RADIUS) - mean_luma * mean_luma
    return _mean(covariance / np.add(variance, _SLOPE_EPSILON, dtype=np.float32), _SLOPE_RADIUS)


def _colour_difference(view: View, coarse: Bytes) -> Floats:
    """Return the local subject colour less the local background colour, (H, W, 3), -255..255.

    Colours count as far as the input's own alpha shows them.
    """
    height, width = coarse.shape
    side = (min(width, _COLOUR_SIDE), min(height, _COLOUR_SIDE))
    seen = None if view.alpha is None else _resized(view.alpha, side)
    difference = local_difference(_resized(view.colour, side), _resized(coarse, side), seen)
    enlarged = cv2.resize(difference, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.float32).reshape(height, width, 3)


def local_difference(image: Bytes, alpha: Bytes, seen: Bytes | None = None) -> Floats:
    """Return the local subject colour less the local background colour, (H, W, 3) float32, -255..255.

    `image`: (H, W, 3), of any linear colours. `alpha`: (H, W). `seen`: (H, W), how far a pixel's colour counts. The
    surroundings that are looked at are in pixels: made for a longer side of about 256.
    """
    floats, share = image.astype(np.float32), _fraction(alpha)
    subject, background = share**_PURITY, (1 - share) ** _PURITY
    if seen is not None:
        subject, background = subject * _fraction(seen), background * _fraction(seen)
    return _local_colour(floats, subject) - _local_colour(floats, background)


def _local_colour(image: Floats, weight: Floats) -> Floats:
    """Return the weighted mean colour around each pixel, (H, W, 3).

    Of its near surroundings as far as they carry weight, of its far ones elsewhere: one radius alone either misses
    colours or carries them across edges.
    """
    weight = weight + _LEAST_WEIGHT
    weighted = np.dstack([image * weight[..., None], weight])
    near, far = _mean(weighted, _NEAR_RADIUS), _mean(weighted, _FAR_RADIUS)
    near_colour, far_colour = near[..., :3] / near[..., 3:], far[..., :3] / far[..., 3:]
    trust = np.minimum(near[..., 3:] * _ENOUGH, np.float32(1))
    blended: Floats = far_colour + trust * (near_colour - far_colour)
    return blended


def _fraction(levels: Bytes) -> Floats:
    return levels.astype(np.float32) * np.float32(1 / 255)


def _mean(values: Floats, radius: int) -> Floats:
    return np.asarray(cv2.blur(values, (2 * radius + 1,) * 2), np.float32)


def _resized(array: Bytes, side: tuple[int, int]) -> Bytes:
    """Return `array` at `side` = (width, height); OpenCV drops a channel axis, never adds one."""
    if array.shape[1::-1] == side:
        return array
    return np.asarray(cv2.resize(array, side, interpolation=cv2.INTER_AREA), np.uint8)
