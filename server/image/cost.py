"""What a picture costs in memory, estimated from its header before anything is decoded.

Measured as the peak resident memory of a fresh worker, less the encoded files, at 100 megapixels (10,000 x 10,000) on
libvips 8.18: 180 MB for a baseline JPEG (165 at 12 megapixels), 230 for a PNG, 260 with transparency; 460 MB turned;
460 and 750 MB for a progressive JPEG with and without chroma subsampling; 1 GB for a WebP; 2.2 GB to write one. Made
smaller, 350 MB. Colours, gradients and shadows add nothing, a blurred background 70 MB, a second picture of 80
megapixels 90 MB as a baseline JPEG, 210 where it is turned, 250 as a progressive JPEG, 600 as a WebP.
"""

from math import ceil

from server.composition import Blur, Composition
from server.image.header import ImageHeader
from server.output import MAX_RESULT_SIDE, Canvas, Crop, FitPixels, ImageFormat, LongestSide, Output

_BASE_BYTES = 32 << 20  # what comes and goes that has the model's size
_BLUR_BYTES = 80 << 20  # a blurred background, at the size at which it is computed
_BYTES_PER_COLUMN = 8 << 10  # strips on their way through the graph
_RESIZED_BYTES_PER_COLUMN = 16 << 10  # the same of a picture that is resized: more rows at a time, with alpha
_TURNED_BYTES_PER_PIXEL = 4  # the upright picture, RGB or RGBA
# PNG and JPEG leave in strips, and no result is larger than its pixels. libwebp holds all of a picture and much of what
# it makes of it: 20 bytes a pixel for photos with alpha, 34 for noise.
_RESULT_BYTES_PER_PIXEL = {ImageFormat.PNG: 4, ImageFormat.JPEG: 3, ImageFormat.WEBP: 34}


def estimated_cost(
    header: ImageHeader,
    output: Output,
    composition: Composition,
    *,
    max_pixels: int,
    behind: ImageHeader | None = None,
) -> int:
    """Return the bytes of memory that editing this picture takes at most, its encoded result included.

    `max_pixels`: of the result. `behind`: the picture that is laid behind, if one is. On top of it come the encoded
    pictures, and what a worker holds at rest after its first picture (about 150 MB).
    """
    pictures = [header] if behind is None else [header, behind]
    side, pixels = _largest_result(header, output)
    strips = _BYTES_PER_COLUMN * sum(max(side, _side(picture)) for picture in pictures)
    if output.size is not None or output.placement.scale is not None:
        strips += _RESIZED_BYTES_PER_COLUMN * _side(header)
    working = _BASE_BYTES + (_BLUR_BYTES if isinstance(composition.background, Blur) else 0)
    result = min(pixels, max_pixels) * _RESULT_BYTES_PER_PIXEL[output.format]
    return working + strips + sum(_held(picture) for picture in pictures) + result


def _held(header: ImageHeader) -> int:
    """Return what is in memory of a picture as a whole."""
    per_pixel = header.held_bytes_per_pixel + (_TURNED_BYTES_PER_PIXEL if header.may_turn else 0)
    return int(header.width * header.height * per_pixel)


def _side(header: ImageHeader) -> int:
    return max(header.width, header.height) if header.may_turn else header.width


def _largest_result(header: ImageHeader, output: Output) -> tuple[int, int]:
    """Return the longest row, and the most pixels: before there is a matte, nobody knows to what is cropped."""
    if isinstance(output.size, Canvas):
        return output.size.width, output.size.width * output.size.height
    width, height, crop = header.width, header.height, output.crop or Crop()
    width += ceil(crop.left.of(width) + crop.right.of(width))
    height += ceil(crop.top.of(height) + crop.bottom.of(height))
    side = min(max(width, height), MAX_RESULT_SIDE)
    match output.size:
        case LongestSide(pixels):
            side = min(side, pixels)
            return side, min(width * height, side * side)
        case FitPixels(pixels):
            return side, min(width * height, pixels)
        case _:
            return side, width * height
