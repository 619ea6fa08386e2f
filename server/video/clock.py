"""How long the stages of a video took, each by itself although they run at once."""

import threading
import time
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Clock:
    """Adds up seconds by stage; for several threads."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._lock = threading.Lock()
        self._stages: dict[str, float] = {}

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        """(name, seconds), in the order in which they began."""
        return tuple(self._stages.items())

    def since_begin(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._begin

    def add(self, stage: str, seconds: float) -> None:
        """Count seconds for a stage."""
        with self._lock:
            self._stages[stage] = self._stages.get(stage, 0.0) + seconds

    def timed(self, stage: str, items: Iterator[Item], sign: int = 1) -> Iterator[Item]:
        """Return the items, and count the time that making them takes; or, with -1, take it off."""
        while True:
            began = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.add(stage, sign * (time.perf_counter() - began))
            yield item
