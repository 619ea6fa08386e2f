"""A photographer's paper sweep: a wall that curves into the floor, lit from one side, and falls off."""

import numpy as np

from backdrop.colour import hue
from backdrop.frame import Picture
from backdrop.stage import Stage


def paint(stage: Stage) -> Picture:
    """Paint it."""
    frame, brief = stage.frame.at_most(512), stage.brief
    paper = (brief.colours or (hue(stage.chance("hue", 0, 360), 0.88, 0.02),))[0]
    away = (frame.x - stage.light_side * np.float32(0.35)) ** 2 + (frame.y - np.float32(0.3)) ** 2
    return np.asarray(paper * np.exp(-away * np.float32(1.2))[:, :, None], dtype=np.float32)
