"""Where a pixel lies: one world for all sizes, so that the same picture comes out small and large."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""(H, W) float32, or broadcastable to it."""
Picture = NDArray[np.float32]
"""(H, W, 3) float32, linear light with sRGB's primaries; 1 is white, more is brighter than white."""
Colour = NDArray[np.float32]
"""(3,) float32, linear light."""


@dataclass(frozen=True)
class Frame:
    """`width`, `height`: pixels. The world's unit is the longest side; its middle is x = 0, its top y = 0.

    `band`: the rows that are looked at, first and behind the last; all of them unless it is said.
    """

    width: int
    height: int
    band: tuple[int, int] | None = None

    @property
    def _rows(self) -> NDArray[np.int64]:
        return np.arange(*(self.band or (0, self.height)))

    def at_rows(self, first: int, behind: int) -> "Frame":
        """A band of the same view."""
        return replace(self, band=(first, min(behind, self.height)))

    @property
    def unit(self) -> int:
        """Pixels to the world's unit."""
        return max(self.width, self.height)

    @property
    def x(self) -> Field:
        """(1, W): the pixels' centres, from left of 0 to right of it, in units."""
        return np.asarray((np.arange(self.width) + 0.5 - self.width / 2) / self.unit, dtype=np.float32)[None, :]

    @property
    def y(self) -> Field:
        """(H, 1): the pixels' centres, from 0 down, in units."""
        return np.asarray((self._rows + 0.5) / self.unit, dtype=np.float32)[:, None]

    @property
    def v(self) -> Field:
        """(H, 1): the pixels' centres, from 0 at the top to 1 at the bottom."""
        return np.asarray((self._rows + 0.5) / self.height, dtype=np.float32)[:, None]

    @property
    def u(self) -> Field:
        """(1, W): the pixels' centres, from 0 at the left to 1 at the right."""
        return np.asarray((np.arange(self.width) + 0.5) / self.width, dtype=np.float32)[None, :]

    @property
    def aspect(self) -> float:
        """Width by height."""
        return self.width / self.height

    def at_most(self, side: int) -> "Frame":
        """The same view with no side longer than `side` pixels, for what is soft anyway."""
        if self.unit <= side:
            return self
        scale = side / self.unit
        return Frame(max(1, round(self.width * scale)), max(1, round(self.height * scale)))
