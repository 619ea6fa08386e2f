"""The script that starts Triton in its image, with the real Triton of this machine in the place of the image's."""

import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import tritonclient.grpc as triton
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.environment import locate
from engine.launch import Launch
from tests.support.processes import free_address, running, tail, wait_until
from tests.support.toy_model import serves_toy

SCRIPT = Path(__file__).parents[3] / "deploy" / "images" / "serve-models.sh"

# The image's addresses and folder are fixed; this takes the test's in their place and adds what the image has built in.
STAND_IN = """#!{python}
import os, sys
changes = {changes}
words = [changes.get(word.partition("=")[0], word) for word in sys.argv[1:]]
os.execv({server!r}, [{server!r}, *words, *{more}])
"""


@pytest.fixture(scope="module")
def served(triton_env: Path, toy_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("serve-models")
    (host, port), (_, metrics_port) = (free_address().rsplit(":", 1) for _ in range(2))
    environment, log = locate(triton_env), folder / "triton.log"
    launch = Launch(environment, folder / "run", toy_repository, (), host, int(port), folder / "cache", log)
    launch.lay_out()
    changes = {
        "--model-repository": f"--model-repository={toy_repository}",
        "--grpc-address": f"--grpc-address={host}",
        "--grpc-port": f"--grpc-port={port}",
        "--metrics-address": f"--metrics-address={host}",
        "--metrics-port": f"--metrics-port={metrics_port}",
    }
    more = [word for word in launch.command() if word.startswith(("--backend-", "--pinned-memory"))]
    stand_in = folder / "bin" / "tritonserver"
    stand_in.parent.mkdir()
    server = str(environment.triton / "bin" / "tritonserver")
    stand_in.write_text(STAND_IN.format(python=sys.executable, changes=changes, server=server, more=more))
    stand_in.chmod(0o755)
    variables = launch.variables()
    variables |= {"PATH": f"{stand_in.parent}:{variables['PATH']}", "CLEARCANVAS_TRITON_CONFIG": "cpu"}
    working = launch.folder / "cwd"
    with running([str(SCRIPT), "toy"], variables, log, cwd=working) as process:
        address = f"{host}:{port}"

        def ready() -> bool:
            assert process.poll() is None, tail(log)
            return serves_toy(address)

        wait_until(ready, "Triton serves the toy model")
        yield address


def test_it_serves_the_models_that_are_named(served: str) -> None:
    with triton.InferenceServerClient(served) as client:
        assert [model["name"] for model in client.get_model_repository_index(as_json=True)["models"]] == ["toy"]


def test_its_health_is_what_a_probe_asks_for(served: str) -> None:
    with grpc.insecure_channel(served) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())  # type: ignore[attr-defined]
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.case("C2")
def test_nobody_may_map_shared_memory(served: str) -> None:
    with triton.InferenceServerClient(served) as client:
        with pytest.raises(triton.InferenceServerException, match="restricted"):
            client.register_system_shared_memory("mine", "/triton_python_backend_shm_region_1", 64)
        with pytest.raises(triton.InferenceServerException, match="restricted"):
            client.get_system_shared_memory_status()


def test_loading_is_for_those_whom_the_network_lets_in(served: str) -> None:
    with triton.InferenceServerClient(served) as client:
        client.load_model("toy")
