"""The service whose documents readers try, and what their results must look like."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.clips import decoded_frames
from tests.support.devnet import RunningDevnet
from tests.support.paid_pictures import check_cutout
from tests.support.shown import ROOT, SAMPLES, Reader
from tests.support.stack import RunningStack, starting_stack
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model

_UP = "self-hosting/up.sh"


@contextmanager
def documented_stack(data: Path, devnet: RunningDevnet, triton_env: Path) -> Iterator[RunningStack]:
    """What the documents' `make up` starts, with toy models, on free ports; paid on the local chains."""
    repository = data.parent / "repository"
    write_toy_model(repository)
    write_toy_generation(repository, "painter")
    environment = devnet.adapter_environment() | {
        "CLEARCANVAS_HTTP": "127.0.0.1:0",
        "CLEARCANVAS_GRPC": "127.0.0.1:0",
        "CLEARCANVAS_DATA": str(data),
        "CLEARCANVAS_MODEL_REPOSITORY": str(repository),
        "CLEARCANVAS_MODEL": "toy",
        "CLEARCANVAS_FAST_MODEL": "toy",
        "CLEARCANVAS_GENERATION_MODEL": "painter",
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_UNPAID_PER_MINUTE": "1000",
        "MAKEFLAGS": "",
    }
    command = (SAMPLES / _UP).read_text()
    with starting_stack(shlex.split(command, comments=True), environment, data.parent / "up.log", cwd=ROOT) as stack:
        assert Reader(stack.url(""), data).copy(_UP) == command
        yield stack


def result(reader: Reader, mode: str = "RGB") -> NDArray[np.uint8]:
    """The pixels of result.png, which has the photo's size and this mode."""
    with Image.open(reader.folder / "result.png") as found:
        assert (found.format, found.mode, found.size) == ("PNG", mode, original(reader).shape[1::-1])
        return np.asarray(found)


def original(reader: Reader) -> NDArray[np.uint8]:
    """The photo's pixels."""
    with Image.open(reader.folder / "photo.png") as found:
        return np.asarray(found.convert("RGB"))


def check_is_cut_out(reader: Reader) -> None:
    """result.png is the photo's subject on transparency."""
    check_cutout((reader.folder / "result.png").read_bytes(), (reader.folder / "photo.png").read_bytes())


def check_is_on(reader: Reader, *color: int) -> None:
    """result.png is the photo's subject on a colour."""
    pixels = result(reader)
    assert tuple(pixels[2, 2]) == color
    assert (pixels[128, 128] > 200).all()


def check_is_on_green(reader: Reader, frames: int) -> None:
    """result.mp4 has so many frames, all on the samples' green."""
    found = decoded_frames(reader.folder / "result.mp4")
    assert len(found) == frames
    for _, pixels in found:
        assert np.abs(pixels[4, 4, :3].astype(int) - (0, 160, 60)).max() <= 8
