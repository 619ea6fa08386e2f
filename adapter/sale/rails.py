"""Builds what takes money, from the settings: the rails, the ledger, the store of results, and the gate over them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapter.discovery.listings import LISTINGS, SERVICE_NAME, SERVICE_TAGS
from adapter.discovery.way import WayToPay
from adapter.errors import InvalidSettingsError
from adapter.payments.gate import Gate, GateLimits
from adapter.payments.ledger import Ledger
from adapter.payments.mpp import MppConfig, MppRail
from adapter.payments.mpp.networks import NETWORKS as TEMPO_NETWORKS
from adapter.payments.rail import Rail
from adapter.payments.results import ResultStore
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.networks import NETWORKS as BASE_NETWORKS
from adapter.payments.x402.rail import X402Rail
from adapter.sale.jobs_store import SoldJobs
from adapter.sale.settings import PaymentSettings, RailName

logger = logging.getLogger(__name__)

_ANSWER_S = 2.0  # A rail says what it knows before the gate stops waiting for it.


@dataclass(frozen=True)
class Shop:
    """What takes money, and how it is described."""

    gate: Gate
    sold_jobs: SoldJobs
    ways: Mapping[RailName, WayToPay]


@asynccontextmanager
async def open_shop(
    settings: PaymentSettings, *, checkpoint: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Shop]:
    """Opens the shop with every rail that is configured, at least one. Closing waits for settlements in flight.

    `checkpoint` is the gate's own, for tests that stop a process at a named step.

    Raises:
        InvalidSettingsError: A setting cannot work: an unknown store, a node of another chain.
        StoreUnavailableError: The ledger's database does not answer.
    """
    async with AsyncExitStack() as stack:
        try:
            gate = await _start_gate(settings, stack, checkpoint)
            sold_jobs = SoldJobs(settings.ledger_url)
            stack.push_async_callback(sold_jobs.close)
            await sold_jobs.start()
        except ValueError as error:
            raise InvalidSettingsError(str(error)) from error
        logger.info("taking payments over %s", " and ".join(settings.rails))
        yield Shop(gate, sold_jobs, {rail: _describe(settings, rail) for rail in settings.rails})


async def _start_gate(settings: PaymentSettings, stack: AsyncExitStack, checkpoint: Callable[[str], None]) -> Gate:
    limits = GateLimits(
        work_s=settings.work_timeout_s, settle_s=settings.settle_timeout_s, retention_h=settings.retention_h
    )
    rails = await _start_rails(settings, stack)
    if "x402" in rails:
        limits.require_validity(settings.x402_validity_s, rails["x402"].margin_s)
    results = await asyncio.to_thread(ResultStore, settings.results_url)
    ledger = Ledger(settings.ledger_url)
    stack.push_async_callback(ledger.close)
    await ledger.start()
    gate = Gate(rails, ledger, results, limits, checkpoint=checkpoint)
    await gate.start()
    stack.push_async_callback(gate.close)
    return gate


async def _start_rails(settings: PaymentSettings, stack: AsyncExitStack) -> Mapping[str, Rail]:
    rails: dict[str, Rail] = {}
    if settings.x402_pay_to is not None:
        x402 = X402Rail(
            X402Config(
                network=BASE_NETWORKS[settings.x402_network],
                pay_to=settings.x402_pay_to,
                rpc_url=settings.x402_rpc_url or "",
                key=settings.read_x402_key() or "",
                facilitator_url=settings.x402_facilitator_url or "",
                validity_s=settings.x402_validity_s,
                settle_s=max(1.0, settings.settle_timeout_s - _ANSWER_S),
                service_name=SERVICE_NAME,
                service_tags=SERVICE_TAGS,
                listings=LISTINGS,
            )
        )
        stack.push_async_callback(x402.close)
        await x402.start()
        rails[x402.name] = x402
    if settings.mpp_recipient is not None:
        mpp = MppRail(
            MppConfig(
                network=settings.mpp_network,
                recipient=settings.mpp_recipient,
                rpc_url=settings.mpp_rpc_url or "",
                secret=settings.read_mpp_secret() or "",
                realm=settings.realm,
                challenge_life_s=settings.mpp_challenge_s,
                redeem_s=settings.retention_h * 3600,
                settle_s=max(1.0, settings.settle_timeout_s - _ANSWER_S),
            )
        )
        stack.push_async_callback(mpp.close)
        await mpp.start()
        rails[mpp.name] = mpp
    return rails


def _describe(settings: PaymentSettings, rail: RailName) -> WayToPay:
    if rail == "x402":
        base = BASE_NETWORKS[settings.x402_network]
        return WayToPay("x402", "exact", base.caip2, base.token, base.name, base.title, "USDC", base.is_test)
    tempo = TEMPO_NETWORKS[settings.mpp_network]
    name = settings.mpp_network
    return WayToPay("tempo", "charge", tempo.caip2, tempo.token, name, tempo.title, "pathUSD", tempo.is_test)
