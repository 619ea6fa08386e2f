"""`format=zip`: the colours as JPEG and the alpha as PNG, which are smaller together than one PNG of both."""

import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from adapter.editing import Body

MEDIA_TYPE: Final = "application/zip"

_COLORS, _ALPHA = "color.jpg", "alpha.png"
_LOCAL, _DESCRIPTOR, _CENTRAL, _END = 30, 16, 46, 22  # APPNOTE 4.3: the fixed parts around stored, streamed files.


def archive(colors: Body, alpha: bytes) -> Body:
    """The two as one archive, written while the colours come; nothing is compressed again."""
    around = sum(_LOCAL + len(name) + _DESCRIPTOR + _CENTRAL + len(name) for name in (_COLORS, _ALPHA))
    size = colors.size + len(alpha) + around + _END
    return replace(colors, content_type=MEDIA_TYPE, size=size, chunks=_write(colors.chunks, alpha))


async def _write(colors: AsyncIterator[bytes], alpha: bytes) -> AsyncIterator[bytes]:
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w") as target:
        with target.open(zipfile.ZipInfo(_COLORS), "w") as file:
            async for chunk in colors:
                file.write(chunk)
                yield outlet.take()
        target.writestr(zipfile.ZipInfo(_ALPHA), alpha)
    yield outlet.take()


class _Outlet:
    """What zipfile has written since the last look; it cannot go back in it."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        written, self._written = b"".join(self._written), []
        return written
