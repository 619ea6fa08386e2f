"""Pictures as planes of Y, U, V and alpha, laid over one another without a detour over RGB.

4:2:0, BT.709, limited range, as H.264 and VP9 carry them: half of RGB's numbers, and nothing is lost on the way.
Blending is linear, so it comes to the same as in RGB. Most of a frame is surely subject or surely background and is
copied; arithmetic runs in the band between.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from server.image.refine import local_difference
from server.video.frame import Bytes, Frame, resized, to_rgb

# ITU-R BT.709, limited range: Y, U, V from levels of R, G, B and 1.
_FROM_RGB = np.array(
    [
        [0.2126 * 219 / 255, 0.7152 * 219 / 255, 0.0722 * 219 / 255, 16],
        [-0.114572 * 224 / 255, -0.385428 * 224 / 255, 0.5 * 224 / 255, 128],
        [0.5 * 224 / 255, -0.454153 * 224 / 255, -0.045847 * 224 / 255, 128],
    ]
)
BLACK = 16, 128, 128
"""Y, U, V."""
_WEIGHTS = (np.arange(256) / 255).astype(np.float32)
_DENSE = 0.1  # of a plane: with more of it in the band, arithmetic on all of it is quicker; off by 1 at most
_LOCAL_SIDE = 160  # of the picture in which local colours are looked for
# How far around a transparent result's subject its colours go on, unseen: a codec smears what it cannot see.
_BEYOND = np.ones((17, 17), np.uint8)


@dataclass(frozen=True, eq=False)
class Planes:
    """`y`: (H, W) uint8. `u`, `v`: (H/2, W/2) uint8. `alpha`: (H, W) uint8, straight; None where all is opaque."""

    y: Bytes
    u: Bytes
    v: Bytes
    alpha: Bytes | None = None

    @cached_property
    def shares(self) -> tuple["Share", "Share", "Share"]:
        """What alpha is for Y, U and V."""
        if self.alpha is None:
            raise ValueError("opaque planes have no alpha")
        return shares_of(self.alpha)

    @property
    def colours(self) -> tuple[Bytes, Bytes, Bytes]:
        """Y, U and V."""
        return self.y, self.u, self.v


@dataclass(frozen=True, eq=False)
class Share:
    """How much a plane counts: `levels`, of its size, uint8. `band`: where that is neither 0 nor 255, in the flattened
    plane."""

    levels: Bytes
    band: NDArray[np.intp]

    @property
    def weights(self) -> NDArray[np.float32]:
        """In the band, 0 to 1."""
        return _WEIGHTS[self.levels.reshape(-1)[self.band]]


def shares_of(alpha: Bytes) -> tuple[Share, Share, Share]:
    """Return how much each of Y, U and V counts."""
    full, half = (
        Share(each, np.flatnonzero(cv2.inRange(each, 1, 254).astype(bool))) for each in (alpha, halved(alpha))
    )
    return full, half, half


def from_rgb(pixels: Bytes) -> Planes:
    """Return (H, W, 3) uint8 sRGB, or with a fourth band of straight alpha, as planes; H and W even."""
    levels = np.asarray(cv2.transform(pixels[..., :3].astype(np.float32), _FROM_RGB), np.float32)
    half = levels.shape[1] // 2, levels.shape[0] // 2
    u, v = (_whole(cv2.resize(levels[..., n], half, interpolation=cv2.INTER_AREA)) for n in (1, 2))
    opaque = pixels.shape[2] == 3
    return Planes(_whole(levels[..., 0]), u, v, None if opaque else np.ascontiguousarray(pixels[..., 3]))


def to_pixels(planes: Planes) -> Bytes:
    """Return planes as (H, W, 3) uint8 sRGB, or with a fourth band of straight alpha, and no colour where it is 0."""
    height, width = planes.y.shape
    pixels = to_rgb(planes.colours, (height, width))
    if planes.alpha is None:
        return pixels
    seen = cv2.bitwise_and(pixels, pixels, mask=planes.alpha)
    return np.dstack([seen, planes.alpha])


def plain(rgb: list[int], alpha: Bytes) -> Planes:
    """Return one colour everywhere, of that alpha."""
    y, u, v = from_rgb(np.full((2, 2, 3), rgb, np.uint8)).colours
    (height, width), half = alpha.shape, (alpha.shape[0] // 2, alpha.shape[1] // 2)
    return Planes(np.full((height, width), y[0, 0]), np.full(half, u[0, 0]), np.full(half, v[0, 0]), alpha)


def cut_out(frame: Frame, alpha: Bytes, *, hidden: bool) -> Planes:
    """Return a frame's subject: the background's light is taken out of its soft edge.

    From the compositing equation I = alpha F + (1 - alpha) B: F = I + (1 - alpha)(F - B), with the local colours of
    both (see `server.image.refine`). `alpha`: (H, W) uint8. `hidden`: whether what is transparent is made black.
    """
    scale = min(1.0, _LOCAL_SIDE / max(frame.size))
    small = max(1, round(frame.size[0] * scale)), max(1, round(frame.size[1] * scale))
    colours = np.dstack([resized(plane, small) for plane in frame.planes])
    difference = local_difference(colours, resized(alpha, small))
    shares = shares_of(alpha)
    y, u, v = (
        _cleaned(plane, share, difference[..., number])
        for number, (plane, share) in enumerate(zip(frame.planes, shares, strict=True))
    )
    if hidden:
        unseen = cv2.inRange(cv2.dilate(alpha, _BEYOND), 0, 0)
        masks = unseen, *[cv2.inRange(halved(np.asarray(unseen, np.uint8)), 255, 255)] * 2
        for part, mask, level in zip((y, u, v), masks, BLACK, strict=True):
            cv2.copyTo(np.full_like(part, level), mask, part)
    return Planes(y, u, v, alpha)


def over(upper: Planes, lower: Planes | None) -> Planes:
    """Lay planes over others (Porter, Duff 1984): copied where they cover and where they are nothing."""
    if lower is None or upper.alpha is None:
        return upper
    if lower.alpha is None:
        total, shares = None, upper.shares
    else:
        left = cv2.multiply(cv2.bitwise_not(upper.alpha), cv2.bitwise_not(lower.alpha), scale=1 / 255)
        total = np.asarray(cv2.bitwise_not(left), np.uint8)
        shares = shares_of(np.asarray(cv2.divide(upper.alpha, total, scale=255), np.uint8))
    y, u, v = (_mixed(*parts) for parts in zip(upper.colours, lower.colours, shares, strict=True))
    return Planes(y, u, v, total)


def halved(plane: Bytes) -> Bytes:
    """Return (H, W) as (H/2, W/2): each of four pixels the mean."""
    return np.asarray(cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA))


def _cleaned(plane: Bytes, share: Share, difference: NDArray[np.float32]) -> Bytes:
    """Add so much of the difference to a plane, in the band, as the background is seen."""
    result = np.array(plane)
    if share.band.size:
        gain = np.asarray(cv2.resize(difference, plane.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        colours = result.reshape(-1)[share.band] + gain.reshape(-1)[share.band] * (1 - share.weights)
        result.reshape(-1)[share.band] = _whole(colours)
    return result


def _mixed(upper: Bytes, lower: Bytes, share: Share) -> Bytes:
    if share.band.size > _DENSE * share.levels.size:
        above = cv2.multiply(upper, share.levels, scale=1 / 255)
        below = cv2.multiply(lower, cv2.bitwise_not(share.levels), scale=1 / 255)
        return np.asarray(cv2.add(above, below), np.uint8)
    result = np.array(lower)
    cv2.copyTo(upper, cv2.inRange(share.levels, 255, 255), result)
    if share.band.size:
        under = lower.reshape(-1)[share.band].astype(np.float32)
        result.reshape(-1)[share.band] = _whole(under + share.weights * (upper.reshape(-1)[share.band] - under))
    return result


def _whole(levels: ArrayLike) -> Bytes:
    return np.asarray(np.rint(np.clip(np.asarray(levels, np.float32), 0, 255)), np.uint8)
