"""What to make of a picture: the in-process twin of `composition.proto` and of its output options."""

from dataclasses import dataclass, field
from enum import Enum

from server.errors import InvalidParameterError


@dataclass(frozen=True)
class NoBackground:
    """Everything but the subject stays transparent."""


@dataclass(frozen=True)
class Color:
    """One sRGB colour, straight (not premultiplied) alpha, 0 to 255 a channel.

    Raises InvalidParameterError when a channel is out of range.
    """

    red: int
    green: int
    blue: int
    alpha: int = 255

    def __post_init__(self) -> None:
        for name in ("red", "green", "blue", "alpha"):
            if not 0 <= getattr(self, name) <= 255:
                raise InvalidParameterError(f"The colour's {name} must be 0 to 255.", {"field": f"color.{name}"})


Background = NoBackground | Color


@dataclass(frozen=True)
class Composition:
    """What the subject is laid over."""

    background: Background = field(default_factory=NoBackground)

    @property
    def opaque(self) -> bool:
        """Whether no pixel of the result can be transparent."""
        return isinstance(self.background, Color) and self.background.alpha == 255


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


@dataclass(frozen=True)
class Output:
    """How the result is encoded."""

    format: ImageFormat = ImageFormat.PNG
    kind: OutputKind = OutputKind.PICTURE
