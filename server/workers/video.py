"""What runs inside a worker process for a video. FFmpeg is for workers alone, so the server does not even import it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cards.target import Target
from server.triton.model import TritonOptions
from server.video.models import VideoModels
from server.video.task import VideoFacts, VideoLimits, VideoResult, VideoTask
from server.workers.limits import WorkerLimits
from server.workers.progress import reporting
from server.workers.task import at_work, client, painter


@dataclass(frozen=True)
class VideoJob:
    """One video to process."""

    source: Path
    target: Path
    task: VideoTask
    model: Target  # cuts key frames out, for `quality`
    fast_model: Target
    generation_model: Target | None  # paints the background; None where none is painted
    deadline: float  # time.monotonic
    progress: Path  # where frames are told
    previews: Path  # where frames are shown, a folder that is made
    background: Path | None = None  # the encoded picture to lay the subject over

    @property
    def targets(self) -> tuple[Target, ...]:
        """The versions that may be asked."""
        cut = (self.model, self.fast_model)
        return cut if self.generation_model is None else (*cut, self.generation_model)


def probe_video_file(source: Path, video_limits: VideoLimits, limits: WorkerLimits) -> VideoFacts:
    """Read what a video is. Raises InvalidVideoError."""
    from server.video.probe import probe_video  # noqa: PLC0415 - see above

    with at_work(limits):
        return probe_video(source, video_limits)


def render_video_file(job: VideoJob, limits: WorkerLimits, triton: TritonOptions) -> VideoResult:
    """Process one video. Raises what `server.video.line.render_video` and the models raise."""
    from server.video.line import render_video  # noqa: PLC0415 - see above

    models = VideoModels(
        fast=partial(client(triton).model, job.fast_model, job.deadline),
        quality=partial(client(triton).model, job.model, job.deadline),
        generation=partial(painter, triton, job.generation_model, job.deadline),
    )
    with at_work(limits), reporting(job.progress) as report:
        return render_video(job.source, job.target, job.task, models, job.background, report, job.previews)
