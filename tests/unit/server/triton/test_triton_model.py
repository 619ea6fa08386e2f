"""The worker's client against a fake Triton: answers outside the contract, slowness, restarts, leaks of text."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2

from cards.target import Target
from server.errors import DeadlineExceededError, ModelNotFoundError, ModelUnavailableError, OverloadedError
from server.triton.model import TritonClient, TritonModel, TritonOptions
from tests.support.fake_triton import SIZE, FakeTriton, running_fake

PREFIX = f"clearcanvas-{os.getpid()}-unittest"
TIMEOUT_S = 30.0
GROUP = model_config_pb2.ModelInstanceGroup


@pytest.fixture(params=[PREFIX, None], ids=["shared memory", "plain gRPC"])
def prefix(request: pytest.FixtureRequest) -> str | None:
    value: str | None = request.param
    return value


@pytest.fixture
def fake() -> FakeTriton:
    return FakeTriton()


@pytest.fixture
def client(fake: FakeTriton, prefix: str | None) -> Iterator[TritonClient]:
    with running_fake(fake) as address:
        yield TritonClient(TritonOptions(address, TIMEOUT_S, prefix), owner=1)


def soon(seconds: float = 60) -> float:
    return time.monotonic() + seconds


def model(client: TritonClient, deadline: float | None = None) -> TritonModel:
    return client.model(Target("fake"), deadline or soon())


def image(value: int = 7) -> NDArray[np.uint8]:
    return np.full((SIZE, SIZE, 3), value, np.uint8)


def test_the_picture_arrives_and_the_matte_comes_back(client: TritonClient) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    matte = model(client).infer(picture)
    assert model(client).size == (SIZE, SIZE)
    assert np.array_equal(matte.alpha, picture[..., 0])
    assert matte.alpha.dtype == np.uint8
    assert matte.device == "cpu/fake/f32"


def test_a_matte_is_not_touched_by_the_next_one(client: TritonClient) -> None:
    first = model(client).infer(image(1))
    model(client).infer(image(2))
    assert first.alpha.max() == 1


@pytest.mark.parametrize(
    ("kind", "device"),
    [(GROUP.KIND_CPU, "cpu/onnxruntime"), (GROUP.KIND_GPU, "gpu/onnxruntime"), (None, "unknown/onnxruntime")],
)
def test_without_a_device_output_the_configuration_tells(
    client: TritonClient, fake: FakeTriton, kind: int | None, device: str
) -> None:
    fake.kind, fake.outputs, fake.answers = kind, ("ALPHA",), ("ALPHA",)
    assert model(client).infer(image()).device == device


@pytest.mark.case("H13")
@pytest.mark.parametrize(
    "says",
    [
        {"image_shape": (-1, 3, SIZE, SIZE)},
        {"image_shape": (SIZE, SIZE, 3)},
        {"image_shape": (-1, -1, -1, 3)},
        {"image_type": "FP32"},
        {"alpha_shape": (-1, 1, SIZE, SIZE)},
        {"alpha_shape": (-1, SIZE, SIZE + 1)},
        {"outputs": ("DEVICE",)},
    ],
    ids=str,
)
def test_another_kind_of_model_is_refused(client: TritonClient, fake: FakeTriton, says: dict[str, object]) -> None:
    for key, value in says.items():
        setattr(fake, key, value)
    with pytest.raises(ModelUnavailableError, match="outside its contract"):
        model(client)
    assert fake.inferences == 0


@pytest.mark.case("H13")
@pytest.mark.parametrize(
    "answers",
    [
        {"answers": ("DEVICE",)},
        {"answers": ("ALPHA",)},
        {"answer_shape": (1, SIZE, SIZE, 1)},
        {"answer_shape": (1, SIZE // 2, SIZE)},
        {"answer_type": "FP32"},
    ],
    ids=str,
)
def test_an_answer_outside_the_contract_is_an_error_and_the_next_good_one_works(
    client: TritonClient, fake: FakeTriton, answers: dict[str, object]
) -> None:
    good = {key: getattr(fake, key) for key in answers}
    for key, value in answers.items():
        setattr(fake, key, value)
    with pytest.raises(ModelUnavailableError, match="outside its contract"):
        model(client).infer(image())
    for key, value in good.items():
        setattr(fake, key, value)
    assert model(client).infer(image(9)).alpha.max() == 9


@pytest.mark.case("H12")
def test_the_deadline_goes_on_to_triton(client: TritonClient, fake: FakeTriton) -> None:
    model(client, soon(5)).infer(image())
    model(client, soon(500)).infer(image())
    first, second = fake.time_remaining_s
    assert 0 < first < 6  # gRPC rounds up a little on the wire
    assert 6 < second < TIMEOUT_S + 1


@pytest.mark.case("H12")
def test_a_deadline_that_passed_is_not_sent_at_all(client: TritonClient, fake: FakeTriton) -> None:
    bound = model(client)
    with pytest.raises(DeadlineExceededError):
        TritonModel(client, bound.facts, time.monotonic()).infer(image())
    assert fake.inferences == 0


@pytest.mark.case("H12")
def test_the_deadline_passes_while_triton_works(client: TritonClient, fake: FakeTriton) -> None:
    bound = model(client)
    fake.delay_s = 30
    with pytest.raises(DeadlineExceededError):
        TritonModel(client, bound.facts, soon(0.2)).infer(image())


@pytest.mark.case("H13")
def test_a_slow_triton_is_unavailable_before_the_deadline(fake: FakeTriton, prefix: str | None) -> None:
    with running_fake(fake) as address:
        client = TritonClient(TritonOptions(address, 0.2, prefix), owner=2)
        bound = model(client)
        fake.delay_s = 30
        with pytest.raises(ModelUnavailableError, match="in time"):
            bound.infer(image())


@pytest.mark.case("H13")
@pytest.mark.case("C3")
@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT]
)
def test_triton_s_own_words_stay_inside(client: TritonClient, fake: FakeTriton, code: grpc.StatusCode) -> None:
    fake.fail_with = code, "region clearcanvas-1-2-in of /secret/path"
    with pytest.raises(ModelUnavailableError) as caught:
        model(client).infer(image())
    assert "secret" not in repr(caught.value)
    assert "clearcanvas-" not in repr(caught.value)
    fake.fail_with = None
    assert model(client).infer(image(9)).alpha.max() == 9


def test_a_model_nobody_lists_is_not_found(client: TritonClient) -> None:
    with pytest.raises(ModelNotFoundError, match="nobody") as caught:
        client.model(Target("nobody"), soon())
    assert "secret" not in repr(caught.value)


def test_a_model_that_is_listed_and_not_loaded_is_unavailable(client: TritonClient, fake: FakeTriton) -> None:
    fake.loaded = False
    with pytest.raises(ModelUnavailableError):
        model(client)


@pytest.mark.case("H13")
def test_no_triton_at_all(prefix: str | None) -> None:
    client = TritonClient(TritonOptions("127.0.0.1:1", TIMEOUT_S, prefix), owner=3)
    with pytest.raises(ModelUnavailableError):
        model(client)


@pytest.mark.case("H13")
def test_a_restarted_triton_is_met_again_without_an_error(prefix: str | None) -> None:
    with running_fake(FakeTriton()) as address:
        client = TritonClient(TritonOptions(address, TIMEOUT_S, prefix), owner=4)
        model(client).infer(image())
    with pytest.raises(ModelUnavailableError):
        model(client).infer(image())
    with running_fake(FakeTriton(), address):
        wait_for_connection(client)
        assert model(client).infer(image(5)).alpha.max() == 5


def wait_for_connection(client: TritonClient) -> None:
    while True:
        try:
            model(client).infer(image())
        except ModelUnavailableError:
            continue
        return


def test_memory_that_triton_forgot_is_registered_again_within_the_request(fake: FakeTriton) -> None:
    with running_fake(fake) as address:
        client = TritonClient(TritonOptions(address, TIMEOUT_S, PREFIX), owner=5)
        bound = model(client)
        bound.infer(image(1))
        fake.regions.clear()
        assert bound.infer(image(2)).alpha.max() == 2
        assert len(fake.regions) == 2


def test_a_late_answer_never_becomes_the_next_picture_s(fake: FakeTriton) -> None:
    """After a timeout Triton may still write: into regions that are no longer used, and are given back when it ends."""
    with running_fake(fake) as address:
        client = TritonClient(TritonOptions(address, TIMEOUT_S, PREFIX), owner=6)
        bound = model(client)
        bound.infer(image(1))
        late = set(fake.regions)
        fake.delay_s, fake.in_use = 30, late
        with pytest.raises(DeadlineExceededError):
            TritonModel(client, bound.facts, soon(0.2)).infer(image(2))
        fake.delay_s = 0
        assert model(client).infer(image(3)).alpha.max() == 3
        assert len(fake.regions) == 4
        assert late < set(fake.regions)
        fake.in_use = set()
        client.model(Target("fake"), soon()).infer(image(4))
        fake.fail_with = grpc.StatusCode.INTERNAL, "once more"
        with pytest.raises(ModelUnavailableError):
            model(client).infer(image(5))
        fake.fail_with = None
        assert model(client).infer(image(6)).alpha.max() == 6
        assert len(fake.regions) == 2
        assert not late & set(fake.regions)


def test_no_file_is_left_in_shared_memory(client: TritonClient) -> None:
    model(client).infer(image())
    assert not list(Path("/dev/shm").glob(f"{PREFIX}*"))


def test_full_shared_memory_asks_the_caller_to_come_back(fake: FakeTriton, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with running_fake(fake) as address:
        client = TritonClient(TritonOptions(address, TIMEOUT_S, PREFIX), owner=7)
        with pytest.raises(OverloadedError) as caught:
            model(client).infer(image())
        assert PREFIX not in repr(caught.value)


def test_a_picture_of_another_size_is_a_bug(client: TritonClient) -> None:
    with pytest.raises(ValueError, match="takes uint8"):
        model(client).infer(np.zeros((SIZE, SIZE + 1, 3), np.uint8))


@pytest.mark.parametrize(("version", "asked"), [(0, ""), (7, "7")])
def test_just_the_version_that_is_asked_for_answers(version: int, asked: str) -> None:
    fake = FakeTriton()
    with running_fake(fake) as address:
        client = TritonClient(TritonOptions(address, TIMEOUT_S, None), owner=8)
        matte = client.model(Target("fake", version), soon()).infer(image())
    assert (fake.versions, matte.version) == ([asked], version or 1)
