"""Ridge behind ridge, each paler with the air before it: what far land is made of."""

from dataclasses import dataclass

import numpy as np

from backdrop.colour import mix
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.light import glow
from backdrop.noise import line
from backdrop.pixels import f32, over, plain, step, tinted
from backdrop.stage import Stage
from backdrop.view import View


@dataclass(frozen=True)
class Ridge:
    """`base`: height of its line (0 top – 1 bottom); `amplitude`: how far it swings; `air`: 0 near – 1 lost in haze."""

    name: str
    base: float
    amplitude: float
    cells: float
    octaves: int
    air: float
    gain: float = 0.45


def profile(stage: Stage, frame: Frame, ridge: Ridge) -> Field:
    """(1, W): the ridge's line as heights 0–1."""
    wave = line(stage.rng(ridge.name), ridge.cells, frame.x, ridge.octaves, gain=ridge.gain)
    return f32(ridge.base - wave * np.float32(ridge.amplitude))


def cover_of(frame: Frame, top: Field, soft: float = 0.0012) -> Field:
    """(H, W): 1 below the line, 0 above it."""
    return step(-soft, soft, frame.v - top)


def lay(view: View, picture: Picture, ridge: Ridge, ground: Colour | Picture) -> Picture:
    """One ridge over what is behind it: its ground, seen through the air, with mist at its foot."""
    stage, frame, hour = view.stage, view.frame, view.hour
    top = profile(stage, frame, ridge)
    below = frame.v - top
    haze = mix(hour.horizon, hour.middle, 0.3)
    mist = np.clip(ridge.air + np.float32(0.55 * (1 - ridge.air) * ridge.air + 0.08) * step(0.0, 0.2, below), 0, 1)
    if stage.brief.wants("foggy"):
        mist = np.clip(mist + 0.25 * (1 - mist), 0, 1)
    near_sun = glow(frame, view.sun.x, ridge.base * view.high, 0.3, power=2)
    air = haze + tinted(hour.sun, near_sun * np.float32(0.3 * hour.ground))
    body = over(ground if ground.ndim == 3 else plain(frame, ground), air, f32(mist))
    return over(picture, body, cover_of(frame, top, 0.0012 + 0.002 * ridge.air))


def far_hills(view: View, picture: Picture) -> Picture:
    """Two pale ridges that stand on a horizon."""
    stage, frame, hour, at = view.stage, view.frame, view.hour, view.at
    ground = f32(mix(hour.zenith, hour.middle, 0.4) * np.float32(0.6))
    for ridge in (Ridge("far 1", at - 0.05, 0.035, 4, 5, 0.72), Ridge("far 2", at - 0.015, 0.02, 5, 5, 0.5)):
        top = np.minimum(profile(stage, frame, ridge), np.float32(at))
        body = mix(ground, mix(hour.horizon, hour.middle, 0.3), ridge.air)
        cover = cover_of(frame, top) * step(at + 0.002, at - 0.002, frame.v + 0 * frame.x)
        picture = over(picture, body, cover)
    return picture
