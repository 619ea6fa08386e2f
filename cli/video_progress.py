"""What a person sees of videos at work: a bar for each, and a sentence when it is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from clearcanvas.v1 import jobs_pb2, videos_pb2
from clearcanvas.v1.jobs_pb2 import Job
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_MATTINGS = {videos_pb2.VIDEO_MATTING_FAST: "fast", videos_pb2.VIDEO_MATTING_QUALITY: "quality"}

_TOLD_S = 0.005  # Less than what two decimals show is no trimming.


class VideoBar:
    """One video's bar: the upload, the frames, the download."""

    def __init__(self, progress: Progress, task: TaskID, size: int) -> None:
        self._progress = progress
        self._task = task
        self._size = size

    def sent(self, size: int) -> None:
        """So many bytes were uploaded."""
        self._update("uploading", size, self._size)

    def show(self, job: Job) -> None:
        """The job stands so."""
        done, total = job.progress.done, job.progress.total
        if job.state == jobs_pb2.JOB_STATE_QUEUED:
            self._update("waiting" if job.attempt == 0 else "waiting for another attempt", done, total)
        else:
            self._update(f"frame {done} of {total}" if total else "starting", done, total)

    def received(self, size: int) -> None:
        """So many bytes were downloaded."""
        self._progress.update(self._task, phase=f"downloading, {size / 1e6:.1f} MB")

    def _update(self, phase: str, done: int, total: int) -> None:
        self._progress.update(self._task, phase=phase, completed=done, total=total or None)


class VideoProgress:
    """The bars of all videos at work."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[phase]}")
        self._progress = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def bar(self, source: Path) -> Iterator[VideoBar]:
        """A bar for the video `source`, gone afterwards."""
        task = self._progress.add_task(source.name, total=None, phase="uploading")
        try:
            yield VideoBar(self._progress, task, source.stat().st_size)
        finally:
            self._progress.remove_task(task)

    def say(self, sentence: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def warning(video: videos_pb2.VideoFacts) -> str:
    """What the person should know of a video that was accepted; "" where there is nothing."""
    if video.duration_s - video.processed_s < _TOLD_S:
        return ""
    return f"warning: it is {video.duration_s:.2f} s long, and only its first {video.processed_s:.2f} s are processed"


def report(job: Job) -> str:
    """What became of a video: its frames, and which matting ran where."""
    made = job.result.video
    matting = _MATTINGS.get(made.matting, "unknown")
    if made.HasField("agreement"):
        matting += f" (fast and quality agree by {made.agreement:.2f} on the first frames)"
    return f"{made.frames} frames, matting {matting}; {' and '.join(made.models)} on {made.device}"
