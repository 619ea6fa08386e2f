"""The straight line for one picture: bytes, decode, matte, compose, encode, bytes. Synchronous; one function."""

import mmap
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from server.compose import compose
from server.composition import Composition
from server.errors import InvalidImageError, InvalidParameterError, PixelsExceededError
from server.image.decode import open_pixels, read_view, upright_size
from server.image.encode import encode
from server.image.header import ImageHeader, read_header
from server.image.libvips import translated_errors
from server.image.refine import refine
from server.image.scene import Box, build_scene
from server.matting import MattingModel
from server.output import ImageFormat, Output, OutputKind, Region, SubjectSource


@dataclass(frozen=True)
class EditTask:
    """What to make of one picture. `max_pixels`: most pixels (width × height) that are accepted, and made."""

    composition: Composition
    output: Output
    max_pixels: int
    subject: SubjectSource = SubjectSource.MODEL
    region: Region | None = None


@dataclass(frozen=True)
class GenerationFacts:
    """What painted a background. `method`: `procedural` or `diffusion`; `device` as of a matte."""

    model: str
    device: str
    method: str
    seed: int


@dataclass(frozen=True)
class EditResult:
    """Facts of a written result.

    `size` in bytes; `width`, `height` in pixels after orientation; `foreground` holds every pixel that is not
    transparent; `stages`: (name, seconds) in order.
    """

    content_type: str
    size: int
    width: int
    height: int
    model: str
    device: str
    foreground: Box
    stages: tuple[tuple[str, float], ...]
    generation: GenerationFacts | None = None


class _Clock:
    """Times the stages, each from the end of the one before."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, float]] = []
        self._since = time.perf_counter()

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.stages.append((name, now - self._since))
        self._since = now


def edit(source: Path, target: Path, task: EditTask, model: MattingModel) -> EditResult:
    """Read the encoded picture at `source`, write the encoded result to `target`.

    Raises the errors of `server.errors` that are the caller's fault (InvalidImageError, UnsupportedFormatError,
    DimensionExceededError, PixelsExceededError, InvalidParameterError), what `model` raises, and ProcessingFailedError
    where the result cannot be written.
    """
    _refuse_transparent_jpeg(task)
    clock = _Clock()
    data = _mapped(source)
    header = read_header(data)
    _refuse_too_many_pixels(header, task.max_pixels)
    with translated_errors():
        height, width = upright_size(data, header)
        working_size = min(height, model.size[0]), min(width, model.size[1])
        view = read_view(data, header, working_size)
        clock.stage("decode")
        matte = model.infer(_fitted(view.colour, model.size))
        clock.stage("infer")
        refinement = refine(view, matte.alpha)
        clock.stage("refine")
        scene = build_scene(open_pixels(data, header), refinement)
        mask = task.output.kind is OutputKind.MASK
        encode(scene.alpha if mask else compose(scene, task.composition), task.output.format, target)
        clock.stage("encode")
    return EditResult(
        content_type=task.output.format.content_type,
        size=target.stat().st_size,
        width=width,
        height=height,
        model=model.name,
        device=matte.device,
        foreground=scene.box,
        stages=tuple(clock.stages),
    )


def _mapped(source: Path) -> mmap.mmap:
    with source.open("rb") as file:
        if not source.stat().st_size:
            raise InvalidImageError("The picture is empty.")
        # Left to be unmapped with its last reader: libvips may hold it longer than this function.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _refuse_too_many_pixels(header: ImageHeader, max_pixels: int) -> None:
    pixels = header.width * header.height
    if pixels > max_pixels:
        raise PixelsExceededError(
            f"The picture has {pixels} pixels; at most {max_pixels} are allowed.",
            {"pixels": str(pixels), "max_pixels": str(max_pixels)},
        )


def _refuse_transparent_jpeg(task: EditTask) -> None:
    opaque = task.output.kind is OutputKind.MASK or task.composition.opaque
    if task.output.format is ImageFormat.JPEG and not opaque:
        raise InvalidParameterError(
            "JPEG has no transparency: choose PNG, WebP or an opaque background.", {"field": "format"}
        )


def _fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the view at the model's size; it is smaller only where the picture itself is."""
    if image.shape[:2] == size:
        return image
    enlarged: NDArray[np.uint8] = cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return enlarged
