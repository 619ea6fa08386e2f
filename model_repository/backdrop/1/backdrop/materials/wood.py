"""Wood: planks, each cut from another place of a tree: rings stretched to grain, pores, bevelled joints."""

import numpy as np

from backdrop.bands import by_bands
from backdrop.colour import lightness, mix, ramp, srgb, tune, with_lightness
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.noise import octaves
from backdrop.pixels import f32, shaded, step
from backdrop.stage import Stage

_LENGTH = np.float32(0.9)
"""Of a plank, in units."""
_PIECES = 8
"""Different ones in a row, before they repeat."""


def wood(stage: Stage, frame: Frame, *, planks: float = 6.5, upright: bool = False) -> Picture:
    """(H, W, 3) its colour, unlit. `planks`: to the unit; they lie across, or stand `upright`."""
    turned = Frame(frame.height, frame.width) if upright else frame
    picture = _lying(stage, turned, planks)
    return f32(np.ascontiguousarray(picture.transpose(1, 0, 2)[:, ::-1])) if upright else picture


def _lying(stage: Stage, frame: Frame, planks: float) -> Picture:
    rng = stage.rng("planks")
    rows = int(planks * frame.height / frame.unit) + 3
    shifts, ends = rng.uniform(0, 40, rows).astype(np.float32), rng.uniform(0, 1, rows).astype(np.float32)
    tones = rng.normal(0, 1, (rows, _PIECES)).astype(np.float32)
    light, dark = _colours(stage)
    stops = [(0.0, dark), (0.5, mix(dark, light, 0.55)), (1.0, light)]
    first = np.float32(stage.chance("first joint"))
    pixel = 0.7 / frame.unit

    def paint(band: Frame, drift: Field, fibres: Field) -> Picture:
        row = band.y * np.float32(planks) + first
        number = np.floor(row).astype(np.int64)
        within = f32(row - number)
        column = (band.x + ends[number] * _LENGTH) / _LENGTH + np.float32(3)
        piece = np.floor(column).astype(np.int64)
        across = f32(column - piece)
        shift = shifts[number] + f32(piece % _PIECES) * np.float32(5.3)
        grain = _rings(band, shift, within / np.float32(planks), drift) + fibres
        picture = ramp(f32(grain + tones[number, piece % _PIECES] * np.float32(0.075)), stops)
        joint = np.minimum(
            np.minimum(within, 1 - within) / np.float32(planks), np.minimum(across, 1 - across) * _LENGTH
        )
        shade = 1 - np.float32(0.72) * step(0.0011 + pixel, 0.0003, joint)
        shade *= 1 - np.float32(0.22) * np.exp(joint * np.float32(-357))
        return shaded(picture, shade)

    drift = octaves(frame, stage.rng("drift"), 5, 3, gain=0.45, stretch=(4.5, 1))
    return by_bands(frame, paint, drift, _fibres(stage, frame))


def _rings(band: Frame, shift: Field, within: Field, drift: Field) -> Field:
    """Year rings as the saw meets them: 0.62 in early wood, darker in late wood."""
    centre = np.sin(shift * np.float32(7.1)) * np.float32(0.12)
    # A plank is a flat cut near the tree's heart: rings are long arches along it.
    arch = (band.x + np.sin(shift) * np.float32(0.5)) * np.float32(0.14)
    height = within - np.float32(0.07) + centre
    rings = np.sqrt(arch * arch + height * height) * np.float32(46) + drift * np.float32(0.42) + shift
    saw = rings - np.floor(rings)
    return f32(np.float32(0.62) - np.float32(0.24) * saw * step(1.0, 0.86, saw) + np.float32(0.05) * drift)


def _fibres(stage: Stage, frame: Frame) -> Field:
    """What runs along the wood: fibres, streaks, pores."""
    fibre = octaves(frame, stage.rng("fibre"), 150, 3, gain=0.75, stretch=(26, 1))
    streak = octaves(frame, stage.rng("streak"), 26, 3, gain=0.6, stretch=(18, 1))
    pores = step(1.25, 2.2, octaves(frame, stage.rng("pores"), 330, 2, stretch=(22, 1)))
    return f32(np.float32(0.055) * fibre + np.float32(0.075) * streak - np.float32(0.16) * pores)


def _colours(stage: Stage) -> tuple[Colour, Colour]:
    """Of early wood and of late wood."""
    brief = stage.brief
    if stage.colours:
        base = stage.colours[0]
        base = with_lightness(base, float(np.clip(lightness(base), 0.3, 0.93)), 0.85)
    elif brief.wants("walnut", "dark", "moody"):
        base = srgb("#7a5236")
    elif brief.wants("pine", "bright", "pastel", "minimal"):
        base = srgb("#e3c79d")
    elif brief.wants("muted"):
        base = srgb("#b3a899")
    else:
        base = srgb(str(stage.rng("timber").choice(("#c99a66", "#b98352", "#d3a877", "#a9744a"))))
    return tune(base, light=0.05), tune(base, light=-0.2, chroma=1.05, turn=-0.08)
