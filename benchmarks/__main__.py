"""`python -m benchmarks`: measures everything and writes one table."""

import asyncio
import os
import platform
import subprocess
import time
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import psutil
import typer

from benchmarks.figures import FULL, QUICK, Figures
from benchmarks.load import FailedError
from benchmarks.measure import Places, measure, measure_flat
from benchmarks.rembg import VERSION
from benchmarks.report import render
from cli.config import read_settings
from tests.support.toy_model import write_toy_model

_FOLDER = Path(".bench")
_RESULTS = Path("benchmarks/results")
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")  # What decides how fast inference is.


class FlatModel(Enum):
    """The model that the 300 requests in a row go to: the toy shows our own code, the default all of it."""

    TOY = "toy"
    DEFAULT = "default"


def main(
    *,
    quick: Annotated[bool, typer.Option(help="A few samples of everything, for a look.")] = False,
    flat: Annotated[FlatModel, typer.Option(help="Model for the 300 requests in a row.")] = FlatModel.TOY,
    photos: Annotated[Path, typer.Option(help="Folder of the photos to enlarge.")] = Path("tests/photos"),
) -> None:
    """Measure speed and memory of the whole stack, beside bare inference and beside rembg's HTTP server."""
    settings = read_settings()
    places = Places(_FOLDER, photos, settings.model_repository / settings.model, settings.triton_env)
    effort = QUICK if quick else FULL
    began, figures = time.perf_counter(), Figures(facts=_facts())
    _FOLDER.mkdir(exist_ok=True)

    async def run() -> None:
        await measure(places, effort, figures)
        if effort.flat_requests:
            repository, model = settings.model_repository, settings.model
            if flat is FlatModel.TOY:
                repository, model = _FOLDER / "toy-repository", "toy"
                write_toy_model(repository, model, 1024)
            await measure_flat(places, repository, model, effort.flat_requests, figures)

    try:
        asyncio.run(run())
    except FailedError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    figures.facts["took"] = f"{time.perf_counter() - began:.0f} s"
    _RESULTS.mkdir(exist_ok=True)
    result = _RESULTS / f"{datetime.now():%Y-%m-%d-%H%M}.md"
    result.write_text(render(figures))
    print(render(figures))
    print(f"wrote {result}")


def _facts() -> dict[str, str]:
    words = Path("/proc/cpuinfo").read_text().splitlines()
    processor = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in words)}
    flags = [flag for flag in _FLAGS if flag in processor["flags"].split()]
    cores, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 2**30
    revision = ("git", "describe", "--always", "--dirty")
    commit = subprocess.run(revision, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "measured": f"{datetime.now():%Y-%m-%d %H:%M}, commit {commit or 'unknown'}",
        "machine": f"{processor['model name']}, {cores} cores ({', '.join(flags)}), {memory:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}",
        "load before": f"{os.getloadavg()[0]:.2f} (1 minute)",
        "beside": f"rembg {VERSION}, `rembg s`, with the same network on ONNX Runtime",
    }


if __name__ == "__main__":
    typer.run(main)
