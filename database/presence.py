"""Who of several processes lives, judged by counters alone: no clock of a machine, and no two clocks, are compared."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class _Sight:
    beats: int
    since: float  # on this process's monotonic clock


class Sightings:
    """Tells the dead: those whose counter has stood still for too long, before this process's own eyes."""

    def __init__(self, dead_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`dead_s`: how long a counter stands still until its owner is dead, by the observer's clock."""
        self._dead_s = dead_s
        self._monotonic = monotonic
        self._seen: dict[str, _Sight] = {}
        self._looked = monotonic()

    def look(self, beats: Mapping[str, int]) -> set[str]:
        """Take in everybody's counters; return those that are dead, and forget them: one that returns, lives."""
        now = self._monotonic()
        if now - self._looked > self._dead_s / 2:
            self._seen.clear()  # Nobody looked for a while: who stood still in that time is not known.
        self._looked = now
        seen = self._seen
        self._seen = {
            who: seen[who] if who in seen and seen[who].beats == count else _Sight(count, now)
            for who, count in beats.items()
        }
        dead = {who for who, sight in self._seen.items() if now - sight.since >= self._dead_s}
        for who in dead:
            del self._seen[who]
        return dead
