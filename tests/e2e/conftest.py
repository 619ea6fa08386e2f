"""Stacks that the end-to-end tests may hurt."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
