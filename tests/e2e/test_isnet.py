"""The default model on real photos, through everything: HTTP or the command line, gRPC, workers, Triton."""

import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.clients import MPP_PULL, pay
from tests.support.clip_scenes import pan
from tests.support.clips import decoded_frames, film
from tests.support.devnet import RunningDevnet
from tests.support.http import post_photo
from tests.support.processes import module
from tests.support.stack import RunningStack, running_stack

PHOTOS = sorted(Path(__file__).parents[1].joinpath("photos").glob("*.png"))


@pytest.fixture(scope="module")
def isnet_stack(
    isnet_repository: Path, triton_env: Path, devnet: RunningDevnet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    """The stack as a user has it, paid on the local chains."""
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env), **devnet.adapter_environment()}
    with running_stack(isnet_repository, "isnet", tmp_path_factory.mktemp("isnet"), environment) as stack:
        yield stack


@pytest.fixture(scope="module")
def reference(isnet_repository: Path) -> onnxruntime.InferenceSession:
    """The same weights in fp32, in ONNX Runtime, in this process."""
    path = isnet_repository / "isnet" / "1" / "model.onnx"
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def reference_alpha(session: onnxruntime.InferenceSession, photo: Image.Image) -> NDArray[np.uint8]:
    """The model's alpha at the photo's size, (H, W) uint8, without any refinement.

    The view is enlarged with Pillow's bicubic filter, since the service enlarges with a bicubic one: the model itself
    answers to the filter (on chelsea.png, bilinear against bicubic in this very function is an IoU of 0.982), and what
    is compared here is the setup.
    """
    view = photo.convert("RGB").resize((1024, 1024), Image.Resampling.BICUBIC)
    (alpha,) = session.run(["ALPHA"], {"IMAGE": np.asarray(view)[None]})
    return np.asarray(Image.fromarray(alpha[0]).resize(photo.size, Image.Resampling.BILINEAR))


def iou(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Intersection over union of two mattes, cut at one half."""
    subject, reference_subject = one >= 128, other >= 128
    return float((subject & reference_subject).sum() / (subject | reference_subject).sum())


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
async def test_the_matte_is_the_models_own(
    isnet_stack: RunningStack, reference: onnxruntime.InferenceSession, path: Path
) -> None:
    photo = Image.open(path)
    async with aiohttp.ClientSession() as session:
        answer = await post_photo(session, isnet_stack, path.read_bytes())
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Model"] == "isnet"
    cutout = Image.open(io.BytesIO(answer.body))
    assert (cutout.mode, cutout.size) == ("RGBA", photo.size)
    alpha = np.asarray(cutout)[..., 3]
    agreement = iou(alpha, reference_alpha(reference, photo))
    assert agreement >= 0.99
    # Where the subject is certain, its colours are the photo's.
    sure = alpha == 255
    assert sure.any()
    assert np.abs(np.asarray(cutout)[..., :3][sure].astype(int) - np.asarray(photo.convert("RGB"))[sure]).max() <= 1


@pytest.mark.usefixtures("client_packages")
async def test_what_is_paid_for_is_the_same_picture(
    isnet_stack: RunningStack, devnet: RunningDevnet, tmp_path: Path
) -> None:
    chain, photo = devnet.tempo, PHOTOS[0].read_bytes()
    payer, income = chain.funded_payer(), chain.balance(chain.recipient)
    url = isnet_stack.url("/v1/remove-background")
    paid = await pay(MPP_PULL, url, photo, tmp_path, key=payer.key, rpc_url=chain.rpc_url)
    assert paid.status == 200, paid.error
    async with aiohttp.ClientSession() as session:
        free = await post_photo(session, isnet_stack, photo)
    assert paid.picture == free.body
    assert chain.balance(chain.recipient) - income == 50_000


def test_the_command_line_cuts_a_folder(isnet_stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(PHOTOS[0].read_bytes()[:5000])
    command = module("cli", "cut", str(PHOTOS[0].parent), str(tmp_path / "broken.png"), "-o", str(tmp_path / "out"))
    environment = os.environ | {"CLEARCANVAS_GRPC": isnet_stack.grpc}
    result = subprocess.run(
        [*command, "--color", "magenta"], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 1, result.stderr
    assert f"{len(PHOTOS)} cut, 0 kept, 1 failed" in result.stdout
    assert "broken.png: " in result.stderr
    for path in PHOTOS:
        cutout = Image.open(tmp_path / "out" / path.name)
        assert (cutout.mode, cutout.size) == ("RGB", Image.open(path).size)
        assert cutout.getpixel((cutout.width - 1, 0)) == (255, 0, 255)


@pytest.mark.parametrize(("name", "matting"), [("astronaut", "fast"), ("coffee", "quality")])
def test_a_video_is_cut_out_by_the_model_that_may_be_trusted(
    isnet_stack: RunningStack, reference: onnxruntime.InferenceSession, tmp_path: Path, name: str, matting: str
) -> None:
    """Of somebody by the small model, of a thing by the large one, which agrees with itself as on a picture."""
    scene = pan(name, frames=4, size=(360, 640))
    clip, target = film(tmp_path / "clip.mp4", scene), tmp_path / "out.webm"
    environment = os.environ | {"CLEARCANVAS_GRPC": isnet_stack.grpc}
    result = subprocess.run(
        module("cli", "video", str(clip), "-o", str(target)),
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert f"matting {matting}" in result.stderr
    frames = decoded_frames(target, "libvpx-vp9")
    assert len(frames) == len(scene.frames)
    for number in (0, -1):
        found, picture = frames[number][1], Image.fromarray(scene.frames[number])
        assert iou(found[..., 3], reference_alpha(reference, picture)) >= 0.9
