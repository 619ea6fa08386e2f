"""Answers as they came in real runs, for the OpenAPI document: `examples.json`, which a test records and holds."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from adapter.discovery.way import WayToPay
from adapter.options.option import Json
from adapter.sale.offers import Priced

_FILE = Path(__file__).parent / "examples.json"
BASE_URL = "https://api.clearcanvas.app"
"""Stands in the file for the address of the service that was asked."""
_NOBODY = "0x" + "0" * 40


@cache
def read_examples() -> Mapping[str, Any]:
    """By operationId and status, `matte 200`: the headers that are told of, and the body where it is JSON."""
    examples: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return examples


def show_examples(
    paths: Mapping[str, Any], base_url: str, priced: Mapping[str, Priced], ways: Sequence[WayToPay]
) -> Json:
    """The paths with the examples that there are, in a copy; addresses and prices are those of the host."""
    copied: dict[str, Any] = json.loads(json.dumps(paths))
    prices = {row.path: row.amount for row in priced.values()}
    for path, methods in copied.items():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if example := read_examples().get(f"{operation['operationId']} {status}"):
                    body = json.loads(json.dumps(example.get("body")).replace(BASE_URL, base_url))
                    _show(answer, example["headers"], _fit(body, prices.get(path), ways))
    return copied


def _show(answer: dict[str, Any], headers: Mapping[str, str], body: object) -> None:
    for name, value in headers.items():
        shown = answer.get("headers", {}).get(name)
        if shown is not None and "$ref" not in shown:
            shown["example"] = int(value) if shown["schema"].get("type") == "integer" else value
    if body is not None and "application/json" in answer.get("content", {}):
        answer["content"]["application/json"]["example"] = body


def _fit(body: object, amount: int | None, ways: Sequence[WayToPay]) -> object:
    """What is asked for is what this host asks for, of nobody: an example is no place to pay to."""
    if not isinstance(body, dict) or "accepts" not in body:
        return body
    way = next((way for way in ways if way.method == "x402"), None)
    if way is None or amount is None:
        return None
    facts = {"network": way.network_name, "asset": way.currency, "maxAmountRequired": str(amount), "payTo": _NOBODY}
    return {**body, "accepts": [{**offer, **facts} for offer in body["accepts"]]}
