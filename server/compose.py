"""Lays the subject over its background."""

import pyvips

from server.backgrounds import color, none
from server.composition import Color, Composition, NoBackground
from server.image.scene import Scene

_OPAQUE_BANDS = 3


def compose(scene: Scene, composition: Composition) -> pyvips.Image:
    """Return the composed picture, lazy: uchar sRGB, three bands where the background is opaque, else four."""
    backdrop = _render(scene, composition)
    if backdrop is None:
        return scene.cutout
    if backdrop.bands == _OPAQUE_BANDS:
        # Blends in integers, and copies where alpha is 0 or 255.
        return scene.alpha.ifthenelse(scene.colour, backdrop, blend=True)
    over = backdrop.composite2(scene.cutout, "over").rint().cast("uchar")
    return (scene.alpha == 255).ifthenelse(scene.cutout, over)


def _render(scene: Scene, composition: Composition) -> pyvips.Image | None:
    background = composition.background
    match background:
        case Color():
            return color.render(scene, background)
        case NoBackground():
            return none.render(scene, background)
        case _:
            raise NotImplementedError(type(background).__name__)
