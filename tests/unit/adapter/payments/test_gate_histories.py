"""P17: thousands of histories of the gate over a real SQLite ledger, with faults between any two steps."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.payments.gate_machine import GateMachine
from tests.support.payments.world import Tables

HISTORIES = int(os.environ.get("HISTORIES", "2000"))


@pytest.mark.case("P17")
@pytest.mark.timeout(1800)
def test_no_history_charges_without_result_charges_twice_or_serves_unpaid(tables: Tables) -> None:
    class Machine(GateMachine):
        pass

    Machine.tables = tables
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=HISTORIES, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
