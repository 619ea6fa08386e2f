"""The pictures that callers bring: as base64, as a data URL, or, from this machine alone, as a file."""

import base64
import binascii
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import ArgumentsError

MAX_BYTES = 25 * 1024 * 1024
"""The contract's own bound; a larger picture is not even read."""

SUFFIXES = {"png": (".png",), "webp": (".webp",), "jpg": (".jpg", ".jpeg")}
"""How a file may end, by the encoding of what is in it."""

_TOO_LARGE = f"a picture may have {MAX_BYTES // 1024**2} MiB"


@dataclass(frozen=True)
class Picture:
    """One picture, which looks like one: the service says whether it is."""

    data: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class Files:
    """The files of this machine, or of one folder of it."""

    folder: Path | None = None

    def read(self, name: str, path: str) -> Picture:
        """The picture in a file; nothing that is no picture is read further than its first bytes.

        Raises:
            ArgumentsError: It is no picture that may be read; `name` is the argument.
        """
        try:
            with open(self._resolve(name, path), "rb", opener=_open_at_once) as file:
                facts = os.fstat(file.fileno())
                if not stat.S_ISREG(facts.st_mode):
                    raise ArgumentsError(f"{name}: {path} is no file")
                if facts.st_size > MAX_BYTES:
                    raise ArgumentsError(f"{name}: {path} is too large; {_TOO_LARGE}")
                head = file.read(16)
                media_type = _sniff(name, head)
                return Picture(head + file.read(MAX_BYTES - len(head)), media_type)
        except OSError as error:
            raise ArgumentsError(f"{name}: {path} cannot be read: {error.strerror}") from error

    def plan(self, name: str, path: str) -> Path:
        """Where a result will be written: a new file, in a folder that is there.

        Raises:
            ArgumentsError: It is there already, or cannot be.
        """
        target = self._resolve(name, path)
        if target.exists():
            raise ArgumentsError(f"{name}: {path} exists already; choose another name")
        if not target.parent.is_dir():
            raise ArgumentsError(f"{name}: there is no folder {target.parent}")
        return target

    def _resolve(self, name: str, path: str) -> Path:
        """The file itself, whatever links lead to it."""
        try:
            target = ((self.folder or Path()) / Path(path).expanduser()).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise ArgumentsError(f"{name}: {path!r} is no path") from error
        if self.folder is not None and not target.is_relative_to(self.folder.resolve()):
            raise ArgumentsError(f"{name}: {path} is outside of {self.folder}")
        return target


def _open_at_once(path: str, flags: int) -> int:
    """Opens a file; a pipe that nobody writes to would hold the call up."""
    return os.open(path, flags | os.O_NONBLOCK)


def write_new(target: Path, data: bytes) -> None:
    """Writes a file that was not there before. Raises OSError."""
    with target.open("xb") as file:
        file.write(data)


def decode(name: str, text: str) -> Picture:
    """The picture in base64 or in a data URL.

    Raises:
        ArgumentsError: It is none; `name` is the argument.
    """
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise ArgumentsError(f"{name}: a data URL must hold base64: data:image/png;base64,…")
    if len(text) > 4 * (MAX_BYTES // 3 + 1) * 1.05:  # Some writers break lines.
        raise ArgumentsError(f"{name} is too large; {_TOO_LARGE}")
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ArgumentsError(f"{name} is no base64") from None
    if len(data) > MAX_BYTES:
        raise ArgumentsError(f"{name} is too large; {_TOO_LARGE}")
    return Picture(data, _sniff(name, data[:16]))


def _sniff(name: str, head: bytes) -> str:
    """The media type that the first bytes tell. Raises ArgumentsError."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    raise ArgumentsError(f"{name} is no PNG, JPEG or WebP")
