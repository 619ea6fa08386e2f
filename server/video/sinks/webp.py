"""Animated WebP."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from server.video.container import AnyPacket
from server.video.planes import Planes, to_pixels
from server.video.sinks.muxed import fill
from server.video.sinks.output import Output

_TICKS = 1_000  # a second: WebP counts so
# At less than 95, a flat background is off by more than 3 levels; more effort saves 5 % for half as much time again.
_ANIMATED = {"quality": "95", "compression_level": "1"}
_WITHOUT_END = {"loop": "0"}
_FOUR_BANDS = 4


class Webp:
    """An animation that begins anew at its end."""

    def __init__(self, target: Path, output: Output) -> None:
        self._container = av.open(f"file:{target.resolve()}", "w", format="webp", options=_WITHOUT_END)
        rate = Fraction(output.rate).limit_denominator(1001)
        stream = self._container.add_stream("libwebp_anim", rate=rate, options=_ANIMATED)
        stream.height, stream.width = output.size
        stream.pix_fmt = "bgra"  # WebP has a matrix of its own: it is left to the encoder.
        stream.codec_context.time_base = Fraction(1, _TICKS)
        self._stream = stream

    def write(self, planes: Planes, time_s: float) -> None:
        """See `Sink`."""
        pixels = to_pixels(planes)
        code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == _FOUR_BANDS else cv2.COLOR_RGB2BGRA
        frame = av.VideoFrame(self._stream.width, self._stream.height, "bgra")
        fill(frame.planes[0], np.asarray(cv2.cvtColor(pixels, code), np.uint8).reshape(pixels.shape[0], -1))
        frame.pts, frame.time_base = round(time_s * _TICKS), Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def write_sound(self, packet: AnyPacket) -> None:
        """Write nothing: WebP is silent."""

    def close(self, end_s: float) -> None:
        """See `Sink`."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """See `Sink`."""
        self._container.close()
