"""Another picture behind the subject."""

import pyvips

from server.composition import Color, Fit, Picture
from server.image.decode import Pixels, open_stored, upright, upright_size
from server.image.header import Encoded, read_header
from server.image.resample import laid
from server.image.stage import Stage

_ENLARGING = "bicubic"
_OPAQUE = 255

Size = tuple[float, float]  # (width, height)


def render(stage: Stage, background: Picture, data: Encoded) -> pyvips.Image:
    """Return the encoded picture `data` fitted to the canvas, centred, lazy: uchar sRGB, three bands, or four with
    straight alpha where its fill is not opaque and shows.

    It is pulled once from top to bottom, as the picture that it lies behind. One that is to be turned is in memory
    whole, at the size that is shown or at its own, whichever is smaller. Averaged and enlarged in sRGB, as browsers
    do. `data` must be kept until it is pulled. Raises what `read_header` and `upright_size` raise.
    """
    header = read_header(data)
    height, width = upright_size(data, header)
    shown, seen = _fitted((width, height), (stage.width, stage.height), background.fit)
    # Twice what is needed, so that the last step still averages.
    stored = open_stored(data, header, min(seen[0] / shown[0], seen[1] / shown[1]) / 2)
    image = _weighted(stored.pixels, background.fill)
    if stored.sideways:
        image = _shrunk(_middle(image, seen[::-1], (height, width)), shown[::-1])
    else:
        image = _shrunk(_middle(image, seen, (width, height)), shown)
    image = _enlarged(upright(image, stored.orientation), shown)
    return _filled(image, stage, background.fill)


def _fitted(picture: Size, canvas: tuple[int, int], fit: Fit) -> tuple[tuple[int, int], Size]:
    """Return the size on the canvas at which it is shown, and the size of its middle that is seen there."""
    ratios = canvas[0] / picture[0], canvas[1] / picture[1]
    if fit is Fit.COVER:
        scale = max(ratios)
        return canvas, (canvas[0] / scale, canvas[1] / scale)
    scale = min(ratios)
    width, height = (max(1, round(side * scale)) for side in picture)
    return (min(width, canvas[0]), min(height, canvas[1])), picture


def _weighted(pixels: Pixels, fill: Color) -> pyvips.Image:
    """Return three bands where all is opaque, over an opaque fill too, else four with premultiplied alpha; uchar."""
    if pixels.alpha is None:
        return pixels.colour
    under = [fill.red, fill.green, fill.blue] if fill.alpha == _OPAQUE else 0
    colour = pixels.alpha.ifthenelse(pixels.colour, under, blend=True)
    return colour if fill.alpha == _OPAQUE else colour.bandjoin(pixels.alpha)


def _middle(image: pyvips.Image, seen: Size, picture: Size) -> pyvips.Image:
    """Cut out the middle of `seen` pixels of the picture, of which `image` may be a smaller copy."""
    width = min(max(1, round(seen[0] * image.width / picture[0])), image.width)
    height = min(max(1, round(seen[1] * image.height / picture[1])), image.height)
    return image.crop((image.width - width) // 2, (image.height - height) // 2, width, height)


def _shrunk(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    across, down = min(1, size[0] / image.width), min(1, size[1] / image.height)
    return image.resize(across, vscale=down) if min(across, down) < 1 else image


def _enlarged(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    if (image.width, image.height) == size:
        return image
    return laid(image, (size[0] / image.width, size[1] / image.height), (0, 0), size, _ENLARGING)


def _filled(image: pyvips.Image, stage: Stage, fill: Color) -> pyvips.Image:
    """Lay what `_weighted` made in the middle of the canvas, over its fill."""
    left, top = (stage.width - image.width) // 2, (stage.height - image.height) // 2
    whole = (image.width, image.height) == (stage.width, stage.height)
    under = [fill.red, fill.green, fill.blue]
    if image.bands == len(under) and (whole or fill.alpha == _OPAQUE):
        canvas = image.embed(left, top, stage.width, stage.height, extend="background", background=under)
        return canvas.copy(interpretation="srgb")
    four = image if image.bands > len(under) else image.bandjoin(_OPAQUE)
    canvas = four.embed(left, top, stage.width, stage.height).copy(interpretation="srgb")
    straight = canvas.unpremultiply().rint().cast("uchar")
    if not fill.alpha:
        return straight
    plane = straight.new_from_image([*under, fill.alpha])
    return plane.composite2(straight, "over").rint().cast("uchar")
