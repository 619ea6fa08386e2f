"""Puts the adapter together and runs it until it is told to stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc.aio
from aiohttp import web

from adapter import metrics
from adapter.access import Access
from adapter.config import Settings
from adapter.editing import Editor
from adapter.errors import InvalidSettingsError
from adapter.fetching.fetcher import Fetcher
from adapter.jobs.desk import JobDesk
from adapter.jobs.downloads import Downloads
from adapter.jobs.failures import HD_SUBMIT, VIDEO_SUBMIT
from adapter.jobs.paid import PaidJobs
from adapter.jobs.paid_desk import PaidDesk, price_jobs
from adapter.jobs.quota import JobQuota
from adapter.jobs.service import JobService
from adapter.keys.jobs import JobCounts
from adapter.keys.keyring import Keyring
from adapter.keys.store import KeyStore
from adapter.lifecycle import Lifecycle
from adapter.limits.clients import Clients
from adapter.limits.counted import CountedLimiter
from adapter.limits.daily import DailyBudget
from adapter.limits.local import Limiter, LocalLimiter
from adapter.limits.shared import SharedLimiter
from adapter.listener import ConnectionLimits, listen
from adapter.middleware.browsers import explain_to_browsers
from adapter.middleware.errors import map_errors
from adapter.middleware.headers import answer_preflight, set_common_headers
from adapter.middleware.observe import note_begun, observe
from adapter.middleware.unpaid import IsSold, limit_unpaid
from adapter.operations import OPERATIONS, PAID
from adapter.pages.facts import Facts, Limits
from adapter.pages.languages import DEFAULT
from adapter.payments.finishing import Finishing
from adapter.routes.account import AccountRoutes
from adapter.routes.discovery import DiscoveryRoutes, list_guides
from adapter.routes.health import HealthRoutes
from adapter.routes.images import ImageRoutes
from adapter.routes.jobs import JobRoutes
from adapter.routes.jobs_images import ImageJobRoutes
from adapter.routes.jobs_videos import VideoJobRoutes
from adapter.routes.pages import open_pages
from adapter.routes.paid import PaidRoutes
from adapter.routes.playground import PlaygroundRoutes
from adapter.routes.removebg import RemovebgRoutes
from adapter.sale.offers import Offers, Priced
from adapter.sale.settings import PaymentSettings
from adapter.sale.till import Till
from adapter.service import ImageService, open_channel
from adapter.uploads.body import UploadLimits
from adapter.uploads.budget import UploadBudget
from adapter.uploads.spool import SpoolLimits
from transport.tls import CertificateError

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
    jobs: JobService,
    lifecycle: Lifecycle,
    keyring: Keyring,
    limiter: Limiter,
    per_key: Limiter,
    shop: "Shop | None",
) -> web.Application:
    """Builds the application: the routes, and the middleware around them from the outside in."""
    clients = Clients(settings.trusted_proxies)
    offers = Offers(payments.rails if shop is not None else (), payments.hosts, payments.public_url, clients)
    priced = list_prices(payments)
    access = Access(keyring, offers, clients, per_key, limiter, settings.on_loopback, _open_free(settings))
    limits = UploadLimits(idle_timeout_s=settings.upload_idle_timeout_s, total_timeout_s=settings.upload_timeout_s)
    budget = UploadBudget(settings.upload_budget_mib * _MIB, metrics.UPLOADS.labels("memory"))
    till = Till(shop.gate, settings.request_timeout_s) if shop is not None else None
    guards = [limit_unpaid(limiter, clients, _tell_sold(access))] if shop is not None else []
    ways = shop.ways if shop is not None else {}
    pages = open_pages(Facts(tuple(offers.rails), ways, priced, Limits.of(settings, payments)), offers, settings.grpc)
    around = [observe, explain_to_browsers(pages.explain), *guards, map_errors, answer_preflight]
    app = web.Application(middlewares=around)
    app.on_response_prepare.append(_make_completion(lifecycle))
    app.on_response_prepare.append(note_begun)
    HealthRoutes(service, lifecycle, offers.rails).add_to(app)
    editor = Editor(service, settings.request_timeout_s)
    fetcher = Fetcher()
    ImageRoutes(editor, access, fetcher, lifecycle, budget, limits, priced, till).add_to(app)
    PaidRoutes(editor, lifecycle, budget, limits, offers, priced[PAID.name], till).add_to(app)
    RemovebgRoutes(editor, access, fetcher, lifecycle, budget, limits).add_to(app)
    paid = None
    if shop is not None and till is not None:
        paid = PaidDesk(PaidJobs(shop.gate, shop.sold_jobs, jobs), till, offers, priced)
        app.cleanup_ctx.append(paid.paid.running)
    desk = _open_desk(app, settings, jobs, access, paid)
    ImageJobRoutes(desk, fetcher, lifecycle, budget, limits).add_to(app)
    patient = replace(limits, total_timeout_s=settings.video_upload_timeout_s)
    VideoJobRoutes(desk, fetcher, lifecycle, budget, patient, _limit_spool(settings)).add_to(app)
    JobRoutes(desk).add_to(app)
    AccountRoutes(access).add_to(app)
    PlaygroundRoutes(access).add_to(app)
    app.on_cleanup.append(lambda _: access.close())
    # What is read before anything is called, by programs and by people.
    DiscoveryRoutes(offers, priced, ways, list_guides(pages.site.words[DEFAULT.code])).add_to(app)
    pages.add_to(app)
    return app


def list_prices(payments: PaymentSettings) -> dict[str, Priced]:
    """Everything that has a price, by the name of its row."""
    return {
        row.name: Priced(row.name, row.path, payments.amount(row.name), row.summary, in_form=row is not PAID)
        for row in (PAID, *OPERATIONS)
    } | price_jobs(payments)


def _limit_spool(settings: Settings) -> SpoolLimits:
    budget = UploadBudget(settings.spool_budget_mib * _MIB, metrics.UPLOADS.labels("disk"))
    return SpoolLimits(settings.spool_folder, budget, settings.video_mib * _MIB)


def _make_completion(lifecycle: Lifecycle) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def complete_response(request: web.Request, response: web.StreamResponse) -> None:
        set_common_headers(request, response)
        if lifecycle.draining:
            response.headers["Connection"] = "close"
            response.force_close()

    return complete_response


def _open_desk(
    app: web.Application, settings: Settings, jobs: JobService, access: Access, paid: PaidDesk | None
) -> JobDesk:
    """The desk, whose chores run as long as `app` does."""
    finishing = Finishing()
    quota = JobQuota(JobCounts(access.keyring.store), jobs)
    app.cleanup_ctx.append(quota.sweeping)
    app.on_cleanup.append(lambda _: finishing.drain())
    return JobDesk(jobs, access, quota, Downloads(jobs, finishing, settings.request_timeout_s), paid)


def _open_free(settings: Settings) -> DailyBudget | None:
    if settings.free_per_day == 0:
        return None
    return DailyBudget(settings.rate_limit_storage, settings.free_per_day, settings.free_per_client)


def _tell_sold(access: Access) -> IsSold:
    forms = {HD_SUBMIT, VIDEO_SUBMIT, *(row.path for row in OPERATIONS)}

    async def is_sold(request: web.BaseRequest) -> bool:
        return request.path == PAID.path or (request.path in forms and await access.is_sold(request))

    return is_sold


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
        KeysUnavailableError: The keys' database does not answer.
    """
    lifecycle = Lifecycle()
    async with AsyncExitStack() as stack:
        keyring = await _open_keyring(settings, stack)
        await _check_access(settings, payments, keyring)
        images, jobs = _open_channels(settings)
        await stack.enter_async_context(images)
        await stack.enter_async_context(jobs)
        limiter = _make_limiter(settings, "clearcanvas-unpaid")
        per_key = _make_limiter(settings, "clearcanvas-keys")
        stack.push_async_callback(limiter.close)
        stack.push_async_callback(per_key.close)
        shop = None
        if payments.rails:
            from adapter.sale.rails import open_shop  # noqa: PLC0415 - the chains' libraries take seconds to load.

            shop = await stack.enter_async_context(open_shop(payments, checkpoint=checkpoint))
        app = build_app(
            settings,
            payments,
            service=ImageService(images),
            jobs=JobService(jobs, settings.job_submit_timeout_s),
            lifecycle=lifecycle,
            keyring=keyring,
            limiter=limiter,
            per_key=per_key,
            shop=shop,
        )
        await _listen_until(stop, settings, app, lifecycle)


