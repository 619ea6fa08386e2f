"""Small images laid larger on a canvas, as lazy libvips graphs."""

import pyvips


def laid(
    image: pyvips.Image, scale: tuple[float, float], corner: tuple[float, float], canvas: tuple[int, int], method: str
) -> pyvips.Image:
    """Return a canvas of (width, height) with `image` on it, (across, down) times as large, lazy.

    `corner`: where the outer corner of its first pixel comes to lie, (left, top). Beyond the image its border goes on.
    `method`: libvips' name of an interpolator. The centre of a pixel stays the centre of what it becomes; libvips' own
    `resize` enlarges half a pixel off.
    """
    across, down = scale
    left, top = corner
    return image.affine(
        [across, 0, 0, down],
        interpolate=pyvips.Interpolate.new(method),
        oarea=[0, 0, *canvas],
        odx=left + (across - 1) / 2,
        ody=top + (down - 1) / 2,
        extend="copy",
    )
