"""Models are swapped, split, mirrored and refused while callers of two servers never stop: no request fails."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from clearcanvas.v1 import images_pb2, models_pb2, models_pb2_grpc

from cards.target import Target
from server.routing.route import Route
from server.routing.route import Share as RouteShare
from tests.support.load import Load
from tests.support.postgres import RunningPostgres
from tests.support.processes import free_address, module, running, tail, wait_until
from tests.support.server import Answer, RunningServer, failure, picture, running_server
from tests.support.swapped_models import BETTER, BLURRED, BROKEN, GOOD, SLOW, write_golden_set, write_swapped_models
from tests.support.toy_model import write_toy_model

pytestmark = pytest.mark.alone

REQUEST = images_pb2.EditRequest(image=picture())
CALLERS = 1  # of each server
NEWCOMER = Target("newcomer", 1)
TOLERANT = 100.0  # The good ones are as fast; what else the machine does is not to be judged here.
LONG_S = 120.0
ENOUGH = 100  # requests: of a half, fewer than a quarter or more than three are a chance of one in a million


@dataclass
class Service:
    """Two servers that share all, with callers that never stop, and an operator who talks to the first."""

    servers: list[RunningServer]
    loads: list[Load]

    @property
    def operator(self) -> "models_pb2_grpc.ModelServiceStub":
        return models_pb2_grpc.ModelServiceStub(self.servers[0].channel)

    def promote(self, target: Target, ratio: float = TOLERANT) -> list[Any]:
        request = models_pb2.PromoteModelRequest(target=version(target), max_latency_ratio=ratio)
        return list(self.operator.PromoteModel(request, timeout=LONG_S))

    def refused(self, target: Target, ratio: float = TOLERANT) -> str:
        """The reason why it is not promoted."""
        with pytest.raises(grpc.RpcError) as error:
            self.promote(target, ratio)
        refusal = failure(error.value)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_REFUSED")
        return refusal.message

    def split(self, *shares: tuple[Target, int]) -> None:
        parts = [models_pb2.Share(target=version(target), percent=percent) for target, percent in shares]
        list(self.operator.RouteModel(models_pb2.RouteModelRequest(name="toy", shares=parts), timeout=LONG_S))

    def next(self, count: int) -> list[Answer]:
        """The answers to so many requests, to both servers together, that begin from now on."""
        begun = [len(load.outcomes) + CALLERS for load in self.loads]

        def outcomes() -> list[Any]:
            return [outcome for load, first in zip(self.loads, begun, strict=True) for outcome in load.outcomes[first:]]

        wait_until(lambda: len(outcomes()) >= count, f"{count} requests are answered", LONG_S)
        self.assert_no_failures()
        return outcomes()

    def assert_no_failures(self) -> None:
        assert [failed for load in self.loads for failed in load.failures] == []

    def versions(self, count: int = 10) -> set[Target]:
        """What answers now."""
        return set(answered_by(self.next(count)))

    def loaded(self) -> set[Target]:
        """The versions of the model that Triton has."""
        answer = self.operator.ListModels(models_pb2.ListModelsRequest(), timeout=LONG_S)
        return {
            Target(card.target.model, card.target.version)
            for card in answer.cards
            if any(place.state == "READY" for place in card.placements)
        }

    def routing(self) -> models_pb2.Routing:
        answer = self.operator.ListModels(models_pb2.ListModelsRequest(), timeout=LONG_S)
        return next(routing for routing in answer.routings if routing.name == "toy")

    def changes(self) -> models_pb2.ListModelChangesResponse:
        return self.operator.ListModelChanges(models_pb2.ListModelChangesRequest(name="toy"), timeout=LONG_S)


def version(target: Target) -> models_pb2.ModelVersion:
    return models_pb2.ModelVersion(model=target.model, version=target.version)


def answered_by(answers: Iterable[Answer]) -> Counter[Target]:
    return Counter(Target(answer.header.model, answer.header.model_version) for answer in answers)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("swapped")
    write_swapped_models(folder / "repository")
    write_golden_set(folder / "golden")
    return folder


@pytest.fixture(scope="module")
def triton(repository: Path, triton_env: Path) -> Iterator[str]:
    address = free_address()
    settings = {
        "CLEARCANVAS_TRITON": address,
        "CLEARCANVAS_DATA": str(repository / "data"),
        "CLEARCANVAS_MODEL": "toy",
        "CLEARCANVAS_MODEL_REPOSITORY": str(repository / "repository"),
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
    }
    with running(module("engine"), settings, repository / "engine.log"):
        yield address


@pytest.fixture(scope="module")
def service(
    triton: str, repository: Path, postgres: RunningPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    shared: dict[str, Any] = {
        "jobs": postgres.create_database(),
        "store": (tmp_path_factory.mktemp("store") / "jobs").as_uri(),
        "model_repository": repository / "repository",
        "golden": repository / "golden",
        "workers": 1,
    }
    with ExitStack() as opened:
        servers = []
        for name in ("first", "second"):
            server = opened.enter_context(running_server(triton, tmp_path_factory.mktemp(name), **shared))
            wait_until(server.serving, f"the {name} server serves\n{tail(server.log)}")
            servers.append(server)
        loads = [opened.enter_context(Load(server, CALLERS, REQUEST)) for server in servers]
        yield Service(servers, loads)


@pytest.fixture(autouse=True)
def _no_request_fails(service: Service) -> Iterator[None]:
    """Whatever a test does, every request of every caller is answered."""
    yield
    service.assert_no_failures()


# The tests follow one another: each begins where the one before it has left the model.


def test_a_version_is_promoted_and_the_old_one_let_go(service: Service) -> None:
    assert service.versions() == {GOOD}
    steps = service.promote(BETTER)
    assert [answer.step.name for answer in steps] == ["verify", "load", "canary", "golden", "switch", "drain"]
    assert service.versions() == {BETTER}
    wait_until(lambda: service.loaded() == {BETTER}, "the old version is unloaded")
    (share,) = service.routing().previous
    assert Target(share.target.model, share.target.version) == GOOD


def test_rollback_goes_back(service: Service) -> None:
    list(service.operator.RollbackModel(models_pb2.RollbackModelRequest(name="toy"), timeout=LONG_S))
    assert service.versions() == {GOOD}


@pytest.mark.parametrize(
    ("target", "ratio", "reason"),
    [
        (BLURRED, TOLERANT, "mean absolute error"),
        (SLOW, 0, "It is too slow"),
        (BROKEN, TOLERANT, "toy@5 cannot be loaded"),
        (Target("toy", 9), TOLERANT, "The repository has no toy@9"),
    ],
    ids=["worse", "slower", "broken", "absent"],
)
def test_what_is_worse_slower_or_broken_is_refused_in_words_and_nothing_changes(
    service: Service, target: Target, ratio: float, reason: str
) -> None:
    generation = service.routing().generation
    assert reason in service.refused(target, ratio)
    assert service.routing().generation == generation
    newest = service.changes().changes[0]
    assert (newest.kind, newest.subject, newest.done) == ("promote", str(target), False)
    assert reason in newest.text
    assert service.versions() == {GOOD}
    wait_until(lambda: service.loaded() == {GOOD}, "the refused version is unloaded")


def test_requests_are_split_as_was_said_and_one_request_id_always_goes_to_one_version(
    service: Service, repository: Path
) -> None:
    write_toy_model(repository / "repository", NEWCOMER.model)  # While all is running.
    service.split((GOOD, 50), (NEWCOMER, 50))
    split = answered_by(service.next(ENOUGH))
    assert set(split) == {GOOD, NEWCOMER}
    assert 1 / 4 < split[GOOD] / split.total() < 3 / 4, split
    route = Route("toy", (RouteShare(GOOD, 50), RouteShare(NEWCOMER, 50)))
    for number in range(8):
        identity = f"sticky-{number}"
        answers = [server.edit(REQUEST, x_request_id=identity) for server in service.servers]
        assert set(answered_by(answers)) == {route.pick(identity)}


def test_a_mirror_is_compared_with_whatever_answers_and_answers_nobody(service: Service) -> None:
    mirror = models_pb2.Mirror(target=version(BLURRED), percent=100)
    list(service.operator.MirrorModel(models_pb2.MirrorModelRequest(name="toy", mirror=mirror), timeout=LONG_S))

    def compared() -> int:
        return sum(finding.compared for finding in service.changes().findings)

    wait_until(lambda: compared() >= 3, "copies are compared")
    assert service.versions() <= {GOOD, NEWCOMER}
    for finding in service.changes().findings:
        assert finding.candidate == version(BLURRED)
        assert finding.answered in (version(GOOD), version(NEWCOMER))
        assert finding.failed == 0
        if finding.compared:
            assert finding.mean_difference > 0.01
            assert finding.largest_difference == pytest.approx(finding.mean_difference)  # It is always one picture.
            assert finding.candidate_s > 0
    list(service.operator.MirrorModel(models_pb2.MirrorModelRequest(name="toy"), timeout=LONG_S))
    assert not service.routing().HasField("mirror")
    wait_until(lambda: service.loaded() == {GOOD, NEWCOMER}, "the mirrored version is unloaded")


def test_two_changes_do_not_mix_and_who_goes_away_before_the_switch_has_changed_nothing(service: Service) -> None:
    generation = service.routing().generation
    leaving = service.operator.PromoteModel(
        models_pb2.PromoteModelRequest(target=version(BETTER), max_latency_ratio=TOLERANT), timeout=LONG_S
    )
    next(leaving)  # The first step is done: it has begun.
    with pytest.raises(grpc.RpcError) as error:
        service.split((GOOD, 100))
    assert failure(error.value).reason == "MODEL_BUSY"
    leaving.cancel()
    wait_until(lambda: service.loaded() == {GOOD, NEWCOMER}, "what was held is unloaded")
    assert service.routing().generation == generation
    assert service.versions() <= {GOOD, NEWCOMER}
