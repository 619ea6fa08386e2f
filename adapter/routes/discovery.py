"""What machines read before they call: the OpenAPI document, one page in words, and the list of what x402 buys."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aiohttp import hdrs, web

from adapter.discovery.llms import Guide, build_page
from adapter.discovery.openapi import build_document
from adapter.discovery.way import WayToPay
from adapter.pages.catalog import DOCUMENTS
from adapter.pages.languages import DEFAULT
from adapter.sale.offers import Offers, Priced
from adapter.sale.settings import RailName

_KEPT = 16  # Documents, by host and rails: 150 KB each, and callers choose the hosts' names.
_FRESH = {hdrs.CACHE_CONTROL: "public, max-age=300"}  # Prices change with the settings, and so by a restart.


@dataclass(frozen=True)
class DiscoveryRoutes:
    """Serves the documents, for the host that is asked."""

    offers: Offers
    priced: Mapping[str, Priced]
    """By the operation's name."""
    ways: Mapping[RailName, WayToPay]
    guides: Sequence[Guide]

    def add_to(self, app: web.Application) -> None:
        """Registers the documents."""
        write = lru_cache(maxsize=_KEPT)(self._write)

        async def describe(request: web.Request) -> web.Response:
            body = write(self.offers.base_url(request), self._ways_of(request))
            return web.Response(body=body, content_type="application/json", headers=_FRESH)

        app.router.add_get("/openapi.json", describe)
        app.router.add_get("/llms.txt", self._llms)
        app.router.add_get("/.well-known/x402", self._x402)

    def _write(self, base_url: str, ways: Sequence[WayToPay]) -> bytes:
        return json.dumps(build_document(base_url, self.priced, ways), ensure_ascii=False).encode()

    async def _llms(self, request: web.Request) -> web.Response:
        page = build_page(self.offers.base_url(request), self.priced, self._ways_of(request), self.guides)
        return web.Response(text=page, headers=_FRESH)

    async def _x402(self, request: web.Request) -> web.Response:
        """The list that x402's directories read: version 1, the URLs of what is sold."""
        base_url, rails = self.offers.base_url(request), self.offers.rails_of(request)
        sold = [base_url + priced.path for priced in self.priced.values()] if "x402" in rails else []
        return web.json_response({"version": 1, "resources": sold}, headers=_FRESH)

    def _ways_of(self, request: web.Request) -> tuple[WayToPay, ...]:
        return tuple(self.ways[rail] for rail in self.offers.rails_of(request))


def list_guides(words: Mapping[str, Any]) -> tuple[Guide, ...]:
    """The guides as `words` of the pages name them, in English."""
    return tuple(
        Guide(page.slug, words["documents"][page.slug], words["summaries"][page.slug], page.markdown_path(DEFAULT))
        for page in DOCUMENTS
    )
