"""A real engine with a real Triton, for tests that look inside it or break it."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import tritonclient.grpc as triton
from numpy.typing import NDArray

from tests.support.processes import SHARED_MEMORY, free_address, module, running, tail, wait_until

STUB = "triton_python_backend_stub"
# gRPC would otherwise wait ever longer for a server that was killed.
QUICK = [("grpc.min_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 200)]


@dataclass(frozen=True)
class RunningEngine:
    """`python -m engine` and what it started."""

    process: subprocess.Popen[bytes]
    address: str
    client: triton.InferenceServerClient
    log: Path
    triton_log: Path

    def triton(self) -> psutil.Process:
        """The tritonserver of the moment."""
        return next(child for child in psutil.Process(self.process.pid).children() if child.name() == "tritonserver")

    def stubs(self, model: str = "toy") -> list[psutil.Process]:
        """The living stubs of a model."""
        found = []
        for child in self.triton().children():
            try:
                words = child.cmdline()
            except psutil.NoSuchProcess:
                continue
            if words and words[0].endswith(STUB) and f"/{model}/" in words[1]:
                found.append(child)
        return found

    def regions(self) -> set[str]:
        """The shared memory of this engine's Triton."""
        return {path.name for path in SHARED_MEMORY.glob(f"clearcanvas-triton-{self.process.pid}-*")}

    def infer(self, picture: NDArray[np.uint8], model: str = "toy", version: str = "") -> NDArray[np.uint8]:
        """ALPHA for `picture`, which has the shape that the model takes."""
        value = triton.InferInput("IMAGE", list(picture.shape), "UINT8")
        value.set_data_from_numpy(picture)
        answer: NDArray[np.uint8] = self.client.infer(model, [value], version, client_timeout=30).as_numpy("ALPHA")
        return answer

    def load_versions(self, model: str, versions: list[int]) -> None:
        """Have just these versions of a model loaded, as whoever promotes one does."""
        config = self.client.get_model_config(model, as_json=True)["config"]
        config.pop("runtime", None)  # Triton fills it in after it has compared; with it, all would be loaded anew.
        config["version_policy"] = {"specific": {"versions": versions}}
        self.client.load_model(model, config=json.dumps(config))

    def answers(self, model: str = "toy") -> bool:
        """Whether the model infers at this moment."""
        try:
            return bool(self.infer(np.full((1, 256, 256, 3), 255, np.uint8), model).min() == 255)
        except triton.InferenceServerException:
            return False

    def logged(self, pattern: str) -> bool:
        """Whether the engine has said this."""
        return re.search(pattern, self.log.read_text()) is not None


def environment_of(repository: Path, triton_env: Path, folder: Path, address: str) -> dict[str, str]:
    """The variables of an engine that keeps all it makes in `folder`."""
    return {
        "CLEARCANVAS_TRITON": address,
        "CLEARCANVAS_DATA": str(folder / "data"),
        "CLEARCANVAS_MODEL_REPOSITORY": str(repository),
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
    }


@contextmanager
def running_engine(
    repository: Path, triton_env: Path, folder: Path, environment: dict[str, str] | None = None
) -> Iterator[RunningEngine]:
    """Run an engine on `repository`; it serves when this yields."""
    address, log = free_address(), folder / "engine.log"
    variables = environment_of(repository, triton_env, folder, address) | (environment or {})
    with (
        running(module("engine"), variables, log) as process,
        triton.InferenceServerClient(address, channel_args=QUICK) as client,
    ):
        engine = RunningEngine(process, address, client, log, folder / "data" / "logs" / "triton.log")

        def serves() -> bool:
            assert process.poll() is None, f"the engine ended with {process.returncode}:\n{tail(log)}"
            return engine.logged("Triton serves on")

        wait_until(serves, "the engine serves")
        yield engine


def ended_engine(
    repository: Path,
    triton_env: Path,
    folder: Path,
    address: str | None = None,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run an engine that is expected to end by itself."""
    variables = environment_of(repository, triton_env, folder, address or free_address()) | (environment or {})
    command = module("engine")
    return subprocess.run(command, check=False, env=os.environ | variables, capture_output=True, text=True, timeout=60)


def kill(process: psutil.Process) -> None:
    """Kill -9, and wait until it is dead (its parent may not have noticed)."""
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(process), "the process is dead")


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE) and process.is_running()
    except psutil.NoSuchProcess:
        return False
