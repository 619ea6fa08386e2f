"""The sound of a video: copied where the result's container takes it, else encoded anew; in time with its picture."""

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

from server.video.container import AnyPacket
from server.video.task import VideoFormat

# What is copied. Opus in MP4 would be right by the book, and silent in many players.
_COPIED = {
    VideoFormat.MP4: {"aac", "mp3", "mp3float", "ac3", "eac3", "alac"},
    VideoFormat.WEBM: {"opus", "libopus", "vorbis"},
}
_ENCODERS = {VideoFormat.MP4: ("aac", "fltp"), VideoFormat.WEBM: ("libopus", "flt")}
_RATES = {VideoFormat.MP4: (44_100, 48_000), VideoFormat.WEBM: (48_000,)}
_USUAL_RATE = 48_000
_BIT_RATE = 96_000  # a channel; AAC and Opus are transparent there
_STEREO = 2  # more channels are mixed down to these


class Sound:
    """Writes a sound into a container, from `begin` to `end`, in seconds of its file's clock, and `begin` at null."""

    def __init__(
        self, container: OutputContainer, source: AudioStream, kind: VideoFormat, begin: Fraction, end: Fraction
    ) -> None:
        self._container, self._source = container, source
        self._begin, self._end = begin, end
        self._resampler: av.AudioResampler | None = None
        self._stream: AudioStream
        if source.codec_context.name in _COPIED[kind]:
            self._stream = container.add_stream_from_template(source)
            return
        codec, samples = _ENCODERS[kind]
        rates = _RATES[kind]
        rate = source.rate if source.rate in rates else _USUAL_RATE
        layout = "mono" if source.channels == 1 else "stereo"
        self._stream = cast("AudioStream", container.add_stream(codec, rate=rate))
        self._stream.codec_context.layout = layout
        self._stream.bit_rate = _BIT_RATE * min(source.channels, _STEREO)
        self._resampler = av.AudioResampler(samples, layout, rate)

    def write(self, packet: AnyPacket) -> None:
        """Write what a packet of the source holds of the time that is wanted."""
        if packet.pts is None or packet.time_base is None or packet.pts * packet.time_base >= self._end:
            return
        if self._resampler is None:
            shift = round(self._begin / packet.time_base)
            packet.pts -= shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._stream
            self._container.mux(packet)
            return
        for frame in _decoded(self._source, packet):
            self._encode(frame, self._resampler)

    def close(self) -> None:
        """Write what is left."""
        if self._resampler is None:
            return
        for frame in _decoded(self._source, None):
            self._encode(frame, self._resampler)
        for part in self._resampler.resample(None):
            self._container.mux(self._stream.encode(part))
        self._container.mux(self._stream.encode(None))

    def _encode(self, frame: AudioFrame, resampler: av.AudioResampler) -> None:
        if frame.pts is None or frame.time_base is None:
            return
        begins = frame.pts * frame.time_base
        if begins >= self._end or begins + Fraction(frame.samples, frame.sample_rate) <= self._begin:
            return
        frame.pts -= round(self._begin / frame.time_base)
        for part in resampler.resample(frame):
            self._container.mux(self._stream.encode(part))


def _decoded(stream: AudioStream, packet: AnyPacket | None) -> Iterator[AudioFrame]:
    """Return the sound that a packet completes; none where it is damaged: a click is no reason to have no video."""
    try:
        yield from stream.decode(packet)
    except av.error.FFmpegError:
        return
