"""Which videos this server is at work on, for whoever wants to see how they come out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.video.previews import read_previews

PREVIEWS = "previews"


class Shelf:
    """The previews of videos at work, each in its attempt's own folder: they are gone when the attempt has ended."""

    def __init__(self) -> None:
        self._folders: dict[str, Path] = {}

    @contextmanager
    def holding(self, job: str, folder: Path) -> Iterator[Path]:
        """During an attempt at `job` that has `folder`: where its worker leaves previews."""
        mine = self._folders[job] = folder / PREVIEWS
        try:
            yield mine
        finally:
            if self._folders.get(job) is mine:  # And not of an attempt that began meanwhile.
                del self._folders[job]

    def unseen(self, job: str, seen: set[str]) -> list[tuple[float, bytes]]:
        """(seconds, WebP) of each preview that is not `seen`, and note them; none where this server is not at work."""
        folder = self._folders.get(job)
        try:
            return [] if folder is None else list(read_previews(folder, seen))
        except FileNotFoundError:  # The attempt ended meanwhile.
            return []
