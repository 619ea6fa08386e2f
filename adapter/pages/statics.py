"""The files that pages load: style, scripts, font, pictures. Their address has a digest, so that they are kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"
# Not from the system's table, which differs from machine to machine.
_TYPES = {
    ".css": "text/css",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class StaticFile:
    """One file."""

    body: bytes
    content_type: str


class Statics:
    """All of them, in memory. They share one digest: what they load of each other, they name relatively."""

    def __init__(self) -> None:
        paths = sorted(path for path in _FOLDER.rglob("*") if path.suffix in _TYPES)
        self.files: Mapping[str, StaticFile] = {
            path.relative_to(_FOLDER).as_posix(): StaticFile(path.read_bytes(), _TYPES[path.suffix]) for path in paths
        }
        digest = hashlib.sha256()
        for name, file in self.files.items():
            digest.update(f"{name}\0{len(file.body)}\0".encode() + file.body)
        self.digest = digest.hexdigest()[:16]

    def address(self, name: str) -> str:
        """Where a page finds a file. Raises KeyError where there is none of that name."""
        self.files[name]
        return f"/static/{self.digest}/{name}"
