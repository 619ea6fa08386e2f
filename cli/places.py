"""Where a running stack can be reached: noted in its data folder, for the commands that look at it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "stack.json"


@dataclass(frozen=True)
class Places:
    """Addresses, HOST:PORT. `server` and `adapter`: of their metrics."""

    http: str
    grpc: str
    server: str
    adapter: str


@contextmanager
def noted(places: Places, data: Path) -> Iterator[None]:
    """Keeps the addresses in the folder while the stack runs."""
    file = data / _FILE
    file.write_text(json.dumps(asdict(places)) + "\n")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def find_places(data: Path) -> Places | None:
    """Those of the stack of that folder; None where none runs."""
    try:
        return Places(**json.loads((data / _FILE).read_text()))
    except FileNotFoundError:
        return None
