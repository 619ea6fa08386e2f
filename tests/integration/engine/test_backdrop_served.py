"""The embedded background generator on the real Triton: the contract, and the same bytes as the code itself paints."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton
from numpy.typing import NDArray

from cards.target import Target
from server.generation import Prompt
from server.triton.generation import GenerationClient
from server.triton.sheets import Sheets
from tests.integration.engine.engine_process import RunningEngine, running_engine
from tests.support.processes import wait_until

REPOSITORY = Path(__file__).parents[3] / "model_repository"


@pytest.fixture(scope="module")
def engine(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """An engine that serves the committed model and no other."""
    folder = tmp_path_factory.mktemp("backdrop")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "backdrop", folder / "models" / "backdrop", ignore=unwanted)
    with running_engine(folder / "models", triton_env, folder) as running:
        yield running


def generate(
    engine: RunningEngine, prompt: bytes, size: tuple[int, int], seed: int = 7, mask_size: tuple[int, int] | None = None
) -> tuple[NDArray[np.uint8], str]:
    """Ask for a picture of `size` (height, width): it, and the device."""
    values = {
        "PROMPT": (np.array([prompt], np.object_), "BYTES"),
        "NEGATIVE_PROMPT": (np.array([b""], np.object_), "BYTES"),
        "IMAGE": (np.zeros((*size, 3), np.uint8), "UINT8"),
        "MASK": (np.full(mask_size or size, 255, np.uint8), "UINT8"),
        "SEED": (np.array([seed], np.uint64), "UINT64"),
        "STEPS": (np.zeros(1, np.int32), "INT32"),
    }
    inputs = []
    for name, (array, kind) in values.items():
        value = triton.InferInput(name, list(array.shape), kind)
        value.set_data_from_numpy(array)
        inputs.append(value)
    answer = engine.client.infer("backdrop", inputs, client_timeout=30)
    (device,) = answer.as_numpy("DEVICE")
    return answer.as_numpy("IMAGE"), device.decode()


def test_it_paints_a_picture_of_the_size_asked_for(engine: RunningEngine) -> None:
    picture, device = generate(engine, b"a blue studio, soft light", (240, 320))
    assert (picture.shape, str(picture.dtype), device) == ((240, 320, 3), "uint8", "cpu/numpy/f32")
    assert picture.std() > 1


def test_the_same_request_gives_the_same_bytes(engine: RunningEngine) -> None:
    first, _ = generate(engine, "forêt à l'aube".encode(), (200, 150), seed=2**64 - 1)
    again, _ = generate(engine, "forêt à l'aube".encode(), (200, 150), seed=2**64 - 1)
    other, _ = generate(engine, "forêt à l'aube".encode(), (200, 150), seed=1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("prompt", "size", "mask_size", "reason"),
    [
        (b"\xff\xfe", (32, 32), None, "PROMPT is not UTF-8"),
        (b"sea", (32, 32), (32, 31), r"IMAGE is \[32, 32, 3\], so MASK must be \[32, 32\], and is \[32, 31\]"),
        (b"sea", (1, 2049), None, "2049×1 was asked for; sides may be 1 to 2048 pixels"),
    ],
)
def test_what_it_cannot_paint_it_refuses_and_goes_on(
    engine: RunningEngine, prompt: bytes, size: tuple[int, int], mask_size: tuple[int, int] | None, reason: str
) -> None:
    with pytest.raises(triton.InferenceServerException, match=reason):
        generate(engine, prompt, size, mask_size=mask_size)
    assert generate(engine, b"sea", (32, 32))[0].shape == (32, 32, 3)


def test_by_shared_memory_come_the_same_bytes_and_nothing_stays(engine: RunningEngine) -> None:
    image, mask = np.zeros((600, 700, 3), np.uint8), np.full((600, 700), 255, np.uint8)
    prefix = f"clearcanvas-{os.getpid()}-served"
    client = GenerationClient(engine.address, Sheets(engine.address, prefix, os.getpid()))
    sent, _ = generate(engine, b"kraft paper", (600, 700))

    def ask() -> None:
        asked = client.model(Target("backdrop"), time.monotonic() + 30).generate(
            Prompt("kraft paper", "", 7), image, mask
        )
        assert np.array_equal(asked.image, sent)

    def none_left() -> bool:
        ask()  # What Triton was slow to let go of is given back after the next order.
        return not any(name.startswith(prefix) for name in engine.client.get_system_shared_memory_status().regions)

    ask()
    assert not list(Path("/dev/shm").glob(f"{prefix}*"))
    wait_until(none_left, "Triton holds no sheet")
