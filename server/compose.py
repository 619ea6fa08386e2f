"""Lays the subject over its background, and the shadow between them.

Colours are blended as CSS and every image editor blend them: in sRGB, not in linear light. Mattes and the alpha of
shadow colours are made to look right that way.
"""

import pyvips

from server.backgrounds import blur, color, generated, gradient, none
from server.backgrounds import picture as pictured
from server.backgrounds.generated import Painted
from server.composition import (
    Background,
    Blur,
    Color,
    ContactShadow,
    DropShadow,
    Generated,
    Gradient,
    NoBackground,
    Picture,
    Shadow,
)
from server.generation import Generators
from server.image.header import Encoded
from server.image.scene import Scene
from server.image.stage import Stage
from server.shadows import contact, drop
from server.shadows.shade import Shade

_OPAQUE_BANDS = 3


def paint(stage: Stage, background: Background, generators: Generators) -> Painted | None:
    """Have a generation model do its part, if it has one."""
    return generated.render(stage, background, generators) if isinstance(background, Generated) else None


def draw(
    stage: Stage, background: Background, painted: Painted | None = None, picture: Encoded | None = None
) -> pyvips.Image | None:
    """Return the background, lazy, of the canvas's size: uchar sRGB, three bands where it is opaque, else four; None
    where there is none.

    `painted`: what `paint` returned. `picture`: the encoded picture that is laid behind, if one is.
    """
    match background:
        case NoBackground():
            return none.render(stage, background)
        case Color():
            return color.render(stage, background)
        case Gradient():
            return gradient.render(stage, background)
        case Generated() if painted is not None:
            return painted.image
        case Blur():
            return blur.render(stage, background)
        case Picture() if picture is not None:
            return pictured.render(stage, background, picture)
        case Picture() | Generated():
            raise NotImplementedError(type(background).__name__)


def cast(stage: Stage, shadow: Shadow | None) -> Shade | None:
    """Return the shadow, lazy, of the canvas's size; None where there is none."""
    match shadow:
        case None:
            return None
        case DropShadow():
            return drop.render(stage, shadow)
        case ContactShadow():
            return contact.render(stage, shadow)


def compose(scene: Scene, backdrop: pyvips.Image | None, shadow: Shade | None) -> pyvips.Image:
    """Return the composed picture, lazy: uchar sRGB, three bands where the background is opaque, else four.

    `scene`: of the canvas's size. The subject's inner pixels are copied bit for bit.
    """
    behind = backdrop if shadow is None else _shaded(backdrop, shadow)
    if behind is None:
        return scene.cutout
    if behind.bands == _OPAQUE_BANDS:
        # Blends in integers, and copies where alpha is 0 or 255.
        return scene.alpha.ifthenelse(scene.colour, behind, blend=True)
    return _over(scene.colour, scene.alpha, behind)


def _shaded(backdrop: pyvips.Image | None, shadow: Shade) -> pyvips.Image:
    if backdrop is None:
        return shadow.image
    if backdrop.bands == _OPAQUE_BANDS:
        return shadow.strength.ifthenelse(shadow.levels, backdrop, blend=True)
    return _over(shadow.plane, shadow.strength, backdrop)


def _over(colour: pyvips.Image, alpha: pyvips.Image, lower: pyvips.Image) -> pyvips.Image:
    """Lay a colour of that alpha over four bands, straight alpha (Porter, Duff 1984); blended in integers, and copied
    where it covers and where either of them is nothing."""
    total = alpha.ifthenelse(255, lower[3], blend=True)
    share = (alpha * 255 / total + 0.5).cast("uchar")
    mixed = share.ifthenelse(colour, lower[:3], blend=True)
    return mixed.bandjoin(total).copy(interpretation="srgb")
