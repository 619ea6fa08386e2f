"""The shadow that the subject casts, beside any background; the fields are the same wherever it is drawn."""

from collections.abc import Callable
from typing import TypeVar

from clearcanvas.v1.composition_pb2 import Color, Composition, ContactShadow, DropShadow

from adapter.options.colors import COLOR, COLOR_HELP, parse_color
from adapter.options.fields import Fields
from adapter.options.option import Option, choice, whole, written

_FAR, _SOFT = 2_000, 500
_SHADE = Color(red=0, green=0, blue=0, alpha=150)

Kind = Callable[..., DropShadow | ContactShadow]
_KINDS: dict[str, Kind | None] = {"none": None, "drop": DropShadow, "contact": ContactShadow}

SHADOW = choice(
    "shadow",
    _KINDS,
    "none",
    "The subject's shadow: its outline moved and softened (drop), or laid on the ground (contact).",
)
MODE = choice(
    "mode", {word: kind for word, kind in _KINDS.items() if kind}, "drop", "The outline moved, or laid on the ground."
)
OFFSET_X = whole("offset_x", -_FAR, _FAR, None, "Pixels to the right; without it, it follows the size of the result.")
OFFSET_Y = whole("offset_y", -_FAR, _FAR, None, "Pixels down; without it, it follows the size of the result.")
BLUR_RADIUS = whole("blur_radius", 0, _SOFT, None, "Softness in pixels; without it, it follows the size of the result.")
SHADOW_COLOR = written(
    ("shadow_color",),
    parse_color,
    _SHADE,
    f"Color of the shadow, 0,0,0,150 without it. {COLOR_HELP}",
    "0,0,0,150",
    grammar=COLOR,
)
LOOKS = (OFFSET_X, OFFSET_Y, BLUR_RADIUS, SHADOW_COLOR)

K = TypeVar("K", bound=Kind | None)


def cast_shadow(fields: Fields, composition: Composition, kind: Option[K]) -> Composition:
    """Returns `composition` with the shadow that the fields describe; `kind` is the option that chooses it."""
    chosen = fields.take(kind)
    offset_x, offset_y, blur_radius = fields.take(OFFSET_X), fields.take(OFFSET_Y), fields.take(BLUR_RADIUS)
    color = fields.take(SHADOW_COLOR)
    if chosen is None:
        return composition
    shadow = chosen(offset_x=offset_x, offset_y=offset_y, blur_radius=blur_radius, color=color)
    match shadow:
        case DropShadow():
            composition.drop_shadow.CopyFrom(shadow)
        case ContactShadow():
            composition.contact_shadow.CopyFrom(shadow)
    return composition
