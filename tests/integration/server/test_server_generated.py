"""Generated backgrounds through the whole server: which model paints, what is told of it, and how it is broken off."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
from clearcanvas.v1 import images_pb2

from tests.support.processes import free_address, module, running, tail, wait_until
from tests.support.server import Answer, Failure, RunningServer, failure, picture, running_server
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model

BEGUN, GIVEN_UP = "toy painting begun", "toy painting cancelled"
SEED = 77


@dataclass(frozen=True)
class Painting:
    """A server with two painters, `ordinary` (its default) and `stream`, and what their Triton logs."""

    server: RunningServer
    triton_log: Path

    def edit(self, words: str = "a wall", **generated: object) -> Answer:
        return self.server.edit(self.request(words, **generated), timeout_s=60)

    def failure(self, words: str = "a wall", **generated: object) -> Failure:
        with pytest.raises(grpc.RpcError) as caught:
            self.edit(words, **generated)
        return failure(caught.value)

    def request(self, words: str, **generated: object) -> images_pb2.EditRequest:
        request = images_pb2.EditRequest(image=picture())
        request.composition.generated.prompt = words
        for name, value in ({"seed": SEED} | generated).items():
            setattr(request.composition.generated, name, value)
        return request

    def given_up(self) -> int:
        return self.triton_log.read_text().count(GIVEN_UP)

    def begun(self) -> int:
        return self.triton_log.read_text().count(BEGUN)


@pytest.fixture(scope="module")
def painting(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Painting]:
    folder = tmp_path_factory.mktemp("painting")
    write_toy_model(folder / "models")
    write_toy_generation(folder / "models", "ordinary")
    write_toy_generation(folder / "models", "stream", decoupled=True)
    settings = {
        "CLEARCANVAS_TRITON": free_address(),
        "CLEARCANVAS_DATA": str(folder / "data"),
        "CLEARCANVAS_MODEL_REPOSITORY": str(folder / "models"),
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
    }
    with (
        running(module("engine"), settings, folder / "engine.log"),
        running_server(settings["CLEARCANVAS_TRITON"], folder, generation_model="ordinary") as server,
    ):
        wait_until(server.serving, f"the server serves\n{tail(server.log)}")
        yield Painting(server, folder / "data" / "logs" / "triton.log")


def test_the_default_model_paints_and_the_header_says_so(painting: Painting) -> None:
    answer = painting.edit()
    generation = answer.header.generation
    assert (generation.model, generation.device, generation.method) == ("ordinary", "cpu/toy/uint8", "procedural")
    assert generation.seed == SEED
    assert answer.header.model == "toy"
    pixels = answer.pixels()
    assert pixels.shape == (240, 320, 3)
    assert (pixels[:40] == SEED).all()
    assert np.allclose(pixels[120, 160], (230, 220, 210), atol=3)


def test_a_request_names_another_one(painting: Painting) -> None:
    answer = painting.edit(model="stream")
    assert answer.header.generation.model == "stream"
    assert (answer.pixels()[:40] == SEED).all()


def test_an_edit_without_a_generated_background_tells_of_none(painting: Painting) -> None:
    answer = painting.server.edit(images_pb2.EditRequest(image=picture()))
    assert not answer.header.HasField("generation")


def test_the_seed_that_was_drawn_is_told_and_brings_the_same_again(painting: Painting) -> None:
    request = painting.request("a wall")
    request.composition.generated.ClearField("seed")
    first = painting.server.edit(request)
    assert painting.edit(seed=first.header.generation.seed).data == first.data


@pytest.mark.parametrize(
    ("model", "code", "reason", "field"),
    [
        ("nobody", grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND", None),
        ("toy", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PARAMETER", "generated.model"),
    ],
)
def test_a_model_that_cannot_paint_is_the_caller_s_mistake_and_none_takes_its_place(
    painting: Painting, model: str, code: grpc.StatusCode, reason: str, field: str | None
) -> None:
    failed = painting.failure(model=model)
    assert (failed.code, failed.reason) == (code, reason)
    assert field is None or failed.metadata["field"] == field


def test_a_painter_cuts_nothing_out(painting: Painting) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        painting.server.edit(images_pb2.EditRequest(image=picture(), model="ordinary"))
    failed = failure(caught.value)
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PARAMETER")
    assert failed.metadata["field"] == "model"


@pytest.mark.case("H12")
@pytest.mark.parametrize("model", ["ordinary", "stream"])
def test_a_caller_that_goes_away_frees_the_painter(painting: Painting, model: str) -> None:
    before, begun = painting.given_up(), painting.begun()
    call = painting.server.images.Edit(painting.request("wait 60", model=model), timeout=60)
    wait_until(lambda: painting.begun() > begun, "the painter has begun")
    call.cancel()
    wait_until(lambda: painting.given_up() > before, "the painter breaks off")
    assert painting.edit(model=model).header.generation.model == model
    painting.server.wait_until_idle()


@pytest.mark.case("H12")
@pytest.mark.parametrize("model", ["ordinary", "stream"])
def test_a_deadline_that_passes_while_it_paints_frees_the_painter(painting: Painting, model: str) -> None:
    before = painting.given_up()
    with pytest.raises(grpc.RpcError) as caught:
        painting.server.edit(painting.request("wait 60", model=model), timeout_s=2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    wait_until(lambda: painting.given_up() > before, "the painter breaks off")
    assert painting.edit(model=model).header.generation.model == model


@pytest.mark.case("H13")
@pytest.mark.parametrize("model", ["ordinary", "stream"])
def test_a_painter_that_dies_costs_one_request_and_no_matte(painting: Painting, model: str) -> None:
    failed = painting.failure("crash", model=model)
    assert (failed.code, failed.reason) == (grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")
    assert failed.metadata["model"] == model
    assert painting.server.serving()
    assert painting.server.edit(images_pb2.EditRequest(image=picture())).data

    def paints() -> bool:
        try:
            return painting.edit(model=model).header.generation.model == model
        except grpc.RpcError:
            return False

    wait_until(paints, "the painter is back")
