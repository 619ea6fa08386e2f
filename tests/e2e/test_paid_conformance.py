"""mppx's own check of servers: `npx mppx validate`."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import FOLDER, NODE
from tests.support.paid_stack import PATH, RunningAdapter

# Its payment step fills a wallet of its own at the test network's faucet; what pays here is in test_paid_clients.
NEEDS_THE_NETWORK = "Payment: auto-provision wallet"
# The address is not the service's name: this one is 127.0.0.1.
NEEDS_A_NAME = "Realm matches server hostname"


@pytest.mark.usefixtures("client_packages")
@pytest.mark.parametrize("endpoint", [[], ["--endpoint", f"POST:{PATH}"]], ids=["discovered", "named"])
async def test_mppx_validate_finds_nothing_wrong_that_it_can_see_offline(
    counter: RunningAdapter, endpoint: list[str], tmp_path: Path
) -> None:
    command = [NODE, str(FOLDER / "node_modules/mppx/dist/bin.js"), "validate", counter.url(""), *endpoint, "-j"]
    report = tmp_path / "report.json"
    with report.open("wb") as output:  # Into a pipe it writes 64 KiB and ends.
        process = await asyncio.create_subprocess_exec(*command, stdout=output)
        await process.wait()
    verdicts: dict[str, set[str]] = {}  # Of every endpoint.
    for check in checks(json.loads(report.read_bytes())):
        verdicts.setdefault(check["label"], set()).add(check["severity"])
    assert verdicts.pop(NEEDS_THE_NETWORK) == {"fail"}
    assert verdicts.pop(NEEDS_A_NAME) <= {"pass", "warn"}
    assert set().union(*verdicts.values()) == {"pass"}, verdicts
    assert {
        "Document found and parseable",
        "Valid OpenAPI structure",
        "Returns 402 without credentials",
        "x402 payment challenge",
        "Challenge parseable",
        "Challenge expires in the future",
        "Malformed credential returns 402",
        "Error response includes fresh challenge",
    } <= set(verdicts)


def checks(report: Any) -> Iterator[dict[str, str]]:
    """Every check of a report, wherever it stands."""
    if isinstance(report, dict):
        if {"label", "severity"} <= set(report):
            yield report
        report = list(report.values())
    if isinstance(report, list):
        for part in report:
            yield from checks(part)
