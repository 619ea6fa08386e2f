"""Where a picture lies on the canvas of its result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """A canvas of `width` × `height` pixels, and the picture on it.

    The picture's point (x, y) is the canvas's point (left + scale · x, top + scale · y). It may lie partly outside.
    """

    width: int
    height: int
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0
