"""A video's frames, upright and in order of time, and the packets of its sound as they lie between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from server.errors import InvalidVideoError
from server.video.colour import Turn, planes_of, turn_of
from server.video.container import AnyPacket, check_sound, packets_of, picture_stream
from server.video.frame import Frame
from server.video.task import VideoLimits

_MOST_STRETCH = 4  # of pixels that are not square; more is a mistake of whoever wrote it
_SLACK = Fraction(1, 2)  # seconds by which the sound may lie behind its picture in the file
_NEARLY = Fraction(1, 10)  # seconds: sound that begins so much earlier is an encoder's start-up, no music before
NO_FRAME = "The video has no frame that can be decoded."


@dataclass(frozen=True)
class Geometry:
    """`stored`: (height, width), both even, to which frames are brought as they lie in the file. `turn`: what makes
    them upright."""

    stored: tuple[int, int]
    turn: Turn

    @property
    def size(self) -> tuple[int, int]:
        """(height, width), upright."""
        return self.stored[::-1] if self.turn.swapped else self.stored


def geometry_of(frame: av.VideoFrame, stream: VideoStream) -> Geometry:
    """Return how this frame, and all that follow, are shown: with square pixels, and of odd sides one pixel less."""
    stretch = stream.sample_aspect_ratio or Fraction(1)
    if not Fraction(1, _MOST_STRETCH) <= stretch <= _MOST_STRETCH:
        stretch = Fraction(1)
    width = frame.width if stretch == 1 else round(frame.width * stretch)
    return Geometry((frame.height - frame.height % 2, width - width % 2), turn_of(frame))


class Source:
    """An opened video.

    `sound`: its first sound; None where there is none, or it is not wanted. `begin`: when the first frame is shown, in
    seconds of the file's clock; known with the first frame.
    """

    def __init__(self, container: InputContainer, limits: VideoLimits, *, sound: bool = True) -> None:
        self._container = container
        self._limits = limits
        self.stream = picture_stream(container, limits)
        self.sound: AudioStream | None = next(iter(container.streams.audio), None) if sound else None
        if self.sound is not None:
            check_sound(self.sound)
        self.begin = Fraction(0)
        self._geometry: Geometry | None = None
        self._last, self._step = Fraction(-1), Fraction(1, 25)
        self._count = 0
        self._ended = False

    @property
    def origin(self) -> Fraction:
        """When the result begins, in seconds of the file's clock: with the picture, or with sound well before it."""
        sound = self.sound
        if sound is None or sound.start_time is None or sound.time_base is None:
            return self.begin
        start = sound.start_time * sound.time_base
        return start if start < self.begin - _NEARLY else self.begin

    @property
    def end(self) -> Fraction:
        """When the last frame that was read is over, at most the limit after the first; of the file's clock."""
        return self.begin + min(self._last + self._step, Fraction(self._limits.duration_s))

    def read(self) -> Iterator[Frame | AnyPacket]:
        """Return frames up to the limit of time, and the sound's packets as they come, of somewhat more time.

        Damage ends the video where it is. Raises InvalidVideoError where not one frame can be decoded, and for more
        frames than the limit.
        """
        for packet in packets_of(self._container, self.stream, self.sound):
            if packet.stream is self.sound:
                if packet.size:
                    yield packet
            elif not self._ended:
                yield from self._frames(packet)
            if self._ended and (self.sound is None or self._is_past(packet)):
                break
        if not self._count:
            raise InvalidVideoError(NO_FRAME)

    def _is_past(self, packet: AnyPacket) -> bool:
        if packet.dts is None or packet.time_base is None:
            return False
        return packet.dts * packet.time_base > self.end + _SLACK

    def _frames(self, packet: AnyPacket) -> Iterator[Frame]:
        for decoded in decoded_frames(self.stream, packet):
            time = self._time_of(decoded)
            if time <= self._last:  # A clock that stands still or goes back is no order of frames.
                continue
            if time >= Fraction(self._limits.duration_s):
                self._ended = True
                return
            if self._count >= self._limits.frames:
                raise too_many_frames(self._count + 1, self._limits)
            self._geometry = self._geometry or geometry_of(decoded, self.stream)
            yield self._made(decoded, self._geometry, time)

    def _time_of(self, decoded: av.VideoFrame) -> Fraction:
        """Return when the frame is shown, from the first one on."""
        if decoded.pts is None or decoded.time_base is None:
            return self._last + self._step if self._count else Fraction(0)
        time = decoded.pts * decoded.time_base
        if self._geometry is None:
            self.begin = time
        return time - self.begin

    def _made(self, decoded: av.VideoFrame, geometry: Geometry, time: Fraction) -> Frame:
        if decoded.duration and decoded.time_base:
            self._step = decoded.duration * decoded.time_base
        elif self._count:
            self._step = time - self._last
        planes = (geometry.turn.of(plane) for plane in planes_of(decoded, geometry.stored))
        frame = Frame(self._count, float(time), *planes)
        self._last, self._count = time, self._count + 1
        return frame


def decoded_frames(stream: VideoStream, packet: AnyPacket) -> Iterator[av.VideoFrame]:
    """Return the frames that a packet completes; none where it is damaged."""
    try:
        yield from stream.decode(packet)
    except av.error.FFmpegError:
        return


def too_many_frames(count: int, limits: VideoLimits) -> InvalidVideoError:
    """Return the error for a video of too many frames in what is processed of it."""
    return InvalidVideoError(
        f"The first {limits.duration_s:g} s of the video have {count} frames; at most {limits.frames} are allowed."
    )
