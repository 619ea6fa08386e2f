"""How a network wants its picture and gives its matte: what an ONNX file does not say by itself."""

import math
from dataclasses import dataclass
from typing import Literal

from engine.models.errors import UnsupportedModelError

Activation = Literal["auto", "none", "sigmoid"]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Recipe:
    """How a network is used.

    `height`, `width`: pixels of its input. `mean`, `std`: on the 0–255 scale, per channel R, G, B: the network sees
    (x − mean) / std. `activation`: `sigmoid` if the output is logits, `none` if it is already 0–1, `auto` to read that
    from the graph. `output`: the name of the output that is the matte; may be None where there is only one. `threads`:
    of the CPU, on ONNX Runtime alone: for a network so small that waking more takes longer than its work, or 0, one a
    core, for one with operators that the faster runtimes lack; None leaves the runtime to the machine.

    Raises:
        UnsupportedModelError: the size is no picture, the threads are none, or mean and std are not on the 0–255 scale.
    """

    height: int
    width: int
    mean: Triple
    std: Triple
    activation: Activation = "auto"
    output: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise UnsupportedModelError(f"A size of {self.height}×{self.width} is no picture.")
        if self.threads is not None and self.threads < 0:
            raise UnsupportedModelError(f"{self.threads} threads are none.")
        if not all(math.isfinite(value) for value in (*self.mean, *self.std)):
            raise UnsupportedModelError("mean and std must be finite numbers.")
        if min(self.std) < 1:
            raise UnsupportedModelError(
                f"std {min(self.std):g} is below 1: mean and std are on the 0–255 scale. Multiply 0–1 values by 255, "
                "for example 0.229 becomes 58.395; a network that takes x / 255 has mean 0 and std 255."
            )
