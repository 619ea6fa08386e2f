"""The commands that swap models, against a service of our own that keeps the contract."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from clearcanvas.v1 import models_pb2, models_pb2_grpc
from clearcanvas.v1.models_pb2 import ModelVersion, Share
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from typer.testing import CliRunner, Result

from cli.models.swapping import app

ONE, TWO = ModelVersion(model="isnet", version=1), ModelVersion(model="isnet", version=2)


class Service(models_pb2_grpc.ModelServiceServicer):
    """Does two steps of whatever it is asked for, and keeps what that was; refuses version 13."""

    def __init__(self) -> None:
        self.asked: list[Message] = []

    def PromoteModel(  # noqa: N802 - gRPC's name.
        self, request: models_pb2.PromoteModelRequest, context: grpc.ServicerContext
    ) -> Iterator[models_pb2.PromoteModelResponse]:
        for step, routing in self._steps(request):
            yield models_pb2.PromoteModelResponse(step=step, routing=routing)
            if request.target.version == 13:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "isnet@13 is refused. Quality is worse.")

    def RollbackModel(  # noqa: N802 - gRPC's name.
        self, request: models_pb2.RollbackModelRequest, _: grpc.ServicerContext
    ) -> Iterator[models_pb2.RollbackModelResponse]:
        for step, routing in self._steps(request):
            yield models_pb2.RollbackModelResponse(step=step, routing=routing)

    def RouteModel(  # noqa: N802 - gRPC's name.
        self, request: models_pb2.RouteModelRequest, _: grpc.ServicerContext
    ) -> Iterator[models_pb2.RouteModelResponse]:
        for step, routing in self._steps(request):
            yield models_pb2.RouteModelResponse(step=step, routing=routing)

    def MirrorModel(  # noqa: N802 - gRPC's name.
        self, request: models_pb2.MirrorModelRequest, _: grpc.ServicerContext
    ) -> Iterator[models_pb2.MirrorModelResponse]:
        for step, routing in self._steps(request):
            yield models_pb2.MirrorModelResponse(step=step, routing=routing)

    def ListModels(  # noqa: N802 - gRPC's name.
        self, request: models_pb2.ListModelsRequest, _: grpc.ServicerContext
    ) -> models_pb2.ListModelsResponse:
        place = models_pb2.ModelPlacement(triton="127.0.0.1:1", state="READY")
        facts = {"license": "Apache-2.0", "quality": "MAE 0.0110"}
        return models_pb2.ListModelsResponse(
            cards=[models_pb2.ModelCard(target=ONE, kind="matting", facts=facts, placements=[place])],
            routings=[_routing()],
        )

    def ListModelChanges(  # noqa: N802 - gRPC's name.
        self, request: models_pb2.ListModelChangesRequest, _: grpc.ServicerContext
    ) -> models_pb2.ListModelChangesResponse:
        self.asked.append(request)
        change = models_pb2.ModelChange(
            time=Timestamp(seconds=0), kind="promote", subject="isnet@2", done=False, text="It is too slow."
        )
        found = models_pb2.MirrorFindings(candidate=TWO, answered=ONE, compared=40, failed=1, mean_difference=0.0125)
        return models_pb2.ListModelChangesResponse(changes=[change], findings=[found])

    def _steps(self, request: Message) -> Iterator[tuple[models_pb2.Step, models_pb2.Routing]]:
        self.asked.append(request)
        yield models_pb2.Step(name="verify", text="the hash is right", seconds=0.25), models_pb2.Routing(name="isnet")
        yield models_pb2.Step(name="switch", text="isnet stands for isnet@2", seconds=0), _routing()


def _routing() -> models_pb2.Routing:
    shares = [Share(target=ONE, percent=90), Share(target=TWO, percent=10)]
    return models_pb2.Routing(
        name="isnet",
        shares=shares,
        mirror=models_pb2.Mirror(target=TWO, percent=5),
        previous=[Share(target=ONE, percent=100)],
    )


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()
    server = grpc.server(ThreadPoolExecutor(4))
    models_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    alive = health.HealthServicer()
    for name in ("", "clearcanvas.v1.JobService"):
        alive.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(alive, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("CLEARCANVAS_GRPC", f"127.0.0.1:{port}")
    monkeypatch.setenv("COLUMNS", "200")
    yield service
    server.stop(None).wait()


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_promotion_shows_its_steps_and_what_the_name_stands_for(service: Service) -> None:
    result = call("promote", "isnet@2", "--max-latency-ratio", "2")
    assert result.exit_code == 0, result.output
    assert service.asked == [models_pb2.PromoteModelRequest(target=TWO, max_latency_ratio=2)]
    assert result.stdout.splitlines() == [
        "verify      0.2 s  the hash is right",
        "switch      0.0 s  isnet stands for isnet@2",
        "isnet stands for isnet@1=90% isnet@2=10%",
    ]


def test_a_refusal_is_its_reason_and_exit_code_1(service: Service) -> None:
    result = call("promote", "isnet@13")
    assert result.exit_code == 1
    assert "error: isnet@13 is refused. Quality is worse." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "request_sent"),
    [
        (
            ["promote", "birefnet@1", "--name", "isnet"],
            models_pb2.PromoteModelRequest(target=ModelVersion(model="birefnet", version=1), name="isnet"),
        ),
        (["rollback", "isnet"], models_pb2.RollbackModelRequest(name="isnet")),
        (
            ["route", "isnet@1=90", "isnet@2=10%"],
            models_pb2.RouteModelRequest(
                name="isnet", shares=[Share(target=ONE, percent=90), Share(target=TWO, percent=10)]
            ),
        ),
        (
            ["route", "isnet@2=100", "--name", "other"],
            models_pb2.RouteModelRequest(name="other", shares=[Share(target=TWO, percent=100)]),
        ),
        (
            ["mirror", "isnet@2=5%"],
            models_pb2.MirrorModelRequest(name="isnet", mirror=models_pb2.Mirror(target=TWO, percent=5)),
        ),
        (["mirror", "isnet", "--off"], models_pb2.MirrorModelRequest(name="isnet")),
    ],
    ids=["another model", "rollback", "route", "another name", "mirror", "no mirror"],
)
def test_each_command_asks_for_just_what_was_said(
    service: Service, arguments: list[str], request_sent: Message
) -> None:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    assert service.asked == [request_sent]


@pytest.mark.parametrize(
    "arguments",
    [
        ["promote", "isnet"],
        ["promote", "../x@1"],
        ["promote", "isnet@0"],
        ["route", "isnet@1"],
        ["route", "isnet@1=0"],
        ["route", "isnet=100"],
        ["mirror", "isnet@2=101"],
        ["mirror", "isnet@2"],
    ],
)
def test_what_names_no_version_or_share_is_not_sent(service: Service, arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2
    assert not service.asked


def test_changes_shows_refusals_and_what_mirroring_found(service: Service) -> None:
    result = call("changes", "isnet")
    assert result.exit_code == 0, result.output
    for word in ("1970-01-01", "promote", "isnet@2", "refused", "It is too slow.", "40", "0.0125"):
        assert word in result.stdout


@pytest.mark.usefixtures("service")
def test_served_shows_names_and_where_versions_are() -> None:
    result = call("served")
    assert result.exit_code == 0, result.output
    for word in ("isnet@1=90% isnet@2=10%", "isnet@2=5%", "127.0.0.1:1 ready", "Apache-2.0", "MAE 0.0110"):
        assert word in result.stdout
