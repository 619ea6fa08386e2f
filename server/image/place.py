"""A scene to the canvas of its result, as lazy libvips graphs.

Where nothing is resized, pixels are copied bit for bit. Where something is, colours are weighted by alpha before and
freed of it after, so that no unseen colour gets into an edge.
"""

from dataclasses import dataclass

import pyvips

from server.image.box import Box, box_between
from server.image.layout import Plan
from server.image.resample import laid
from server.image.scene import Scene

_SHRINKING = "mitchell"  # hardly rings: a sharper kernel shows a bright line along the outline of a cut-out
_ENLARGING = "bicubic"  # rings, which is why it is kept in floats until colour is freed of alpha, which rings alike
_REACH = 2  # pixels of the result that these kernels spread a subject's edge by
_TILE = 128  # libvips' own tile size


@dataclass(frozen=True)
class Placed:
    """A scene of the canvas's size, and the box in it outside of which all is transparent."""

    scene: Scene
    box: Box


def place(scene: Scene, subject: Box, plan: Plan) -> Placed:
    """Lay what is in the box `subject` of the scene on the canvas. Nothing is computed yet."""
    subject = subject.cut_to(plan.cut)
    canvas = Box(0, 0, plan.layout.width, plan.layout.height)
    if not subject.width:
        return _nothing(canvas)
    if (plan.cut.width, plan.cut.height) == (plan.place.width, plan.place.height):
        return _moved(scene, subject, plan.place.top - plan.cut.top, plan.place.left - plan.cut.left, canvas)
    return _resized(scene, subject, plan, canvas)


def _nothing(canvas: Box) -> Placed:
    plane = pyvips.Image.black(canvas.width, canvas.height)
    colour, cutout = (plane.bandjoin([0] * bands).copy(interpretation="srgb") for bands in (2, 3))
    return Placed(Scene(canvas.width, canvas.height, colour, plane, cutout), Box(0, 0, 0, 0))


def _moved(scene: Scene, subject: Box, down: int, right: int, canvas: Box) -> Placed:
    box = subject.moved(down, right).cut_to(canvas)
    if not box.width:
        return _nothing(canvas)
    source = box.moved(-down, -right)

    def moved(image: pyvips.Image) -> pyvips.Image:
        if source == canvas == Box(0, 0, image.width, image.height):
            return image
        return _embedded(_cropped(image, source), box, canvas)

    return Placed(Scene(canvas.width, canvas.height, moved(scene.colour), moved(scene.alpha), moved(scene.cutout)), box)


def _resized(scene: Scene, subject: Box, plan: Plan, canvas: Box) -> Placed:
    cut, target = plan.cut, plan.place
    inside = Box(subject.top - cut.top, subject.left - cut.left, subject.width, subject.height)
    alpha = _cropped(scene.alpha, subject)
    weighted = alpha.ifthenelse(_cropped(scene.colour, subject), 0, blend=True).bandjoin(alpha)
    # Shrinking asks for whole rows; in tiles, what is surely subject or background costs little.
    weighted = _embedded(_shared(weighted), inside, cut)
    small = _at_size(weighted, target.width, target.height)
    box = _spread(inside, cut, target).cut_to(canvas)
    shown = box.moved(-target.top, -target.left).cut_to(Box(0, 0, target.width, target.height))
    box = shown.moved(target.top, target.left)
    small = _shared(_cropped(small, shown))
    alpha, colour = _rounded(small[3]), _freed(small)
    cutout = (colour.bandjoin(alpha) & (alpha > 0)).copy(interpretation="srgb")
    colour, alpha, cutout = (_embedded(image, box, canvas) for image in (colour, alpha, cutout))
    return Placed(Scene(canvas.width, canvas.height, colour, alpha, cutout), box)


def _freed(weighted: pyvips.Image) -> pyvips.Image:
    """Return the colours of four bands whose first three are weighted by the last; uchar."""
    alpha, colour = weighted[3], weighted[:3]
    shown = alpha >= 1
    freed = _rounded(colour * (255 / shown.ifthenelse(alpha, 255)))
    return (alpha == 255).ifthenelse(_rounded(colour), shown.ifthenelse(freed, 0)).copy(interpretation="srgb")


def _rounded(image: pyvips.Image) -> pyvips.Image:
    return image if image.format == "uchar" else (image + 0.5).cast("uchar")


def _at_size(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    """Return `image` at that size: uchar where it shrinks, float where it grows."""
    across, down = width / image.width, height / image.height
    if across <= 1 and down <= 1:
        return image.resize(across, vscale=down, kernel=_SHRINKING)
    # Four bands of colours would be weighted by the last one a second time.
    plain = image.cast("float").copy(interpretation="multiband")
    return laid(plain, (across, down), (0, 0), (width, height), _ENLARGING)


def _spread(inside: Box, cut: Box, target: Box) -> Box:
    """Return the box of the canvas that can show something of the box `inside` of the cut."""
    across, down = target.width / cut.width, target.height / cut.height
    if (inside.width, inside.height) == (cut.width, cut.height):
        return target
    return box_between(
        target.top + int(inside.top * down) - _REACH,
        target.left + int(inside.left * across) - _REACH,
        target.top + int(inside.bottom * down) + 1 + _REACH,
        target.left + int(inside.right * across) + 1 + _REACH,
    )


def _cropped(image: pyvips.Image, box: Box) -> pyvips.Image:
    return image.crop(box.left, box.top, box.width, box.height)


def _embedded(image: pyvips.Image, box: Box, canvas: Box) -> pyvips.Image:
    """Return an image of the canvas's size with `image` in its box and zeros around."""
    if (box.width, box.height) == (canvas.width, canvas.height):
        return image
    return image.embed(box.left, box.top, canvas.width, canvas.height)


def _shared(image: pyvips.Image) -> pyvips.Image:
    """Compute `image` in tiles, and keep two rows of them."""
    tiles = 2 * (image.width // _TILE + 2)
    return image.tilecache(tile_width=_TILE, tile_height=_TILE, max_tiles=tiles, threaded=True)
