"""P11 without chance: a process that dies, a client that goes, a store that fails, before every single step."""

import pytest

from adapter.payments.ledger.audit import make_report
from adapter.payments.ledger.claim import State
from tests.support.payments.model_rail import PRICE
from tests.support.payments.mortal import LIMITS
from tests.support.payments.world import World

# A whole request has fewer steps; the test checks that the last ones are past its end.
STEPS = range(1, 41)


@pytest.mark.case("P11")
@pytest.mark.parametrize("prepaid", [False, True], ids=["signed", "prepaid"])
@pytest.mark.parametrize("what", ["crash", "cancel", "ledger down", "results down", "node down"])
@pytest.mark.parametrize("at", STEPS)
def test_the_payers_retry_gets_the_result_for_one_price(world: World, what: str, at: int, *, prepaid: bool) -> None:
    purchase = world.begin_purchase(prepaid=prepaid, named=False)
    purse = purchase.purses[0]

    world.run(world.suffer(world.processes[0], purse, what, at))
    world.recover()
    world.chain.now += LIMITS.lease_s + 1
    answer = world.run(world.ask(world.processes[1], purse))

    assert answer.status == 200
    assert world.received(purse) == PRICE
    assert len(purse.bodies) == 1
    with world.tables.reader.begin() as connection:
        report = make_report(connection, 1)
    assert report.violations == ()
    assert report.states == {State.DELIVERED: 1}
    assert report.delivered == PRICE
    world.chain.now += LIMITS.retention_h * 3600 + 1
    world.run(world.processes[1].sweeper.sweep())
    assert world.kept == {}, "something was left in the store"


def test_the_steps_reach_past_the_end_of_a_request(world: World) -> None:
    purchase = world.begin_purchase(prepaid=False, named=False)

    assert world.run(world.ask(world.processes[0], purchase.purses[0])).status == 200

    assert 20 < len(world.processes[0].body.steps) < STEPS[-1]
