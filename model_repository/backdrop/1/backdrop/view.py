"""What all outdoor scenes share: where they are seen from, in which light."""

from dataclasses import dataclass

from backdrop.frame import Colour, Frame
from backdrop.light import HOURS, Hour
from backdrop.pixels import f32
from backdrop.stage import Stage

SOFT = 896
"""Longest side that a landscape is painted at: it stands behind a subject, a little out of focus."""


@dataclass(frozen=True)
class Sun:
    """`x`, `y`: place in units; `moon`: whether it is night."""

    x: float
    y: float
    moon: bool


@dataclass(frozen=True)
class View:
    """`at`: height of the horizon, 0 top – 1 bottom."""

    stage: Stage
    frame: Frame
    hour: Hour
    at: float

    @property
    def sun(self) -> Sun:
        """Where the sun or the moon stands."""
        half = self.frame.width / self.frame.unit / 2
        x = self.stage.light_side * half * (0.5 if self.hour.height < 0.3 else 0.9)
        return Sun(x, self.at * self.high * (1 - self.hour.height), self.hour.ground <= HOURS["night"].ground)

    @property
    def high(self) -> float:
        """The frame's height in units."""
        return self.frame.height / self.frame.unit

    def lit(self, colour: Colour) -> Colour:
        """A ground's colour in the hour's light."""
        # The lower the sun, the more of the light is the sky's. Eyes take its colour for half of what it is.
        direct = min(1.0, self.hour.ground * 1.15)
        light = self.hour.sun * f32(0.72 * direct) + self.hour.ambient * f32(1.05 - 0.7 * direct)
        light = light * f32(0.55) + f32(light.mean() * 0.45)
        return f32(colour * light * f32(0.12 + 0.88 * self.hour.ground))
