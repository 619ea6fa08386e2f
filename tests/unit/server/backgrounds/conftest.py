"""A canvas to draw on."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from server.image.decode import View
from server.image.layout import Layout
from server.image.stage import Stage

MakeStage = Callable[..., Stage]


@pytest.fixture(scope="session")
def stage_of() -> MakeStage:
    """Makes the stage of a picture that is its own canvas, or lies on `layout`."""

    def make(
        width: int,
        height: int,
        *,
        view: NDArray[np.uint8] | None = None,
        alpha: NDArray[np.uint8] | None = None,
        own_alpha: NDArray[np.uint8] | None = None,
        layout: Layout | None = None,
    ) -> Stage:
        view = np.zeros((min(height, 256), min(width, 256), 3), np.uint8) if view is None else view
        alpha = np.zeros(view.shape[:2], np.uint8) if alpha is None else alpha
        return Stage(layout or Layout(width, height), (height, width), View(view, own_alpha), alpha)

    return make
