"""What is behind the subject of each frame, drawn by the same renderers as for a picture."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from server.backgrounds import blur
from server.compose import cast, draw, paint
from server.composition import Blur, Composition, Shadow
from server.generation import Generators
from server.image.decode import View
from server.image.layout import Layout
from server.image.libvips import to_array, translated_errors
from server.image.stage import Stage
from server.video.frame import Bytes, Frame, resized
from server.video.planes import Planes, from_rgb, over, plain

# Of the copy in which shadows are drawn and which models are shown: as for a picture, whose shadows have no more cells.
_SIDE = 1024
# Pixels of a blur's radius in the copy that it is drawn from: enough for the same look, and few enough for each frame.
_BLUR_RADIUS, _LEAST_BLUR_SIDE = 6, 192
_REFERENCE_SIDE = 1024  # of the picture in which a blur's radius is in pixels


class Backdrop:
    """What is the same behind all frames is drawn once; a blur and a shadow, which follow the subject, for each.

    `first`, `alpha`: the first frame and its alpha, (H, W) uint8, which a generation model is shown. `picture`: the
    encoded picture that is laid behind, where the composition has one. Making it raises what renderers and models do.
    """

    def __init__(
        self, composition: Composition, first: Frame, alpha: Bytes, generators: Generators, picture: Path | None
    ) -> None:
        self._composition = composition
        self._still: Planes | None = None
        self._ink: Planes | None = None
        if not isinstance(composition.background, Blur):
            self._still = _drawn(composition, _stage(first, alpha), generators, picture)

    def behind(self, frame: Frame, alpha: Bytes) -> Planes | None:
        """Return what is behind a frame's subject; None where nothing is."""
        background, shadow = self._composition.background, self._composition.shadow
        under = _blurred(background, frame, alpha) if isinstance(background, Blur) else self._still
        if shadow is None:
            return under
        stage = _small_stage(frame, alpha, _SIDE)
        shade = cast(stage, _smaller(shadow, stage.width / frame.size[1]))
        if shade is None:
            return under
        strength = _enlarged(to_array(shade.strength)[..., 0], frame.size)
        self._ink = self._ink or plain(shade.levels, strength)
        return over(Planes(*self._ink.colours, strength), under)


def _drawn(composition: Composition, stage: Stage, generators: Generators, picture: Path | None) -> Planes | None:
    with translated_errors():
        painted = paint(stage, composition.background, generators)
        encoded = None if picture is None else picture.read_bytes()
        drawn = draw(stage, composition.background, painted, encoded)
        return None if drawn is None else from_rgb(to_array(drawn))


def _stage(frame: Frame, alpha: Bytes) -> Stage:
    small = _shrunk(frame.size, _SIDE)
    layout = Layout(frame.size[1], frame.size[0])
    return Stage(layout, frame.size, View(frame.view(small), None), resized(alpha, small))


def _small_stage(frame: Frame, alpha: Bytes, side: int) -> Stage:
    """Return the stage of a smaller copy of the frame: what is soft is drawn there, for each frame, and enlarged."""
    small = _shrunk(frame.size, side)
    return Stage(Layout(small[1], small[0]), small, View(frame.view(small), None), resized(alpha, small))


def _smaller(shadow: Shadow, scale: float) -> Shadow:
    """Return a shadow for a canvas that is `scale` times as large; what follows the canvas by itself stays None."""

    def scaled(length: int | None) -> int | None:
        return None if length is None else round(length * scale)

    return replace(
        shadow,
        offset_x=scaled(shadow.offset_x),
        offset_y=scaled(shadow.offset_y),
        blur_radius=scaled(shadow.blur_radius),
    )


def _blurred(background: Blur, frame: Frame, alpha: Bytes) -> Planes:
    """Blur a small copy, and enlarge it: a blur has nothing that is lost by it."""
    side = max(_LEAST_BLUR_SIDE, round(_REFERENCE_SIDE * _BLUR_RADIUS / background.radius))
    stage = _small_stage(frame, alpha, min(side, _SIDE))
    planes = from_rgb(to_array(blur.render(stage, background)))
    height, width = frame.size
    sizes = (height, width), (height // 2, width // 2), (height // 2, width // 2)
    return Planes(*[_enlarged(plane, size) for plane, size in zip(planes.colours, sizes, strict=True)])


def _enlarged(plane: Bytes, size: tuple[int, int]) -> Bytes:
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return (height, width), both even, of these proportions and at most `side` long."""
    # By a whole number, where it may be: OpenCV averages that many times faster.
    scale = 1 / max(1, -(-max(size) // side))
    height, width = (max(2, 2 * round(length * scale / 2)) for length in size)
    return height, width
