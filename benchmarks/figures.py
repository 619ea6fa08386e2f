"""What one run finds out, and the work that it puts in."""

import statistics
from dataclasses import dataclass, field

from benchmarks.load import Latency, Overload, Throughput
from benchmarks.memory import Peak


@dataclass(frozen=True)
class Effort:
    """How much of each is measured. `in_flight`: photos for each width; `rembg_to`: the widest that rembg is given;
    `overload_photos`: sent at three times the rate that was served; 0: not measured.
    """

    starts: int
    photos_2mp: int
    photos_12mp: int
    photos_100mp: int
    in_flight: dict[int, int]
    rembg_to: int
    rembg_100mp: bool
    memory_photos: int
    overload_photos: int
    flat_requests: int  # 0: not measured.


FULL = Effort(
    starts=3,
    photos_2mp=18,
    photos_12mp=6,
    photos_100mp=6,
    in_flight={4: 16, 16: 32},
    rembg_to=16,
    rembg_100mp=True,
    memory_photos=8,
    overload_photos=90,
    flat_requests=300,
)
QUICK = Effort(
    starts=1,
    photos_2mp=3,
    photos_12mp=2,
    photos_100mp=1,
    in_flight={4: 4, 16: 16},
    rembg_to=4,
    rembg_100mp=False,
    memory_photos=4,
    overload_photos=0,
    flat_requests=0,
)


@dataclass(frozen=True)
class Flat:
    """Bytes that the idle stack holds `after` so many requests, of which the warm-up does not count."""

    model: str
    after: dict[int, int]

    @property
    def growth(self) -> float:
        """From the first reading to the last, as a fraction of the first: of the line fitted through all of them.

        Single readings wobble by a few percent, mostly with Triton's heap.
        """
        slope, start = statistics.linear_regression(list(self.after), list(self.after.values()))
        return slope * max(self.after) / start


@dataclass
class Figures:
    """Everything measured. Peers are named "HTTP", "gRPC" (both ours), "rembg", "bare" and "onnxruntime".

    `latency`: by size, then by peer. `throughput`: by photos in flight, then by peer. `memory`: by peer, at 4 in flight
    (ours under "ours"). `large`: ours at 100 MP. `starts`: seconds until ready; `firsts`: seconds from the start of the
    process until the first result; by peer. `stages`: by size, median seconds of each stage.
    """

    facts: dict[str, str] = field(default_factory=dict)
    latency: dict[str, dict[str, Latency]] = field(default_factory=dict)
    throughput: dict[int, dict[str, Throughput]] = field(default_factory=dict)
    memory: dict[str, Peak] = field(default_factory=dict)
    large: Peak = field(default_factory=Peak)
    starts: dict[str, list[float]] = field(default_factory=dict)
    firsts: dict[str, list[float]] = field(default_factory=dict)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    overload: Overload | None = None
    flat: Flat | None = None
