"""What a video is, before it is taken: told by its header, its packets and its first frame."""

import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from server.errors import InvalidVideoError
from server.video.container import AnyPacket, opened, packets_of
from server.video.source import NO_FRAME, Source, decoded_frames, geometry_of, too_many_frames
from server.video.task import VideoFacts, VideoLimits

_LEAST_SIDE = 2
_USUAL_STEP = Fraction(1, 25)  # of a video of one frame that does not say how long it is shown


def probe_video(source: Path, limits: VideoLimits) -> VideoFacts:
    """Read what the video at `source` is.

    Its packets are counted and none but the first few is decoded. Raises InvalidVideoError with what is wrong.
    """
    deadline = time.monotonic() + limits.opening_s
    with opened(source, limits) as container:
        video = Source(container, limits)
        _check_size(video.stream.codec_context.width, video.stream.codec_context.height, limits)
        scan = _scanned(container, video.stream, deadline)
        duration = scan.end - scan.begin
        processed = min(duration, Fraction(limits.duration_s))
        frames = scan.count_before(scan.begin + processed)
        if frames > limits.frames:
            raise too_many_frames(frames, limits)
        # Counted, not read: browsers' recorders write any rate, or none.
        _check_rate(frames / float(processed), limits)
        height, width = scan.size
        _check_size(width, height, limits)
        return VideoFacts(width, height, float(duration), float(processed), frames, video.sound is not None)


@dataclass
class _Scan:
    """What the packets of the picture say: `times` in seconds of the file's clock. `size`: (height, width)."""

    times: list[Fraction] = field(default_factory=list)
    begin: Fraction = Fraction(0)
    end: Fraction = Fraction(0)
    size: tuple[int, int] = (0, 0)

    def add(self, packet: AnyPacket) -> None:
        if packet.pts is None or packet.time_base is None or packet.is_discard or not packet.size:
            return
        shown = packet.pts * packet.time_base
        self.times.append(shown)
        self.begin = shown if len(self.times) == 1 else min(self.begin, shown)
        self.end = max(self.end, shown + (packet.duration or 0) * packet.time_base)

    def close(self) -> None:
        """Show a last frame that does not say for how long as long as the others, on average."""
        last, others = max([self.begin, *self.times]), len(self.times) - 1
        if self.end <= last:
            self.end = last + ((last - self.begin) / others if others > 0 else _USUAL_STEP)

    def count_before(self, end: Fraction) -> int:
        return max(1, sum(shown < end for shown in self.times))


def _scanned(container: InputContainer, stream: VideoStream, deadline: float) -> _Scan:
    scan = _Scan()
    for packet in packets_of(container, stream):
        if time.monotonic() > deadline:
            raise InvalidVideoError("The video takes too long to be read.")
        scan.add(packet)
        if not any(scan.size):
            for frame in decoded_frames(stream, packet):
                scan.size = geometry_of(frame, stream).size
    if not any(scan.size):
        raise InvalidVideoError(NO_FRAME)
    scan.close()
    return scan


def _check_size(width: int, height: int, limits: VideoLimits) -> None:
    if min(width, height) < _LEAST_SIDE:
        raise InvalidVideoError(f"The video is {width} × {height} pixels; a side must have at least {_LEAST_SIDE}.")
    if max(width, height) > limits.side:
        raise InvalidVideoError(f"The video is {width} × {height} pixels; a side may have at most {limits.side}.")
    if width * height > limits.pixels:
        raise InvalidVideoError(
            f"The video has {width * height} pixels in a frame; at most {limits.pixels} are allowed."
        )


def _check_rate(rate: float, limits: VideoLimits) -> None:
    if rate > limits.frame_rate:
        raise InvalidVideoError(f"The video has {rate:.0f} frames a second; at most {limits.frame_rate:g} are allowed.")
