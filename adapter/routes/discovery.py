"""What machines read before they call: the OpenAPI document, and the list of what can be bought with x402."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from adapter.discovery.llms import build_page
from adapter.discovery.openapi import build_document
from adapter.discovery.way import WayToPay
from adapter.sale.offers import Offers, Priced
from adapter.sale.settings import RailName


@dataclass(frozen=True)
class DiscoveryRoutes:
    """Serves the documents, for the host that is asked."""

    offers: Offers
    priced: Mapping[str, Priced]
    """By the operation's name."""
    ways: Mapping[RailName, WayToPay]

    def add_to(self, app: web.Application) -> None:
        """Registers the documents."""
        app.router.add_get("/openapi.json", self._openapi)
        app.router.add_get("/llms.txt", self._llms)
        app.router.add_get("/.well-known/x402", self._x402)

    async def _openapi(self, request: web.Request) -> web.Response:
        document = build_document(self.offers.base_url(request), self.priced, self._ways_of(request))
        return web.json_response(document)

    async def _llms(self, request: web.Request) -> web.Response:
        page = build_page(self.offers.base_url(request), self.priced, self._ways_of(request))
        return web.Response(text=page)

    async def _x402(self, request: web.Request) -> web.Response:
        """The list that x402's directories read: version 1, the URLs of what is sold."""
        base_url, rails = self.offers.base_url(request), self.offers.rails_of(request)
        sold = [base_url + priced.path for priced in self.priced.values()] if "x402" in rails else []
        return web.json_response({"version": 1, "resources": sold})

    def _ways_of(self, request: web.Request) -> list[WayToPay]:
        return [self.ways[rail] for rail in self.offers.rails_of(request)]
