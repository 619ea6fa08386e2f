"""A Redis of the tests' own: on a free port, with nothing on disk."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.support.processes import free_address, running, tail, wait_until


@contextmanager
def running_redis(folder: Path, address: str | None = None) -> Iterator[str]:
    """Run a server until the end of the block, its log in `folder`; yields its URL, without a database's number.

    `address`: a free one unless told.
    """
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed; on Debian it is in the package redis-server"
    address, log = address or free_address(), folder / "redis.log"
    host, _, port = address.partition(":")
    command = [program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with running(command, {}, log) as process, redis.Redis(host=host, port=int(port)) as client:

        def ready() -> bool:
            assert process.poll() is None, f"redis-server ended with {process.returncode}:\n{tail(log)}"
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        wait_until(ready, "Redis answers")
        yield f"redis://{address}"
