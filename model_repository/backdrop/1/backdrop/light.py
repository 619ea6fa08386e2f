"""The light of the hours, and of lamps: where it falls off, glows, and how bright things come out in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from backdrop.colour import mix, oklab, srgb, with_lightness
from backdrop.frame import Colour, Field, Frame
from backdrop.pixels import f32
from backdrop.prompt import Brief


@dataclass(frozen=True)
class Hour:
    """The sky's colours from above to the horizon, the sun's (or moon's), and how it lights the ground.

    `height`: of the sun above the horizon, as a part of the sky; `ground`: light on what lies below, 1 at noon.
    """

    zenith: Colour
    middle: Colour
    horizon: Colour
    sun: Colour
    height: float
    ground: float

    @property
    def ambient(self) -> Colour:
        """Colour of the shadows: what the sky sheds."""
        return mix(self.middle, self.horizon, 0.4)


HOURS: Mapping[str, Hour] = MappingProxyType(
    {
        "dawn": Hour(srgb("#7f95c4"), srgb("#cdb9cf"), srgb("#ffd9bd"), srgb("#ffcf9d"), 0.12, 0.62),
        "day": Hour(srgb("#3d83c9"), srgb("#7fb8e8"), srgb("#d9edf7"), srgb("#fff4e0"), 0.8, 1.0),
        "golden": Hour(srgb("#5f7cab"), srgb("#dba98c"), srgb("#ffc477"), srgb("#ffb04f"), 0.14, 0.62),
        "dusk": Hour(srgb("#27305f"), srgb("#6c5790"), srgb("#eb9a86"), srgb("#ff8560"), 0.03, 0.26),
        "night": Hour(srgb("#070d20"), srgb("#101f42"), srgb("#2a4874"), srgb("#c5d6f5"), 0.62, 0.06),
    }
)


_THINGS = ("water", "sand", "flowers", "lavender", "grass", "waves")
"""What has a colour of its own, which is not the sky's."""


def hour_of(brief: Brief, preferred: str) -> Hour:
    """The light that a prompt asks for: its time of day, tinted by its colours, greyed by its weather."""
    hour = HOURS[brief.time(preferred)]
    of_things = [] if brief.wants("sky") else [tuple(colour) for colour in brief.colours_beside(*_THINGS)]
    if colours := [colour for colour in brief.colours if tuple(colour) not in of_things]:
        first, last = colours[0], colours[-1]
        hour = replace(
            hour,
            zenith=_tint(hour.zenith, first, 0.45),
            middle=_tint(hour.middle, mix(first, last, 0.5), 0.6),
            horizon=_tint(hour.horizon, last, 0.55),
        )
    if brief.wants("dramatic", "moody"):
        hour = replace(
            hour,
            zenith=with_lightness(hour.zenith, float(oklab(hour.zenith)[0]) * 0.72, 0.7),
            middle=with_lightness(hour.middle, float(oklab(hour.middle)[0]) * 0.82, 0.75),
        )
    return hour


def _tint(colour: Colour, wanted: Colour, amount: float) -> Colour:
    """Turned towards the hue that is wanted, and only a little towards its lightness: the hour stays what it is."""
    light = float(oklab(colour)[0])
    goal = with_lightness(wanted, light + (float(oklab(wanted)[0]) - light) * 0.3)
    return mix(colour, goal, amount)


def glow(frame: Frame, x: float, y: float, radius: float, *, power: float = 2.0, squeeze: float = 1.0) -> Field:
    """(H, W): 1 at a place (units), falling off around it, a half at about `radius`. `squeeze`: flattens it."""
    away = ((frame.x - np.float32(x)) ** 2 + ((frame.y - np.float32(y)) * np.float32(squeeze)) ** 2) / radius**2
    return f32(np.exp(np.log1p(away) * np.float32(-0.7 * power)))


def pool(frame: Frame, x: float, y: float, radius: float, squeeze: float = 1.0) -> Field:
    """(H, W): a soft pool of light, gaussian, 1 in its middle."""
    away = ((frame.x - np.float32(x)) ** 2 + ((frame.y - np.float32(y)) * np.float32(squeeze)) ** 2) / radius**2
    return f32(np.exp(-away * np.float32(0.7)))
