"""A picture's own transparency as its matte."""

import numpy as np

from server.errors import NoTransparencyError
from server.image.box import EMPTY, Box, box_between
from server.image.decode import open_pixels
from server.image.header import Encoded, ImageHeader
from server.image.libvips import to_array

_OPAQUE = 255


def own_box(data: Encoded, header: ImageHeader) -> Box:
    """Return the exact box of all pixels that are not transparent, in the upright picture. Decodes all of it.

    Raises NoTransparencyError for a picture without an alpha channel, and for one whose alpha is opaque everywhere.
    """
    alpha = open_pixels(data, header).alpha
    if alpha is None:
        raise _refusal()
    columns, rows = alpha.project()
    if (to_array(columns == _OPAQUE * alpha.height) > 0).all():
        raise _refusal()
    across, down = np.flatnonzero(to_array(columns > 0)), np.flatnonzero(to_array(rows > 0))
    if not across.size:
        return EMPTY
    return box_between(int(down[0]), int(across[0]), int(down[-1]) + 1, int(across[-1]) + 1)


def _refusal() -> NoTransparencyError:
    return NoTransparencyError("The picture has no transparency.")
