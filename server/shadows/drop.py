"""The shadow of a cut-out above a page: the subject's outline, moved and softened."""

from server.composition import DropShadow
from server.image.stage import Stage
from server.shadows.outline import REACH, grid_around, outline, softened
from server.shadows.shade import Shade, shade

_OFFSET, _BLUR = 0.01, 0.015  # of the canvas's longer side


def render(stage: Stage, shadow: DropShadow) -> Shade:
    """Return the shadow, lazy. Its blur is a gaussian whose deviation is half the radius, as CSS has it."""
    longest = max(stage.width, stage.height)
    right = round(longest * _OFFSET) if shadow.offset_x is None else shadow.offset_x
    down = round(longest * _OFFSET) if shadow.offset_y is None else shadow.offset_y
    deviation = (longest * _BLUR if shadow.blur_radius is None else shadow.blur_radius) / 2
    # The subject lies on the canvas; its shadow may lie beyond it, and reach back.
    grid = grid_around(stage, min(REACH * deviation, max(abs(right), abs(down))))
    soft = deviation / grid.cell
    return shade(softened(outline(stage, grid, right, down), soft, soft), shadow.color, grid, stage)
