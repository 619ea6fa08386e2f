"""Section B of the public contract as a table: what is asked, and what exactly is answered.

The toy model takes what is bright for the subject: a disc. The toy painter paints in the grey that the seed names.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from tests.support.http import make_photo
from tests.support.pictures import blank_png

SIDE = 256
USE_HD = {"message": "Image too large for regular processing. Use HD endpoint."}
NO_ALPHA = {"message": "The input image must have a transparent background."}
NO_SUBJECT = {"message": "No subject was found in the picture."}
COLORS = "r,g,b or r,g,b,a (0 to 255), #rgb, #rrggbb, #rrggbbaa or a CSS color name"
LENGTHS = "1, 2 or 4 lengths, in px or % of the subject's box; at most 10000px, 500%"
POSITIONS = "center, original, or one or two of 0% to 100% (across, then down)"
SIZES = "the longer side in pixels, or WIDTHxHEIGHT, each 1 to 10000"
MODEL_NAMES = "a model's name: 1 to 64 letters, digits, dots, dashes or underscores"


def invalid(**fields: str) -> dict[str, Any]:
    return {"message": "Invalid request data", "fields": fields}


def png(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def cutout() -> bytes:
    """A disc on transparency."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    disc = (rows - SIDE / 2) ** 2 + (columns - SIDE / 2) ** 2 < (SIDE / 3) ** 2
    return png(np.where(disc[..., None], (200, 100, 50, 255), (0, 0, 0, 0)))


PICTURES: dict[str, Callable[[], bytes]] = {
    "photo": lambda: make_photo(SIDE),
    "cutout": cutout,
    "green": lambda: png(np.full((40, 60, 3), (0, 128, 0))),
    "dark": lambda: png(np.zeros((SIDE, SIDE, 3))),
    "largest": lambda: blank_png(2048, 2048),
    "too large": lambda: blank_png(2048, 2049),
    "no picture": lambda: b"GIF89a" + bytes(100),
    "broken": lambda: make_photo(SIDE)[:2_000],
    "nothing": lambda: b"",
}


@cache
def picture(name: str) -> bytes:
    return PICTURES[name]()


@dataclass(frozen=True)
class Row:
    """One request, and its answer: a picture, or a status with a body."""

    operation: str
    fields: dict[str, str] = field(default_factory=dict)
    image: str = "photo"
    background: str = ""
    accept: str = ""
    # Of a picture: what Pillow calls its form and its bands, its size, and the colour of its first pixel.
    form: str = "PNG"
    bands: str = "RGBA"
    area: tuple[int, int] = (SIDE, SIDE)
    corner: tuple[int, ...] | None = None
    status: int = 200
    body: Any = None

    def __str__(self) -> str:
        told = [f"{name}={value[:24]}" for name, value in self.fields.items()]
        return " ".join([self.operation, *told, *([self.image] if self.image != "photo" else []), self.accept]).strip()


RESULT = ("form", "bands", "area", "corner")


def ok(operation: str, *, image: str = "photo", background: str = "", accept: str = "", **expected: Any) -> Row:
    """A picture; what is no column of the table is a field of the form."""
    columns: dict[str, Any] = {name: expected.pop(name) for name in RESULT if name in expected}
    return Row(operation, expected, image, background, accept, **columns)


def no(operation: str, status: int, body: Any, *, image: str = "photo", background: str = "", **fields: str) -> Row:
    return Row(operation, fields, image, background, status=status, body=body)


