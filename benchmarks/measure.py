"""The run: each measurement in its turn, on the same photos and the same weights."""

import asyncio
import statistics
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import memory
from benchmarks.bare import bare_inference
from benchmarks.figures import Effort, Figures, Flat
from benchmarks.load import FailedError, Latency, Peer, Throughput, in_flight, in_turn, overload
from benchmarks.photos import SIZES, Photo, load_photos, rotate
from benchmarks.rembg import Rembg, extract_network, install, rembg_server
from benchmarks.stack import Stack, running_stack

_SERVER = "server"  # The word in the command of the process whose children the workers are.
_WARM_UP = 60  # Requests until every worker has had its share of allocations.
_STRIDE = 25  # Requests between two readings.
_AGREEMENT = 0.9  # IoU below which rembg cannot be running the same network on the same picture.


@dataclass(frozen=True)
class Places:
    """Where things are. `folder`: the bench's own, for environments, photos and logs."""

    folder: Path
    photos: Path
    model: Path
    triton_env: Path


def say(text: str) -> None:
    """Tells the user what is going on."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


async def measure(places: Places, effort: Effort, figures: Figures) -> None:
    """Fills `figures`. Raises FailedError when a peer fails."""
    folder = places.folder
    say("preparing photos, rembg and its model")
    photos = {size: load_photos(places.photos, size, folder / "photos") for size in SIZES}
    install(folder / "rembg")
    network = extract_network(places.model / "1" / "model.onnx", folder / "rembg-home")
    await _measure_starts(places, photos["2 MP"][0], effort, figures)
    async with (
        running_stack(folder / "data", folder / "stack.log") as stack,
        rembg_server(folder / "rembg", network, folder / "rembg.log") as rembg,
    ):
        comparison = Comparison(places, effort, figures, photos, stack, rembg)
        await comparison.warm_up()
        await comparison.check_agreement()
        await comparison.measure_latencies()
        await comparison.measure_throughputs()
        await comparison.measure_overload()
        await comparison.measure_memory()


async def _measure_starts(places: Places, photo: Photo, effort: Effort, figures: Figures) -> None:
    """Starts the stack alone, a few times; the first time it may compile the model, which does not count."""
    figures.starts["ours"], figures.firsts["ours"] = starts, firsts = [], []
    for number in range(effort.starts + 1):
        say(f"start {number} of {effort.starts}")
        async with running_stack(places.folder / "data", places.folder / "stack.log") as stack:
            first_s = await stack.http(photo)
        if number:
            starts.append(stack.start_s)
            firsts.append(stack.start_s + first_s)


@dataclass(frozen=True)
class Comparison:
    """Our stack and rembg, both running, and the photos by size. Each step writes into `figures`."""

    places: Places
    effort: Effort
    figures: Figures
    photos: dict[str, list[Photo]]
    stack: Stack
    rembg: Rembg

    async def warm_up(self) -> None:
        """The first photo of each: rembg loads its model with it, which is a part of its start."""
        photo = self.photos["2 MP"][0]
        self.figures.starts["rembg"] = [self.rembg.start_s]
        self.figures.firsts["rembg"] = [self.rembg.start_s + await self.rembg(photo)]
        await self.stack.grpc(photo)
        self.figures.facts["the stack runs on"] = self.stack.grpc.device

    async def check_agreement(self) -> None:
        """A comparison of times means something only if both make the same picture. Raises FailedError."""
        agreement = {}
        for photo in self.photos["2 MP"]:
            ours = _subject(await self.stack.http.cut_out(photo))
            theirs = _subject(await self.rembg.cut_out(photo))
            agreement[photo.name] = float((ours & theirs).sum() / (ours | theirs).sum())
        found = ", ".join(f"{name} {value:.4f}" for name, value in agreement.items())
        self.figures.facts["IoU of our alpha and rembg's"] = found
        if min(agreement.values()) < _AGREEMENT:
            raise FailedError(f"rembg cuts out something else: IoU {found}")

    async def measure_latencies(self) -> None:
        """One photo at a time, at each size."""
        ours: dict[str, Peer] = {"gRPC": self.stack.grpc}
        async with AsyncExitStack() as children:
            peers: dict[str, Peer] = {"HTTP": self.stack.http, **ours, "rembg": self.rembg}
            for name, which in (("bare", "stack"), ("onnxruntime", "onnxruntime")):
                bare = bare_inference(self.places.model, self.places.triton_env, self.places.folder / "bare", which)
                peers[name] = child = await children.enter_async_context(bare)
                self.figures.facts[f"{name} inference runs on"] = child.device
            await self._latency("2 MP", peers, self.effort.photos_2mp)
        await self._latency("12 MP", {**ours, "rembg": self.rembg}, self.effort.photos_12mp)
        await self._latency("100 MP", ours, self.effort.photos_100mp)
        if self.effort.rembg_100mp:
            seconds = await self.rembg(self.photos["100 MP"][0])
            self.figures.latency["100 MP"]["rembg"] = Latency((seconds,))

    async def _latency(self, size: str, peers: dict[str, Peer], count: int) -> None:
        say(f"{count} photos of {size}, one at a time: {', '.join(peers)}")
        self.stack.grpc.stages.clear()
        self.figures.latency[size] = await in_turn(peers, rotate(self.photos[size], count))
        stages = self.stack.grpc.stages.items()
        self.figures.stages[size] = {name: statistics.median(seconds) for name, seconds in stages}

    async def measure_throughputs(self) -> None:
        """Each peer works off half of the photos, then each the other half, so that drift meets all of them."""
        for width, count in self.effort.in_flight.items():
            peers: dict[str, Peer] = {"HTTP": self.stack.http, "gRPC": self.stack.grpc}
            if width <= self.effort.rembg_to:
                peers["rembg"] = self.rembg
            say(f"{count} photos, {width} in flight: {', '.join(peers)}")
            found = {name: Throughput(0, 0.0, 0) for name in peers}
            for half in [count // 2] * 2 if count >= 2 * width else [count]:
                for name, peer in peers.items():
                    found[name] += await in_flight(peer, rotate(self.photos["2 MP"], half), width)
            self.figures.throughput[width] = found

    async def measure_overload(self) -> None:
        """Three times the photos a second that four in flight were served, for as long as they last."""
        if self.effort.overload_photos:
            every_s = 1 / (3 * self.figures.throughput[4]["HTTP"].rate)
            say(f"{self.effort.overload_photos} photos, one every {every_s:.2f} s")
            photos = rotate(self.photos["2 MP"], self.effort.overload_photos)
            self.figures.overload = await overload(self.stack.http, photos, every_s)

    async def measure_memory(self) -> None:
        """Last, when everything that grows has grown; bare inference, which shares our runtime's pages, is gone."""
        say("memory at 4 in flight, and at 100 MP")
        batch = rotate(self.photos["2 MP"], self.effort.memory_photos)
        with memory.watch(self.stack.pid, _SERVER) as self.figures.memory["ours"]:
            await in_flight(self.stack.grpc, batch, 4)
        with memory.watch(self.rembg.pid) as self.figures.memory["rembg"]:
            await in_flight(self.rembg, batch, 4)
        with memory.watch(self.stack.pid, _SERVER) as self.figures.large:
            for photo in self.photos["100 MP"][: self.effort.photos_100mp]:
                await self.stack.grpc(photo)


def _subject(png: bytes) -> NDArray[np.bool_]:
    """Where a cut-out's alpha is above one half."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        raise FailedError("a cut-out is not an RGBA picture")
    return np.asarray(picture[..., 3] > 127, np.bool_)


async def measure_flat(places: Places, repository: Path, model: str, requests: int, figures: Figures) -> None:
    """Sends `requests` over HTTP, one after another, and looks at the idle stack's memory on the way."""
    say(f"{requests} requests in a row, model {model}")
    photos = load_photos(places.photos, "2 MP", places.folder / "photos")
    names = {"model": model, "model_repository": str(repository)}
    async with running_stack(places.folder / f"data-{model}", places.folder / "flat.log", **names) as stack:
        await in_flight(stack.http, rotate(photos, _WARM_UP), 4)
        after = {0: await _idle(stack.pid)}
        for done in range(_STRIDE, requests + 1, _STRIDE):
            await in_flight(stack.http, rotate(photos, _STRIDE), 1)
            after[done] = await _idle(stack.pid)
    figures.flat = Flat(model, after)


async def _idle(pid: int) -> int:
    await asyncio.sleep(1)
    return memory.own(pid)
