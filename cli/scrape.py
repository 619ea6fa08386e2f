"""Metrics of a program, read once."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """One value. `labels` as the program gave them."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class Figures:
    """What a program says of itself; `there` is whether it did."""

    samples: list[Sample] = field(default_factory=list)
    there: bool = True

    def sum(self, name: str, **labels: str) -> float:
        """Of all values of that name that have these labels."""
        return sum(sample.value for sample in self.every(name, **labels))

    def every(self, name: str, **labels: str) -> Iterator[Sample]:
        """Every value of that name that has these labels."""
        for sample in self.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample


async def read_figures(session: aiohttp.ClientSession, address: str) -> Figures:
    """Reads the metrics at `HOST:PORT`; none where nothing answers there."""
    try:
        async with session.get(f"http://{address}/metrics") as response:
            text = (await response.content.read(_LIMIT_BYTES)).decode(errors="replace")
        families = list(text_string_to_metric_families(text))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Figures(there=False)
    samples = (sample for family in families for sample in family.samples)
    return Figures([Sample(sample.name, dict(sample.labels), sample.value) for sample in samples])
