"""No background: the subject stays cut out."""

import pyvips

from server.composition import NoBackground
from server.image.stage import Stage


def render(_stage: Stage, _background: NoBackground) -> pyvips.Image | None:
    """Return None: there is nothing to lay the subject over."""
    return None
