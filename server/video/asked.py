"""A matting model, as one video asks it: frames of any proportions, in a picture of the model's own."""

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from server.image.box import Box
from server.image.refine import without_haze
from server.matting import MattingModel
from server.video.models import MattingModels
from server.video.watch import Seen

Bytes = NDArray[np.uint8]


class Asked:
    """One model, with what it has answered of frames that come again: `auto` looks at the first ones twice."""

    def __init__(self, model: MattingModels, most_stretch: float) -> None:
        """`most_stretch`: how many times longer one side may become beside the other before bars are added."""
        self._made = model
        self._most_stretch = most_stretch
        self._kept: dict[int, Bytes] = {}
        self.device = ""  # where it ran, `device/runtime/precision`; empty until it was asked

    @cached_property
    def _model(self) -> MattingModel:
        return self._made()

    @property
    def name(self) -> str:
        """Name of the model in the repository."""
        return self._model.name

    def alpha(self, seen: Seen) -> Bytes:
        """Return the matte of a frame, (H, W) uint8 at the working size. Raises what the model raises."""
        kept = self._kept.pop(seen.frame.number, None)
        return self._ask(seen) if kept is None else kept

    def keep(self, seen: Seen) -> Bytes:
        """Return the same, and keep it for whoever asks next."""
        self._kept[seen.frame.number] = alpha = self.alpha(seen)
        return alpha

    def _ask(self, seen: Seen) -> Bytes:
        box = place(seen.frame.size, self._model.size, self._most_stretch)
        view = seen.frame.view((box.height, box.width))
        height, width = self._model.size
        right, bottom = width - box.right, height - box.bottom
        picture = cv2.copyMakeBorder(view, box.top, bottom, box.left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        matte = self._model.infer(np.asarray(picture, np.uint8))
        self.device = matte.device
        answer = without_haze(matte.alpha)[box.top : box.bottom, box.left : box.right]
        shrinks = answer.shape[0] >= seen.luma.shape[0]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(answer, seen.luma.shape[::-1], interpolation=method), np.uint8)


def place(size: tuple[int, int], within: tuple[int, int], most_stretch: float) -> Box:
    """Return where a picture of `size` = (height, width) goes in one of size `within`: in its middle, as large as it
    can be when no side becomes more than `most_stretch` times longer beside the other."""
    down, across = within[0] / size[0], within[1] / size[1]
    down, across = min(down, across * most_stretch), min(across, down * most_stretch)
    height, width = max(1, round(size[0] * down)), max(1, round(size[1] * across))
    return Box((within[0] - height) // 2, (within[1] - width) // 2, width, height)
