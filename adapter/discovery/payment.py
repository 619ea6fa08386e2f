"""What an operation costs, as directories of paid APIs read it (`x-payment-info`).

MPP's discovery has `offers`; the directories of x402 (x402scan and what else uses @agentcash/discovery) have `price`
and `protocols`. Each leaves out what it does not know.
"""

from collections.abc import Sequence

from adapter.discovery.way import WayToPay
from adapter.options.option import Json
from adapter.sale.offers import Priced


def describe_payment(priced: Priced, ways: Sequence[WayToPay]) -> dict[str, Json]:
    """What is added to the description of an operation; nothing where nothing is sold."""
    if not ways:
        return {}
    offers = [
        {
            "intent": way.intent,
            "method": way.method,
            "amount": str(priced.amount),
            "currency": way.currency,
            "network": way.network,
            "description": priced.description,
        }
        for way in ways
    ]
    price = {"mode": "fixed", "currency": "USD", "amount": _write_dollars(priced.amount)}
    return {"x-payment-info": {"offers": offers, "price": price, "protocols": [_name_protocol(way) for way in ways]}}


def _write_dollars(amount: int) -> str:
    """Millionths of a dollar as dollars, without zeros at the end."""
    return f"{amount / 1_000_000:.6f}".rstrip("0").rstrip(".")


def _name_protocol(way: WayToPay) -> Json:
    if way.method == "x402":
        return {"x402": {}}
    return {"mpp": {"method": way.method, "intent": way.intent, "currency": way.currency}}
