"""The straight line for one picture: bytes, decode, matte, compose, encode, bytes. Synchronous; one function."""

import mmap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyvips

from server.backgrounds.generated import Painted
from server.compose import cast, compose, draw, paint
from server.composition import Composition
from server.errors import InvalidImageError, InvalidParameterError, PixelsExceededError
from server.generation import Generators
from server.image.box import Box
from server.image.decode import View, open_pixels, read_view, upright_size
from server.image.encode import OnPercent, encode
from server.image.header import Encoded, ImageHeader, read_header
from server.image.layout import plan
from server.image.libvips import translated_errors
from server.image.own_alpha import own_box
from server.image.place import place
from server.image.region import region_box
from server.image.scene import Scene
from server.image.stage import Stage
from server.matting import MattingModel, Subject, found_subject, own_subject
from server.output import ImageFormat, Output, OutputKind, Region, SubjectSource

_OWN_WORKING_SIZE = 1024, 1024  # of what is drawn for a picture that no model is asked about


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
    model_version: int = 0


class _Clock:
    """Times the stages, each from the end of the one before."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, float]] = []
        self._since = time.perf_counter()

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.stages.append((name, now - self._since))
        self._since = now


@dataclass(frozen=True)
class Models:
    """What may be asked, and is connected to only when it is."""

    matting: Callable[[], MattingModel]
    generation: Generators


def edit(
    source: Path,
    target: Path,
    task: EditTask,
    models: Models,
    background: Path | None = None,
    *,
    on_percent: OnPercent | None = None,
) -> EditResult:
    """Read the encoded picture at `source`, write the encoded result to `target`.

    `background`: the encoded picture that is laid behind, where the composition has one. `on_percent` hears how much of
    the result is computed. Raises the errors of `server.errors` that are the caller's fault (InvalidImageError,
    UnsupportedFormatError, DimensionExceededError, PixelsExceededError, InvalidParameterError, NoTransparencyError,
    NoSubjectError), what the models raise, and ProcessingFailedError where the result cannot be written.
    """
    refuse_transparent_jpeg(task)
    clock = _Clock()
    data = _mapped(source)
    behind = None if background is None else _mapped(background)
    header = read_header(data)
    _refuse_too_many_pixels(header, task.max_pixels)
    if behind is not None:
        _refuse_too_many_pixels(read_header(behind), task.max_pixels)
    with translated_errors():
        opened = _Source(data, header, upright_size(data, header))
        view, subject = _subject(opened, task, models, clock.stage)
        planned = plan(opened.size, subject.box, task.output, task.max_pixels)
        stage = Stage(planned.layout, opened.size, view, subject.alpha)
        painted = paint(stage, task.composition.background, models.generation)
        if painted is not None:
            clock.stage("generate")
        placed = place(subject.scene(open_pixels(data, header)), subject.box, planned)
        result = _result(placed.scene, stage, task, painted, behind)
        encode(result, task.output.format, target, on_percent)
        clock.stage("encode")
    return EditResult(
        content_type=task.output.format.content_type,
        size=target.stat().st_size,
        width=planned.layout.width,
        height=planned.layout.height,
        model=subject.model,
        device=subject.device,
        foreground=placed.box,
        stages=tuple(clock.stages),
        generation=_facts(painted),
        model_version=subject.version,
    )


def _result(
    scene: Scene, stage: Stage, task: EditTask, painted: Painted | None, behind: Encoded | None
) -> pyvips.Image:
    match task.output.kind:
        case OutputKind.MASK:
            return scene.alpha
        case OutputKind.COLOR:
            return scene.colour
        case OutputKind.PICTURE:
            backdrop = draw(stage, task.composition.background, painted, behind)
            return compose(scene, backdrop, cast(stage, task.composition.shadow))


@dataclass(frozen=True)
class _Source:
    """A picture to edit. `size`: (height, width), upright."""

    data: Encoded
    header: ImageHeader
    size: tuple[int, int]


def _subject(source: _Source, task: EditTask, models: Models, done: Callable[[str], None]) -> tuple[View, Subject]:
    """Return the picture at the working size, and its subject."""
    data, header, size = source.data, source.header, source.size
    region = None if task.region is None else region_box(task.region, size)
    if task.subject is SubjectSource.OWN_ALPHA:
        box = own_box(data, header)
        view = read_view(data, header, _smaller(size, _OWN_WORKING_SIZE))
        done("decode")
        return view, own_subject(view, box, size, region)
    model = models.matting()
    view = read_view(data, header, _smaller(size, model.size))
    done("decode")
    return view, found_subject(view, size, region, model, done)


def _facts(painted: Painted | None) -> GenerationFacts | None:
    if painted is None:
        return None
    return GenerationFacts(painted.model, painted.device, painted.method, painted.seed)


def _smaller(size: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return min(size[0], other[0]), min(size[1], other[1])


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


def refuse_transparent_jpeg(task: EditTask) -> None:
    """Raise `InvalidParameterError` where the result would be transparent, and is to be a JPEG."""
    opaque = task.output.kind is not OutputKind.PICTURE or task.composition.opaque
    if task.output.format is ImageFormat.JPEG and not opaque:
        raise InvalidParameterError(
            "JPEG has no transparency: choose PNG, WebP or an opaque background.", {"field": "format"}
        )
