"""Where the weights of a diffusion pipeline are read from: a folder, or an address below which its files lie."""

import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Protocol

from engine.models.errors import SourceError

_TIMEOUT_S = 60.0  # without a byte
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Origin(Protocol):
    """Files by their path, `unet/config.json` for example."""

    def copy(self, path: str, target: Path) -> bool:
        """Write the file at `path` to `target`; False, and nothing written, where there is none.

        Raises:
            SourceError: It cannot be read.
        """
        ...


class FolderOrigin:
    """A folder with a pipeline as diffusers saves it, or a snapshot of one in the cache of a model hub's client."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def copy(self, path: str, target: Path) -> bool:
        """See `Origin.copy`; links are followed, as a cache consists of them."""
        if not (self._root / path).is_file():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(self._root / path, target)
        except OSError as exc:
            raise SourceError(f"{self._root / path} cannot be copied: {exc}") from exc
        return True


class WebOrigin:
    """An address below which the files lie, `https://…/resolve/<revision>` for example."""

    def __init__(self, address: str) -> None:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise SourceError(f"{address} is not https.")
        self._address = address.rstrip("/")

    def copy(self, path: str, target: Path) -> bool:
        """See `Origin.copy`."""
        url = f"{self._address}/{urllib.parse.quote(path)}"
        try:
            # The scheme was checked above.
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(answer, file, 1 << 20)
                length = answer.headers["Content-Length"]
        except urllib.error.HTTPError as exc:
            if exc.code == 404:
                return False
            raise SourceError(f"{url} answered {exc.code} {exc.reason}.") from exc
        except OSError as exc:
            raise SourceError(f"{url} cannot be read: {exc}") from exc
        if length is not None and target.stat().st_size != int(length):
            raise SourceError(f"{url} ended after {target.stat().st_size} of {length} bytes.")
        return True


def open_origin(place: str) -> Origin:
    """What `--from` names.

    Raises:
        SourceError: it is neither a folder nor an address.
    """
    if "://" in place:
        return WebOrigin(place)
    if Path(place).is_dir():
        return FolderOrigin(Path(place))
    raise SourceError(f"{place} is neither a folder nor an address.")
