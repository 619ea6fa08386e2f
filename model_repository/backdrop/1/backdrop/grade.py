"""The moods: what is done to a whole picture after it is painted, as a photographer grades one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backdrop.colour import LUMA
from backdrop.frame import Field, Frame
from backdrop.prompt import Brief


@dataclass(frozen=True)
class Grade:
    """`matrix`: (3, 3), linear light in to linear light out. `lift`, `contrast`: of the encoded picture. `vignette`."""

    matrix: NDArray[np.float32]
    lift: float
    contrast: float
    vignette: float

    def curve(self, encoded: Field) -> Field:
        """Contrast around the middle, then lifted towards white."""
        if self.contrast != 1:
            encoded = encoded + (encoded - encoded * encoded) * (2 * encoded - 1) * np.float32(self.contrast - 1) * 2
        return encoded if self.lift == 0 else encoded * np.float32(1 - self.lift) + np.float32(self.lift)

    def shade(self, frame: Frame) -> Field:
        """(H, W): how much darker the corners are, in linear light."""
        x, y = frame.u - np.float32(0.5), frame.v - np.float32(0.5)
        return 1 - np.float32(self.vignette) * (x * x + y * y) * 2


_BALANCE = {"warm": (1.07, 1.0, 0.84), "cold": (0.86, 0.98, 1.1)}
_EXPOSURE = {"dark": 0.5, "bright": 1.22, "moody": 0.72, "dramatic": 0.9, "pastel": 1.1}
_CHROMA = {"vivid": 1.3, "muted": 0.6, "pastel": 0.72, "moody": 0.72, "dramatic": 1.08}
_CONTRAST = {"dramatic": 1.5, "soft": 0.8, "muted": 0.88, "vivid": 1.15, "pastel": 0.75, "moody": 1.15, "elegant": 1.1}
_LIFT = {"pastel": 0.12, "soft": 0.025, "muted": 0.04, "foggy": 0.03}
_VIGNETTE = {"dramatic": 0.6, "moody": 0.6, "dark": 0.45, "elegant": 0.3, "bright": -0.15, "minimal": -0.1}


def grade_of(brief: Brief, vignette: float) -> Grade:
    """What the moods of a prompt ask for. `vignette`: what the scene has anyway."""
    moods = brief.names("mood")
    balance = np.array([_BALANCE.get(mood, (1, 1, 1)) for mood in moods] or [(1, 1, 1)]).prod(axis=0)
    gain = float(np.prod([_EXPOSURE.get(mood, 1.0) for mood in moods]))
    chroma = float(np.prod([_CHROMA.get(mood, 1.0) for mood in moods]))
    # Towards each colour's own grey, or away from it.
    mixing = np.eye(3) * chroma + np.outer(np.ones(3), LUMA) * (1 - chroma)
    return Grade(
        (np.diag(balance * gain) @ mixing).astype(np.float32),
        min(sum(_LIFT.get(mood, 0.0) for mood in moods), 0.16),
        float(np.clip(np.prod([_CONTRAST.get(mood, 1.0) for mood in moods]), 0.6, 1.7)),
        float(np.clip(vignette + sum(_VIGNETTE.get(mood, 0.0) for mood in moods), 0, 0.8)),
    )
