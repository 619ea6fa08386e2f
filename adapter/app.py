"""Puts the adapter together and runs it until it is told to stop."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aiohttp import web

from adapter.config import Settings
from adapter.errors import InvalidSettingsError
from adapter.lifecycle import Lifecycle
from adapter.limits.clients import Clients
from adapter.limits.local import Limiter, LocalLimiter
from adapter.limits.shared import SharedLimiter
from adapter.listener import ConnectionLimits, listen
from adapter.middleware.errors import map_errors
from adapter.middleware.headers import answer_preflight, set_common_headers
from adapter.middleware.unpaid import limit_unpaid
from adapter.operations import PAID, REMOVE_BACKGROUND
from adapter.routes.discovery import DiscoveryRoutes
from adapter.routes.health import HealthRoutes
from adapter.routes.images import ImageRoutes
from adapter.routes.paid import PaidRoutes
from adapter.sale.offers import Offers, Priced
from adapter.sale.settings import PaymentSettings
from adapter.sale.till import Till
from adapter.service import ImageService, open_channel
from adapter.uploads.body import UploadLimits
from adapter.uploads.budget import UploadBudget

if TYPE_CHECKING:
    from adapter.sale.rails import Shop

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
_CLOSE_TIMEOUT_S = 0.5  # For connections that are still open when the requests in flight are done.


def build_app(
    settings: Settings,
    payments: PaymentSettings,
    *,
    service: ImageService,
    lifecycle: Lifecycle,
    limiter: Limiter,
    shop: "Shop | None",
) -> web.Application:
    """Builds the application: the routes, and the middleware around them from the outside in."""
    clients = Clients(settings.trusted_proxies)
    offers = Offers(payments.rails if shop is not None else (), payments.hosts, payments.public_url, clients)
    priced = Priced(REMOVE_BACKGROUND, PAID.path, payments.amount(REMOVE_BACKGROUND), PAID.summary)
    limits = UploadLimits(idle_timeout_s=settings.upload_idle_timeout_s, total_timeout_s=settings.upload_timeout_s)
    budget = UploadBudget(settings.upload_budget_mib * _MIB)
    till = Till(shop.gate, settings.request_timeout_s) if shop is not None else None
    guards = [limit_unpaid(limiter, clients, {priced.path})] if shop is not None else []
    app = web.Application(middlewares=[*guards, map_errors, answer_preflight])

    async def complete_response(request: web.Request, response: web.StreamResponse) -> None:
        set_common_headers(request, response)
        if lifecycle.draining:
            response.headers["Connection"] = "close"
            response.force_close()

    app.on_response_prepare.append(complete_response)
    HealthRoutes(service, lifecycle, offers.rails).add_to(app)
    images = ImageRoutes(service, lifecycle, budget, limits, settings.request_timeout_s, settings.images_are_open)
    images.add_to(app)
    PaidRoutes(service, lifecycle, budget, limits, offers, priced, till).add_to(app)
    DiscoveryRoutes(offers, priced, shop.ways if shop is not None else {}).add_to(app)
    return app


async def serve(
    settings: Settings,
    payments: PaymentSettings,
    stop: asyncio.Event,
    *,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> None:
    """Serves until `stop` is set; then not ready first, the requests in flight finished, and gone.

    `checkpoint` is the gate's own, for tests that stop a process at a named step.

    Raises:
        OSError: The address cannot be listened on.
        InvalidSettingsError: A payment setting cannot work, or there is nothing to serve at a public address.
        StoreUnavailableError: The ledger's database does not answer.
    """
    _check_access(settings, payments)
    lifecycle = Lifecycle()
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(open_channel(settings.grpc))
        limiter = _make_limiter(settings)
        stack.push_async_callback(limiter.close)
        shop = None
        if payments.rails:
            from adapter.sale.rails import open_shop  # noqa: PLC0415 - the chains' libraries take seconds to load.

            shop = await stack.enter_async_context(open_shop(payments, checkpoint=checkpoint))
        app = build_app(
            settings,
            payments,
            service=ImageService(channel),
            lifecycle=lifecycle,
            limiter=limiter,
            shop=shop,
        )
        await _listen_until(stop, settings, app, lifecycle)


def _check_access(settings: Settings, payments: PaymentSettings) -> None:
    """Nobody opens the service to the public by accident. Raises InvalidSettingsError."""
    if settings.images_are_open:
        logger.warning("the image operations are open without keys to all who reach %s", settings.http)
    elif not payments.rails:
        message = (
            f"{settings.http} is not a loopback address, and nothing is sold there: bind 127.0.0.1, configure a way to "
            "be paid, or set CLEARCANVAS_OPEN_ACCESS=true to open the image operations to everybody"
        )
        raise InvalidSettingsError(message)


async def _listen_until(stop: asyncio.Event, settings: Settings, app: web.Application, lifecycle: Lifecycle) -> None:
    runner = web.AppRunner(
        app,
        handler_cancellation=True,  # A client that goes away cancels its handler, and that the edit.
        shutdown_timeout=_CLOSE_TIMEOUT_S,
    )
    await runner.setup()
    try:
        limits = ConnectionLimits(
            header_timeout_s=settings.header_timeout_s,
            keepalive_timeout_s=settings.keepalive_timeout_s,
            connections=settings.max_connections,
        )
        if runner.server is None:
            message = "the application has no server after its setup"
            raise RuntimeError(message)
        listener = await listen(runner.server, settings.host, settings.port, limits)
        try:
            logger.info("listening on %s", _to_url(listener))
            await stop.wait()
            # The socket stays open meanwhile, so that a probe reads "unavailable" instead of running into a wall.
            left = await lifecycle.drain(settings.drain_timeout_s)
            if left:
                logger.error("stopping with %d requests unfinished after %.1f s", left, settings.drain_timeout_s)
        finally:
            listener.close()
    finally:
        await runner.cleanup()


def _make_limiter(settings: Settings) -> Limiter:
    if settings.rate_limit_storage == "memory://":
        return LocalLimiter(settings.unpaid_per_minute)
    return SharedLimiter(settings.rate_limit_storage, settings.unpaid_per_minute)


def _to_url(listener: asyncio.Server) -> str:
    host, port = listener.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
