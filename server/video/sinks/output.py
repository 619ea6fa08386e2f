"""What every form of a result is told, and what it does."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from av.audio.stream import AudioStream

from server.video.container import AnyPacket
from server.video.planes import Planes


@dataclass(frozen=True)
class Output:
    """`size`: (height, width), both even. `rate`: frames a second, about. `transparent`: whether frames have alpha.

    `delay`: seconds from the result's begin to its first frame. `sound`: None for a silent result. `heard`: (begin,
    end) of it, in seconds of the source's clock. `threads`: that an encoder may use; 0 for all.
    """

    size: tuple[int, int]
    rate: float
    transparent: bool
    delay: Fraction = Fraction(0)
    sound: AudioStream | None = None
    heard: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    threads: int = 0


class Sink(Protocol):
    """Writes a result. Frames and packets of the sound come in order of time, in one thread."""

    def write(self, planes: Planes, time_s: float) -> None:
        """Write a frame that is shown from `time_s` on, in seconds from the first."""
        ...

    def write_sound(self, packet: AnyPacket) -> None:
        """Write a packet of the source's sound."""
        ...

    def close(self, end_s: float) -> None:
        """Write what is left. The last frame is shown until `end_s`. Without it there is no result."""
        ...

    def abandon(self) -> None:
        """Let go of what is held, whether closed or not."""
        ...