def _open_channels(settings: Settings) -> tuple[grpc.aio.Channel, grpc.aio.Channel]:
    """One for pictures and one for jobs, which a server may serve without the other. Raises InvalidSettingsError."""
    try:
        return open_channel(settings.grpc, settings.tls), open_channel(settings.grpc, settings.tls, "JobService")
    except CertificateError as error:
        raise InvalidSettingsError(str(error)) from error


async def _open_keyring(settings: Settings, stack: AsyncExitStack) -> Keyring:
    try:
        store = KeyStore(settings.keys_url)
    except ValueError as error:
        raise InvalidSettingsError(str(error)) from error
    stack.push_async_callback(store.close)
    await store.start()
    return Keyring(store)


async def _check_access(settings: Settings, payments: PaymentSettings, keyring: Keyring) -> None:
    """Nobody opens the service to the public by accident. Raises InvalidSettingsError."""
    if not await keyring.is_empty():
        logger.info("the image operations are for those with an API key")
    elif settings.on_loopback:
        logger.warning("there is no API key: the image operations are open to all who reach %s", settings.http)
    elif not payments.rails and not settings.free_per_day:
        message = (
            f"{settings.http} is not a loopback address, and nobody could use what is served there: bind 127.0.0.1, "
            "make an API key with `clearcanvas keys add`, or configure a way to be paid"
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


def _make_limiter(settings: Settings, namespace: str) -> Limiter:
    name = namespace.removeprefix("clearcanvas-")
    if settings.rate_limit_storage == "memory://":
        return CountedLimiter(LocalLimiter(settings.unpaid_per_minute), name)
    return CountedLimiter(SharedLimiter(settings.rate_limit_storage, settings.unpaid_per_minute, namespace), name)


def _to_url(listener: asyncio.Server) -> str:
    host, port = listener.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
