"""Fixtures that several kinds of tests share, and the rule that CI leaves no test out."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.postgres import RunningPostgres, running_postgres
from tests.support.processes import free_address, module, running, tail, wait_until
from tests.support.redis import running_redis
from tests.support.s3 import RunningS3, require_s3, running_s3
from tests.support.stack import RunningStack, running_stack
from tests.support.toy_model import serves_toy, write_toy_model

pytest_plugins = ["tests.support.devnet", "tests.support.leftovers"]

ROOT = Path(__file__).parents[1]
os.environ.setdefault("CLEARCANVAS_METRICS", "127.0.0.1:0")  # Programs that run beside each other.
REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REQUIRE_ALL=1, a skipped test is a failed one."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"left out although REQUIRE_ALL=1: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """With REQUIRE_ALL=1, a skipped module is a failed one."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"left out although REQUIRE_ALL=1: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def triton_env() -> Path:
    """The virtual environment that holds Triton."""
    path = Path(os.environ.get("CLEARCANVAS_TRITON_ENV", ROOT / ".triton")).absolute()
    if not (path / "bin" / "python3").exists():
        pytest.skip(f"Triton is not installed in {path}; run: make ready")
    return path


@pytest.fixture(scope="session")
def isnet_repository() -> Path:
    """The project's own model repository, with the ISNet weights in place."""
    repository = ROOT / "model_repository"
    if not (repository / "isnet" / "1" / "model.onnx").exists():
        pytest.skip("the weights of isnet are not there; run: make ready")
    return repository


@pytest.fixture(scope="session")
def toy_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository with one tiny model, `toy`: bright is subject."""
    repository = tmp_path_factory.mktemp("repository")
    write_toy_model(repository)
    return repository


@pytest.fixture(scope="session")
def engine(toy_repository: Path, triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Triton with the toy model, started by `python -m engine`; yields its gRPC address."""
    folder = tmp_path_factory.mktemp("engine")
    address, log = free_address(), folder / "engine.log"
    environment = {
        "CLEARCANVAS_TRITON": address,
        "CLEARCANVAS_DATA": str(folder / "data"),
        "CLEARCANVAS_MODEL_REPOSITORY": str(toy_repository),
        "CLEARCANVAS_MODEL": "toy",
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
    }
    with running(module("engine"), environment, log) as process:

        def ready() -> bool:
            assert process.poll() is None, f"the engine ended with {process.returncode}:\n{tail(log)}"
            return serves_toy(address)

        wait_until(ready, "Triton serves the toy model")
        yield address


@pytest.fixture(scope="session")
def stack(toy_repository: Path, triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole stack with the toy model, shared by the tests of a session: leave it as it was."""
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env), "CLEARCANVAS_FAST_MODEL": "toy"}
    with running_stack(toy_repository, "toy", tmp_path_factory.mktemp("stack"), environment) as running_one:
        yield running_one


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningPostgres]:
    """A real PostgreSQL; make a database of your own with `create_database`."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis: its URL. Use keys or a database of your own."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningS3]:
    """A real S3 server on loopback. Use a prefix of your own in its bucket."""
    require_s3()
    with running_s3(free_address(), tmp_path_factory.mktemp("s3") / "s3.log") as server:
        yield server
