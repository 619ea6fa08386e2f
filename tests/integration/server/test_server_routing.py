"""A server with two Tritons, whose callers never stop: versions come and go, a Triton dies, and no request fails."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import pytest
from clearcanvas.v1 import images_pb2, models_pb2, models_pb2_grpc
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from cards.target import Target
from server.routing.route import Route, Share
from tests.support.customer import Customer
from tests.support.load import Load
from tests.support.processes import free_address, module, running, tail, wait_until
from tests.support.server import Answer, RunningServer, failure, picture, running_server
from tests.support.toy_model import write_toy_model

ONE, TWO = Target("toy", 1), Target("toy", 2)
CALLERS = 2
LONG_S = 120.0


@dataclass
class Stack:
    """One server, its Tritons by address, and callers that never stop."""

    server: RunningServer
    engines: dict[str, psutil.Process]
    load: Load

    def __post_init__(self) -> None:
        self.operator = models_pb2_grpc.ModelServiceStub(self.server.channel)

    def split(self, *shares: Share) -> None:
        parts = [models_pb2.Share(target=_version(share.target), percent=share.percent) for share in shares]
        request = models_pb2.RouteModelRequest(name="toy", shares=parts)
        list(self.operator.RouteModel(request, timeout=LONG_S))

    def loaded(self) -> dict[str, set[int]]:
        """The versions of the model that each Triton has."""
        answer = self.operator.ListModels(models_pb2.ListModelsRequest(), timeout=LONG_S)
        found: dict[str, set[int]] = {address: set() for address in self.engines}
        for card in answer.cards:
            for placement in card.placements:
                if placement.state == "READY":
                    found[placement.triton].add(card.target.version)
        return found

    def until_loaded(self, *versions: int) -> None:
        wait_until(lambda: set(map(frozenset, self.loaded().values())) == {frozenset(versions)}, f"{versions}", LONG_S)

    def edit(self, model: str = "", request_id: str = "") -> Answer:
        request = images_pb2.EditRequest(image=picture(), model=model)
        return self.server.edit(request, x_request_id=request_id or uuid.uuid4().hex)

    def go_on(self, requests: int = 10) -> None:
        """Wait until so many more requests are answered; none has failed so far."""
        before = len(self.load.outcomes)
        wait_until(lambda: len(self.load.outcomes) >= before + requests, "requests are answered", LONG_S)
        assert self.load.failures == []


@pytest.fixture(scope="module")
def stack(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("two-tritons")
    repository = folder / "repository"
    write_toy_model(repository)
    write_toy_model(repository, version=2, gain=5.0)
    with ExitStack() as opened:
        engines = {}
        for number in (1, 2):
            address, log = free_address(), folder / f"engine-{number}.log"
            settings = {
                "CLEARCANVAS_TRITON": address,
                "CLEARCANVAS_DATA": str(folder / f"data-{number}"),
                "CLEARCANVAS_MODEL_REPOSITORY": str(repository),
                "CLEARCANVAS_TRITON_ENV": str(triton_env),
            }
            engines[address] = psutil.Process(opened.enter_context(running(module("engine"), settings, log)).pid)
        server = opened.enter_context(running_server(",".join(engines), folder, model_repository=repository))
        wait_until(server.serving, f"the server serves\n{tail(server.log)}", LONG_S)
        load = opened.enter_context(Load(server, CALLERS))
        yield Stack(server, engines, load)
        assert load.failures == []


def test_a_request_says_which_version_answered_it(stack: Stack) -> None:
    stack.until_loaded(1)
    header = stack.edit().header
    assert (header.model, header.model_version) == ("toy", 1)
    assert stack.edit("toy@1").header.model_version == 1


def test_a_version_that_is_not_loaded_is_not_found(stack: Stack) -> None:
    for name in ("toy@2", "toy@9"):
        with pytest.raises(grpc.RpcError) as error:
            stack.edit(name)
        assert failure(error.value).reason == "MODEL_NOT_FOUND"


def test_requests_are_split_as_said_and_stay_with_their_version(stack: Stack) -> None:
    split = (Share(ONE, 50), Share(TWO, 50))
    stack.split(*split)
    ids = [f"request-{number}" for number in range(12)]
    expected = [Route("toy", split).pick(each).version for each in ids]
    assert set(expected) == {1, 2}
    assert [stack.edit(request_id=each).header.model_version for each in ids] == expected
    assert stack.edit("toy@2").header.model_version == 2
    stack.go_on()


def test_a_job_goes_by_the_same_routing(stack: Stack) -> None:
    customer = Customer(stack.server)
    for version in (1, 2):
        job = customer.submit(images_pb2.EditRequest(image=picture(), model=f"toy@{version}"))
        made = customer.watch(job.id)[-1].result.image
        assert (made.model, made.model_version) == ("toy", version)


def test_the_old_version_is_let_go_and_comes_back_under_traffic(stack: Stack) -> None:
    for target in (TWO, ONE, TWO):
        stack.split(Share(target, 100))
        assert stack.edit().header.model_version == target.version
        stack.until_loaded(target.version)
        stack.go_on()


@pytest.mark.case("H13")
@pytest.mark.case("H14")
def test_a_triton_that_is_killed_costs_no_request_and_is_brought_back_to_what_names_stand_for(stack: Stack) -> None:
    stack.split(Share(TWO, 100))
    stack.until_loaded(2)
    victim = next(iter(stack.engines))
    (killed,) = _tritonservers(stack.engines[victim])
    killed.kill()
    stack.go_on()
    wait_until(lambda: killed not in _tritonservers(stack.engines[victim]), "it is dead", LONG_S)
    # It comes back with what its card says; what the name stands for is loaded again, and the rest let go.
    wait_until(lambda: _ready(victim) == {2}, "it has what the name stands for", LONG_S)
    stack.until_loaded(2)
    stack.go_on()
    assert stack.edit().header.model_version == 2


def _tritonservers(engine: psutil.Process) -> list[psutil.Process]:
    """The engine's Triton; none between two."""
    return [child for child in engine.children() if "tritonserver" in child.name()]


def _ready(triton: str) -> set[int]:
    """What a Triton itself says that it has; nothing while it is away."""
    with InferenceServerClient(triton) as client:
        try:
            index = client.get_model_repository_index(client_timeout=5)
        except InferenceServerException:
            return set()
    return {int(entry.version) for entry in index.models if entry.state == "READY"}


def _version(target: Target) -> models_pb2.ModelVersion:
    return models_pb2.ModelVersion(model=target.model, version=target.version)
