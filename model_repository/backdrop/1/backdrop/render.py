"""A background from words: the one function that the model calls."""

import numpy as np
from numpy.typing import NDArray

from backdrop.finish import finish
from backdrop.frame import Frame
from backdrop.grade import grade_of
from backdrop.prompt import read
from backdrop.scenes import choose
from backdrop.stage import Hints, Stage, key_of

MAX_SIDE = 2048


def render(
    prompt: str, negative: str, seed: int, *, width: int, height: int, hints: Hints | None = None
) -> NDArray[np.uint8]:
    """Paint a background: (`height`, `width`, 3) uint8, sRGB. The same arguments give the same bytes.

    Raises:
        ValueError: A side is not 1 to 2048.
    """
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        message = f"a picture of {width}×{height} was asked for; sides may be 1 to {MAX_SIDE} pixels"
        raise ValueError(message)
    frame = Frame(width, height)
    stage = Stage(frame, read(prompt, negative), hints or Hints(), key_of(prompt, negative, seed))
    scene = choose(stage)
    return finish(scene.paint(stage), frame, grade_of(stage.brief, scene.vignette), scene.grain)
