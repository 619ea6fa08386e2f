"""Alive is not ready: `/health` asks nobody, `/ready` asks the image service."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from aiohttp import web

from adapter.lifecycle import Lifecycle
from adapter.service import ImageService

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HealthRoutes:
    """Serves the probes."""

    service: ImageService
    lifecycle: Lifecycle
    rails: Sequence[str] = ()
    """The ways to pay that are offered."""

    def add_to(self, app: web.Application) -> None:
        """Registers the probes."""
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _ready(self, _: web.Request) -> web.Response:
        if self.lifecycle.draining:
            return _unavailable("The adapter is shutting down.")
        try:
            readiness = await self.service.check()
        except grpc.aio.AioRpcError as error:
            logger.debug("the image service does not answer: %s", error.code().name)
            return _unavailable("The image service does not answer.")
        facts = {"model": readiness.model, "device": readiness.device}
        if not readiness.ready:
            return _unavailable("The image service is not ready.", facts)
        return web.json_response({"status": "ready", **facts, "rails": list(self.rails)})


def _unavailable(message: str, facts: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"status": "unavailable", "message": message, **(facts or {})}, status=503)
