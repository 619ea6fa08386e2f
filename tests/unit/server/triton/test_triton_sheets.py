"""Orders of pictures through shared memory: the same as through gRPC, and nothing of it outlives its order."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from cards.target import Target
from server.errors import DeadlineExceededError, ModelUnavailableError
from server.generation import Generation, Prompt
from server.triton.generation import GenerationClient
from server.triton.monitor import REGION
from server.triton.sheets import Sheets
from tests.support.fake_painter import FakePainter, inputs_of, running_painter

PREFIX = f"clearcanvas-{os.getpid()}-sheets"
PARAMETERS = {"method": "procedural", "max_side": "1024", "multiple": "8"}


@pytest.fixture
def fake() -> FakePainter:
    return FakePainter(parameters=PARAMETERS)


@pytest.fixture
def client(fake: FakePainter) -> Iterator[GenerationClient]:
    with running_painter(fake) as address:
        yield connected(address)


def connected(address: str) -> GenerationClient:
    return GenerationClient(address, Sheets(address, PREFIX, os.getpid()))


def order(side: int = 512) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    image = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    mask = np.zeros((side, side), np.uint8)
    mask[:, : side // 2] = 255
    return image, mask


def paint(client: GenerationClient, seed: int = 7, side: int = 512, seconds: float = 60) -> Generation:
    return client.model(Target("fake"), time.monotonic() + seconds).generate(Prompt("a wall", "", seed), *order(side))


def test_what_is_asked_and_answered_is_the_same_as_without(client: GenerationClient, fake: FakePainter) -> None:
    image, mask = order()
    generation = paint(client)
    assert np.array_equal(generation.image, np.where(mask[..., None] == 255, 7, image))
    assert generation.device == "cpu/fake/uint8"
    asked = inputs_of(fake.asked[0])
    assert np.array_equal(asked["IMAGE"], image)
    assert np.array_equal(asked["MASK"], mask)


def test_a_sheet_lives_as_long_as_its_order(client: GenerationClient, fake: FakePainter) -> None:
    first = paint(client, 1).image
    paint(client, 2)
    assert (first[:, :256] == 1).all()
    assert len(set(fake.registered)) == 2
    assert not fake.regions
    assert not list(Path("/dev/shm").glob(f"{PREFIX}*"))


def test_the_monitor_knows_whose_it_is(client: GenerationClient, fake: FakePainter) -> None:
    paint(client)
    match = REGION.fullmatch(fake.registered[0])
    assert match is not None
    assert (match["workspace"], match["worker"]) == (PREFIX, str(os.getpid()))


def test_a_small_order_and_one_to_a_stream_are_sent(client: GenerationClient, fake: FakePainter) -> None:
    paint(client, side=64)
    assert not fake.registered
    stream = FakePainter(parameters=PARAMETERS, decoupled=True, outputs=("IMAGE", "DEVICE", "PROGRESS"))
    with running_painter(stream) as address:
        assert (paint(connected(address)).image[:, :256] == 7).all()
    assert not stream.registered


def test_with_no_shared_memory_left_pictures_are_sent(
    client: GenerationClient, fake: FakePainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert (paint(client).image[:, :256] == 7).all()
    assert not fake.registered


def test_what_triton_still_uses_is_given_back_after_a_later_order(client: GenerationClient, fake: FakePainter) -> None:
    paint(client)
    fake.delay_s, fake.in_use = 30, True
    with pytest.raises(DeadlineExceededError):
        paint(client, seconds=0.3)
    assert len(fake.regions) == 1
    fake.delay_s, fake.in_use = 0, False
    assert (paint(client, 9).image[:, :256] == 9).all()
    assert not fake.regions


def test_a_failure_leaves_nothing(client: GenerationClient, fake: FakePainter) -> None:
    fake.fail_with = grpc.StatusCode.INTERNAL, f"region {PREFIX}-1-1-sheet of /secret/path"
    with pytest.raises(ModelUnavailableError) as caught:
        paint(client)
    assert PREFIX not in str(caught.value)
    assert not fake.regions
