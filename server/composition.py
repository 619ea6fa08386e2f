"""What the subject of a picture is laid over: the in-process twin of `composition.proto`.

Every value checks itself: InvalidParameterError names the field that is out of range.
"""

from dataclasses import dataclass, field
from enum import Enum

from server.ranges import check_range


@dataclass(frozen=True)
class NoBackground:
    """Everything but the subject stays transparent."""


@dataclass(frozen=True)
class Color:
    """One sRGB colour, straight (not premultiplied) alpha, 0 to 255 a channel."""

    red: int
    green: int
    blue: int
    alpha: int = 255

    def __post_init__(self) -> None:
        for name in ("red", "green", "blue", "alpha"):
            check_range(f"color.{name}", getattr(self, name), 0, 255)


WHITE, BLACK = Color(255, 255, 255), Color(0, 0, 0)
SHADE = Color(0, 0, 0, 150)


class GradientKind(Enum):
    """Form of a gradient."""

    LINEAR = "linear"
    RADIAL = "radial"


@dataclass(frozen=True)
class Gradient:
    """From `start` to `end`: along `angle` (degrees as in CSS: 0 to the top, 180 to the bottom), or from the centre."""

    kind: GradientKind = GradientKind.LINEAR
    start: Color = WHITE
    end: Color = BLACK
    angle: float = 180.0

    def __post_init__(self) -> None:
        check_range("gradient.angle", self.angle, -360, 360)


class BlurKind(Enum):
    """Form of a blur."""

    GAUSSIAN = "gaussian"
    LENS = "lens"


@dataclass(frozen=True)
class Blur:
    """The picture's own background, out of focus. `radius`: in pixels of a picture whose longer side has 1,024."""

    radius: int = 20
    kind: BlurKind = BlurKind.GAUSSIAN

    def __post_init__(self) -> None:
        check_range("blur.radius", self.radius, 1, 100)


class Fit(Enum):
    """How a picture is fitted to an area of other proportions, always centred."""

    COVER = "cover"
    CONTAIN = "contain"


@dataclass(frozen=True)
class Picture:
    """Another picture; its bytes travel beside the task. `fill` shows beside it and through its transparency."""

    fit: Fit = Fit.COVER
    fill: Color = WHITE


MAX_PROMPT = 1_000
"""Characters."""


@dataclass(frozen=True)
class Generated:
    """What a generation model paints. `steps` 0 is the model's own number; `model` "" the server's default."""

    prompt: str
    seed: int
    negative_prompt: str = ""
    steps: int = 0
    model: str = ""

    def __post_init__(self) -> None:
        check_range("generated.prompt", len(self.prompt.strip()), 1, MAX_PROMPT, " characters")
        check_range("generated.negative_prompt", len(self.negative_prompt), 0, MAX_PROMPT, " characters")
        check_range("generated.steps", self.steps, 0, 100)


Background = NoBackground | Color | Gradient | Blur | Picture | Generated


@dataclass(frozen=True)
class DropShadow:
    """The subject's outline, moved and softened; in pixels of the result, None follows its size."""

    offset_x: int | None = None
    offset_y: int | None = None
    blur_radius: int | None = None
    color: Color = SHADE

    def __post_init__(self) -> None:
        _check_shadow("drop_shadow", self)


@dataclass(frozen=True)
class ContactShadow:
    """The subject's outline, laid flat from its feet; in pixels of the result, None follows its size."""

    offset_x: int | None = None
    offset_y: int | None = None
    blur_radius: int | None = None
    color: Color = SHADE

    def __post_init__(self) -> None:
        _check_shadow("contact_shadow", self)


Shadow = DropShadow | ContactShadow


@dataclass(frozen=True)
class Composition:
    """What the subject is laid over. Any background goes with any shadow."""

    background: Background = field(default_factory=NoBackground)
    shadow: Shadow | None = None

    @property
    def opaque(self) -> bool:
        """Whether no pixel of the result can be transparent."""
        match self.background:
            case NoBackground():
                return False
            case Color() as color:
                return color.alpha == 255
            case Gradient(start=start, end=end):
                return start.alpha == end.alpha == 255
            case Picture(fill=fill):
                return fill.alpha == 255
            case Blur() | Generated():
                return True


def _check_shadow(name: str, shadow: Shadow) -> None:
    check_range(f"{name}.offset_x", shadow.offset_x or 0, -2_000, 2_000)
    check_range(f"{name}.offset_y", shadow.offset_y or 0, -2_000, 2_000)
    check_range(f"{name}.blur_radius", shadow.blur_radius or 0, 0, 500)


def painting_model(composition: Composition, default: str) -> str | None:
    """Return the name of the model that paints the background; None where none is painted."""
    background = composition.background
    return background.model or default if isinstance(background, Generated) else None
