"""Videos through the line, with a model that answers what it is told."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from server.composition import Composition
from server.image.libvips import configure
from server.video.line import render_video
from server.video.models import VideoModels
from server.video.task import VideoFormat, VideoLimits, VideoMatting, VideoResult, VideoTask
from tests.support.clip_scenes import disc
from tests.support.clips import decoded_frames
from tests.support.pictures import FixedModel, FixedPainter

ROUND = disc((144, 256))
ALL = np.full((144, 256), 255, np.uint8)
NONE = np.zeros((144, 256), np.uint8)


@dataclass
class Rendered:
    """A result, and what was told while it was made."""

    path: Path
    result: VideoResult
    progress: list[tuple[int, int]] = field(default_factory=list)

    def frames(self) -> list[tuple[float, NDArray[np.uint8]]]:
        """(seconds, (H, W, 4)) of each frame of an MP4 or WebM."""
        webm = self.path.suffix == ".webm"
        return decoded_frames(self.path.resolve(), "libvpx-vp9" if webm else None)


def rendered(
    clip: Path,
    composition: Composition | None = None,
    kind: VideoFormat = VideoFormat.MP4,
    *,
    alpha: NDArray[np.uint8] = ROUND,
    limits: VideoLimits | None = None,
    background: Path | None = None,
) -> Rendered:
    """Send a clip down the line; `alpha` is what the model answers for each frame."""
    configure()
    model, progress = FixedModel(alpha), list[tuple[int, int]]()
    target = clip.with_name(f"{clip.stem}-result.{kind.extension}")
    result = render_video(
        clip,
        target,
        VideoTask(composition or Composition(), kind, VideoMatting.FAST, limits or VideoLimits()),
        VideoModels(lambda: model, lambda: model, lambda _name: FixedPainter()),
        background,
        lambda done, total: progress.append((done, total)),
    )
    return Rendered(target, result, progress)
