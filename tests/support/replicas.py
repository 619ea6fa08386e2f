"""The whole service in replicas: what is killed, and what is there again at the same address."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx
import psutil

from tests.support.postgres import RunningPostgres, running_postgres
from tests.support.processes import free_address, module, running, tail, wait_until
from tests.support.redis import running_redis
from tests.support.server import RunningServer, running_server
from tests.support.toy_model import serves_toy, write_toy_model

SERVERS, TRITONS, ADAPTERS = 3, 2, 2
Running = TypeVar("Running")


class Replica(Generic[Running]):
    """A program that can be taken away, and come back."""

    def __init__(self, run: Callable[[], AbstractContextManager[Running]]) -> None:
        self._run = run
        self._life = ExitStack()
        self.start()

    def start(self) -> None:
        """Run it, and wait until it serves."""
        self.now = self._life.enter_context(self._run())

    def stop(self) -> None:
        """End it, unless it has ended."""
        self._life.close()


class Replicas:
    """Three servers, two Tritons, two adapters, a PostgreSQL and a Redis; `key`: an API key of all adapters."""

    def __init__(self, folder: Path, triton_env: Path, life: ExitStack) -> None:
        self._folder, self._starts, self._redis_address = folder, 0, free_address()
        write_toy_model(folder / "repository")
        self.postgres: RunningPostgres = life.enter_context(running_postgres())
        self._jobs, self._keys = self.postgres.create_database(), self.postgres.create_database()
        self.redis = self._kept(life, self._redis)
        self.tritons = [free_address() for _ in range(TRITONS)]
        self.engines = [life.enter_context(self._engine(triton, triton_env)) for triton in self.tritons]
        wait_until(lambda: all(map(serves_toy, self.tritons)), "both Tritons serve the toy model")
        self._inner = [free_address() for _ in range(SERVERS)]
        self.servers = [self._kept(life, partial(self._server, address)) for address in self._inner]
        self.key = self._add_key()
        self.doors = [free_address() for _ in range(ADAPTERS)]
        self.adapters = [self._kept(life, partial(self._adapter, door)) for door in self.doors]

    def triton(self, number: int) -> psutil.Process:
        """The tritonserver of one of the engines, which starts another when it dies."""
        children = psutil.Process(self.engines[number].pid).children()
        return next(child for child in children if child.name() == "tritonserver")

    def _kept(self, life: ExitStack, run: Callable[[], AbstractContextManager[Running]]) -> "Replica[Running]":
        replica = Replica(run)
        life.callback(replica.stop)
        return replica

    def _own(self, name: str) -> Path:
        """A folder of each start: nothing is left from the one before but what is shared."""
        self._starts += 1
        folder = self._folder / f"{name}-{self._starts}"
        folder.mkdir()
        return folder

    def _redis(self) -> AbstractContextManager[str]:
        return running_redis(self._own("redis"), self._redis_address)

    def _engine(self, address: str, triton_env: Path) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        folder = self._own("engine")
        settings = {
            "TRITON": address,
            "DATA": str(folder / "data"),
            "MODEL": "toy",
            "MODEL_REPOSITORY": str(self._folder / "repository"),
            "TRITON_ENV": str(triton_env),
        }
        return running(module("engine"), _environment(settings), folder / "engine.log")

    @contextmanager
    def _server(self, address: str) -> Iterator[RunningServer]:
        settings: dict[str, Any] = {
            "grpc": address,
            "jobs": self._jobs,
            "store": (self._folder / "store").as_uri(),
            "model_repository": self._folder / "repository",
            "workers": 1,
        }
        with running_server(",".join(self.tritons), self._own("server"), **settings) as server:
            wait_until(server.serving, f"the server serves\n{tail(server.log)}")
            yield server

    @contextmanager
    def _adapter(self, door: str) -> Iterator[psutil.Process]:
        folder = self._own("adapter")
        settings = {
            "HTTP": door,
            "GRPC": ",".join(self._inner),
            "DATA": str(folder),
            "KEYS": self._keys,
            "RATE_LIMIT_STORAGE": self.redis.now,
        }
        log = folder / "adapter.log"
        with running(module("adapter"), _environment(settings), log) as process:

            def ready() -> bool:
                assert process.poll() is None, f"the adapter ended with {process.returncode}:\n{tail(log)}"
                try:
                    return httpx.get(f"http://{door}/ready", timeout=30).status_code == 200
                except httpx.TransportError:
                    return False

            wait_until(ready, "the adapter is ready")
            yield psutil.Process(process.pid)

    def _add_key(self) -> str:
        command = module("cli", "keys", "add", "tests", "--per-minute", "1000000")
        variables = os.environ | {"CLEARCANVAS_KEYS": self._keys}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=variables).stdout.strip()


def _environment(settings: dict[str, str]) -> dict[str, str]:
    return {f"CLEARCANVAS_{name}": value for name, value in settings.items()}
