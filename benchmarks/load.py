"""Load: one photo after another, several peers in turn, or several photos in flight."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.photos import Photo

Peer = Callable[[Photo], Awaitable[float]]
"""Works on one photo and returns the seconds that took. Raises BusyError when it should be asked again later."""


class BusyError(Exception):
    """The peer is full: it asks to be left alone for `pause_s` seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"busy for {pause_s:g} s")
        self.pause_s = pause_s


class FailedError(Exception):
    """A peer did not answer with a result. No figure is worth anything after that."""


@dataclass(frozen=True)
class Latency:
    """Seconds of each request, one at a time."""

    samples: tuple[float, ...]

    @property
    def p50(self) -> float:
        """The median, in seconds."""
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The 95th percentile, in seconds: interpolated between samples, the largest one at most."""
        if len(self.samples) < 2:
            return self.samples[0]
        return statistics.quantiles(self.samples, n=20, method="inclusive")[-1]

    @property
    def slowest(self) -> float:
        """The longest, in seconds."""
        return max(self.samples)

    def ratio(self, other: "Latency") -> float:
        """The median of this / `other`, photo by photo: both were measured in turn, so drift cancels out."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.samples, other.samples, strict=True))

    @property
    def rate(self) -> float:
        """Photos a second, one in flight."""
        return len(self.samples) / sum(self.samples)


@dataclass(frozen=True)
class Throughput:
    """`photos` done in `seconds`; `refused`: how often the peer said that it is full, and was asked again."""

    photos: int
    seconds: float
    refused: int

    @property
    def rate(self) -> float:
        """Photos a second."""
        return self.photos / self.seconds

    def __add__(self, other: "Throughput") -> "Throughput":
        return Throughput(self.photos + other.photos, self.seconds + other.seconds, self.refused + other.refused)


@dataclass(frozen=True)
class Overload:
    """More photos than the peer can carry: `served` of them in `seconds`; `refusals`: seconds until each other's no."""

    served: int
    seconds: float
    refusals: Latency

    @property
    def rate(self) -> float:
        """Photos served a second, from the first request to the last answer."""
        return self.served / self.seconds


async def in_turn(peers: Mapping[str, Peer], photos: Sequence[Photo]) -> dict[str, Latency]:
    """Gives each photo to one peer after the other, so that a machine that drifts drifts for all of them.

    The first photo is given once more, before the others, and not counted.
    """
    for peer in peers.values():
        await peer(photos[0])
    samples: dict[str, list[float]] = {name: [] for name in peers}
    for photo in photos:
        for name, peer in peers.items():
            samples[name].append(await peer(photo))
    return {name: Latency(tuple(seconds)) for name, seconds in samples.items()}


async def in_flight(peer: Peer, photos: Sequence[Photo], width: int) -> Throughput:
    """Works off `photos`, `width` at a time. Who is refused waits as long as it was told to and asks again."""
    waiting = iter(photos)
    refused = 0

    async def work() -> None:
        nonlocal refused
        for photo in waiting:
            while True:
                try:
                    await peer(photo)
                    break
                except BusyError as busy:
                    refused += 1
                    await asyncio.sleep(busy.pause_s)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(width)))
    return Throughput(len(photos), time.perf_counter() - began, refused)


async def overload(peer: Peer, photos: Sequence[Photo], every_s: float) -> Overload:
    """Sends a photo every `every_s` seconds, whatever became of those before; who is refused gives up.

    Raises FailedError when nothing was refused: then it was no overload.
    """
    refusals: list[float] = []

    async def send(photo: Photo, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        began = time.perf_counter()
        try:
            await peer(photo)
        except BusyError:
            refusals.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(send(photo, number * every_s) for number, photo in enumerate(photos)))
    if not refusals:
        raise FailedError(f"a photo every {every_s:.2f} s was no overload")
    return Overload(len(photos) - len(refusals), time.perf_counter() - began, Latency(tuple(refusals)))
