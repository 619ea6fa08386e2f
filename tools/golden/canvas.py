"""Where subjects are drawn: a colour and a coverage at four times the size, so that edges are soft as in a photo."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float]

SAMPLES = 4
"""Samples along each side of a pixel."""


@dataclass(frozen=True)
class Subject:
    """A subject alone. `colour`: (H, W, 3) float32, 0–255 sRGB, multiplied by `alpha`: (H, W) float32, 0–1."""

    colour: Floats
    alpha: Floats


class Canvas:
    """Draws what lies in front over what lies behind. Places are in pixels of the picture, x to the right, y down."""

    def __init__(self, width: int, height: int) -> None:
        self._colour = np.zeros((height * SAMPLES, width * SAMPLES, 3), np.float32)
        self._covered = np.zeros((height * SAMPLES, width * SAMPLES), np.float32)

    def grid(self) -> tuple[Floats, Floats]:
        """x and y of every sample."""
        rows, columns = np.mgrid[: self._covered.shape[0], : self._covered.shape[1]].astype(np.float32)
        return (columns + 0.5) / SAMPLES, (rows + 0.5) / SAMPLES

    def paint(self, inside: NDArray[np.bool_], colour: Floats) -> None:
        """Cover the samples `inside` with `colour`, (H, W, 3), both of the grid's size."""
        self._colour[inside], self._covered[inside] = colour[inside], 1

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a line through `points`."""
        places = _scaled(points)
        for layer, value in ((self._colour, colour), (self._covered, (1.0, 1.0, 1.0))):
            cv2.polylines(layer, [places], isClosed=False, color=value, thickness=max(round(width * SAMPLES), 1))

    def fill(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the polygon with these corners."""
        places = _scaled(points)
        for layer, value in ((self._colour, colour), (self._covered, (1.0, 1.0, 1.0))):
            cv2.fillPoly(layer, [places], color=value)

    def subject(self) -> Subject:
        """What was drawn, at the picture's size."""
        size = self._covered.shape[1] // SAMPLES, self._covered.shape[0] // SAMPLES
        colour = cv2.resize(self._colour * self._covered[..., None], size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(self._covered, size, interpolation=cv2.INTER_AREA)
        return Subject(np.asarray(colour, np.float32), np.asarray(alpha, np.float32))


def _scaled(points: Sequence[Point]) -> NDArray[np.int32]:
    return np.asarray(np.rint(np.asarray(points) * SAMPLES), np.int32)
