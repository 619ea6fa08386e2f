"""A set whose true mattes the toy model finds: what is bright is subject."""

from pathlib import Path

import cv2
import numpy as np


def write_golden_toy(folder: Path, size: int = 200) -> Path:
    """Write two pictures, `disc` and `square`, with their masks into `folder`, in the layout of DIS5K."""
    rows, columns = np.mgrid[:size, :size]
    shapes = {
        "disc": np.hypot(rows - size / 2, columns - size / 2) < size * 0.3,
        "square": (abs(rows - size * 0.5) < size * 0.25) & (abs(columns - size * 0.6) < size * 0.25),
    }
    for name, inside in shapes.items():
        for kind, bright, dark in (("im", (230, 220, 210), (20, 40, 60)), ("gt", (255, 255, 255), (0, 0, 0))):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            pixels = np.where(inside[..., None], bright, dark).astype(np.uint8)
            cv2.imwrite(str(folder / kind / f"{name}.png"), pixels)
    return folder
