"""The pages of an installation that is paid over both rails, and of one that is not."""

import pytest

from adapter.app import list_prices
from adapter.config import Settings
from adapter.discovery.way import WayToPay
from adapter.pages.facts import Facts, Limits
from adapter.pages.site import Site
from adapter.pages.statics import Statics
from adapter.sale.settings import PaymentSettings, RailName

WAYS: dict[RailName, WayToPay] = {
    "x402": WayToPay(
        method="x402",
        intent="charge",
        network="eip155:8453",
        currency="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
        network_name="base",
        network_title="Base",
        token="USDC",  # noqa: S106 - no secret.
        is_test=False,
    ),
    "mpp": WayToPay(
        method="tempo",
        intent="charge",
        network="eip155:4217",
        currency="0x20c0000000000000000000000000000000000000",
        network_name="tempo",
        network_title="Tempo",
        token="pathUSD",  # noqa: S106 - no secret.
        is_test=False,
    ),
}


def build_site(*rails: RailName) -> Site:
    payments = PaymentSettings()
    ways = {rail: WAYS[rail] for rail in rails}
    facts = Facts(rails, ways, list_prices(payments), Limits.of(Settings(), payments))
    return Site(facts, Statics())


@pytest.fixture(scope="session", params=[("x402", "mpp"), ()], ids=["paid", "free"])
def site(request: pytest.FixtureRequest) -> Site:
    return build_site(*request.param)
