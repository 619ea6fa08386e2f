"""Videos, made as the tests run: any container, codec, colour, rotation, timing and sound."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.support.clip_pixels import Colour, frame_of, rgba
from tests.support.clip_scenes import Scene

SAMPLE_RATE = 48_000
TICKS = 1_000
"""Of a clip's clock, a second: times are in milliseconds."""
_BEEP_HZ = 1_000


class Sound(Enum):
    """How a clip's sound is encoded: codec, and what it takes."""

    AAC = "aac", "fltp"  # mp4, mov
    OPUS = "libopus", "flt"  # webm, mkv
    PCM = "pcm_s16le", "s16"  # mov


@dataclass(frozen=True)
class Shooting:
    """How a scene is filmed.

    `rate`: frames a second. `times`: of each frame in milliseconds, where the rate varies. `sound`: None for a silent
    clip. `beeps`: seconds at which 50 ms of a tone begin; all else is silence. `rotation`: degrees by which a player
    turns it to the right. `late_s`: how much later than the sound the picture begins. `tagged`: whether it says what
    its colours mean. `codec`: an encoder's name; None for H.264, or VP9 in WebM.
    `quality`: of x264, the smaller the better.
    """

    rate: int = 25
    times: Sequence[int] | None = None
    sound: Sound | None = None
    beeps: Sequence[float] = (0.2,)
    rotation: int = 0
    late_s: float = 0.0
    colour: Colour = Colour.BT709
    tagged: bool = True
    pixels: str = "yuv420p"
    codec: str | None = None
    quality: int = 12

    @property
    def frame_times(self) -> Iterator[int]:
        """Milliseconds of each frame, without end where the rate is constant."""
        yield from self.times or (round(n * TICKS / self.rate) for n in range(10**6))


def film(path: Path, scene: Scene, shooting: Shooting | None = None, **changes: object) -> Path:
    """Write a scene as a video to `path`, whose extension names the container: mp4, mov, webm, mkv.

    `changes`: fields of `shooting` (by default a silent clip of 25 frames a second) that are otherwise.
    """
    shooting = replace(shooting or Shooting(), **changes)  # type: ignore[arg-type]
    with av.open(path, "w") as container:
        video = _video_stream(container, path, scene, shooting)
        sound = None
        if shooting.sound is not None:
            sound = container.add_stream(shooting.sound.value[0], rate=SAMPLE_RATE)
            assert isinstance(sound, AudioStream)
            sound.codec_context.layout = "mono"
        last_ms = _write_frames(container, video, scene, shooting)
        if sound is not None:
            _write_sound(container, sound, shooting, last_ms / TICKS + 1 / shooting.rate)
    return path


def decoded_frames(path: Path, decoder: str | None = None) -> list[tuple[float, NDArray[np.uint8]]]:
    """Return (seconds, (H, W, 4) uint8 sRGB and alpha) of each frame of a video.

    `decoder`: its name; only `libvpx-vp9` sees the alpha of VP9.
    """
    frames = []
    with av.open(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context if decoder is None else av.CodecContext.create(decoder, "r")
        packets = [packet for packet in container.demux(stream) if packet.size]
        for packet in [*packets, None]:
            for frame in context.decode(packet):  # type: ignore[attr-defined]
                assert frame.pts is not None
                time_s = float(frame.pts * (stream.time_base or Fraction(1, TICKS)))
                frames.append((time_s, np.asarray(rgba(frame), np.uint8)))
    return frames


def sound_of(path: Path) -> tuple[float, NDArray[np.float32]]:
    """Return (seconds at which it begins, mono samples at 48 kHz) of a video's sound."""
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    begin, parts = None, []
    with av.open(path) as container:
        for frame in container.decode(container.streams.audio[0]):
            begin = float(frame.time or 0) if begin is None else begin
            parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
    parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(None)]
    return begin or 0.0, np.concatenate(parts).astype(np.float32)


def beeps_of(path: Path) -> list[float]:
    """Return the seconds at which the tones of a video's sound begin, by the video's clock."""
    begin, samples = sound_of(path)
    window = SAMPLE_RATE // 200
    loud = np.abs(samples[: len(samples) // window * window]).reshape(-1, window).max(axis=1) > 0.1
    starts = np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]]))
    return [begin + float(start) * window / SAMPLE_RATE for start in starts]


def _video_stream(container: OutputContainer, path: Path, scene: Scene, shooting: Shooting) -> VideoStream:
    codec = shooting.codec or ("libvpx-vp9" if path.suffix == ".webm" else "libx264")
    options = {
        "libx264": {"preset": "ultrafast", "crf": str(shooting.quality)},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "15", "b:v": "0"},
    }
    stream = container.add_stream(codec, rate=shooting.rate, options=options.get(codec, {}))
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = scene.size
    stream.pix_fmt = shooting.pixels
    stream.codec_context.time_base = Fraction(1, TICKS)
    if shooting.tagged:
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = shooting.colour.value
    if shooting.rotation:
        stream.set_display_rotation(-shooting.rotation)
    return stream


def _write_frames(container: OutputContainer, stream: VideoStream, scene: Scene, shooting: Shooting) -> int:
    """Return the last frame's time in milliseconds."""
    time_ms = 0
    for picture, at_ms in zip(scene.frames, shooting.frame_times, strict=False):
        time_ms = at_ms + round(shooting.late_s * TICKS)
        frame = frame_of(picture, shooting.colour, shooting.pixels)
        frame.pts, frame.time_base = time_ms, Fraction(1, TICKS)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    return time_ms


def _write_sound(container: OutputContainer, stream: AudioStream, shooting: Shooting, duration_s: float) -> None:
    assert shooting.sound is not None
    samples = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    tone = 0.5 * np.sin(2 * np.pi * _BEEP_HZ * np.arange(SAMPLE_RATE // 20) / SAMPLE_RATE)
    for beep in shooting.beeps:
        first = round(beep * SAMPLE_RATE)
        part = samples[first : first + len(tone)]
        part[:] = tone[: len(part)]
    resampler = av.AudioResampler(shooting.sound.value[1], "mono", SAMPLE_RATE, frame_size=960)
    whole = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
    whole.sample_rate, whole.pts, whole.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
    for frame in [*resampler.resample(whole), *resampler.resample(None)]:
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
