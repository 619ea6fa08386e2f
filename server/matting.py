"""Picture to alpha: what the straight line asks of a matting model, and what it knows of the subject then."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from server.image.box import Box
from server.image.decode import Pixels, View
from server.image.refine import refine
from server.image.region import cells, part, put_back
from server.image.scene import Scene, build_scene, own_scene, subject_box


@dataclass(frozen=True)
class Matte:
    """What a model answered.

    `alpha`: (H, W) uint8; 0 background, 255 subject. `device`: where it ran, `device/runtime/precision`. `version`: of
    the model, that answered; 0 where it is not said.
    """

    alpha: NDArray[np.uint8]
    device: str
    version: int = 0


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


@dataclass(frozen=True)
class Subject:
    """What is known of a picture's subject before its pixels are read at full size.

    `alpha`: (H, W) uint8, at the working size. `box`: in pixels of the picture; what is outside of it is background.
    `scene`: what the opened picture becomes. `model`, `device`, `version`: what found it; empty where the picture
    itself says it.
    """

    alpha: NDArray[np.uint8]
    box: Box
    scene: Callable[[Pixels], Scene]
    model: str = ""
    device: str = ""
    version: int = 0


def found_subject(
    view: View, picture_size: tuple[int, int], region: Box | None, model: MattingModel, done: Callable[[str], None]
) -> Subject:
    """Have a model find the subject.

    `view`: the picture at the working size. `picture_size`: its (height, width). `region`: where it is looked for; None
    for everywhere. `done` hears the stages `infer` and `refine`.
    """
    shape = view.colour.shape[0], view.colour.shape[1]
    inside = None if region is None else cells(region, picture_size, shape)
    matte = model.infer(_fitted(view.colour if inside is None else part(view.colour, inside), model.size))
    done("infer")
    refinement = refine(view, matte.alpha if inside is None else put_back(matte.alpha, inside, shape))
    alpha = refinement.alpha if view.alpha is None else np.minimum(refinement.alpha, view.alpha)
    if inside is not None:
        alpha = put_back(part(alpha, inside), inside, shape, around=0)
    box = subject_box(alpha, picture_size)
    box = box if region is None else box.cut_to(region)
    done("refine")
    scene = partial(build_scene, refinement=refinement)
    return Subject(alpha, box, scene, model.name, matte.device, matte.version)


def own_subject(view: View, box: Box, picture_size: tuple[int, int], region: Box | None) -> Subject:
    """Take the picture's own transparency for the matte. `box`: of all that is not transparent."""
    if view.alpha is None:
        raise ValueError("the picture has no transparency")
    if region is None:
        return Subject(view.alpha, box, own_scene)
    shape = view.alpha.shape[0], view.alpha.shape[1]
    inside = cells(region, picture_size, shape)
    return Subject(put_back(part(view.alpha, inside), inside, shape, around=0), box.cut_to(region), own_scene)


def _fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a view, or a part of it, at the model's size; it is smaller only where the picture itself is."""
    if image.shape[:2] == size:
        return image
    enlarged: NDArray[np.uint8] = cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return enlarged
