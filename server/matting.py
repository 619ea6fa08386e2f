"""Picture to alpha: what the straight line asks of a matting model."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Matte:
    """What a model answered.

    `alpha`: (H, W) uint8; 0 background, 255 subject. `device`: where it ran, `device/runtime/precision`.
    """

    alpha: NDArray[np.uint8]
    device: str


class MattingModel(Protocol):
    """A model of the repository, as a blocking call."""

    @property
    def name(self) -> str:
        """Name in the model repository."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture it takes, in pixels."""
        ...

    def infer(self, image: NDArray[np.uint8]) -> Matte:
        """Return the matte of one picture of the model's own size.

        `image`: (H, W, 3) uint8, sRGB. Raises ModelUnavailableError when the model does not answer as it should.
        """
        ...
