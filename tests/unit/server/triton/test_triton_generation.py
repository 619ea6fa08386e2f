"""The worker's client of generation models against a fake Triton: the contract, deadlines, leaks of text."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from cards.target import Target
from server.errors import DeadlineExceededError, InvalidParameterError, ModelNotFoundError, ModelUnavailableError
from server.generation import Generation, Prompt
from server.triton.generation import GenerationClient, TritonGenerationModel
from tests.support.fake_painter import INPUTS, FakePainter, inputs_of, running_painter

PROMPT = Prompt("a röd wall", "windows", seed=2**64 - 1, steps=7)


def stream(**says: Any) -> FakePainter:
    return FakePainter(decoupled=True, outputs=("IMAGE", "DEVICE", "PROGRESS"), **says)


@pytest.fixture(params=[False, True], ids=["ordinary", "decoupled"])
def fake(request: pytest.FixtureRequest) -> FakePainter:
    decoupled: bool = request.param
    return FakePainter(
        decoupled=decoupled, outputs=("IMAGE", "DEVICE", "PROGRESS") if decoupled else ("IMAGE", "DEVICE")
    )


@pytest.fixture
def client(fake: FakePainter) -> Iterator[GenerationClient]:
    with running_painter(fake) as address:
        yield GenerationClient(address)


def soon(seconds: float = 60) -> float:
    return time.monotonic() + seconds


def model(client: GenerationClient, deadline: float | None = None) -> TritonGenerationModel:
    return client.model(Target("fake"), deadline or soon())


def order(height: int = 16, width: int = 32) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    image = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    return image, mask


def paint(client: GenerationClient, prompt: Prompt = PROMPT) -> Generation:
    return model(client).generate(prompt, *order())


def test_everything_arrives_and_the_picture_comes_back(client: GenerationClient, fake: FakePainter) -> None:
    image, mask = order()
    generation = model(client).generate(PROMPT, image, mask)

    assert np.array_equal(generation.image, np.where(mask[..., None] == 255, 255, image))
    assert generation.image.dtype == np.uint8
    assert generation.device == "cpu/fake/uint8"
    asked = inputs_of(fake.asked[0])
    assert tuple(asked) == INPUTS
    assert (asked["PROMPT"][0].decode(), asked["NEGATIVE_PROMPT"][0].decode()) == ("a röd wall", "windows")
    assert (int(asked["SEED"][0]), int(asked["STEPS"][0])) == (2**64 - 1, 7)
    assert np.array_equal(asked["IMAGE"], image)
    assert np.array_equal(asked["MASK"], mask)


def test_the_card_is_read_once(client: GenerationClient, fake: FakePainter) -> None:
    bound = model(client)
    assert (bound.name, bound.method, bound.max_side, bound.multiple) == ("fake", "procedural", 64, 8)
    paint(client)
    assert fake.config_questions == 1


def test_progress_rises_and_never_falls(client: GenerationClient, fake: FakePainter) -> None:
    fake.progress = (0.2, 0.2, 0.1, 0.9)
    heard: list[float] = []
    model(client).generate(PROMPT, *order(), on_progress=heard.append)
    assert heard == (pytest.approx([0.2, 0.9]) if fake.decoupled else [])


@pytest.mark.parametrize(
    "says",
    [
        {"inputs": ("PROMPT", "IMAGE")},
        {"inputs": (*INPUTS, "MOOD")},
        {"outputs": ("IMAGE",)},
        {"outputs": ("IMAGE", "DEVICE", "EXTRA")},
        {"max_batch_size": 1},
        {"parameters": {}},
        {"parameters": {"method": "magic", "max_side": "64", "multiple": "8"}},
        {"parameters": {"method": "procedural", "max_side": "-1", "multiple": "8"}},
        {"parameters": {"method": "procedural", "max_side": "64", "multiple": "65"}},
    ],
    ids=str,
)
def test_a_card_outside_the_contract_is_refused(
    client: GenerationClient, fake: FakePainter, says: dict[str, object]
) -> None:
    for key, value in says.items():
        setattr(fake, key, value)
    with pytest.raises(ModelUnavailableError, match="outside its contract"):
        model(client)
    assert not fake.asked


def test_a_matting_model_makes_no_pictures(client: GenerationClient, fake: FakePainter) -> None:
    fake.inputs, fake.outputs = ("IMAGE",), ("ALPHA",)
    with pytest.raises(InvalidParameterError, match="makes no pictures") as caught:
        model(client)
    assert caught.value.metadata == {"field": "generated.model"}


@pytest.mark.parametrize(
    ("listed", "error"),
    [
        ({}, ModelNotFoundError),
        ({"other": "READY"}, ModelNotFoundError),
        ({"gone": ""}, ModelNotFoundError),  # it lies there, and was never to be served
        ({"gone": "UNAVAILABLE"}, ModelUnavailableError),
        ({"gone": "LOADING"}, ModelUnavailableError),
    ],
)
def test_an_unknown_model_is_told_from_one_that_is_not_loaded(
    client: GenerationClient, fake: FakePainter, listed: dict[str, str], error: type[Exception]
) -> None:
    fake.listed = listed
    with pytest.raises(error) as caught:
        client.model(Target("gone"), soon())
    assert "secret" not in str(caught.value)
    if isinstance(caught.value, ModelNotFoundError):
        assert caught.value.metadata["field"] == "generated.model"


@pytest.mark.parametrize(
    "answers",
    [
        {"answers": ("DEVICE",)},
        {"answers": ("IMAGE",)},
        {"image_type": "FP32"},
        {"image_shape": (32, 16, 3)},
        {"image_shape": (1, 16, 32, 3)},
        {"image_bytes": 100},
    ],
    ids=str,
)
def test_an_answer_outside_the_contract_is_an_error_and_the_next_good_one_works(
    client: GenerationClient, fake: FakePainter, answers: dict[str, object]
) -> None:
    good = {key: getattr(fake, key) for key in answers}
    for key, value in answers.items():
        setattr(fake, key, value)
    with pytest.raises(ModelUnavailableError, match="outside its contract"):
        paint(client)
    for key, value in good.items():
        setattr(fake, key, value)
    assert paint(client).image.shape == (16, 32, 3)


@pytest.mark.parametrize("progress", [float("nan"), -0.1, 1.1, float("inf")])
def test_progress_that_is_none_is_outside_the_contract(progress: float) -> None:
    fake = stream(progress=(0.5, progress))
    with running_painter(fake) as address, pytest.raises(ModelUnavailableError, match="outside its contract"):
        paint(GenerationClient(address))


def test_a_stream_that_ends_without_a_picture_is_outside_the_contract() -> None:
    fake = stream(ends_with_picture=False)
    with running_painter(fake) as address, pytest.raises(ModelUnavailableError, match="outside its contract"):
        paint(GenerationClient(address))


def test_what_triton_says_does_not_leave_the_server(client: GenerationClient, fake: FakePainter) -> None:
    fake.fail_with = (grpc.StatusCode.INTERNAL, "failed at /secret/path")
    fake.stream_error = "failed at /secret/path"
    with pytest.raises(ModelUnavailableError) as caught:
        paint(client)
    assert "secret" not in str(caught.value)
    assert caught.value.metadata == {"model": "fake"}


def test_after_a_failure_the_model_may_be_another_one(client: GenerationClient, fake: FakePainter) -> None:
    assert model(client).max_side == 64
    fake.answers = ()
    with pytest.raises(ModelUnavailableError):
        paint(client)
    fake.parameters["max_side"] = "128"
    assert model(client).max_side == 128


@pytest.mark.case("H12")
def test_the_deadline_ends_the_call_and_triton_hears_of_it(client: GenerationClient, fake: FakePainter) -> None:
    bound = model(client, soon(0.3))
    fake.delay_s = 30
    with pytest.raises(DeadlineExceededError):
        bound.generate(PROMPT, *order())
    assert fake.cancelled.wait(10)


@pytest.mark.case("H12")
def test_a_deadline_that_passed_is_not_sent_at_all(client: GenerationClient, fake: FakePainter) -> None:
    facts = model(client).facts
    with pytest.raises(DeadlineExceededError):
        TritonGenerationModel(client, facts, time.monotonic()).generate(PROMPT, *order())
    assert not fake.asked


def test_triton_that_is_away_is_a_model_that_is_unavailable() -> None:
    with pytest.raises(ModelUnavailableError, match="cannot answer now"):
        GenerationClient("127.0.0.1:1").model(Target("fake"), soon(5))


def test_a_listener_that_fails_ends_the_call_even_while_its_error_is_kept() -> None:
    fake = stream(progress=(0.1,), pause_s=30.0)

    def fail(_done: float) -> None:
        raise InterruptedError

    with running_painter(fake) as address:
        client = GenerationClient(address)
        with pytest.raises(InterruptedError) as kept:
            model(client).generate(PROMPT, *order(), on_progress=fail)
        assert fake.cancelled.wait(10)
        assert kept.value.__traceback__


@pytest.mark.parametrize("shape", [(16, 20), (72, 16), (16, 12)])
def test_a_size_that_the_model_does_not_paint_is_our_own_mistake(
    client: GenerationClient, shape: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="steps of 8 up to 64"):
        model(client).generate(PROMPT, *order(*shape))
