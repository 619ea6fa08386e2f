"""One colour behind the subject."""

import pyvips

from server.composition import Color
from server.image.stage import Stage


def render(stage: Stage, background: Color) -> pyvips.Image:
    """Return the canvas in one colour, lazy: uchar sRGB; three bands where it is opaque, else four, straight alpha."""
    bands = [background.red, background.green, background.blue]
    if background.alpha < 255:
        bands.append(background.alpha)
    plane = pyvips.Image.black(stage.width, stage.height, bands=len(bands))
    return (plane + bands).cast("uchar").copy(interpretation="srgb")
