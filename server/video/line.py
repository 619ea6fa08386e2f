"""The straight line for a video: decode, matte, compose, encode, frame by frame. Synchronous; one function.

Each stage has a thread, so that all of them together take the time of the slowest, or of all cores.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from server.errors import InvalidParameterError, InvalidVideoError, ProcessingFailedError
from server.video.ahead import ahead
from server.video.backdrop import Backdrop
from server.video.clock import Clock
from server.video.container import DAMAGED, AnyPacket, opened
from server.video.frame import Frame
from server.video.mattes import Mattes, Rough, build_mattes, smooth
from server.video.models import VideoModels
from server.video.planes import Planes, cut_out, over
from server.video.previews import Previews
from server.video.probe import probe_video
from server.video.quality import MOST_STRIDE
from server.video.sinks import open_sink
from server.video.sinks.output import Output, Sink
from server.video.source import NO_FRAME, Source
from server.video.task import OnProgress, VideoFacts, VideoFormat, VideoResult, VideoTask

_AHEAD = 3  # frames that wait between two stages
# What is between two key frames is found all at once, and finished while the model looks at the next one.
_MOST_PIXELS = 40_000_000  # of frames that wait so: 60 MB
_SOUNDING = {VideoFormat.MP4, VideoFormat.WEBM}


@dataclass(frozen=True, eq=False)
class _Composed:
    """A finished frame. `time_s`: from the first one."""

    time_s: float
    planes: Planes


def render_video(  # noqa: PLR0917 - what a worker is sent
    source: Path,
    target: Path,
    task: VideoTask,
    models: VideoModels,
    background: Path | None,
    on_progress: OnProgress,
    previews: Path | None = None,
) -> VideoResult:
    """Read the video at `source`, write the result to `target`.

    `background`: the encoded picture that is laid behind, where the composition has one. `on_progress` hears of every
    frame that is written. `previews`: the folder to make for small pictures of some of them. Raises InvalidVideoError,
    InvalidParameterError, and what renderers and models raise.
    """
    _refuse_transparent_mp4(task)
    clock = Clock()
    facts = probe_video(source, task.limits)
    clock.add("probe", clock.since_begin())
    mattes = build_mattes(task.matting, models, facts.frames)
    with ExitStack() as stack:
        container = stack.enter_context(opened(source, task.limits))
        video = Source(container, task.limits, sound=task.format in _SOUNDING)
        line = _Line(task, models, background, mattes, clock)
        items = stack.enter_context(ahead(clock.timed("decode", video.read()), _AHEAD))
        room = _MOST_PIXELS // (facts.width * facts.height)
        found = stack.enter_context(ahead(line.found(items), max(_AHEAD, min(MOST_STRIDE, room))))
        composed = stack.enter_context(ahead(line.composed(found), _AHEAD))
        written = _Written(target, task, video, facts, clock)
        stack.callback(written.abandon)
        shown = Previews(previews, facts.frames)
        for item in composed:
            if isinstance(item, _Composed):
                shown.show(written.frames, item.time_s, item.planes)
            written.add(item)
            on_progress(written.frames, max(facts.frames, written.frames))
        written.close()
        on_progress(written.frames, written.frames)
    return VideoResult(
        content_type=task.format.content_type,
        size=target.stat().st_size,
        frames=written.frames,
        duration_s=float(video.end - video.origin),
        matting=mattes.matting,
        models=mattes.models,
        device=mattes.device,
        agreement=mattes.agreement,
        stages=clock.stages,
    )


class _Line:
    """Frames to finished ones, between decoding and encoding."""

    def __init__(
        self, task: VideoTask, models: VideoModels, background: Path | None, mattes: Mattes, clock: Clock
    ) -> None:
        self._task, self._models, self._background = task, models, background
        self._mattes, self._clock = mattes, clock
        self._sound: deque[AnyPacket] = deque()

    def found(self, items: Iterator[Frame | AnyPacket]) -> Iterator[Rough]:
        """Return the frames with what the models find in them."""
        return self._clock.timed("matte", self._mattes.find(self._frames(items)))

    def composed(self, found: Iterator[Rough]) -> Iterator[_Composed | AnyPacket]:
        """Return the finished frames, and the sound's packets about where they lay between them."""
        backdrop: Backdrop | None = None
        hidden = not self._task.composition.opaque
        waited = self._clock.timed("finish", found, sign=-1)
        for matted in self._clock.timed("finish", smooth(waited)):
            began = time.perf_counter()
            frame, alpha = matted.frame, matted.alpha
            if backdrop is None:
                backdrop = Backdrop(self._task.composition, frame, alpha, self._models.generation, self._background)
            planes = over(cut_out(frame, alpha, hidden=hidden), backdrop.behind(frame, alpha))
            self._clock.add("compose", time.perf_counter() - began)
            yield _Composed(frame.time_s, planes)
            while self._sound:
                yield self._sound.popleft()
        yield from self._sound

    def _frames(self, items: Iterator[Frame | AnyPacket]) -> Iterator[Frame]:
        """Take the sound out. Waiting for a frame is not the mattes' time."""
        for item in self._clock.timed("matte", items, sign=-1):
            if isinstance(item, Frame):
                yield item
            else:
                self._sound.append(item)


class _Written:
    """The result, opened with its first frame."""

    def __init__(self, target: Path, task: VideoTask, video: Source, facts: VideoFacts, clock: Clock) -> None:
        self._target, self._task, self._video, self._facts, self._clock = target, task, video, facts, clock
        self._sink: Sink | None = None
        self.frames = 0

    def add(self, item: _Composed | AnyPacket) -> None:
        began = time.perf_counter()
        if isinstance(item, _Composed):
            with _own_faults():
                self._sink = self._sink or self._opened(item.planes)
                self._sink.write(item.planes, item.time_s)
            self.frames += 1
        elif self._sink is not None:
            with _own_faults():
                self._sink.write_sound(item)
        self._clock.add("encode", time.perf_counter() - began)

    def close(self) -> None:
        began = time.perf_counter()
        if self._sink is None:
            raise InvalidVideoError(NO_FRAME)
        with _own_faults():
            self._sink.close(float(self._video.end - self._video.begin))
        self._clock.add("encode", time.perf_counter() - began)

    def abandon(self) -> None:
        if self._sink is not None:
            # What cannot be written cannot be ended well either; that was told.
            with suppress(av.error.FFmpegError, OSError):
                self._sink.abandon()

    def _opened(self, first: Planes) -> Sink:
        video, limits = self._video, self._task.limits
        height, width = first.y.shape
        output = Output(
            size=(height, width),
            rate=self._facts.frames / self._facts.processed_s,
            transparent=first.alpha is not None,
            delay=video.begin - video.origin,
            sound=video.sound,
            heard=(video.origin, video.begin + Fraction(limits.duration_s)),
        )
        return open_sink(self._target, self._task.format, output)


@contextmanager
def _own_faults() -> Iterator[None]:
    """Say of what goes wrong while a result is written that it is no fault of the video, where it is none."""
    try:
        yield
    except (av.error.ArgumentError, av.error.InvalidDataError) as error:  # Times or sound that nothing can hold.
        raise InvalidVideoError(DAMAGED) from error
    except (av.error.FFmpegError, OSError) as error:
        raise ProcessingFailedError("The result could not be written.") from error


def _refuse_transparent_mp4(task: VideoTask) -> None:
    if not (task.format.transparent or task.composition.opaque):
        raise InvalidParameterError(
            "MP4 has no transparency: choose WebM, WebP, a PNG zip or an opaque background.", {"field": "format"}
        )
