"""A PostgreSQL of the tests' own, from the system's binaries: on a free port, its data thrown away at the end."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from tests.support.processes import free_address, running, tail, wait_until

_DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps the server's programs off the path, a folder for each version.
# Nothing here outlives a crash of the machine, so nothing is forced to the disk; the isolation stays as it is.
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


class RunningPostgres:
    """A server at `address`, HOST:PORT; `user` may do everything."""

    user = "tests"

    def __init__(
        self, address: str, log: Path, run: Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]
    ) -> None:
        self.address = address
        self._log = log
        self._run = run
        self._life = ExitStack()

    def start(self) -> None:
        """Run until `stop`, with what was written before."""
        process = self._life.enter_context(self._run())

        def ready() -> bool:
            assert process.poll() is None, f"postgres ended with {process.returncode}:\n{tail(self._log)}"
            return self.answers()

        wait_until(ready, "PostgreSQL answers")

    def stop(self) -> None:
        """End, and drop every connection."""
        self._life.close()

    def create_database(self) -> str:
        """Make an empty database and return its SQLAlchemy URL."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self._url(name).replace("postgresql://", "postgresql+psycopg://")

    def answers(self) -> bool:
        """Whether a connection can be made."""
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgresql://{self.user}@{self.address}/{database}"


@contextmanager
def running_postgres() -> Iterator[RunningPostgres]:
    """Run a server until the end of the block; it listens on loopback alone and asks for no password."""
    # Not pytest's own folder: that is closed to every other user, and root must not run PostgreSQL.
    with tempfile.TemporaryDirectory(prefix="clearcanvas-postgres-") as folder:
        data, log, address = Path(folder, "data"), Path(folder, "server.log"), free_address()
        who = _unprivileged()
        if who:
            shutil.chown(folder, who["user"], who["group"])
        _initialise(data, who)
        host, _, port = address.partition(":")
        settings = {**_SETTINGS, "listen_addresses": host, "port": port, "unix_socket_directories": folder}
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [_program("postgres"), "-D", str(data), *options]
        # SIGINT is its fast stop: SIGTERM would wait for the last client to go.
        server = RunningPostgres(address, log, lambda: running(command, {}, log, signal.SIGINT, cwd="/", **who))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _initialise(data: Path, who: Mapping[str, Any]) -> None:
    command = [_program("initdb"), "-D", str(data), "-U", RunningPostgres.user, "--auth=trust", "--no-sync"]
    result = subprocess.run(
        [*command, "--encoding=UTF8", "--no-locale"], **who, cwd="/", capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def _unprivileged() -> dict[str, Any]:
    """Arguments for `subprocess`: PostgreSQL refuses to run as root, as in a container."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _program(name: str) -> str:
    found = [path for path in _DEBIAN.glob(f"*/bin/{name}") if os.access(path, os.X_OK)]
    newest = max(found, key=lambda path: float(path.parts[-3]), default=None)
    path = newest or shutil.which(name)
    assert path, f"{name} is not installed; on Debian it is in the package postgresql"
    return str(path)
