"""`python -m benchmarks.operations`: what each operation adds to a matte alone, in time and in memory."""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from clearcanvas.v1 import composition_pb2 as wire
from clearcanvas.v1 import images_pb2

from benchmarks import memory
from benchmarks.photos import SIZES, Photo, load_photos, rotate
from benchmarks.stack import Stack, running_stack

_FOLDER = Path(".bench")
_RESULTS = Path("benchmarks/results")
_WORKERS_OF = "server"  # The word in the command of the process whose children the workers are.
_MB = 1e6
_LARGE = "100 MP"
_TIMED = ("2 MP", "12 MP")
_MATTE = "matte"
_LARGEST_WORKER_MB = 800


@dataclass(frozen=True)
class Operation:
    """One composition, and the most that it may add to the time of a matte, in per cent; None: no aim."""

    composition: wire.Composition
    aim: int | None = None


def _operations(picture: bytes) -> dict[str, Operation]:
    shade, prompt = wire.DropShadow(), "studio sweep, warm grey"
    grey = wire.Color(red=120, green=130, blue=140)
    return {
        _MATTE: Operation(wire.Composition(none=wire.NoBackground())),
        "color": Operation(wire.Composition(color=grey), 15),
        "gradient": Operation(wire.Composition(gradient=wire.Gradient(end=grey, angle=30)), 15),
        "shadow, drop": Operation(wire.Composition(drop_shadow=shade), 15),
        "shadow, contact": Operation(wire.Composition(contact_shadow=wire.ContactShadow()), 15),
        "blur": Operation(wire.Composition(blur=wire.Blur(radius=40)), 25),
        "blur, lens": Operation(wire.Composition(blur=wire.Blur(radius=40, kind=wire.BLUR_KIND_LENS)), 25),
        "picture": Operation(wire.Composition(picture=wire.Picture(image=picture))),
        "generate, backdrop": Operation(wire.Composition(generated=wire.Generated(prompt=prompt, seed=1))),
        "blur and drop shadow": Operation(wire.Composition(blur=wire.Blur(radius=40), drop_shadow=shade)),
    }


@dataclass
class Found:
    """Of one operation at one size: seconds of each request in all, and without what the model took of them."""

    whole: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)


def main(
    *,
    rounds: Annotated[int, typer.Option(help="Photos of each size for each operation.")] = 9,
    photos: Annotated[Path, typer.Option(help="Folder of the photos to enlarge.")] = Path("tests/photos"),
) -> None:
    """Measure every operation beside a matte alone, photo by photo."""
    _FOLDER.mkdir(exist_ok=True)
    report = asyncio.run(_measure(rounds, photos))
    _RESULTS.mkdir(exist_ok=True)
    result = _RESULTS / f"{datetime.now():%Y-%m-%d-%H%M}-operations.md"
    result.write_text(report)
    print(report)
    print(f"wrote {result}")


async def _measure(rounds: int, sources: Path) -> str:
    photos = {size: load_photos(sources, size, _FOLDER / "photos") for size in SIZES}
    operations = _operations(photos["2 MP"][0].data)
    found: dict[str, dict[str, Found]] = {}
    peaks = {}
    async with running_stack(_FOLDER / "data", _FOLDER / "operations.log") as stack:
        for size in _TIMED:
            found[size] = await _time(stack, operations, rotate(photos[size], rounds), size)
        device = stack.grpc.device
    for name, operation in operations.items():
        # A stack of its own: a worker keeps its largest size.
        async with _peak(operation, photos[_LARGE][0]) as peak:
            peaks[name] = peak
        _say(f"{_LARGE}, {name}: largest worker {peaks[name].worker / _MB:.0f} MB")
    lines = [f"* runs on: {device}; {rounds} photos of each size", "", *_table(operations, found, peaks)]
    return "\n".join(lines) + "\n"


async def _time(stack: Stack, operations: dict[str, Operation], photos: Sequence[Photo], size: str) -> dict[str, Found]:
    """Gives each photo to one operation after the other, so that a machine that drifts drifts for all of them."""
    found = {name: Found() for name in operations}
    for number, photo in enumerate([photos[0], *photos]):
        _say(f"{size}, photo {number} of {len(photos)}")
        for name, operation in operations.items():
            stack.grpc.stages.clear()
            seconds = await _edit(stack, operation, photo)
            if number:  # The first is to warm up.
                found[name].whole.append(seconds)
                found[name].own.append(seconds - stack.grpc.stages["infer"][0])
    return found


async def _edit(stack: Stack, operation: Operation, photo: Photo) -> float:
    began = time.perf_counter()
    await stack.grpc.edit(images_pb2.EditRequest(image=photo.data, composition=operation.composition))
    return time.perf_counter() - began


@asynccontextmanager
async def _peak(operation: Operation, photo: Photo) -> AsyncIterator[memory.Peak]:
    async with running_stack(_FOLDER / "data", _FOLDER / "operations.log", workers="1") as stack:
        with memory.watch(stack.pid, _WORKERS_OF) as peak:
            await _edit(stack, operation, photo)
        yield peak


def _table(
    operations: dict[str, Operation], found: dict[str, dict[str, Found]], peaks: dict[str, memory.Peak]
) -> list[str]:
    sizes = [f"{size}, p50, s | added, %" for size in _TIMED]
    lines = [
        f"| | {' | '.join(sizes)} | aim | {_LARGE}, worker, MB |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for name, operation in operations.items():
        cells, reached = [], True
        for size in _TIMED:
            added = _added(found[size][name], found[size][_MATTE])
            cells += [f"{statistics.median(found[size][name].whole):.2f}", "" if name == _MATTE else f"{added:.0f}"]
            reached = reached and (operation.aim is None or added <= operation.aim)
        aim = f"≤ {operation.aim} {'✓' if reached else '✗'}" if operation.aim else ""
        worker = peaks[name].worker / _MB
        fits = "✓" if worker <= _LARGEST_WORKER_MB else "✗"
        lines.append(f"| {name} | {' | '.join(cells)} | {aim} | {worker:.0f} {fits} |")
    return lines


def _added(ours: Found, matte: Found) -> float:
    """Per cent of a matte's whole time. Inference, the same for both, is left out of the difference: it wobbles by more
    than what is looked for."""
    differences = [mine - theirs for mine, theirs in zip(ours.own, matte.own, strict=True)]
    return 100 * statistics.median(differences) / statistics.median(matte.whole)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)
