"""Puts the adapter together and runs it until it is told to stop."""

import asyncio
import logging

from aiohttp import web

from adapter.budget import UploadBudget
from adapter.config import Settings
from adapter.lifecycle import Lifecycle
from adapter.listener import ConnectionLimits, listen
from adapter.middleware.errors import map_errors
from adapter.middleware.headers import answer_preflight, set_common_headers
from adapter.routes.health import HealthRoutes
from adapter.routes.images import ImageRoutes
from adapter.service import ImageService, open_channel
from adapter.upload import UploadLimits

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
_CLOSE_TIMEOUT_S = 0.5  # For connections that are still open when the requests in flight are done.


def build_app(settings: Settings, service: ImageService, lifecycle: Lifecycle) -> web.Application:
    """Builds the application: the routes, and the middleware around them from the outside in."""
    app = web.Application(middlewares=[map_errors, answer_preflight])

    async def complete_response(request: web.Request, response: web.StreamResponse) -> None:
        set_common_headers(request, response)
        if lifecycle.draining:
            response.headers["Connection"] = "close"
            response.force_close()

    app.on_response_prepare.append(complete_response)
    HealthRoutes(service, lifecycle).add_to(app)
    ImageRoutes(
        service,
        lifecycle,
        UploadBudget(settings.upload_budget_mib * _MIB),
        UploadLimits(idle_timeout_s=settings.upload_idle_timeout_s, total_timeout_s=settings.upload_timeout_s),
        settings.request_timeout_s,
    ).add_to(app)
    return app


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Serves until `stop` is set; then not ready first, the requests in flight finished, and gone.

    Raises:
        OSError: The address cannot be listened on.
    """
    lifecycle = Lifecycle()
    async with open_channel(settings.grpc) as channel:
        runner = web.AppRunner(
            build_app(settings, ImageService(channel), lifecycle),
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


def _to_url(listener: asyncio.Server) -> str:
    host, port = listener.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
