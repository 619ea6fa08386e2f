"""What of a picture is sent, how large and how encoded: the in-process twin of `OutputOptions` and `Region`."""

from dataclasses import dataclass, field
from enum import Enum

from server.errors import InvalidParameterError
from server.ranges import check_range

MAX_RESULT_SIDE = 10_000


class ImageFormat(Enum):
    """An encoding that is read and written."""

    PNG = "png"
    WEBP = "webp"
    JPEG = "jpeg"

    @property
    def content_type(self) -> str:
        """Media type, for example `image/png`."""
        return f"image/{self.value}"


class OutputKind(Enum):
    """What of the result is sent."""

    PICTURE = "picture"
    MASK = "mask"
    COLOR = "color"


class SubjectSource(Enum):
    """What says which pixels are subject."""

    MODEL = "model"
    OWN_ALPHA = "own_alpha"


@dataclass(frozen=True)
class Length:
    """A distance: `pixels`, plus `percent` hundredths of what its user says."""

    pixels: float = 0.0
    percent: float = 0.0

    def of(self, whole: float) -> float:
        """The distance in pixels, where `whole` is what percent are of."""
        return self.pixels + whole * self.percent / 100


@dataclass(frozen=True)
class Region:
    """A box in the upright picture; percent are of the picture's sides."""

    left: Length
    top: Length
    right: Length
    bottom: Length

    def __post_init__(self) -> None:
        for name in ("left", "top", "right", "bottom"):
            _check_length(f"region.{name}", getattr(self, name), 100)


@dataclass(frozen=True)
class Crop:
    """Space left around the subject's box; percent are of the box's sides."""

    top: Length = Length()
    right: Length = Length()
    bottom: Length = Length()
    left: Length = Length()

    def __post_init__(self) -> None:
        for name in ("top", "right", "bottom", "left"):
            _check_length(f"output.crop.margin.{name}", getattr(self, name), 500)


@dataclass(frozen=True)
class LongestSide:
    """The longer side in pixels; a smaller picture is not enlarged."""

    pixels: int

    def __post_init__(self) -> None:
        check_range("output.longest_side", self.pixels, 1, MAX_RESULT_SIDE)


@dataclass(frozen=True)
class FitPixels:
    """Most pixels; a smaller picture is not enlarged."""

    pixels: int

    def __post_init__(self) -> None:
        check_range("output.fit_pixels", self.pixels, 1, float("inf"))


@dataclass(frozen=True)
class Canvas:
    """Exactly this size in pixels."""

    width: int
    height: int

    def __post_init__(self) -> None:
        check_range("output.canvas.width", self.width, 1, MAX_RESULT_SIDE)
        check_range("output.canvas.height", self.height, 1, MAX_RESULT_SIDE)


Size = LongestSide | FitPixels | Canvas


@dataclass(frozen=True)
class Placement:
    """Where the subject's box is put, and how large; see `Placement` in images.proto."""

    scale: float | None = None
    x: float | None = None
    y: float | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and not 0 < self.scale <= 1:
            field_name = "output.placement.scale"
            raise InvalidParameterError(f"{field_name} must be above 0, to 1.", {"field": field_name})
        check_range("output.placement.x", self.x or 0, 0, 1)
        check_range("output.placement.y", self.y or 0, 0, 1)


@dataclass(frozen=True)
class Output:
    """How the result is cut, sized and encoded."""

    format: ImageFormat = ImageFormat.PNG
    kind: OutputKind = OutputKind.PICTURE
    crop: Crop | None = None
    size: Size | None = None
    placement: Placement = field(default_factory=Placement)


def _check_length(name: str, length: Length, most_percent: float) -> None:
    check_range(name, length.pixels, 0, MAX_RESULT_SIDE)
    check_range(name, length.percent, 0, most_percent)
