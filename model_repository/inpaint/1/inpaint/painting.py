"""One picture, painted: the pipeline's call, made so that it can be watched, broken off, and repeated exactly."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from inpaint.settings import Settings

_MASKED = 128  # What a mask says between the two is rounded.


class CancelledError(Exception):
    """Nobody waits for the picture any more."""


@dataclass(frozen=True)
class Order:
    """What is to be painted: `image` (H, W, 3) uint8 sRGB where `mask` (H, W) uint8 is 255. `steps` 0: the default."""

    prompt: str
    negative_prompt: str
    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    seed: int
    steps: int


def check(order: Order, settings: Settings) -> None:
    """Refuse what the model cannot paint.

    Raises:
        ValueError: It says what is wrong.
    """
    height, width = order.image.shape[:2]
    if order.mask.shape != (height, width):
        message = f"MASK is {list(order.mask.shape)}, and must be {[height, width]}, the size of IMAGE"
        raise ValueError(message)
    if max(height, width) > settings.max_side or height % settings.multiple or width % settings.multiple:
        message = f"IMAGE is {width}×{height}: sides are multiples of {settings.multiple} up to {settings.max_side}"
        raise ValueError(message)
    if order.steps < 0:
        message = f"STEPS is {order.steps}, and must be 0 or more"
        raise ValueError(message)


def paint(
    pipeline: Any,  # noqa: ANN401 - of a class named in the settings
    settings: Settings,
    order: Order,
    on_step: Callable[[float], None],
    is_cancelled: Callable[[], bool],
) -> NDArray[np.uint8]:
    """Return the whole picture, (H, W, 3) uint8 sRGB; where the mask is 0 it is the order's own, byte for byte.

    `on_step` hears after each step how much is done, above 0 and below 1: the decoder comes after the last one.
    The noise is drawn on the CPU from the seed alone, so that it is the same on every device.

    Raises:
        CancelledError: `is_cancelled` said so after a step.
        RuntimeError: Out of memory, or the network gave no numbers.
    """
    height, width = order.mask.shape
    wanted = order.steps or settings.default_steps

    def after_step(running: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
        if is_cancelled():
            raise CancelledError
        on_step((step + 1) / (max(running.num_timesteps, step + 1) + 1))
        return tensors

    arguments = {
        "prompt": order.prompt,
        "negative_prompt": order.negative_prompt,
        "image": Image.fromarray(order.image),
        "mask_image": Image.fromarray(np.where(order.mask >= _MASKED, 255, 0).astype(np.uint8)),
        "height": height,
        "width": width,
        # A strength below 1 leaves the first steps out: so many more are planned that `wanted` are made.
        "num_inference_steps": math.ceil(wanted / settings.call.get("strength", 1.0)),
        "generator": torch.Generator("cpu").manual_seed(order.seed),
        "callback_on_step_end": after_step,
        "output_type": "np",
    }
    known = inspect.signature(pipeline.__call__).parameters
    with torch.inference_mode():
        painted = pipeline(**{key: value for key, value in arguments.items() if key in known}, **settings.call).images[
            0
        ]
    if painted.shape != (height, width, 3) or not np.isfinite(painted).all():
        message = "the network gave no picture; in fp16 its decoder may overflow"
        raise RuntimeError(message)
    pixels = np.rint(painted * 255).clip(0, 255).astype(np.uint8)
    return np.where(order.mask[..., np.newaxis] >= _MASKED, pixels, order.image)
