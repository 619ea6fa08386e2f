"""What the flags of `clearcanvas cut` and `video` ask of the service. They mean what the HTTP surface's fields mean,
and are read by the same readers."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Composition
from clearcanvas.v1.images_pb2 import EditRequest
from clearcanvas.v1.jobs_pb2 import VideoOrder
from clearcanvas.v1.videos_pb2 import VIDEO_FORMAT_MP4, VIDEO_FORMAT_UNSPECIFIED, VIDEO_FORMAT_WEBM

from adapter.errors import InvalidFieldsError
from adapter.options.backgrounds import read_blur, read_color, read_gradient, read_picture
from adapter.options.fields import Fields
from adapter.options.formats import is_opaque, read_output
from adapter.options.generation import MODEL, read_generated
from adapter.options.geometry import read_geometry
from adapter.options.jobs import MATTING, VIDEO_FORMAT
from adapter.options.shadows import SHADOW, cast_shadow
from cli.client import MAX_IMAGE_BYTES

Params = Mapping[str, Any]

BACKGROUNDS: Mapping[str, Callable[[Fields], Composition]] = {
    "color": lambda fields: Composition(color=read_color(fields)),
    "gradient": lambda fields: Composition(gradient=read_gradient(fields)),
    "blur": lambda fields: Composition(blur=read_blur(fields)),
    "background": lambda fields: Composition(picture=read_picture(fields)),
    "prompt": lambda fields: Composition(generated=read_generated(fields)),
}
"""By the flag that chooses it."""

_COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "gradient": ("angle", "radial"),
    "blur": ("lens",),
    "background": ("fit", "fill"),
    "prompt": ("negative_prompt", "seed", "steps", "generation_model"),
    "shadow": ("offset_x", "offset_y", "shadow_blur", "shadow_color"),
    "crop": ("margin",),
}
# Fields that have a flag of their own name, and those whose flag has another.
_SAME = (
    *("angle", "fit", "prompt", "negative_prompt", "seed", "steps", "generation_model"),
    *("shadow", "offset_x", "offset_y", "shadow_color", "size", "scale", "position", "model", "matting"),
)
_RENAMED = {
    "bgcolor": "color",
    "radius": "blur",
    "blur_radius": "shadow_blur",
    "format": "encoding",
    "crop_margin": "margin",
}
_SWITCHES = {
    "radial": ("kind", "radial"),
    "lens": ("kind", "lens"),
    "mask": ("output", "mask"),
    "crop": ("crop", "true"),
}


def read_template(params: Params) -> EditRequest:
    """The request for every picture, without the picture. `params`: the command's, by their names.

    Raises:
        typer.BadParameter: Two backgrounds, a flag without the one it goes with, or a value that cannot be read.
    """
    fields, composition = _read_composition(params)
    output = read_output(fields, "", opaque=is_opaque(composition))
    read_geometry(fields, output)
    model = fields.take(MODEL)
    _finish(fields, composition, params)
    subject = images_pb2.SUBJECT_SOURCE_OWN_ALPHA if params["own_alpha"] else images_pb2.SUBJECT_SOURCE_UNSPECIFIED
    return EditRequest(composition=composition, output=output, model=model, subject=subject)


def read_order(params: Params) -> VideoOrder:
    """What is to be made of every video; its format is always named. `params`: the command's, by their names.

    Raises:
        typer.BadParameter: As `read_template`; or MP4, which has no transparency, where the background needs it.
    """
    fields, composition = _read_composition(params)
    opaque = is_opaque(composition)
    chosen = fields.take(VIDEO_FORMAT)
    if chosen == VIDEO_FORMAT_UNSPECIFIED:
        chosen = VIDEO_FORMAT_MP4 if opaque else VIDEO_FORMAT_WEBM
    elif chosen == VIDEO_FORMAT_MP4 and not opaque:
        fields.reject("format", "mp4 has no transparency: use webm, webp or zip, or an opaque background")
    order = VideoOrder(format=chosen, matting=fields.take(MATTING), model=fields.take(MODEL))
    _finish(fields, composition, params)
    order.composition.CopyFrom(composition)
    return order


def _read_composition(params: Params) -> tuple[Fields, Composition]:
    """All fields, of which those of the composition were read; another picture is still to be put into it."""
    chosen = [flag for flag in BACKGROUNDS if params[flag] is not None]
    if len(chosen) > 1:
        raise typer.BadParameter(f"{' and '.join(map(_written, chosen))} are backgrounds: choose one")
    if any(params[flag] == "" for flag in chosen):  # As of a variable in a script that is not set.
        raise typer.BadParameter(f"{_written(chosen[0])} is empty")
    for flag, companions in _COMPANIONS.items():
        if not params.get(flag) and (lost := [name for name in companions if params.get(name)]):
            raise typer.BadParameter(f"{_written(lost[0])} goes with {_written(flag)}")
    fields = Fields(dict(_to_fields(params)))
    composition = BACKGROUNDS[chosen[0]](fields) if chosen else Composition()
    cast_shadow(fields, composition, SHADOW)
    return fields, composition


def _finish(fields: Fields, composition: Composition, params: Params) -> None:
    """Say all that could not be read, and put another picture into its place."""
    try:
        fields.check()
    except InvalidFieldsError as error:
        raise typer.BadParameter("; ".join(_sentences(error.fields, params))) from None
    if params["background"] is not None:
        composition.picture.image = _read_background(params["background"])


def _to_fields(params: Params) -> Iterator[tuple[str, str]]:
    for field in (*_SAME, *_RENAMED):
        if (value := params.get(_RENAMED.get(field, field))) is not None:
            yield field, value
    if params["gradient"] is not None:
        yield from zip(("top_color", "bottom_color"), _split_colors(params["gradient"]), strict=True)
    if params["fill"] is not None:
        yield "bgcolor", params["fill"]
    for flag, (field, value) in _SWITCHES.items():
        if params.get(flag):
            yield field, value


def _split_colors(text: str) -> list[str]:
    """`red,blue`, and `(255,0,0),(0,0,255)`: at the commas outside of parentheses."""
    colors = [""]
    for character in text:
        if character == "," and colors[-1].count("(") == colors[-1].count(")"):
            colors.append("")
        else:
            colors[-1] += character
    if len(colors) != 2:
        raise typer.BadParameter("--gradient must be two colors, for example red,#0000ff")
    return colors


def _sentences(mistakes: Mapping[str, str], params: Params) -> Iterator[str]:
    flags = _RENAMED | {"top_color": "gradient", "bottom_color": "gradient", "format": "format"}
    flags |= {"bgcolor": "fill"} if params["fill"] else {}
    for field, reason in mistakes.items():
        yield f"{_written(flags.get(field, field))} {reason}"


def _written(name: str) -> str:
    return "--" + name.replace("_", "-")


def _read_background(path: Path) -> bytes:
    if path.stat().st_size > MAX_IMAGE_BYTES:
        raise typer.BadParameter(f"{path} is larger than {MAX_IMAGE_BYTES // 1024**2} MiB")
    return path.read_bytes()
