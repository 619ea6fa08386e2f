"""The figures as one Markdown table."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.figures import Figures
from benchmarks.load import Latency

_MB = 1e6
_PEERS = {"rembg": "rembg", "bare": "bare inference", "onnxruntime": "ONNX Runtime fp32"}
_HEAD = ["", "ClearCanvas", *_PEERS.values(), "ours / rembg", "ours / bare", "aim", "n"]


@dataclass(frozen=True)
class Aim:
    """A bound for our figure, or for its ratio to `to` ("rembg", "bare"); an upper one unless `at_least`."""

    limit: float
    to: str = ""
    at_least: bool = False

    def verdict(self, value: float) -> str:
        """Says the aim, and whether `value` reaches it."""
        reached = value >= self.limit if self.at_least else value <= self.limit
        of = f" × {self.to}" if self.to else ""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{of} {'✓' if reached else '✗'}"


@dataclass(frozen=True)
class Row:
    """One line. `peers`: their figures by name; `ratios`: ours to theirs, where it is not just the quotient of the two;
    `note`: sample counts and the like.
    """

    title: str
    ours: float
    peers: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    aims: tuple[Aim, ...] = ()
    note: str = ""
    digits: int = 2

    def cells(self) -> list[str]:
        """The line's cells, in the order of the table's head."""
        figures = [f"{value:.{self.digits}f}" if value is not None else "" for value in (self.ours, *self._peers())]
        ratios = [f"{ratio:.2f}" if (ratio := self._ratio(name)) else "" for name in ("rembg", "bare")]
        aims = [
            aim.verdict(self._ratio(aim.to) or self.ours) for aim in self.aims if not aim.to or aim.to in self.peers
        ]
        return [self.title, *figures, *ratios, ", ".join(aims), self.note]

    def _peers(self) -> list[float | None]:
        return [self.peers.get(name) for name in _PEERS]

    def _ratio(self, name: str) -> float | None:
        return self.ratios.get(name) or (self.ours / self.peers[name] if name in self.peers else None)


def render(figures: Figures) -> str:
    """The whole report: what it was measured on, the table, and where our time and memory go."""
    lines = [f"* {name}: {value}" for name, value in figures.facts.items()]
    lines += ["", _line(_HEAD), _line(["---", *["---:"] * 6, "---", "---"])]
    lines += [_line(row.cells()) for row in _rows(figures)]
    lines += ["", f"Where the time goes (median seconds of each stage): {_stages(figures)}."]
    parts = sorted(figures.memory["ours"].parts.items(), key=lambda part: -part[1])
    held = ", ".join(f"{name} {size / _MB:.0f}" for name, size in parts)
    lines += ["", f"Where the memory is (at the peak with 4 in flight, MB): {held}."]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rows(figures: Figures) -> Iterator[Row]:
    yield from _latency_rows(figures)
    yield from _rate_rows(figures)
    yield from _overload_rows(figures)
    yield from _memory_rows(figures)
    for title, found in (("start until ready, s", figures.starts), ("start until first cut-out, s", figures.firsts)):
        ours, rembg = statistics.median(found["ours"]), statistics.median(found["rembg"])
        yield Row(title, ours, {"rembg": rembg}, note=f"{len(found['ours'])}, {len(found['rembg'])}", digits=1)
    if figures.flat:
        sizes = ", ".join(f"{size / _MB:.0f}" for size in figures.flat.after.values())
        title = f"growth over {max(figures.flat.after)} requests ({figures.flat.model}), %"
        yield Row(title, figures.flat.growth * 100, aims=(Aim(3),), note=f"{sizes} MB", digits=1)


def _latency_rows(figures: Figures) -> Iterator[Row]:
    two = (Aim(0.45, "rembg"), Aim(1.25, "bare"))
    for size, way, aims in (
        ("2 MP", "HTTP", two),
        ("2 MP", "gRPC", two),
        ("12 MP", "gRPC", ()),
        ("100 MP", "gRPC", (Aim(5),)),
    ):
        found = figures.latency[size]
        peers = {name: latency for name, latency in found.items() if name not in {"HTTP", "gRPC"}}
        counts = ", ".join(str(len(latency.samples)) for latency in (found[way], *peers.values()))
        turns = len(found[way].samples)
        ratios = {name: found[way].ratio(each) for name, each in peers.items() if len(each.samples) == turns}
        title = f"{size} over {way}, p50, s"
        yield Row(title, found[way].p50, {name: latency.p50 for name, latency in peers.items()}, ratios, aims, counts)
        slow = {name: latency.p95 for name, latency in peers.items() if _is_spread(latency)}
        if _is_spread(found[way]):
            yield Row(f"{size} over {way}, p95, s", found[way].p95, slow)


def _is_spread(latency: Latency) -> bool:
    """Whether there are enough samples for a 95th percentile to mean anything."""
    return len(latency.samples) >= 6


def _rate_rows(figures: Figures) -> Iterator[Row]:
    alone = figures.latency["2 MP"]
    for way in ("HTTP", "gRPC"):
        peers = {name: alone[name].rate for name in _PEERS}
        yield Row(f"2 MP over {way}, 1 in flight, images/s", alone[way].rate, peers)
        for width, found in figures.throughput.items():
            rembg = {"rembg": found["rembg"].rate} if "rembg" in found else {}
            title = f"2 MP over {way}, {width} in flight, images/s"
            note = ", ".join(str(found[name].photos) for name in (way, *rembg))
            refused = f"; {found[way].refused} refused and asked again" if found[way].refused else ""
            aims = (Aim(2.7, "rembg", at_least=True),)
            yield Row(title, found[way].rate, rembg | {"bare": alone["bare"].rate}, aims=aims, note=note + refused)


def _overload_rows(figures: Figures) -> Iterator[Row]:
    if (found := figures.overload) is None:
        return
    sent, refusals = found.served + len(found.refusals.samples), found.refusals
    aims = (Aim(100),)
    note = f"{len(refusals.samples)} of {sent}"
    yield Row("3 × the load over HTTP: a refusal, p50, ms", refusals.p50 * 1000, aims=aims, note=note, digits=0)
    yield Row("3 × the load over HTTP: a refusal, p95, ms", refusals.p95 * 1000, aims=aims, digits=0)
    yield Row("3 × the load over HTTP: a refusal, slowest, ms", refusals.slowest * 1000, aims=aims, digits=0)
    goodput = found.rate / figures.throughput[4]["HTTP"].rate
    yield Row(
        "3 × the load over HTTP: served, % of 4 in flight", goodput * 100, aims=(Aim(90, at_least=True),), digits=0
    )


def _memory_rows(figures: Figures) -> Iterator[Row]:
    ours, rembg = figures.memory["ours"], figures.memory["rembg"]
    title = "peak memory, all processes, 2 MP, 4 in flight, MB"
    yield Row(title, ours.total / _MB, {"rembg": rembg.total / _MB}, aims=(Aim(1500),), digits=0)
    yield Row("peak memory, all processes, 100 MP, MB", figures.large.total / _MB, digits=0)
    yield Row("peak memory, largest worker, 100 MP, MB", figures.large.worker / _MB, aims=(Aim(600),), digits=0)


def _stages(figures: Figures) -> str:
    return "; ".join(
        f"{size}: " + ", ".join(f"{name} {seconds:.3f}" for name, seconds in stages.items())
        for size, stages in figures.stages.items()
    )
