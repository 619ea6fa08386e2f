"""MP4 and WebM."""

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from server.video.audio import Sound
from server.video.container import AnyPacket
from server.video.frame import Bytes
from server.video.planes import Planes
from server.video.sinks.output import Output
from server.video.task import VideoFormat

_TICKS = 90_000  # a second, as MPEG counts: every usual frame rate is whole in it
_WEBM_TICKS = 1_000

# x264's superfast, but with the look ahead that spends bits on what stays: 1.5 times the size of `veryfast` with B
# frames, at 40 % of its time, and as near to the source. 20 shows no loss beside it.
_X264 = {"preset": "superfast", "crf": "20", "bf": "0", "x264-params": "mbtree=1:rc-lookahead=10"}
# The fastest of libvpx that keeps edges; a rate of 0 leaves the size to the quality.
_VP9 = {
    "deadline": "realtime",
    "cpu-used": "8",
    "crf": "24",
    "b:v": "0",
    "row-mt": "1",
    "auto-alt-ref": "0",
    "lag-in-frames": "0",
}


class Muxed:
    """A video of H.264 or VP9 with its sound, in MP4 or WebM."""

    def __init__(self, target: Path, kind: VideoFormat, output: Output) -> None:
        mp4 = kind is VideoFormat.MP4
        # A name is never taken for a protocol, an option or a pattern.
        self._container = av.open(
            f"file:{target.resolve()}", "w", format=kind.extension, options={"movflags": "+faststart"} if mp4 else {}
        )
        rate = Fraction(output.rate).limit_denominator(1001)
        codec, options = ("libx264", _X264) if mp4 else ("libvpx-vp9", _VP9)
        stream = cast("VideoStream", self._container.add_stream(codec, rate=rate, options=options))
        self._stream, self._time_base = stream, Fraction(1, _TICKS if mp4 else _WEBM_TICKS)
        self._delay = output.delay
        stream.height, stream.width = output.size
        stream.pix_fmt = self._pixels = "yuva420p" if output.transparent else "yuv420p"
        context = stream.codec_context
        context.time_base, context.thread_count = self._time_base, output.threads
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._sound = None if output.sound is None else Sound(self._container, output.sound, kind, *output.heard)

    def write(self, planes: Planes, time_s: float) -> None:
        """See `Sink`."""
        frame = av.VideoFrame(self._stream.width, self._stream.height, self._pixels)
        parts = planes.colours if planes.alpha is None else (*planes.colours, planes.alpha)
        for plane, values in zip(frame.planes, parts, strict=True):
            fill(plane, values)
        frame.pts = round((Fraction(time_s) + self._delay) / self._time_base)
        frame.time_base = self._time_base
        frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        self._container.mux(self._stream.encode(frame))

    def write_sound(self, packet: AnyPacket) -> None:
        """See `Sink`."""
        if self._sound is not None:
            self._sound.write(packet)

    def close(self, end_s: float) -> None:
        """See `Sink`."""
        self._container.mux(self._stream.encode(None))
        if self._sound is not None:
            self._sound.close()
        self._container.close()

    def abandon(self) -> None:
        """See `Sink`."""
        self._container.close()


def fill(plane: VideoPlane, values: Bytes) -> None:
    """Write (height, bytes of a row) into a frame's plane."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    rows[: plane.height, : values.shape[1]] = values
