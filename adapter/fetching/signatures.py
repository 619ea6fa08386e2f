"""Whether bytes begin as a picture's do; the image service decides which pictures it reads, and checks them whole."""

import re

SIGNATURE_BYTES = 16

_SIGNATURE = re.compile(
    rb"\x89PNG\r\n\x1a\n"
    rb"|\xff\xd8\xff"  # JPEG
    rb"|RIFF....WEBP"
    # Pictures that are not read: the service says so, better than "no picture".
    rb"|GIF8[79]a"
    rb"|II\*\x00|MM\x00\*"  # TIFF
    rb"|BM....\x00\x00\x00\x00"
    rb"|....ftyp(avif|avis|heic|heix|mif1|msf1)",
    re.DOTALL,
)


def is_picture(head: bytes) -> bool:
    """Whether `head`, the first SIGNATURE_BYTES, begins a picture of a known kind."""
    return _SIGNATURE.match(head) is not None
