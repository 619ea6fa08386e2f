"""Words to a picture: what the straight line asks of a generation model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[float], None]


def no_progress(_done: float) -> None:
    """Listen to no progress."""


@dataclass(frozen=True)
class Prompt:
    """What to paint.

    `text` may be empty: the model then paints what goes with the picture. `negative`: what to keep out. The same
    `seed` (0 to 2⁶⁴ − 1) gives the same picture again. `steps`: how long to work at it; 0 is the model's own default.
    """

    text: str
    negative: str
    seed: int
    steps: int = 0


@dataclass(frozen=True)
class Generation:
    """What a model answered.

    `image`: (H, W, 3) uint8 sRGB, of the size that was asked for. `device`: where it ran, `device/runtime/precision`.
    """

    image: NDArray[np.uint8]
    device: str


class GenerationModel(Protocol):
    """A generation model of the repository, as a blocking call."""

    @property
    def name(self) -> str:
        """Name in the model repository."""
        ...

    @property
    def method(self) -> str:
        """How it makes pictures: `procedural` or `diffusion`."""
        ...

    @property
    def max_side(self) -> int:
        """Longest side that it paints, in pixels."""
        ...

    @property
    def multiple(self) -> int:
        """Both sides must be multiples of this many pixels."""
        ...

    def generate(
        self,
        prompt: Prompt,
        image: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        on_progress: Progress = no_progress,
    ) -> Generation:
        """Paint `image` where `mask` says so.

        `image`: (H, W, 3) uint8 sRGB, sides that the model takes. `mask`: (H, W) uint8; 255 is to be painted, 0 is
        what the picture will show there. `on_progress` hears 0 to 1, rising, from models that tell.
        Raises ModelUnavailableError when the model does not answer as it should.
        """
        ...


Generators = Callable[[str | None], GenerationModel]
"""The generation model of a name, None for the server's default. Nothing is asked of Triton before it is called, so
edits without a generated background need none. Raises ModelNotFoundError, ModelUnavailableError, and
InvalidParameterError where the model of that name makes no pictures."""
