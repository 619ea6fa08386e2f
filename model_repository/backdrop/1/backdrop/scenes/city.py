"""The city behind the subject: lamps and windows as discs at night, towers in haze by day."""

import numpy as np

from backdrop.colour import mix, srgb
from backdrop.discs import Disc, add_disc
from backdrop.frame import Colour, Frame, Picture
from backdrop.light import Hour, glow, hour_of
from backdrop.noise import octaves
from backdrop.pixels import blur, f32, lens, over, shaded, step, tinted
from backdrop.scenes.sky import sky
from backdrop.stage import Stage
from backdrop.view import View

_SIDE = 896
_LAMPS = ("#ffb35c", "#ffd08a", "#ff9240", "#fff0d8", "#ff5a48", "#8fd0ff", "#62e0c8", "#ff74b8")
_ODDS = (0.27, 0.2, 0.13, 0.15, 0.1, 0.07, 0.04, 0.04)


def city(stage: Stage) -> Picture:
    """By night unless another time is named."""
    frame = stage.frame.at_most(_SIDE)
    hour = hour_of(stage.brief, "night")
    at = stage.horizon(0.68)
    dark = hour.ground < 0.4
    view = View(stage, frame, hour, at)
    picture = sky(view, clouds=0.3, stars=False)
    if dark:
        # A city lights its own sky.
        warm = f32(np.exp((frame.v - np.float32(at)) * np.float32(4.5)) * (frame.v < at) + 0 * frame.x)
        picture += tinted(mix(srgb("#d9793f"), hour.horizon, 0.35), warm * np.float32(0.17))
    for row in range(3):
        picture = _towers(view, picture, row)
    picture = lens(picture, frame, 0.0085 if dark else 0.0045)
    picture = _street(view, picture)
    if dark:
        _lamps(stage, frame, picture, at)
        bloom = blur(picture, frame, 0.022)
        picture = f32(picture * np.float32(0.92) + bloom * np.float32(0.2))
    return picture


def _towers(view: View, picture: Picture, row: int) -> Picture:
    """One row of buildings, nearer ones darker by day, with lit windows at night."""
    frame, hour, at, high = view.frame, view.hour, view.at, view.high
    rng = view.stage.rng(f"towers {row}")
    air = (0.74, 0.5, 0.26)[row]
    haze = mix(hour.horizon, hour.middle, 0.45)
    wall = mix(view.lit(srgb("#6c7480")), haze, air)
    x = -0.56
    layer = picture
    while x < 0.56:
        width = rng.uniform(0.035, 0.1) * (1 + 0.35 * row)
        # A valley in the skyline, where the subject is.
        tall = rng.uniform(0.1, 0.42) * (0.55 + 0.9 * min(abs(x + width / 2) / 0.4, 1.0)) * (1 - 0.16 * row) * high
        left, right = (int((edge) * frame.unit + frame.width / 2) for edge in (x, x + width))
        left, right = max(left, 0), min(right, frame.width)
        top = max(int((at * high - tall) * frame.unit), 0)
        bottom = min(int((at * high + 0.02) * frame.unit), frame.height)
        tone = np.float32(rng.uniform(0.82, 1.18))
        if right > left and bottom > top:
            block = layer[top:bottom, left:right]
            down = f32(np.linspace(0, 1, bottom - top))[:, None, None]
            across = f32(np.linspace(-1, 1, right - left))[None, :, None]
            face = wall * tone * (1 + np.float32(0.12 * view.stage.light_side) * np.sign(across + np.float32(0.3)))
            # Haze lies in the streets.
            block += (face + (haze - face) * (np.float32(0.6) * down * down) - block) * np.float32(0.97)
            _windows(rng, block, frame, hour, row)
        x += width * rng.uniform(0.9, 1.35)
    return layer


