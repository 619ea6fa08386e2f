"""One frame of a video, between decoding and encoding."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

# ITU-R BT.709, limited range: levels of R, G, B from those of Y, U, V and 1.
_TO_RGB = np.array(
    [
        [255 / 219, 0, 1.5748 * 255 / 224],
        [255 / 219, -0.187324 * 255 / 224, -0.468124 * 255 / 224],
        [255 / 219, 1.8556 * 255 / 224, 0],
    ],
    np.float32,
)
_NULL = np.array([16, 128, 128], np.float32)
_MATRIX = np.column_stack([_TO_RGB, -_TO_RGB @ _NULL])


@dataclass(frozen=True, eq=False)
class Frame:
    """One upright frame: planes of 8 bits, 4:2:0, BT.709, limited range (Y 16 to 235, U and V 16 to 240).

    `number`: from 0. `time_s`: from the first frame's. `y`: (H, W) uint8, H and W even. `u`, `v`: (H/2, W/2) uint8.
    Planes may be parts of wider arrays, and are not to be written to.
    """

    number: int
    time_s: float
    y: Bytes
    u: Bytes
    v: Bytes

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.y.shape
        return height, width

    @property
    def planes(self) -> tuple[Bytes, Bytes, Bytes]:
        """Y, U and V."""
        return self.y, self.u, self.v

    @property
    def luma(self) -> Bytes:
        """The Y plane: (H, W) uint8, 16 to 235."""
        return self.y

    def view(self, size: tuple[int, int]) -> Bytes:
        """Return a copy at `size` = (height, width): (height, width, 3) uint8 sRGB, averaged where it shrinks."""
        return to_rgb(self.planes, size)


def to_rgb(planes: tuple[Bytes, Bytes, Bytes], size: tuple[int, int]) -> Bytes:
    """Return Y, U and V at `size` = (height, width): (height, width, 3) uint8 sRGB."""
    return np.asarray(cv2.transform(cv2.merge([resized(plane, size) for plane in planes]), _MATRIX), np.uint8)


def resized(plane: Bytes, size: tuple[int, int]) -> Bytes:
    """Return a plane at `size` = (height, width), averaged where it shrinks."""
    shrinks = size[0] <= plane.shape[0] and size[1] <= plane.shape[1]
    if shrinks:
        # By a whole number first, which OpenCV averages many times faster.
        most = min(plane.shape[0] // size[0], plane.shape[1] // size[1])
        step = next(n for n in range(most, 0, -1) if plane.shape[0] % n == plane.shape[1] % n == 0)
        whole = plane.shape[1] // step, plane.shape[0] // step
        plane = plane if step == 1 else np.asarray(cv2.resize(plane, whole, interpolation=cv2.INTER_AREA), np.uint8)
    if plane.shape == size:
        return plane
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=method), np.uint8)
