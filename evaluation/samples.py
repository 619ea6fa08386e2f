"""Sets of pictures whose true mattes are known: a folder of pictures, and one of masks of the same names."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.errors import EvaluationError

# The names that public sets use, first those of this project: DIS5K has im/ and gt/, P3M-10k original_image/ and mask/,
# AM-2k original/ and mask/, PPM-100 image/ and matte/.
_PICTURES = ("images", "im", "original_image", "original", "image")
_MASKS = ("masks", "gt", "mask", "matte", "alpha")
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True)
class Sample:
    """One picture of a set. `name`: of both files, without ending; unique in its set."""

    name: str
    image: Path
    mask: Path


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """Pair the pictures in `folder`/images with the masks in `folder`/masks, in the order of names.

    The folders' names in DIS5K, P3M-10k, AM-2k and PPM-100 do as well. Nothing is decoded yet.

    Raises:
        EvaluationError: one of the two folders is missing, there are no pictures, or one has no mask or several.
    """
    pictures, masks = _by_name(_subfolder(folder, _PICTURES)), _by_name(_subfolder(folder, _MASKS))
    if not pictures:
        raise EvaluationError(f"{folder} has no pictures: they are to be PNG, JPEG or WebP.")
    if lacking := sorted(pictures.keys() - masks.keys()):
        raise EvaluationError(f"{pictures[lacking[0]]} has no mask of the same name ({len(lacking)} have none).")
    return tuple(Sample(name, picture, masks[name]) for name, picture in sorted(pictures.items()))


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Read an encoded matte or mask: (H, W) uint8, 0 background, 255 subject.

    Raises:
        EvaluationError: it cannot be read, or is no picture.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}.") from error
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    if picture is None:
        raise EvaluationError(f"{path} is no picture.")
    return np.asarray(picture, np.uint8)


def _subfolder(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_dir():
            return folder / name
    raise EvaluationError(f"{folder} has no folder {names[0]!r} (nor {', '.join(names[1:])}).")


def _by_name(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise EvaluationError(f"{found[name]} and {path} have the same name.")
        found[name] = path
    return found
