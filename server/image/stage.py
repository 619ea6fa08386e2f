"""What a background or a shadow is drawn for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.image.decode import View
from server.image.layout import Layout


@dataclass(frozen=True)
class Stage:
    """The canvas, and small copies of what stands on it: from these, and from no full-size pixel, renderers draw.

    `layout`: the canvas, and where the whole picture lies on it. `picture_size`: (height, width) of the upright picture
    in pixels. `view`: the picture at the working size (H, W), whose proportions may differ from the picture's.
    `alpha`: (H, W) uint8; 0 background, 255 subject.
    """

    layout: Layout
    picture_size: tuple[int, int]
    view: View
    alpha: NDArray[np.uint8]

    @property
    def width(self) -> int:
        """Of the canvas, in pixels."""
        return self.layout.width

    @property
    def height(self) -> int:
        """Of the canvas, in pixels."""
        return self.layout.height
