"""A shadow before it falls on anything."""

from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from server.composition import Color
from server.image.stage import Stage
from server.shadows.outline import Grid, on_canvas


@dataclass(frozen=True)
class Shade:
    """One colour, and how strong it is where. `strength`: lazy, uchar, one band, of the canvas's size."""

    color: Color
    strength: pyvips.Image

    @property
    def levels(self) -> list[int]:
        """Red, green, blue."""
        return [self.color.red, self.color.green, self.color.blue]

    @property
    def plane(self) -> pyvips.Image:
        """The colour everywhere, lazy: uchar sRGB, three bands."""
        black = pyvips.Image.black(self.strength.width, self.strength.height, bands=3)
        plane = (black + self.levels).cast("uchar") if any(self.levels) else black
        return plane.copy(interpretation="srgb")

    @property
    def image(self) -> pyvips.Image:
        """The shadow alone, lazy: uchar sRGB, four bands, straight alpha, with zeros where there is none."""
        colour = self.plane & (self.strength > 0) if any(self.levels) else self.plane
        return colour.bandjoin(self.strength).copy(interpretation="srgb")


def shade(strength: NDArray[np.float32], color: Color, grid: Grid, stage: Stage, down: int = 0) -> Shade:
    """Return a shadow, `down` pixels lower, from its strength on the grid.

    `strength`: (rows, columns) float32, 0 to 1 of the colour's own alpha.
    """
    levels = np.rint(np.clip(strength, 0, 1) * np.float32(color.alpha)).astype(np.uint8)
    return Shade(color, on_canvas(levels, grid, stage, down))
