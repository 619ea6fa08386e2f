"""A decoded frame, whatever its pixels are, to upright planes of BT.709."""

from dataclasses import dataclass
from typing import cast

import av
import cv2
import numpy as np
from av.buffer import Buffer
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Interpolation
from numpy.typing import NDArray

from server.video.frame import Bytes

# ITU-T H.273, table 4: number of a matrix → weights of red and blue in luma.
_BT709, _UNSPECIFIED, _BT601 = 1, 2, 6
_WEIGHTS = {_BT709: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), _BT601: (0.299, 0.114)}
_WEIGHTS |= {7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
_RGB = 0
_HD_FROM = 1280, 577  # width or height from which what says nothing is BT.709, as players take it
_EXACT = Interpolation.ACCURATE_RND | Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT
_PLANES = 3


@dataclass(frozen=True)
class Turn:
    """How a frame is made upright: rows and columns are swapped, then it is flipped."""

    swapped: bool = False
    across: bool = False
    down: bool = False

    def of(self, plane: Bytes) -> Bytes:
        """Return the plane, upright; the same one where nothing is to be done."""
        if self.swapped:
            plane = np.asarray(cv2.transpose(plane), np.uint8)
        if not (self.across or self.down):
            return plane
        code = 0 if not self.across else (-1 if self.down else 1)
        return np.asarray(cv2.flip(plane, code), np.uint8)


def turn_of(frame: av.VideoFrame) -> Turn:
    """Return how a player shows a frame: its display matrix, in quarter turns (ISO/IEC 14496-12, 6.2.2)."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Turn()
    (a, b, _), (c, d, _), _ = np.frombuffer(memoryview(cast("Buffer", data)), np.int32).reshape(3, 3).tolist()
    if abs(b) > abs(a):
        return Turn(swapped=True, across=c < 0, down=b < 0)
    return Turn(across=a < 0, down=d < 0)


def planes_of(frame: av.VideoFrame, size: tuple[int, int]) -> tuple[Bytes, Bytes, Bytes]:
    """Return Y, U, V of 8 bits, 4:2:0, BT.709, limited range, not yet turned.

    `size`: (height, width) that is wanted, both even; a frame that has a pixel more loses it, any other is scaled.
    """
    matrix = _matrix(frame)
    height, width = size
    own = frame.height - frame.height % 2, frame.width - frame.width % 2
    limited = frame.color_range != ColorRange.JPEG and frame.format.name != "yuvj420p"
    if not (limited and frame.format.name == "yuv420p" and own == size):
        numbers = None if matrix == _RGB else matrix
        frame = frame.reformat(
            *((frame.width, frame.height) if own == size else (width, height)),
            format="yuv420p",
            src_colorspace=numbers,
            dst_colorspace=numbers or _BT709,
            src_color_range=ColorRange.MPEG if limited else ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=_EXACT,
        )
        matrix = matrix or _BT709
    y, u, v = (_array(plane) for plane in frame.planes[:_PLANES])
    y, u, v = y[:height, :width], u[: height // 2, : width // 2], v[: height // 2, : width // 2]
    return (y, u, v) if matrix == _BT709 else _to_bt709(y, u, v, matrix)


def _matrix(frame: av.VideoFrame) -> int:
    if frame.format.name.startswith(("rgb", "bgr", "gbr", "argb", "abgr")):
        return _RGB
    if frame.colorspace in _WEIGHTS:
        return int(frame.colorspace)
    return _BT709 if frame.width >= _HD_FROM[0] or frame.height >= _HD_FROM[1] else _BT601


def _to_bt709(y: Bytes, u: Bytes, v: Bytes, matrix: int) -> tuple[Bytes, Bytes, Bytes]:
    """Change the matrix, at the price of a few planes: what luma is to lose or gain follows from U and V alone."""
    change = _between(matrix)
    chroma = np.asarray(cv2.merge([u, v]), np.uint8)
    new = np.asarray(cv2.transform(chroma, _affine(change[1:, 1:], 128.0)), np.uint8)
    gain = np.asarray(cv2.transform(chroma.astype(np.float32), _affine(change[:1, 1:], 0.0)), np.float32)
    gain = np.asarray(cv2.resize(gain, y.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(cv2.add(y, gain, dtype=cv2.CV_8U), np.uint8), new[..., 0], new[..., 1]


def _affine(matrix: NDArray[np.float64], null: float) -> NDArray[np.float64]:
    """Return `matrix` for levels whose null is 128, with another null for its results."""
    return np.column_stack([matrix, null - matrix.sum(axis=1) * 128])


def _between(matrix: int) -> NDArray[np.float64]:
    """Return the levels of Y, U, V of BT.709 from those of another matrix, (3, 3), nulls left out."""
    levels = np.diag([219.0, 224, 224])
    return np.asarray(
        levels @ _from_rgb(*_WEIGHTS[_BT709]) @ np.linalg.inv(_from_rgb(*_WEIGHTS[matrix])) @ np.linalg.inv(levels)
    )


def _from_rgb(red: float, blue: float) -> NDArray[np.float64]:
    luma = np.array([red, 1 - red - blue, blue])
    return np.stack([luma, (np.array([0, 0, 1]) - luma) / (2 - 2 * blue), (np.array([1, 0, 0]) - luma) / (2 - 2 * red)])


def _array(plane: VideoPlane) -> Bytes:
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
