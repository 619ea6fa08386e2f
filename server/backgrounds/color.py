"""One colour behind the subject."""

import pyvips

from server.composition import Color
from server.image.scene import Scene


def render(scene: Scene, background: Color) -> pyvips.Image:
    """Return an image of the scene's size in one colour: uchar sRGB; three bands where it is opaque, else four."""
    bands = [background.red, background.green, background.blue]
    if background.alpha < 255:
        bands.append(background.alpha)
    plane = pyvips.Image.black(scene.width, scene.height, bands=len(bands))
    return (plane + bands).cast("uchar").copy(interpretation="srgb")
