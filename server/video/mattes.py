"""Frames, in order, to their mattes: which way is taken, and what both ways have in common."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby, islice

import numpy as np
from numpy.typing import NDArray

from server.video import auto, fast, quality
from server.video.asked import Asked
from server.video.coarse import Coarse
from server.video.finish import Lines, finished, onto_edges, with_detail
from server.video.frame import Frame
from server.video.models import VideoModels
from server.video.noise import noise_of
from server.video.task import VideoMatting
from server.video.temporal import Steadied
from server.video.watch import Seen, watched


@dataclass(frozen=True, eq=False)
class Matted:
    """A frame with its matte: (H, W) uint8 of the frame's size, C-contiguous; 0 background, 255 subject."""

    frame: Frame
    alpha: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Rough:
    """A matte as it was found, and the lines that it is finished by."""

    found: Coarse
    lines: Lines


class Mattes:
    """The mattes of one video. What it says of itself is true once the last frame has its own."""

    def __init__(self, matting: VideoMatting, models: VideoModels, frames: int) -> None:
        """`frames`: how many are expected; more of them may come, or fewer."""
        self._wanted = matting
        self._fast = Asked(models.fast, fast.MOST_STRETCH)
        self._quality = Asked(models.quality, quality.MOST_STRETCH)
        self._budget = quality.Budget(frames)
        self.matting = VideoMatting.FAST if matting is VideoMatting.FAST else VideoMatting.QUALITY
        self.agreement: float | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that were asked."""
        return tuple(dict.fromkeys(model.name for model in (self._fast, self._quality) if model.device))

    @property
    def device(self) -> str:
        """Where the model ran that found the subject, `device/runtime/precision`."""
        return (self._fast if self.matting is VideoMatting.FAST else self._quality).device

    def follow(self, frames: Iterable[Frame]) -> Iterator[Matted]:
        """Return every frame with its matte, in order. Holds at most nineteen frames. Raises what the models raise."""
        return smooth(self.find(frames))

    def find(self, frames: Iterable[Frame]) -> Iterator[Rough]:
        """Return the same before it is steadied and brought to full size: `smooth` may do so in another thread."""
        match self._wanted:
            case VideoMatting.FAST:
                return self._by_fast(watched(frames, fast.SIGHT))
            case VideoMatting.QUALITY:
                return self._by_quality(frames)
            case VideoMatting.AUTO:
                return self._by_agreement(frames)

    def _by_fast(self, frames: Iterator[Seen]) -> Iterator[Rough]:
        return (Rough(Coarse(seen, self._fast.alpha(seen)), onto_edges) for seen in frames)

    def _by_quality(self, frames: Iterable[Frame]) -> Iterator[Rough]:
        carrying = quality.Carrying(self._quality, self._budget)
        return (Rough(found, with_detail) for found in carrying.follow(watched(frames, quality.SIGHT)))

    def _by_agreement(self, frames: Iterable[Frame]) -> Iterator[Rough]:
        for _, shot in groupby(watched(frames, fast.SIGHT), key=lambda seen: seen.shot):
            yield from self._decided(shot)

    def _decided(self, shot: Iterator[Seen]) -> Iterator[Rough]:
        """Decide by the first frames: of the video, and again after each cut, which shows something else."""
        first = list(islice(shot, auto.FIRST))
        found = self._agreement([first[place] for place in auto.ASKED if place < len(first)])
        self.agreement = found if self.agreement is None else min(self.agreement, found)
        self.matting = VideoMatting.FAST if self.agreement >= auto.ENOUGH else VideoMatting.QUALITY
        whole = chain(first, shot)
        if found >= auto.ENOUGH:
            return self._by_fast(whole)
        return self._by_quality(seen.frame for seen in whole)

    def _agreement(self, asked: list[Seen]) -> float:
        theirs = [self._quality.keep(seen) for seen in watched([seen.frame for seen in asked], quality.SIGHT)]
        return auto.agreement(zip([self._fast.keep(seen) for seen in asked], theirs, strict=True))


def build_mattes(matting: VideoMatting, models: VideoModels, frames: int) -> Mattes:
    """Return the mattes of a video of about that many frames."""
    return Mattes(matting, models, frames)


def smooth(mattes: Iterable[Rough]) -> Iterator[Matted]:
    """Return the mattes of one video, steadied over time and drawn at full size along the frames' edges."""
    steadied = Steadied()
    for each in mattes:
        seen = each.found.seen
        alpha = steadied.next(seen, each.found.alpha)
        yield Matted(seen.frame, finished(seen, alpha, each.lines, noise_of(seen.frame.luma)))
