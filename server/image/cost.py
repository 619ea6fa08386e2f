"""What a picture costs in memory, estimated from its header before anything is decoded.

Measured as the peak resident memory of a fresh worker, less the encoded files, at 100 megapixels (10,000 x 10,000) on
libvips 8.18: 180 MB for a baseline JPEG (165 at 12 megapixels), 230 for a PNG, 260 with transparency; 460 MB turned;
460 and 750 MB for a progressive JPEG with and without chroma subsampling; 1 GB for a WebP; 2.2 GB to write one.
"""

from server.image.header import ImageHeader
from server.output import ImageFormat

_BASE_BYTES = 32 << 20  # what comes and goes that has the model's size
_BYTES_PER_COLUMN = 8 << 10  # strips on their way through the graph
_TURNED_BYTES_PER_PIXEL = 4  # the upright picture, RGB or RGBA
# PNG and JPEG leave in strips, and no result is larger than its pixels. libwebp holds all of a picture and much of what
# it makes of it: 20 bytes a pixel for photos with alpha, 34 for noise.
_RESULT_BYTES_PER_PIXEL = {ImageFormat.PNG: 4, ImageFormat.JPEG: 3, ImageFormat.WEBP: 34}


def estimated_cost(header: ImageHeader, result: ImageFormat) -> int:
    """Return the bytes of memory that editing this picture takes at most, its encoded result included.

    On top of it come the encoded picture, and what a worker holds at rest after its first picture (about 150 MB).
    """
    per_pixel = header.held_bytes_per_pixel + _RESULT_BYTES_PER_PIXEL[result]
    if header.may_turn:
        per_pixel += _TURNED_BYTES_PER_PIXEL
    return _BASE_BYTES + _BYTES_PER_COLUMN * header.width + int(header.width * header.height * per_pixel)
