"""How tritonserver is started: its files, its command line, its environment."""

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from engine.environment import TritonEnvironment
from engine.errors import EngineError
from engine.shm import shm_prefix

STUB = "triton_python_backend_stub"
EXIT_TIMEOUT_S = 2
"""How long Triton lets requests in flight finish after SIGTERM; its clients were stopped before it."""
_BACKEND = Path(__file__).parent / "backend"


@dataclass(frozen=True)
class Launch:
    """One way to start tritonserver.

    `folder`: ours alone, holds the backend directory and the working directory. `config`: which of the models' cards is
    taken, `cpu` or `gpu`.
    """

    environment: TritonEnvironment
    folder: Path
    repository: Path
    models: tuple[str, ...]
    host: str
    port: int
    cache: Path
    log: Path
    config: str = "cpu"

    @property
    def backends(self) -> Path:
        """The backend directory."""
        return self.folder / "backends"

    def lay_out(self) -> None:
        """Make the backend directory, by copies (Triton refuses links out of it), and an empty working directory."""
        shutil.rmtree(self.folder, ignore_errors=True)
        python, ours = self.backends / "python", self.backends / "onnxruntime"
        for folder in (python, ours / "engine", self.folder / "cwd", self.cache, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        triton = self.environment.triton
        stub = triton / "python_backend_stubs" / self.environment.python / STUB
        for source in (*(triton / "backends" / "python").glob("*.*"), stub):
            shutil.copy(source, python)
        shutil.copy(_BACKEND / "model.py", ours)
        shutil.copy(_BACKEND.parent / "__init__.py", ours / "engine")
        shutil.copytree(_BACKEND, ours / "engine" / "backend", ignore=shutil.ignore_patterns("__pycache__", "model.py"))

    def command(self) -> list[str]:
        """The command line. Everything listens on one address; HTTP and metrics would be two more open doors."""
        options: dict[str, object] = {
            "model-repository": self.repository.absolute(),
            "backend-directory": self.backends.absolute(),
            "model-config-name": self.config,
            "model-control-mode": "explicit",
            # A model that does not load must not take the others with it; who asks, asks per model.
            "exit-on-error": "false",
            "strict-readiness": "false",
            "exit-timeout-secs": EXIT_TIMEOUT_S,
            "grpc-address": self.host,
            "grpc-port": self.port,
            "allow-http": "false",
            "allow-metrics": "false",
            "allow-gpu-metrics": "false",
            "backend-config": f"python,shm-region-prefix-name={shm_prefix()}",
        }
        if self.config == "cpu":
            options["pinned-memory-pool-byte-size"] = 0  # It is for copies to a GPU.
        words = [f"--{name}={value}" for name, value in options.items()]
        words += [f"--load-model={name}" for name in self.models]
        server = self.environment.triton / "bin" / "tritonserver"
        # Should the engine be killed, Triton goes too; each stub watches Triton itself.
        return ["setpriv", "--pdeathsig", "KILL", "--", str(server), *words, "--disable-auto-complete-config"]

    def variables(self) -> dict[str, str]:
        """The environment: nothing of ours but what is named here. The stub's Python is the first one on PATH."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ") if name in os.environ}
        libraries = (self.environment.packages / "nvidia_pytriton.libs", self.environment.libraries)
        return {
            **kept,
            "PATH": f"{self.environment.root / 'bin'}:{os.environ.get('PATH', os.defpath)}",
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "CLEARCANVAS_ENGINE_CACHE": str(self.cache.absolute()),
            # glibc's arenas, eight a core, keep what many threads freed, and its thresholds rise with every large
            # block: tritonserver grew by 18 MB in 200 requests.
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_MMAP_THRESHOLD_": "131072",
            "MALLOC_TRIM_THRESHOLD_": "131072",
        }


def check_port(host: str, port: int) -> None:
    """Make sure that the port is free: another Triton there would answer in the place of ours.

    Raises:
        EngineError: It is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"Triton cannot listen on {host}:{port}: {error.strerror}"
            raise EngineError(message) from error
