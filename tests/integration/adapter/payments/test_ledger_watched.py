"""From the ledger to the alert: what the books say, what Prometheus is told of it, and that it rings."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from adapter import metrics
from adapter.payments.errors import StoreUnavailableError
from adapter.payments.gate import GateLimits
from adapter.payments.ledger import State
from adapter.payments.ledger.schema import GUARDS
from adapter.payments.watching import Watch
from database.engine import make_engine
from tests.support.payments.shop import Shop, open_shop
from tests.support.payments.world import charge_for

ALERTS = Path(__file__).parents[4] / "deploy" / "prometheus" / "alerts.yml"
DIFFER, BROKEN = "SettlementsAndDeliveriesDiffer", "BooksBroken"


async def look(shop: Shop) -> dict[str, float]:
    """Count and audit; what Prometheus would read of payments then."""
    watch = Watch(shop.ledger, GateLimits())
    await watch.count()
    await watch.audit()
    return {
        sample.name + "{" + ",".join(f'{key}="{value}"' for key, value in sample.labels.items()) + "}": sample.value
        for metric in metrics.REGISTRY.collect()
        for sample in metric.samples
        if sample.name.startswith("clearcanvas_payments")
    }


async def sell(shop: Shop) -> None:
    """One payment that is delivered, one that is settled and not fetched, one that is released."""
    await shop.buy(shop.pay("a"))
    async with shop.gate.open(shop.pay("b"), charge_for(b"dog")) as ticket:
        await shop.work(ticket, b"dog")
        await ticket.settle()
    with pytest.raises(ZeroDivisionError):
        async with shop.gate.open(shop.pay("c"), charge_for(b"cow")):
            raise ZeroDivisionError


def forge(shop: Shop, *statements: str) -> None:
    """Write into the ledger what its guards refuse."""
    engine = make_engine(shop.url, "ledger")
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        for name, *_rest in GUARDS:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
    engine.dispose()


def ring(figures: dict[str, float], folder: Path) -> set[str]:
    """The alerts of the money that fire after five minutes of these figures, as Prometheus itself has it."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    series = [{"series": name.removesuffix("{}"), "values": f"{value}x30"} for name, value in figures.items()]
    return {alert for alert in (DIFFER, BROKEN) if not _is_quiet(promtool, alert, series, folder)}


def _is_quiet(promtool: str, alert: str, series: Sequence[dict[str, str]], folder: Path) -> bool:
    expected = {"eval_time": "5m", "alertname": alert, "exp_alerts": []}
    trial = {"interval": "15s", "input_series": series, "alert_rule_test": [expected]}
    file = folder / f"{alert}.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "15s", "tests": [trial]}))
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or f"alertname: {alert}" in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode == 0


async def test_the_figures_are_those_of_the_books(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await sell(shop)
        shop.chain.now += 90
        figures = await look(shop)

    def counted(state: State) -> float:
        return figures[f'clearcanvas_payments{{state="{state}"}}']

    assert {state: counted(state) for state in State if counted(state)} == {
        State.DELIVERED: 1,
        State.SETTLED: 1,
        State.RELEASED: 1,
    }
    assert figures['clearcanvas_payments_oldest_seconds{state="settled"}'] >= 90
    assert figures['clearcanvas_payments_oldest_seconds{state="unknown"}'] == 0
    for kind, amount in (("settlement", 100_000), ("delivery", 50_000)):
        assert figures[f'clearcanvas_payments_booked_micros{{kind="{kind}"}}'] == amount
        assert figures[f'clearcanvas_payments_claimed_micros{{kind="{kind}"}}'] == amount
    assert figures["clearcanvas_payments_broken_rules{}"] == 0
    assert figures["clearcanvas_payments_ledger_up{}"] == 1


@pytest.mark.case("O6")
@pytest.mark.parametrize(
    ("forgery", "alerts"),
    [
        ((), set()),
        (("UPDATE claims SET state = 'delivered' WHERE state = 'released'",), {DIFFER, BROKEN}),
        (("UPDATE claims SET state = 'delivered' WHERE state = 'settled'",), {DIFFER, BROKEN}),
        (("DELETE FROM journal WHERE kind = 'settlement'",), {DIFFER, BROKEN}),
        (("UPDATE journal SET amount = 2 * amount WHERE kind = 'delivery'",), {DIFFER, BROKEN}),
        (("UPDATE journal SET account = 'payer:eip155:1:0xthief' WHERE account LIKE 'payer:%'",), {BROKEN}),
    ],
)
async def test_deliveries_and_settlements_that_differ_ring(
    tmp_path: Path, forgery: Sequence[str], alerts: set[str]
) -> None:
    async with open_shop(tmp_path) as shop:
        await sell(shop)
        if forgery:
            forge(shop, *forgery)
        figures = await look(shop)

    assert ring(figures, tmp_path) == alerts


async def test_one_replica_audits_and_all_count(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as one, open_shop(tmp_path, one.url, one.chain) as other:
        await sell(one)
        forge(one, "DELETE FROM journal WHERE kind = 'delivery'")
        first, second = await look(one), await look(other)

    assert first["clearcanvas_payments_broken_rules{}"] > 0
    assert second["clearcanvas_payments_broken_rules{}"] == 0
    assert first.keys() == second.keys()


async def test_a_ledger_that_is_away_is_said(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        forge(shop, "DROP TABLE journal")
        with pytest.raises(StoreUnavailableError):
            await Watch(shop.ledger, GateLimits()).count()

    assert metrics.REGISTRY.get_sample_value("clearcanvas_payments_ledger_up") == 0
