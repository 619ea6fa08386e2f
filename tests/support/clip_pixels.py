"""RGB to the planes of a video frame and back, in floats: no scaler's shortcuts, so that tests may be strict."""

from enum import Enum

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

_RED_BLUE = {
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.SMPTE170M: (0.299, 0.114),
    Colorspace.ITU624: (0.299, 0.114),
    9: (0.2627, 0.0593),
}
"""Weights of red and blue in luma, by the matrix' number (ITU-T H.273)."""
_UNSPECIFIED = 2


class Colour(Enum):
    """How a clip's colours are encoded, and that it says so: matrix, primaries, transfer, range (ITU-T H.273)."""

    BT601 = int(Colorspace.SMPTE170M), int(ColorPrimaries.SMPTE170M), int(ColorTrc.SMPTE170M), int(ColorRange.MPEG)
    BT709 = int(Colorspace.ITU709), int(ColorPrimaries.BT709), int(ColorTrc.BT709), int(ColorRange.MPEG)
    BT709_FULL = int(Colorspace.ITU709), int(ColorPrimaries.BT709), int(ColorTrc.BT709), int(ColorRange.JPEG)
    BT2020 = 9, int(ColorPrimaries.BT2020), int(ColorTrc.BT2020_10), int(ColorRange.MPEG)


def frame_of(picture: Bytes, colour: Colour, pixels: str = "yuv420p") -> av.VideoFrame:
    """Return a frame of (H, W, 3) uint8: yuv420p, yuv422p, yuv444p, or yuv420p10le."""
    frame = av.VideoFrame(picture.shape[1], picture.shape[0], pixels)
    depth = 10 if "10" in pixels else 8
    forward, null, scale = _matrix(colour.value[0], colour.value[3], depth)
    planes = picture.astype(np.float64) / 255 @ forward.T * scale + null
    for number, plane in enumerate(frame.planes):
        values: Floats = planes[..., number]
        if number:
            padded = cv2.copyMakeBorder(values, 0, picture.shape[0] % 2, 0, picture.shape[1] % 2, cv2.BORDER_REPLICATE)
            shrunk = cv2.resize(padded, (plane.width, plane.height), interpolation=cv2.INTER_AREA)
            values = shrunk.astype(np.float64)
        rounded = np.rint(values)
        _fill(plane, rounded.astype(np.uint8) if depth == 8 else rounded.astype(np.uint16))
    frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = colour.value
    return frame


def rgba(frame: av.VideoFrame) -> Bytes:
    """A decoded frame's pixels by its own matrix and range, BT.709 where it says nothing: (H, W, 4) uint8."""
    if not frame.format.name.startswith("yuv"):
        return np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
    matrix = Colorspace.ITU709 if frame.colorspace == _UNSPECIFIED else frame.colorspace
    depth = frame.format.components[0].bits
    forward, null, scale = _matrix(matrix, frame.color_range or int(ColorRange.MPEG), depth)
    size = frame.width, frame.height
    values = [cv2.resize(_read(plane, depth), size, interpolation=cv2.INTER_LINEAR) for plane in frame.planes]
    levels = (np.dstack(values[:3]) - null) / scale @ np.linalg.inv(forward).T * 255
    alpha = values[3] if len(values) == 4 else np.full_like(values[0], 255)
    return np.asarray(np.rint(np.clip(np.dstack([levels, alpha]), 0, 255)), np.uint8)


def _matrix(matrix: int, levels: int, depth: int) -> tuple[Floats, Floats, Floats]:
    """Return (from RGB to Y, U, V of 0 to 1 and ±0.5; their null; their scale) of a frame's numbers."""
    red, blue = _RED_BLUE[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    forward = np.stack([luma, (np.eye(3)[2] - luma) / (2 - 2 * blue), (np.eye(3)[0] - luma) / (2 - 2 * red)])
    unit = 1 << (depth - 8)
    if levels == ColorRange.JPEG:
        return forward, np.array([0, 128, 128]) * unit, np.full(3, 256.0 * unit - 1)
    return forward, np.array([16, 128, 128]) * unit, np.array([219.0, 224, 224]) * unit


def _fill(plane: VideoPlane, values: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    rows = np.zeros((plane.height, plane.line_size), np.uint8)
    own = np.ascontiguousarray(values).view(np.uint8)
    rows[:, : own.shape[1]] = own
    plane.update(rows.tobytes())


def _read(plane: VideoPlane, depth: int) -> Floats:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
    width = plane.width * (1 if depth == 8 else 2)
    return np.ascontiguousarray(rows[:, :width]).view(np.uint8 if depth == 8 else np.uint16).astype(np.float64)
