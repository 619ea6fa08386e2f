"""`python -m benchmarks.video`: how fast videos are cut out, how steady, and how near to the model on every frame."""

import asyncio
import logging
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.bare import bare_inference
from benchmarks.photos import Photo
from cards.target import Target
from cli.config import Settings, read_settings
from server.composition import Color, Composition
from server.errors import ModelUnavailableError
from server.generation import GenerationModel
from server.image.libvips import configure
from server.matting import MattingModel
from server.triton.model import TritonClient, TritonOptions
from server.video import fast, quality
from server.video.asked import Asked
from server.video.container import opened
from server.video.finish import finished, onto_edges, with_detail
from server.video.frame import Frame
from server.video.likeness import iou
from server.video.line import render_video
from server.video.mattes import build_mattes
from server.video.models import VideoModels
from server.video.source import Source
from server.video.task import VideoFormat, VideoLimits, VideoMatting, VideoResult, VideoTask
from server.video.watch import watched
from tests.support.clip_scenes import moving, still
from tests.support.clips import Sound, film
from tests.support.processes import free_address, module, running, wait_until
from tests.support.video_mattes import frames_of

Bytes = NDArray[np.uint8]

_FOLDER = Path(".bench")
_RESULTS = Path("benchmarks/results")
_SIZE, _RATE, _SECONDS = (1080, 1920), 30, 4
_STEP = 6.0  # pixels a frame: a walk
_NOISE = 4.0  # levels: a camera indoors
_STILL_FRAMES = 17
_LONG = _RATE * _SECONDS  # frames that are announced, where a short clip shall be treated as a part of a long one
_EVERY = 3  # of the frames are asked about for the IoU
_AIMS = {VideoMatting.FAST: 25.0, VideoMatting.QUALITY: 6.0}
_LEAST_IOU, _MOST_CHANGE = 0.97, 1 / 3
_FAST_MODEL = "selfie"
_BARE_ROUNDS = 9
_ALL_S = 3600.0  # longest that a round may take
_ANSWER_S = 60.0


@dataclass(frozen=True)
class Speed:
    """One way. `rate`: whole frames a second, with decoding and MP4; `bare`: the model alone, inferences a second."""

    rate: float
    bare: float
    result: VideoResult


def main(*, rounds: Annotated[int, typer.Option(help="How often each way is timed; the median counts.")] = 3) -> None:
    """Measure both ways of matting on 1080p clips made of the free photos, with the real models in Triton."""
    _FOLDER.mkdir(exist_ok=True)
    configure()
    logging.getLogger("server.triton").setLevel(logging.ERROR)  # It is not there at first.
    settings = read_settings()
    clip = _clip()
    with _models(settings) as models:
        bare = asyncio.run(_bare(settings, models))
        speeds = {matting: _speed(clip, matting, models, bare[matting], rounds) for matting in _AIMS}
        likeness = _likeness(clip, models)
        changes = _changes(models)
    report = "\n".join([*_facts(speeds, rounds), "", *_table(speeds, likeness, changes)]) + "\n"
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{datetime.now():%Y-%m-%d-%H%M}-video.md"
    path.write_text(report)
    print(report)
    print(f"wrote {path}")


def _clip() -> Path:
    """The video that is timed: made once, and kept."""
    path = _FOLDER / "videos" / "walk.mp4"
    if not path.exists():
        _say("filming")
        path.parent.mkdir(exist_ok=True)
        scene = moving("astronaut", _RATE * _SECONDS, _SIZE, _STEP)
        film(path, scene, rate=_RATE, sound=Sound.AAC)
    return path


async def _bare(settings: Settings, models: VideoModels) -> dict[VideoMatting, float]:
    """Inferences a second of each way's model, without Triton and without pictures; Triton is there, and idle."""
    rates = {}
    for matting, model in ((VideoMatting.FAST, models.fast()), (VideoMatting.QUALITY, models.quality())):
        _say(f"{model.name}, bare")
        view = _FOLDER / f"{model.name}-view.npy"
        np.save(view, np.random.default_rng(1).integers(0, 256, (1, *model.size, 3), dtype=np.uint8))
        photo, folder = Photo(model.name, b"", view), _FOLDER / f"bare-{model.name}"
        async with bare_inference(
            settings.model_repository / model.name, settings.triton_env, folder, "stack"
        ) as child:
            seconds = [await child(photo) for _ in range(_BARE_ROUNDS + 1)]
        rates[matting] = 1 / statistics.median(seconds[1:])
    return rates


@contextmanager
def _models(settings: Settings) -> Iterator[VideoModels]:
    """The models of the repository, in a Triton of their own."""
    address, log = free_address(), _FOLDER / "video-engine.log"
    names = {"TRITON": address, "DATA": str(_FOLDER / "data-video")}
    with running(module("engine"), {f"CLEARCANVAS_{name}": value for name, value in names.items()}, log):
        client = TritonClient(TritonOptions(address, _ANSWER_S, f"clearcanvas-bench-{address.rpartition(':')[2]}"), 0)

        def model(name: str) -> MattingModel:
            return client.model(Target(name), time.monotonic() + _ALL_S)

        def serves() -> bool:
            try:
                return bool(model(settings.model).size and model(_FAST_MODEL).size)
            except ModelUnavailableError:
                return False

        wait_until(serves, f"Triton serves; see {log}", 180)
        yield VideoModels(lambda: model(_FAST_MODEL), lambda: model(settings.model), _no_generation)


