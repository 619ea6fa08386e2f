"""`python -m tools.gallery`: every background with every shadow on every photo, on one sheet, through the whole stack.

Rows are backgrounds; columns are the photos, each without a shadow, with a drop shadow and with a contact shadow.
"""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyvips
import typer
from clearcanvas.v1 import composition_pb2 as wire
from clearcanvas.v1 import images_pb2, images_pb2_grpc

from cli.client import EditFailedError, edit_file, open_channel
from cli.config import read_settings
from cli.programs import ProgramExitedError
from cli.stack import StackError, running_stack

PHOTOS = Path("tests/photos")
_TIMEOUT_S = 120.0
_WIDTH, _HEIGHT = 480, 320  # Of one picture as it is made, in pixels; the sheet shows it smaller.
_FIELD = 15  # Side of one field of the checkerboard, in pixels.


@dataclass(frozen=True)
class Subject:
    """A photo, and where its subject is put: from the left (0) to the right (1) and from the top (0) to the bottom (1).

    A side at which the photo cuts its subject off belongs to the side of the result.
    """

    photo: str
    scale: float
    x: float
    y: float


SUBJECTS = (
    Subject("astronaut.png", 0.92, 0.5, 1.0),
    Subject("chelsea.png", 1.0, 0.0, 1.0),
    Subject("coffee.png", 0.75, 0.5, 0.62),
)


def backgrounds(picture: bytes) -> dict[str, wire.Composition]:
    """One of every kind, by name; `picture`: an encoded one to lie behind."""
    white, sand, coral, night, sky = (
        wire.Color(red=255, green=255, blue=255),
        wire.Color(red=236, green=226, blue=208),
        wire.Color(red=255, green=138, blue=101),
        wire.Color(red=38, green=50, blue=94),
        wire.Color(red=214, green=234, blue=248),
    )
    return {
        "none": wire.Composition(none=wire.NoBackground()),
        "color": wire.Composition(color=sand),
        "gradient": wire.Composition(gradient=wire.Gradient(start=coral, end=night, angle=160)),
        "radial": wire.Composition(gradient=wire.Gradient(kind=wire.GRADIENT_KIND_RADIAL, start=white, end=sky)),
        "blur": wire.Composition(blur=wire.Blur(radius=18)),
        "lens": wire.Composition(blur=wire.Blur(radius=18, kind=wire.BLUR_KIND_LENS)),
        "picture": wire.Composition(picture=wire.Picture(image=picture)),
        "studio": _painted("studio sweep, warm grey, soft light"),
        "beach": _painted("beach at golden hour"),
        "city": _painted("city lights at night, bokeh"),
        "marble": _painted("white marble, bright"),
    }


def shadows() -> dict[str, wire.Composition]:
    """No shadow, and each kind as it comes without options."""
    return {
        "without": wire.Composition(),
        "drop": wire.Composition(drop_shadow=wire.DropShadow()),
        "contact": wire.Composition(contact_shadow=wire.ContactShadow()),
    }


def main(
    out: Annotated[Path, typer.Option(help="The sheet.")] = Path("docs/gallery.jpg"),
    tiles: Annotated[Path | None, typer.Option(help="Folder that keeps every single picture.")] = None,
    tile: Annotated[int, typer.Option(help="Width of one picture on the sheet, in pixels.")] = 200,
) -> None:
    """Render every background with every shadow on every photo, and put them on one sheet."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = tiles or Path(scratch)
        try:
            rows = asyncio.run(_render(folder, Path(scratch)))
        except (StackError, ProgramExitedError, EditFailedError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from error
        shown = [_on_checkerboard(file).thumbnail_image(tile) for row in rows for file in row]
        sheet = pyvips.Image.arrayjoin(shown, across=len(rows[0]), shim=2, background=255)
        sheet.jpegsave(str(out), Q=88, keep="none")
    typer.echo(f"wrote {out}: {len(rows)} backgrounds, {len(rows[0])} columns")


async def _render(folder: Path, scratch: Path) -> list[list[Path]]:
    """One row a background; every file a picture of _WIDTH × _HEIGHT pixels."""
    settings = read_settings(http="127.0.0.1:0", grpc="127.0.0.1:0", data=scratch / "data")
    behind = await _behind(scratch)
    rows = []
    async with running_stack(settings, sys.stderr) as stack, open_channel(stack.grpc) as channel:
        stub = images_pb2_grpc.ImageServiceStub(channel)
        for name, background in backgrounds(behind).items():
            row = []
            for subject in SUBJECTS:
                for shade, shadow in shadows().items():
                    row.append(folder / f"{name}-{Path(subject.photo).stem}-{shade}.png")
                    request = _request(subject, background, shadow)
                    await edit_file(stub, PHOTOS / subject.photo, row[-1], request, _TIMEOUT_S)
            rows.append(row)
            typer.echo(name)
    return rows


def _request(subject: Subject, background: wire.Composition, shadow: wire.Composition) -> images_pb2.EditRequest:
    placement = images_pb2.Placement(scale=subject.scale, x=subject.x, y=subject.y)
    canvas = images_pb2.Canvas(width=_WIDTH, height=_HEIGHT)
    request = images_pb2.EditRequest(
        composition=background, output=images_pb2.OutputOptions(canvas=canvas, placement=placement)
    )
    request.composition.MergeFrom(shadow)
    return request


def _painted(prompt: str) -> wire.Composition:
    return wire.Composition(generated=wire.Generated(prompt=prompt, seed=7))


async def _behind(scratch: Path) -> bytes:
    """A picture of our own to lie behind: a wall of soft evening light."""
    width, height = 1200, 900
    place = pyvips.Image.xyz(width, height).cast("float")
    glow = ((place[0] - width * 0.3) ** 2 + (place[1] - height * 0.35) ** 2) ** 0.5 / width
    light = (glow * -1.3).exp()
    stripes = ((place[0] * 0.05).sin() * 4) * (place[1] > height * 0.75).ifthenelse(0.3, 1)
    wall = (light * 190).bandjoin([light * 150, light * 128])
    wall = wall.linear(1, [40, 42, 60]) + stripes
    file = scratch / "behind.jpg"
    await asyncio.to_thread(wall.cast("uchar").copy(interpretation="srgb").jpegsave, str(file), Q=92)
    return file.read_bytes()


def _on_checkerboard(file: Path) -> pyvips.Image:
    picture = pyvips.Image.new_from_file(str(file))
    if not picture.hasalpha():
        return picture
    place = pyvips.Image.xyz(picture.width, picture.height) // _FIELD
    board = ((place[0] + place[1]) % 2 == 0).ifthenelse(255, 224).cast("uchar")
    board = board.bandjoin([board, board]).copy(interpretation="srgb")
    return board.composite2(picture, "over").flatten()


if __name__ == "__main__":
    typer.run(main)
