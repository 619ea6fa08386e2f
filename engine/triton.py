"""The tritonserver process: its files, its command line, its environment, its end."""

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.errors import EngineError

logger = logging.getLogger(__name__)

SHM = Path("/dev/shm")  # noqa: S108 - not a temporary folder: where POSIX shared memory lives.
SHM_PREFIX = "clearcanvas-triton-"
STUB = "triton_python_backend_stub"
EXIT_TIMEOUT_S = 2
"""How long Triton lets requests in flight finish after SIGTERM; its clients were stopped before it."""
_BACKEND = Path(__file__).parent / "backend"
_FACTS = """
import json, sys, sysconfig
print(json.dumps({"packages": sysconfig.get_path("purelib"), "libraries": sysconfig.get_config_var("LIBDIR"),
                  "python": "%d.%d" % sys.version_info[:2]}))
"""


@dataclass(frozen=True)
class TritonEnvironment:
    """What `engine install` made: `root` the venv, `packages` its site-packages, `libraries` where libpython is."""

    root: Path
    packages: Path
    libraries: Path
    python: str

    @property
    def triton(self) -> Path:
        """The folder that the wheel carries tritonserver in."""
        return self.packages / "pytriton" / "tritonserver"


def locate(root: Path) -> TritonEnvironment:
    """Ask the venv's Python for its folders.

    Raises:
        EngineError: There is no such environment, or Triton is not in it.
    """
    python = root / "bin" / "python"
    if not python.exists():
        message = f"{root} is not there: run `python -m engine install` first"
        raise EngineError(message)
    answer = subprocess.run([python, "-I", "-c", _FACTS], check=True, capture_output=True, text=True)
    facts = json.loads(answer.stdout)
    found = TritonEnvironment(root.absolute(), Path(facts["packages"]), Path(facts["libraries"]), facts["python"])
    if not (found.triton / "bin" / "tritonserver").exists():
        message = f"{root} has no tritonserver in it: run `python -m engine install` again"
        raise EngineError(message)
    return found


@dataclass(frozen=True)
class Launch:
    """One way to start tritonserver. `folder`: ours alone, holds the backend directory and the working directory."""

    environment: TritonEnvironment
    folder: Path
    repository: Path
    models: tuple[str, ...]
    host: str
    port: int
    cache: Path
    log: Path

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
        options = {
            "model-repository": self.repository.absolute(),
            "backend-directory": self.backends.absolute(),
            "model-config-name": "cpu",
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
            "pinned-memory-pool-byte-size": 0,
            "backend-config": f"python,shm-region-prefix-name={shm_prefix()}",
        }
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
            # glibc's arenas, eight a core, keep what many threads freed.
            "MALLOC_ARENA_MAX": "2",
        }


@dataclass(frozen=True)
class Stub:
    """A process that runs one instance of a model. `region`: name of the shared memory that Triton talks to it by."""

    pid: int
    model: str
    region: str


class TritonProcess:
    """A running tritonserver and its stubs, one process group."""

    def __init__(self, launch: Launch) -> None:
        with launch.log.open("ab") as log:
            self._child = subprocess.Popen(
                launch.command(),
                env=launch.variables(),
                cwd=launch.folder / "cwd",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self.pid = self._child.pid
        self._log = launch.log

    def alive(self) -> bool:
        """Whether tritonserver itself has not ended."""
        return self._child.poll() is None

    def complaint(self) -> str:
        """The last error that Triton logged, for a message."""
        errors = [line for line in self._log.read_text(errors="replace").splitlines() if line.startswith("E")]
        return errors[-1] if errors else f"see {self._log}"

    def stubs(self) -> list[Stub]:
        """The stubs that live."""
        return [stub for child in self._children() if (stub := _stub(child))]

    def kill_stubs(self, model: str) -> None:
        """Kill the stubs of one model."""
        for stub in self.stubs():
            if stub.model == model:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(stub.pid, signal.SIGKILL)

    def regions(self) -> set[str]:
        """Names of the shared memory that this Triton holds or has forgotten."""
        return {region.name for region in SHM.glob(f"{shm_prefix()}*")}

    def forget(self, regions: set[str]) -> None:
        """Remove those of `regions` that no living stub uses: Triton leaves a dead stub's behind."""
        for name in regions - {stub.region for stub in self.stubs()}:
            (SHM / name).unlink(missing_ok=True)

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            return []

    def terminate(self, *, patience_s: float) -> None:
        """End the whole group: politely for `patience_s`, then for certain, and take its shared memory away."""
        # With a dead stub Triton's own end hangs; it does not reap one, so it shows as a zombie.
        if patience_s > 0 and self.alive() and not any(map(_is_zombie, self._children())):
            self._child.terminate()
            try:
                self._child.wait(patience_s)
            except subprocess.TimeoutExpired:
                logger.warning("tritonserver did not end in %g s, killing it", patience_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait()
        sweep_shm()


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _stub(process: psutil.Process) -> Stub | None:
    """The process as a stub, None for another or a dead one. Its arguments: `…/<model>/<version>/<file> <region> …`."""
    try:
        words = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    if len(words) < 3 or not words[0].endswith(STUB):
        return None
    return Stub(process.pid, Path(words[1]).parent.parent.name, words[2])


def shm_prefix() -> str:
    """What the names of our Triton's shared-memory regions begin with; it names this engine, so that others know."""
    return f"{SHM_PREFIX}{os.getpid()}-"


def sweep_shm(folder: Path = SHM) -> None:
    """Remove the regions that our own Triton, or that of an engine which is gone, left behind."""
    for region in folder.glob(f"{SHM_PREFIX}*"):
        owner = region.name.removeprefix(SHM_PREFIX).partition("-")[0]
        if owner.isdecimal() and (int(owner) == os.getpid() or not psutil.pid_exists(int(owner))):
            region.unlink(missing_ok=True)


def check_shm(minimum_mib: int, folder: Path = SHM) -> None:
    """Make sure that shared memory is large enough: with too little, Triton looks ready and every request fails.

    Raises:
        EngineError: Less than `minimum_mib` MiB are free.
    """
    free_mib = shutil.disk_usage(folder).free >> 20
    if free_mib < minimum_mib:
        message = f"{folder} has {free_mib} MiB free, {minimum_mib} are needed: in a container, raise --shm-size"
        raise EngineError(message)