def _no_generation(_name: str | None) -> GenerationModel:
    raise NotImplementedError


def _speed(clip: Path, matting: VideoMatting, models: VideoModels, bare: float, rounds: int) -> Speed:
    task = VideoTask(Composition(Color(0, 160, 60)), VideoFormat.MP4, matting, VideoLimits(duration_s=_SECONDS))
    target = _FOLDER / "videos" / f"{matting.value}.mp4"
    rates = []
    for number in range(rounds + 1):  # The first is to warm up.
        _say(f"{matting.value}, {number} of {rounds}")
        began = time.perf_counter()
        result = render_video(clip, target, task, models, None, lambda _done, _all: None)
        rates.append(result.frames / (time.perf_counter() - began))
        _say(f"{rates[-1]:.1f} frames/s")
    return Speed(statistics.median(rates[1:]), bare, result)


def _likeness(clip: Path, models: VideoModels) -> list[float]:
    """IoU of carried mattes and the large model's own answers for some of the frames."""
    _say("likeness to the model on every frame")
    matted = build_mattes(VideoMatting.QUALITY, models, _LONG).follow(_decoded(clip))
    model = models.quality()
    return [iou(each.alpha, _alone(model, each.frame)) for each in islice(matted, 1, None, _EVERY)]


def _decoded(clip: Path) -> Iterator[Frame]:
    limits = VideoLimits(duration_s=_SECONDS)
    with opened(clip, limits) as container:
        yield from (item for item in Source(container, limits, sound=False).read() if isinstance(item, Frame))


def _alone(model: MattingModel, frame: Frame) -> Bytes:
    """What the model alone makes of a frame: its answer, enlarged."""
    answer = model.infer(frame.view(model.size)).alpha
    return np.asarray(cv2.resize(answer, frame.size[::-1]), np.uint8)


def _changes(models: VideoModels) -> dict[str, tuple[float, float]]:
    """Mean change of alpha between frames of a still subject under noise, in levels: (ours, each frame on its own)."""
    frames = frames_of(still(_STILL_FRAMES, _SIZE, _NOISE))
    found = {}
    for name, matting, announced in (
        ("fast", VideoMatting.FAST, _LONG),
        ("quality, key frames", VideoMatting.QUALITY, _LONG),
        ("quality, every frame", VideoMatting.QUALITY, _STILL_FRAMES),
    ):
        _say(f"steadiness: {name}")
        ours = [matted.alpha for matted in build_mattes(matting, models, announced).follow(frames)]
        found[name] = _change(ours), _change(_apart(matting, models, frames))
    return found


def _apart(matting: VideoMatting, models: VideoModels, frames: list[Frame]) -> list[Bytes]:
    """Each frame's matte, as if there were no other: the model's, finished on the frame's edges, noise and all."""
    if matting is VideoMatting.FAST:
        sight, asked, lines = fast.SIGHT, Asked(models.fast, fast.MOST_STRETCH), onto_edges
    else:
        sight, asked, lines = quality.SIGHT, Asked(models.quality, quality.MOST_STRETCH), with_detail
    return [finished(seen, asked.alpha(seen).astype(np.float32), lines, 0.0) for seen in watched(frames, sight)]


def _change(mattes: Sequence[Bytes]) -> float:
    return float(np.mean([cv2.absdiff(one, other).mean() for one, other in pairwise(mattes)]))


def _facts(speeds: dict[VideoMatting, Speed], rounds: int) -> Iterator[str]:
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    height, width = _SIZE
    yield f"* measured: {datetime.now():%Y-%m-%d %H:%M}, {cores} cores, load then {load:.2f} (1 minute)"
    yield f"* {width} × {height}, {_SECONDS} s of {_RATE} frames/s with sound, over a colour, to MP4; {rounds} rounds"
    for matting, speed in speeds.items():
        stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in speed.result.stages)
        yield f"* {matting.value}: {speed.result.device}; stages, which overlap: {stages}"


def _table(
    speeds: dict[VideoMatting, Speed], likeness: list[float], changes: dict[str, tuple[float, float]]
) -> Iterator[str]:
    yield "| | frames/s | aim | the model alone, 1/s | ratio |"
    yield "| --- | ---: | --- | ---: | ---: |"
    for matting, speed in speeds.items():
        aim = f"≥ {_AIMS[matting]:g} {_mark(reached=speed.rate >= _AIMS[matting])}"
        yield f"| {matting.value} | {speed.rate:.1f} | {aim} | {speed.bare:.1f} | {speed.rate / speed.bare:.2f} |"
    mean = statistics.mean(likeness)
    yield ""
    yield "| quality beside the model on every frame | | aim |"
    yield "| --- | ---: | --- |"
    yield f"| IoU, mean of {len(likeness)} frames | {mean:.4f} | ≥ {_LEAST_IOU} {_mark(reached=mean >= _LEAST_IOU)} |"
    yield f"| IoU, least | {min(likeness):.4f} | |"
    yield ""
    yield "| still subject, noise of 4 levels | change of alpha a frame | each frame on its own | ratio | aim |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for name, (ours, alone) in changes.items():
        mark = _mark(reached=ours <= alone * _MOST_CHANGE)
        yield f"| {name} | {ours:.3f} | {alone:.3f} | {ours / alone:.2f} | ≤ 0.33 {mark} |"


def _mark(*, reached: bool) -> str:
    return "✓" if reached else "✗"


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)