def _windows(rng: np.random.Generator, block: Picture, frame: Frame, hour: Hour, row: int) -> None:
    """Lights on in some rooms; by day a faint grid."""
    size = 1 if hour.ground < 0.4 else 1.5
    pitch_x, pitch_y = max(0.0085 * size * frame.unit, 2), max(0.0125 * size * frame.unit, 2)
    columns, rows = int(block.shape[1] / pitch_x), int(block.shape[0] / pitch_y)
    lit = rng.random((64, 16, 2)).astype(np.float32)
    if not columns or not rows:
        return
    dark = hour.ground < 0.4
    share = 0.72 if dark else 0.5
    warm, cold = srgb("#ffc57d"), srgb("#d6e6ff")
    for i in range(min(rows, 64)):
        for j in range(min(columns, 16)):
            chance, tone = lit[i, j]
            y, x = int((i + 0.25) * pitch_y), int((j + 0.2) * pitch_x)
            pane = block[y : y + max(int(pitch_y * 0.5), 1), x : x + max(int(pitch_x * 0.6), 1)]
            if not dark:
                pane *= np.float32(0.84 if chance < 0.9 else 1.1)
            elif chance > share:
                colour = warm if tone < 0.78 else cold
                pane += colour * np.float32(
                    (chance - share) * (0.8 + 1.6 * row) * 1.9 * (1 if hour.ground < 0.1 else 0.6)
                )


def _street(view: View, picture: Picture) -> Picture:
    """Wet asphalt that mirrors what stands on it."""
    frame, hour, at = view.frame, view.hour, view.at
    below = step(at - 0.004, at + 0.012, frame.v + 0 * frame.x)
    rows = np.clip((2 * at - frame.v) * frame.height, 0, frame.height - 1)
    mirrored = picture[np.clip(rows[:, 0].astype(np.int64), 0, frame.height - 1)]
    mirrored = blur(mirrored, frame, 0.006, 0.05)
    rough = octaves(frame, view.stage.rng("asphalt"), 30, 4, gain=0.7, stretch=(3, 0.8))
    stone = view.lit(srgb("#8a8d90"))
    share = np.float32(0.5 if hour.ground < 0.4 else 0.16)
    ground = tinted(stone, np.float32(0.75) + np.float32(0.09 if hour.ground < 0.4 else 0.04) * rough + 0 * frame.v)
    gleam = np.clip(
        share * (1 - np.clip((frame.v - at) / (1 - at), 0, 1) * np.float32(0.6)) + np.float32(0.05) * rough, 0, 1
    )
    ground = shaded(ground, 1 - np.float32(0.35) * step(at, 1.0, frame.v)) + shaded(mirrored, gleam)
    near = glow(frame, 0, at * frame.height / frame.unit, 0.35, power=2, squeeze=3)
    return over(picture, f32(ground + tinted(hour.horizon, near * np.float32(0.06))), below)


def _lamps(stage: Stage, frame: Frame, picture: Picture, at: float) -> None:
    """Street lamps, signs, cars: rows that run to the vanishing point, and their images in the wet street."""
    rng = stage.rng("lamps")
    high = frame.height / frame.unit
    named = stage.brief.colours
    palette: tuple[Colour, ...] = named + named + tuple(srgb(text) for text in _LAMPS[:2]) if named else ()
    for _ in range(110):
        depth = rng.random() ** 0.8
        side = rng.choice((-1.0, 1.0))
        x = side * (0.03 + 0.5 * (1 - depth) ** 0.9) * rng.uniform(0.7, 1.25) + rng.normal(0, 0.02)
        lift = rng.choice((0.0, 1.0), p=(0.45, 0.55))
        y = (at - lift * (0.03 + 0.42 * (1 - depth)) * rng.uniform(0.25, 1.0) + rng.normal(0, 0.008)) * high
        size = (0.0065 + 0.02 * (1 - depth)) * rng.uniform(0.7, 1.3)
        if palette:
            colour = palette[int(rng.integers(len(palette)))]
        else:
            colour = srgb(_LAMPS[int(rng.choice(len(_LAMPS), p=_ODDS))])
        strength = np.float32((0.16 + 0.6 * rng.random() ** 2.2) * (0.55 + 0.45 * depth))
        add_disc(picture, frame, Disc(float(x), float(y), size, f32(colour * strength), 0.85))
        image = (2 * at * high - y) + 0.02
        add_disc(
            picture, frame, Disc(float(x), float(image), size * 1.2, f32(colour * strength * 0.2), 0.2), squeeze=0.3
        )
