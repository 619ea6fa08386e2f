"""Frames, in order, to their mattes: which way is taken, and what both ways have in common."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from server.video import auto, fast, quality
from server.video.asked import Asked
from server.video.coarse import Coarse
from server.video.finish import Lines, finished, onto_edges, with_detail
from server.video.frame import Frame
from server.video.models import VideoModels
from server.video.task import VideoMatting
from server.video.temporal import Steadied
from server.video.watch import Seen, watched

_FAST_STRETCH = 1.5
_ANY_STRETCH = float("inf")


@dataclass(frozen=True, eq=False)
class Matted:
    """A frame with its matte: (H, W) uint8 of the frame's size, C-contiguous; 0 background, 255 subject."""

    frame: Frame
    alpha: NDArray[np.uint8]


class Mattes:
    """The mattes of one video. What it says of itself is true from the first matte on."""

    def __init__(self, matting: VideoMatting, models: VideoModels, frames: int) -> None:
        """`frames`: how many are expected; more of them may come, or fewer."""
        self.matting = matting
        self.agreement: float | None = None
        self._models = models
        self._frames = frames
        self._asked: list[Asked] = []

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that were asked."""
        return tuple(dict.fromkeys(model.name for model in self._asked))

    @property
    def device(self) -> str:
        """Where the frames' model ran, `device/runtime/precision`."""
        return self._asked[-1].device if self._asked else ""

    def follow(self, frames: Iterable[Frame]) -> Iterator[Matted]:
        """Return every frame with its matte, in order. Holds at most nine frames. Raises what the models raise."""
        coming = iter(frames)
        small = large = None
        if self.matting is VideoMatting.AUTO:
            first = list(islice(coming, auto.FIRST))
            coming = chain(first, coming)
            small, large = self._fast(), self._quality()
            self.agreement = self._tried(first, small, large)
            self.matting = VideoMatting.FAST if self.agreement >= auto.ENOUGH else VideoMatting.QUALITY
            self._asked.sort(key=lambda model: model is (small if self.matting is VideoMatting.FAST else large))
        if self.matting is VideoMatting.FAST:
            small = small or self._fast()
            yield from _steady(fast.every_matte(watched(coming, fast.SIGHT), small.alpha), onto_edges)
        else:
            large = large or self._quality()
            yield from _steady(self._carried(watched(coming, quality.SIGHT), large), with_detail)

    def _carried(self, frames: Iterator[Seen], model: Asked) -> Iterator[Coarse]:
        first = list(islice(frames, 1))
        for seen in first:
            model.keep(seen)
        budget = quality.Budget(self._frames, quality.keys_for(self._frames, model.device))
        return quality.Carrying(model.alpha, budget).follow(chain(first, frames))

    def _tried(self, first: list[Frame], small: Asked, large: Asked) -> float:
        asked = [frame for place, frame in enumerate(first) if place in auto.ASKED]
        ours = [small.keep(seen) for seen in watched(asked, fast.SIGHT)]
        theirs = [large.keep(seen) for seen in watched(asked, quality.SIGHT)]
        return auto.agreement(zip(ours, theirs, strict=True))

    def _fast(self) -> Asked:
        return self._remember(Asked(self._models.fast(), _FAST_STRETCH))

    def _quality(self) -> Asked:
        return self._remember(Asked(self._models.quality(), _ANY_STRETCH))

    def _remember(self, model: Asked) -> Asked:
        self._asked.append(model)
        return model


def build_mattes(matting: VideoMatting, models: VideoModels, frames: int) -> Mattes:
    """Return the mattes of a video of about that many frames."""
    return Mattes(matting, models, frames)


def _steady(mattes: Iterator[Coarse], lines: Lines) -> Iterator[Matted]:
    steadied = Steadied()
    for each in mattes:
        alpha = steadied.next(each.seen, each.alpha)
        yield Matted(each.seen.frame, finished(each.seen, alpha, lines))
