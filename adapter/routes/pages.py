"""The pages: documents in each language, for people and as Markdown for programs."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web

from adapter.discovery.way import WayToPay
from adapter.pages.catalog import DOCUMENTS, Document
from adapter.pages.facts import Facts, Limits
from adapter.pages.languages import LANGUAGES, Language, choose_language
from adapter.pages.site import Site
from adapter.sale.offers import Offers, Priced
from adapter.sale.settings import RailName

_BY_SLUG = {document.slug: document for document in DOCUMENTS}


@dataclass(frozen=True)
class PageRoutes:
    """Serves the pages, with the facts of the host that is asked."""

    site: Site
    offers: Offers
    priced: Mapping[str, Priced]
    """By the name in the price table."""
    ways: Mapping[RailName, WayToPay]
    limits: Limits

    def add_to(self, app: web.Application) -> None:
        """Registers the pages."""
        languages = "|".join(LANGUAGES)
        app.router.add_get("/docs/{slug}", self._choose)
        app.router.add_get(f"/{{language:{languages}}}/docs/{{slug}}.md", self._markdown)
        app.router.add_get(f"/{{language:{languages}}}/docs/{{slug}}", self._html)

    async def _choose(self, request: web.Request) -> web.Response:
        """The reader's own language has an address of its own."""
        document = _find(request)
        language = choose_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        headers = {hdrs.LOCATION: f"/{language.code}/docs/{document.slug}", hdrs.VARY: hdrs.ACCEPT_LANGUAGE}
        return web.Response(status=302, headers=headers)

    async def _markdown(self, request: web.Request) -> web.Response:
        text = self.site.markdown(_language_of(request), _find(request), self._facts(request))
        return web.Response(text=text, content_type="text/markdown")

    async def _html(self, request: web.Request) -> web.Response:
        text = self.site.html(_language_of(request), _find(request), self._facts(request))
        return web.Response(text=text, content_type="text/html")

    def _facts(self, request: web.Request) -> Facts:
        base_url, rails = self.offers.base_url(request), tuple(self.offers.rails_of(request))
        return Facts(
            base_url=base_url,
            rails=rails,
            urls=tuple((rail, self.offers.url_for(request, rail)) for rail in self.ways),
            ways=tuple(self.ways.items()),
            priced=tuple(self.priced.values()),
            limits=self.limits,
        )


def _language_of(request: web.Request) -> Language:
    return LANGUAGES[request.match_info["language"]]


def _find(request: web.Request) -> Document:
    document = _BY_SLUG.get(request.match_info["slug"])
    if document is None:
        raise web.HTTPNotFound
    return document
