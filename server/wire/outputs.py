"""`OutputOptions` and `Region` of images.proto to the service's own values."""

from clearcanvas.v1 import images_pb2 as wire

from server.output import (
    Canvas,
    Crop,
    FitPixels,
    ImageFormat,
    Length,
    LongestSide,
    Output,
    OutputKind,
    Placement,
    Region,
    Size,
)
from server.wire.choices import known

_FORMATS = {
    wire.IMAGE_FORMAT_UNSPECIFIED: ImageFormat.PNG,
    wire.IMAGE_FORMAT_PNG: ImageFormat.PNG,
    wire.IMAGE_FORMAT_WEBP: ImageFormat.WEBP,
    wire.IMAGE_FORMAT_JPEG: ImageFormat.JPEG,
}
_KINDS = {
    wire.OUTPUT_KIND_UNSPECIFIED: OutputKind.PICTURE,
    wire.OUTPUT_KIND_PICTURE: OutputKind.PICTURE,
    wire.OUTPUT_KIND_MASK: OutputKind.MASK,
    wire.OUTPUT_KIND_COLOR: OutputKind.COLOR,
}


def read_output(output: wire.OutputOptions) -> Output:
    """How the result is cut, sized and encoded. Raises `InvalidParameterError`, which names the field."""
    return Output(
        known(_FORMATS, output.format, "output.format"),
        known(_KINDS, output.kind, "output.kind"),
        _crop(output.crop.margin) if output.HasField("crop") else None,
        _size(output),
        _placement(output.placement),
    )


def read_region(region: wire.Region) -> Region:
    """A region of interest. Raises `InvalidParameterError`, which names the field."""
    return Region(_length(region.left), _length(region.top), _length(region.right), _length(region.bottom))


def _crop(margin: wire.Margins) -> Crop:
    return Crop(_length(margin.top), _length(margin.right), _length(margin.bottom), _length(margin.left))


def _length(length: wire.Length) -> Length:
    return Length(length.pixels, length.percent)  # One of the two is set, and the other then 0.


def _size(output: wire.OutputOptions) -> Size | None:
    match output.WhichOneof("size"):
        case "longest_side":
            return LongestSide(output.longest_side)
        case "fit_pixels":
            return FitPixels(output.fit_pixels)
        case "canvas":
            return Canvas(output.canvas.width, output.canvas.height)
        case _:
            return None


def _placement(placement: wire.Placement) -> Placement:
    return Placement(
        placement.scale if placement.HasField("scale") else None,
        placement.x if placement.HasField("x") else None,
        placement.y if placement.HasField("y") else None,
    )
