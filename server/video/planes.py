"""Pictures as planes of Y, U, V and alpha, laid over one another without a detour over RGB.

4:2:0, BT.709, limited range, as H.264 and VP9 carry them: half of RGB's numbers, and nothing is lost on the way.
Blending is linear, so it comes to the same as in RGB, but for a level that rounding may take. What is surely subject or
surely background stays exactly what it was.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import ArrayLike

from server.image.refine import local_difference
from server.video.frame import Bytes, Frame, resized, to_rgb
from server.video.tiles import held

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
# How much of the background is seen, by alpha. Where it is all, there is no subject to take its light from.
_SEEN_THROUGH = np.array([0, *range(254, -1, -1)], np.uint8)
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

    @property
    def colours(self) -> tuple[Bytes, Bytes, Bytes]:
        """Y, U and V."""
        return self.y, self.u, self.v


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
    differences = cv2.split(local_difference(colours, resized(alpha, small)))
    half = halved(alpha)
    y, u, v = (
        _cleaned(plane, share, difference)
        for plane, share, difference in zip(frame.planes, (alpha, half, half), differences, strict=True)
    )
    if hidden:
        unseen = cv2.inRange(cv2.dilate(alpha, _BEYOND), 0, 0)
        masks = unseen, *[cv2.inRange(halved(np.asarray(unseen, np.uint8)), 255, 255)] * 2
        for plane, mask, level in zip((y, u, v), masks, BLACK, strict=True):
            cv2.copyTo(np.full_like(plane, level), mask, plane)
    return Planes(y, u, v, alpha)


def over(upper: Planes, lower: Planes | None) -> Planes:
    """Lay planes over others (Porter, Duff 1984): copied where they cover and where they are nothing."""
    if lower is None or upper.alpha is None:
        return upper
    total, share = None, upper.alpha
    if lower.alpha is not None:
        left = cv2.multiply(cv2.bitwise_not(upper.alpha), cv2.bitwise_not(lower.alpha), scale=1 / 255)
        total = np.asarray(cv2.bitwise_not(left), np.uint8)
        share = np.asarray(cv2.divide(upper.alpha, total, scale=255), np.uint8)
    half = halved(share)
    y, u, v = (_mixed(*parts) for parts in zip(upper.colours, lower.colours, (share, half, half), strict=True))
    return Planes(y, u, v, total)


def halved(plane: Bytes) -> Bytes:
    """Return (H, W) as (H/2, W/2): each of four pixels the mean."""
    return np.asarray(cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA))


def _cleaned(plane: Bytes, alpha: Bytes, difference: MatLike) -> Bytes:
    """Return a copy of a plane, with so much of the difference added to its soft parts as the background is seen there.

    `difference`: (h, w) float32 of any size, -255 to 255.
    """
    result = np.array(plane)
    soft = held(cv2.inRange(alpha, 1, 254))
    if soft is None:
        return result
    through = cv2.LUT(alpha[soft], _SEEN_THROUGH)
    for sign, change in ((1, cv2.add), (-1, cv2.subtract)):
        gain = cv2.resize(_whole(difference * np.float32(sign)), plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
        result[soft] = change(result[soft], cv2.multiply(gain[soft], through, scale=1 / 255))
    return result


def _mixed(upper: Bytes, lower: Bytes, share: Bytes) -> Bytes:
    result = np.array(lower)
    some = held(share)
    if some is None:
        return result
    above = cv2.multiply(upper[some], share[some], scale=1 / 255)
    below = cv2.multiply(lower[some], cv2.bitwise_not(share[some]), scale=1 / 255)
    result[some] = cv2.add(above, below)
    return result


def _whole(levels: ArrayLike) -> Bytes:
    return np.asarray(np.rint(np.clip(np.asarray(levels, np.float32), 0, 255)), np.uint8)
