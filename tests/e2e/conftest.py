"""Stacks that the end-to-end tests may hurt."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browser import launched
from tests.support.clients import FOLDER
from tests.support.devnet import RunningDevnet
from tests.support.paid_stack import PaidStack, RunningAdapter
from tests.support.server import RunningServer, running_server
from tests.support.slow_model import write_slow_model
from tests.support.stack import RunningStack, running_stack
from tests.support.toy_model import write_toy_model


@pytest.fixture(scope="module")
def rough_stack(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack of its own for a module that kills parts of it: model `toy`, and `slow`, which takes its time."""
    repository = tmp_path_factory.mktemp("rough") / "repository"
    write_toy_model(repository)
    write_slow_model(repository, layers=400)
    folder = tmp_path_factory.mktemp("stack")
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env), "CLEARCANVAS_WORKERS": "2"}
    with running_stack(repository, "toy", folder, environment) as stack:
        yield stack


@pytest.fixture(scope="session")
def client_packages() -> None:
    """The official JavaScript clients, at their pinned versions."""
    if not (FOLDER / "node_modules" / "mppx").exists():
        pytest.skip("the JavaScript clients are not installed; run: make test")


@pytest.fixture(scope="session")
def paid_server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The image server behind all adapters that take money."""
    with running_server(engine, tmp_path_factory.mktemp("paid-server")) as server:
        yield server


@pytest.fixture(scope="session")
def paid_stack(devnet: RunningDevnet, paid_server: RunningServer) -> PaidStack:
    """Everything behind an adapter that takes money; start adapters of your own on it."""
    return PaidStack(devnet, paid_server)


@pytest.fixture(scope="session")
async def paid_adapter(
    paid_stack: PaidStack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningAdapter]:
    """One adapter that takes money, for tests that leave it as it was."""
    # The Python client of MPP signs for as long as the challenge is valid, and anvil's Tempo takes 30 s at the most.
    async with paid_stack.adapter(tmp_path_factory.mktemp("paid"), mpp_challenge_s=25) as adapter:
        yield adapter


@pytest.fixture(scope="session")
async def counter(paid_stack: PaidStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningAdapter]:
    """An adapter where everybody pays, for tests of jobs that leave it as it was."""
    # Not only this machine's: so it is for those who pay.
    async with paid_stack.adapter(tmp_path_factory.mktemp("counter"), http="0.0.0.0:0") as adapter:
        yield adapter


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real browser; open pages of your own with `reading`."""
    async with launched() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def face(counter: RunningAdapter) -> str:
    """HOST:PORT as a browser on this machine writes it, of a service where everybody pays, over both rails."""
    return counter.http.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced, not bound.
