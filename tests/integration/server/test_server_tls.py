"""A server with certificates: who is let in, and what each may use. It needs no model for that."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
import trustme
from clearcanvas.v1 import images_pb2, images_pb2_grpc, jobs_pb2, jobs_pb2_grpc, models_pb2, models_pb2_grpc

from cli.client import connected
from tests.support.certificates import SERVER, tls_settings, write_certificate
from tests.support.processes import free_address, module
from tests.support.server import Failure, RunningServer, failure, open_channel, picture, running_server
from transport.tls import Tls

AUTHORITY = trustme.CA()
MODEL_CALLS = sorted(models_pb2.DESCRIPTOR.services_by_name["ModelService"].methods_by_name)
TRITON_CALLS = [
    "RepositoryModelLoad",
    "RepositoryModelUnload",
    "SystemSharedMemoryRegister",
    "SystemSharedMemoryUnregister",
    "CudaSharedMemoryRegister",
    "ModelInfer",
]


class Certificates:
    """Certificates by the name in them, made as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str) -> Tls:
        return write_certificate(self._folder / name, AUTHORITY, name)

    def faulty(self, fault: str) -> Tls:
        folder = self._folder / fault
        if fault == "expired":
            return write_certificate(folder, AUTHORITY, "operator", until=datetime.now(UTC) - timedelta(days=1))
        return write_certificate(folder, trustme.CA(), "operator", believed=AUTHORITY)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = tls_settings(certificates.of(SERVER))
    folder = tmp_path_factory.mktemp("server")
    with running_server(free_address(), folder, certificates.of("operator"), **settings) as server:
        yield server


def inspect(channel: grpc.Channel) -> images_pb2.InspectResponse:
    data = picture()
    request = images_pb2.InspectRequest(prefix=data, total_size=len(data))
    answer: images_pb2.InspectResponse = images_pb2_grpc.ImageServiceStub(channel).Inspect(request, timeout=30)
    return answer


def call(channel: grpc.Channel, method: str) -> Failure | None:
    """How an empty request fails, of any service; None where it does not."""
    try:
        list(channel.unary_stream(method, bytes, bytes)(b"", timeout=30))
    except grpc.RpcError as error:
        return failure(error)
    return None


@pytest.mark.case("H19")
@pytest.mark.parametrize("fault", ["plain text", "none", "expired", "foreign"])
def test_nobody_without_a_good_certificate_is_let_in(
    server: RunningServer, certificates: Certificates, fault: str
) -> None:
    if fault == "plain text":
        channel = open_channel(server.address)
    elif fault == "none":
        believed = grpc.ssl_channel_credentials(certificates.of("operator").ca.read_bytes())
        channel = grpc.secure_channel(server.address, believed, [("grpc.default_authority", SERVER)])
    else:
        channel = open_channel(server.address, certificates.faulty(fault))
    with channel:
        for method in ("/grpc.health.v1.Health/Check", "/clearcanvas.v1.ImageService/Inspect"):
            refused = call(channel, method)
            assert refused is not None
            assert refused.code == grpc.StatusCode.UNAVAILABLE
            assert not refused.reason


@pytest.mark.case("H19")
def test_the_adapter_may_use_pictures_and_jobs(server: RunningServer, certificates: Certificates) -> None:
    with open_channel(server.address, certificates.of("adapter")) as channel:
        assert inspect(channel).facts.width == 320
        request = jobs_pb2.GetJobRequest(id="0b4f0f0e-8f8e-4c0e-9a46-000000000000", owner="somebody")
        with pytest.raises(grpc.RpcError) as unknown:
            jobs_pb2_grpc.JobServiceStub(channel).GetJob(request, timeout=30)
        assert failure(unknown.value).reason == "JOB_NOT_FOUND"


@pytest.mark.case("H19")
@pytest.mark.case("C2")
@pytest.mark.parametrize("method", MODEL_CALLS)
def test_the_adapter_may_not_touch_models(server: RunningServer, certificates: Certificates, method: str) -> None:
    with open_channel(server.address, certificates.of("adapter")) as channel:
        refused = call(channel, f"/clearcanvas.v1.ModelService/{method}")
    assert refused is not None
    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_ALLOWED")
    assert refused.message == "The certificate of 'adapter' does not allow ModelService."


@pytest.mark.case("H19")
def test_an_operator_may_use_everything(server: RunningServer) -> None:
    assert inspect(server.channel).facts.width == 320
    assert models_pb2_grpc.ModelServiceStub(server.channel).ListModels(models_pb2.ListModelsRequest(), timeout=30)


@pytest.mark.case("H19")
async def test_the_command_line_is_let_in_with_its_certificate(
    server: RunningServer, certificates: Certificates
) -> None:
    async with connected(server.address, certificates.of("operator")) as channel:
        stub: jobs_pb2_grpc.JobServiceAsyncStub = jobs_pb2_grpc.JobServiceStub(channel)
        request = jobs_pb2.GetJobRequest(id="0b4f0f0e-8f8e-4c0e-9a46-000000000000", owner="somebody")
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await stub.GetJob(request, timeout=30)
    assert unknown.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.case("H19")
def test_a_good_certificate_of_another_name_may_only_ask_how_the_server_is(
    server: RunningServer, certificates: Certificates
) -> None:
    with open_channel(server.address, certificates.of("someone")) as channel:
        assert call(channel, "/grpc.health.v1.Health/Check") is None
        for service, method in (("ImageService", "Inspect"), ("JobService", "GetJob"), ("ModelService", "ListModels")):
            refused = call(channel, f"/clearcanvas.v1.{service}/{method}")
            assert refused is not None
            assert refused.reason == "NOT_ALLOWED"


@pytest.mark.case("C2")
@pytest.mark.parametrize("method", TRITON_CALLS)
@pytest.mark.parametrize("name", ["adapter", "operator"])
def test_the_server_passes_nothing_on_to_triton(
    server: RunningServer, certificates: Certificates, name: str, method: str
) -> None:
    with open_channel(server.address, certificates.of(name)) as channel:
        refused = call(channel, f"/inference.GRPCInferenceService/{method}")
    assert refused is not None
    assert refused.code == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.case("H19")
def test_a_probe_shows_the_server_s_own_certificate(server: RunningServer, certificates: Certificates) -> None:
    def probe(service: str, tls: Tls | None) -> int:
        told = tls_settings(tls) if tls else {}
        settings = {f"CLEARCANVAS_{name.upper()}": value for name, value in told.items()}
        command = module("transport.probe", server.address, service)
        return subprocess.run(command, env=os.environ | settings, timeout=60, check=False).returncode

    assert probe("clearcanvas.v1.JobService", certificates.of(SERVER)) == 0
    assert probe("", certificates.of(SERVER)) == 1, "there is no model"
    assert probe("clearcanvas.v1.JobService", None) == 1


@pytest.mark.case("C2")
def test_in_plain_text_on_an_open_address_nobody_touches_models(tmp_path: Path) -> None:
    with running_server(free_address(), tmp_path, host="0.0.0.0", allow_plaintext="true") as server:  # noqa: S104
        assert inspect(server.channel).facts.width == 320
        for method in MODEL_CALLS:
            refused = call(server.channel, f"/clearcanvas.v1.ModelService/{method}")
            assert refused is not None
            assert refused.reason == "NOT_ALLOWED"