GREEN, RED = (0, 128, 0), (255, 0, 0)
ROWS = [
    # Each operation without any field.
    ok("matte", corner=(None, None, None, 0)),
    ok("blur", bands="RGB"),
    ok("color", bands="RGB", corner=(255, 255, 255)),
    ok("gradient", bands="RGB", corner=(255, 255, 255)),
    ok("shadow", corner=(None, None, None, 0)),
    ok("generate", image="cutout", bands="RGB", prompt="a beach", seed="77", corner=(77, 77, 77)),
    ok("picture", background="green", bands="RGB", corner=GREEN),
    # The vendor's fields, and their aliases.
    ok("blur", bands="RGB", radius="1"),
    ok("blur", bands="RGB", radius="100", kind="lens"),
    *[ok("color", bands="RGB", corner=RED, **{name: "255,0,0"}) for name in ("bgcolor", "bg_color", "color")],
    *[
        ok("color", bands="RGB", corner=RED, bgcolor=red)
        for red in ("(255, 0, 0)", "255,0,0,255", "#f00", "#ff0000", "#ff0000ff", "Red")
    ],
    ok("color", bgcolor="255,0,0,128", corner=(255, 0, 0, 128)),
    ok("color", bgcolor="transparent", corner=(None, None, None, 0)),
    ok("gradient", bands="RGB", hexColor1="#ff0000", hexColor2="#0000ff", corner=RED),
    ok("gradient", bands="RGB", top_color="red", bottom_color="blue", angle="0", corner=(0, 0, 255)),
    ok("gradient", bands="RGB", top_color="red", bottom_color="blue", kind="radial", corner=(0, 0, 255)),
    ok("gradient", top_color="red", bottom_color="0,0,255,0", angle="135", corner=(255, 0, 0, 255)),
    ok("shadow", offset_x="10", offset_y="-10", blur_radius="0", shadow_color="0,0,255,150"),
    ok("shadow", mode="contact", blur_radius="500"),
    ok("generate", image="cutout", bands="RGB", prompt="x", negative_prompt="y", seed="0", steps="1", corner=(0, 0, 0)),
    ok("picture", background="green", bands="RGB", fit="contain", bgcolor="red", corner=RED),
    # A shadow goes with every background.
    *[ok("blur", bands="RGB", shadow=shadow, offset_x="5") for shadow in ("none", "drop", "contact")],
    ok("color", bands="RGB", shadow="contact", bgcolor="red", corner=RED),
    ok("generate", image="cutout", bands="RGB", prompt="x", seed="9", shadow="drop", corner=(9, 9, 9)),
    # Format, kind, cut, size and place, on every operation.
    ok("matte", format="webp", form="WEBP"),
    ok("matte", accept="image/webp", form="WEBP"),
    ok("matte", accept="image/jpeg"),
    ok("color", accept="image/jpeg", form="JPEG", bands="RGB"),
    ok("color", format="png", accept="image/jpeg", bands="RGB"),
    ok("blur", format="jpg", form="JPEG", bands="RGB"),
    ok("shadow", output="mask", bands="L", corner=(0,)),
    ok("color", output="mask", format="jpg", form="JPEG", bands="L"),
    ok("matte", size="128", area=(128, 128)),
    ok("matte", size="512", area=(SIDE, SIDE)),
    ok("gradient", bands="RGB", size="300x100", area=(300, 100)),
    ok("color", bands="RGB", size="64x64", scale="50%", position="0%", area=(64, 64)),
    ok("matte", model="toy"),
    ok("matte", somebody_elses="field"),
    # Too large, in and out.
    *[no(name, 400, USE_HD, image="too large") for name in ("matte", "blur", "color", "gradient", "shadow")],
    no("picture", 400, USE_HD, image="too large", background="green"),
    no("generate", 400, USE_HD, image="too large", prompt="x"),
    no("color", 400, USE_HD, size="2048x2049"),
    ok("color", bands="RGB", size="2048x2048", area=(2048, 2048), corner=(255, 255, 255)),
    ok("color", bands="RGB", image="largest", area=(2048, 2048), corner=(255, 255, 255)),
    # Pictures that cannot be worked on.
    no("generate", 400, NO_ALPHA, prompt="a beach"),
    no("matte", 400, NO_SUBJECT, image="dark", crop="true"),
    no("color", 400, NO_SUBJECT, image="dark", scale="50%"),
    no("matte", 415, None, image="no picture"),
    no("matte", 400, None, image="broken"),
    no("picture", 415, None, background="no picture"),
    # Missing fields.
    no("matte", 422, invalid(image="is required"), image="nothing"),
    no("generate", 422, invalid(prompt="is required"), image="cutout"),
    no("picture", 422, invalid(background="is required, or bg_image_url in its place")),
    no(
        "picture",
        422,
        invalid(bg_image_url="cannot be sent together with background"),
        background="green",
        bg_image_url="https://example.com/a.jpg",
    ),
    # Malformed ones: the message of the seed, and what is wrong with each.
    no("blur", 422, invalid(radius="must be 1 to 100"), radius="0"),
    no("blur", 422, invalid(radius="must be 1 to 100"), radius="101"),
    no("blur", 422, invalid(kind="must be gaussian or lens"), kind="motion"),
    no("color", 422, invalid(bg_color=f"must be {COLORS}"), bg_color="256,0,0"),
    no("gradient", 422, invalid(hexColor1=f"must be {COLORS}"), hexColor1="#ggg"),
    no("gradient", 422, invalid(bottom_color=f"must be {COLORS}"), bottom_color="reddish"),
    no("gradient", 422, invalid(angle="must be a number, -360 to 360"), angle="361"),
    no("gradient", 422, invalid(kind="must be linear or radial"), kind="conic"),
    no("shadow", 422, invalid(offset_x="must be -2000 to 2000"), offset_x="2001"),
    no("shadow", 422, invalid(offset_y="must be -2000 to 2000"), offset_y="-2001"),
    no("shadow", 422, invalid(blur_radius="must be 0 to 500"), blur_radius="501"),
    no("shadow", 422, invalid(shadow_color=f"must be {COLORS}"), shadow_color="grim"),
    no("shadow", 422, invalid(mode="must be drop or contact"), mode="long"),
    no("color", 422, invalid(shadow="must be none, drop or contact"), shadow="long"),
    no("generate", 422, invalid(prompt="must have at most 1000 characters"), image="cutout", prompt="x" * 1001),
    no("generate", 422, invalid(seed=f"must be 0 to {2**64 - 1}"), image="cutout", prompt="x", seed="-1"),
    no("generate", 422, invalid(steps="must be 1 to 100"), image="cutout", prompt="x", steps="101"),
    no("picture", 422, invalid(fit="must be cover or contain"), background="green", fit="fill"),
    no("matte", 422, invalid(format="must be png, webp or jpg"), format="gif"),
    no("matte", 422, invalid(output="must be rgba or mask"), output="alpha"),
    no("matte", 422, invalid(crop="must be true or false"), crop="maybe"),
    no("matte", 422, invalid(crop_margin=f"must be {LENGTHS}"), crop="true", crop_margin="501%"),
    no("matte", 422, invalid(size=f"must be {SIZES}"), size="0x10"),
    no("matte", 422, invalid(scale="must be 10% to 100%, or original"), scale="9%"),
    no("matte", 422, invalid(position=f"must be {POSITIONS}"), position="101%"),
    no("matte", 422, invalid(model=f"must be {MODEL_NAMES}"), model="../isnet"),
    no("matte", 422, invalid(model="There is no model named isnot."), model="isnot"),
    no(
        "generate",
        422,
        invalid(generation_model="There is no model named isnot."),
        image="cutout",
        prompt="x",
        generation_model="isnot",
    ),
    no(
        "gradient",
        422,
        invalid(format="jpg has no transparency: use png or webp, an opaque background, or output=mask"),
        top_color="transparent",
        format="jpg",
    ),
    no(
        "blur",
        422,
        invalid(radius="must be 1 to 100", offset_x="must be -2000 to 2000", format="must be png, webp or jpg"),
        radius="x",
        offset_x="far",
        format="tiff",
    ),
]
