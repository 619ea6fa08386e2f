"""P17: histories of the gate over the x402 rail, the local chain and a SQLite file, with a node that fails.

HISTORIES_ON_CHAIN says how many; each has a number, and the same number is the same history, but for its timing.
"""

import os
from collections.abc import Iterator
from random import Random

import pytest

from tests.support.devnet import RunningDevnet
from tests.support.payments.chain_history import History
from tests.support.payments.chain_world import ChainWorld

HISTORIES = int(os.environ.get("HISTORIES_ON_CHAIN", "30"))


@pytest.fixture
def world(devnet: RunningDevnet) -> Iterator[ChainWorld]:
    with devnet.base.faulty() as proxy:
        world = ChainWorld(devnet.base, proxy, devnet.base.hot_key().key)
        try:
            yield world
        finally:
            world.close()


@pytest.mark.case("P17")
@pytest.mark.parametrize("number", range(HISTORIES))
def test_what_has_arrived_on_the_chain_is_booked_once_and_handed_over(world: ChainWorld, number: int) -> None:
    History(world, Random(number)).run()
