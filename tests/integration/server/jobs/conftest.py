"""The databases that jobs are kept in."""

import pytest


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").create_database())
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/jobs.sqlite"
