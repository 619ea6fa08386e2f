"""An S3 server of the tests' own: moto's, on a free port, with everything in its memory."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import running, tail, wait_until

_ENVIRONMENT = Path(__file__).parents[2] / ".s3"
PROGRAM = _ENVIRONMENT / "bin" / "moto_server"


def require_s3() -> None:
    """Leave the test out where the server is not installed."""
    if not PROGRAM.exists():
        pytest.skip(f"the S3 server is not installed in {_ENVIRONMENT}; run: make test")


class RunningS3:
    """A server at `address`, HOST:PORT, that knows the bucket `BUCKET`."""

    BUCKET = "jobs"

    def __init__(self, address: str) -> None:
        self.address = address

    @property
    def environment(self) -> dict[str, str]:
        """What a program reads from its environment to reach it."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self.address}",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "the-secret-key",
            "AWS_REGION": "us-east-1",
        }

    def make_bucket(self) -> None:
        """Make the bucket, as an operator does before the first start."""
        assert self._ask("PUT", f"/{self.BUCKET}") == 200

    def answers(self) -> bool:
        """Whether it can be asked."""
        try:
            return self._ask("GET", "/moto-api/data.json") == 200
        except OSError:
            return False

    def _ask(self, method: str, path: str) -> int:
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request(method, path)
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def running_s3(address: str, log: Path) -> Iterator[RunningS3]:
    """Run a server at `address` until the end of the block; it listens on loopback alone."""
    host, _, port = address.partition(":")
    with running([str(PROGRAM), "-H", host, "-p", port], {}, log) as process:
        server = RunningS3(address)

        def ready() -> bool:
            assert process.poll() is None, f"moto_server ended with {process.returncode}:\n{tail(log)}"
            return server.answers()

        wait_until(ready, "the S3 server answers")
        server.make_bucket()
        yield server
