"""The pages: in each language, for people and as Markdown for programs; and the files that they load."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import ETag, hdrs, web

from adapter.pages.catalog import LANDING, PAGES, Page
from adapter.pages.facts import SAMPLE_GRPC, SAMPLE_URLS, Facts
from adapter.pages.languages import LANGUAGES, Language, choose_language
from adapter.pages.site import Site
from adapter.pages.statics import Statics
from adapter.sale.offers import Offers
from transport.addresses import is_loopback

_KEPT = "public, max-age=31536000, immutable"
_SETTLED_S = 10  # After a start, when the first requests have had the processor for themselves.
_ASKED_AGAIN = "no-cache"  # Kept, and used when it is said to be the same still.
# What is asked for by POST, and what belongs to somebody, is for no search engine.
_ROBOTS = f"""User-agent: *
Disallow: /image/
Disallow: /jobs/
Disallow: /v1/
Disallow: /video/

Sitemap: {SAMPLE_URLS[None]}/sitemap.xml
"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class PageRoutes:
    """Serves the pages, with the addresses of the host that is asked."""

    site: Site
    statics: Statics
    offers: Offers
    grpc: str
    """Where this program finds the gRPC service; told to nobody where that is an address of the inside."""

    def add_to(self, app: web.Application) -> None:
        """Registers the pages."""
        app.cleanup_ctx.append(self._preparing)
        app.router.add_get("/static/{digest}/{name:.+}", self._static)
        app.router.add_get("/robots.txt", self._robots)
        app.router.add_get("/sitemap.xml", self._sitemap)
        for page in PAGES:
            app.router.add_get("/" if page is LANDING else f"/{page.name}", self._make_choice(page))
            for language in LANGUAGES.values():
                app.router.add_get(page.path(language), self._make_page(page, language))
                app.router.add_get(page.markdown_path(language), self._make_text(page, language))

    def explain(self, request: web.BaseRequest, status: HTTPStatus) -> str | None:
        """The page for somebody whose browser met `status`."""
        language = choose_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        if status == HTTPStatus.NOT_FOUND:
            return self.site.notice("missing.html", language, ())
        sold = next((priced.name for priced in self.site.facts.priced.values() if priced.path == request.path), None)
        rails = tuple(self.offers.rails_of(request)) if sold else ()
        if not rails:
            return None
        return self.localize(request, self.site.notice("payment.html", language, rails, sold))

    def _make_choice(self, page: Page) -> Handler:
        """The reader's own language has an address of its own."""

        async def choose(request: web.Request) -> web.StreamResponse:
            language = choose_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
            headers = {hdrs.LOCATION: page.path(language), hdrs.VARY: hdrs.ACCEPT_LANGUAGE}
            return web.Response(status=302, headers=headers)

        return choose

    def _make_page(self, page: Page, language: Language) -> Handler:
        async def show(request: web.Request) -> web.StreamResponse:
            text = await asyncio.to_thread(self.site.html, page, language, tuple(self.offers.rails_of(request)))
            return self._respond(request, text, "text/html", language)

        return show

    def _make_text(self, page: Page, language: Language) -> Handler:
        async def show(request: web.Request) -> web.StreamResponse:
            text = await asyncio.to_thread(self.site.markdown, page, language, tuple(self.offers.rails_of(request)))
            return self._respond(request, text, "text/markdown", language)

        return show

    async def _preparing(self, _: web.Application) -> AsyncIterator[None]:
        """Renders every page while the process has nothing better to do: a reader waits for none."""
        task = asyncio.create_task(self._prepare())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _prepare(self) -> None:
        await asyncio.sleep(_SETTLED_S)
        for rails in dict.fromkeys([tuple(self.offers.rails), *map(tuple, self.offers.hosts.values())]):
            for language in LANGUAGES.values():
                for page in PAGES:
                    await asyncio.to_thread(self.site.html, page, language, rails)

    def _respond(
        self, request: web.Request, text: str, content_type: str, language: Language | None = None
    ) -> web.Response:
        body = self.localize(request, text).encode()
        response = web.Response(body=body, content_type=content_type, charset="utf-8")
        response.headers[hdrs.CACHE_CONTROL] = _ASKED_AGAIN
        if language is not None:
            response.headers[hdrs.CONTENT_LANGUAGE] = language.code
        tag = hashlib.sha256(body).hexdigest()[:32]
        response.etag = ETag(tag, is_weak=True)  # Of the text, compressed or not.
        if any(known.value in {tag, "*"} for known in request.if_none_match or ()):
            response.set_status(304)
            response.body = None
        return _compress(response)

    def localize(self, request: web.BaseRequest, text: str) -> str:
        """`text` with the running service's addresses in place of the samples'."""
        for rail, address in SAMPLE_URLS.items():
            offered = rail is not None and rail in self.offers.rails
            url = self.offers.url_for(request, rail) if offered and rail else self.offers.base_url(request)
            text = text.replace(address, url)
        return text.replace(SAMPLE_GRPC, self.grpc) if is_loopback(self.grpc.rpartition(":")[0].strip("[]")) else text

    async def _static(self, request: web.Request) -> web.StreamResponse:
        file = self.statics.files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        current = request.match_info["digest"] == self.statics.digest
        # Of another digest: a page of another version, while one replica after the other is renewed.
        headers = {hdrs.CACHE_CONTROL: _KEPT if current else _ASKED_AGAIN}
        charset = "utf-8" if file.content_type.startswith("text/") else None
        response = web.Response(body=file.body, content_type=file.content_type, charset=charset, headers=headers)
        return _compress(response) if charset else response

    async def _robots(self, request: web.Request) -> web.StreamResponse:
        return self._respond(request, _ROBOTS, "text/plain")

    async def _sitemap(self, request: web.Request) -> web.StreamResponse:
        return self._respond(request, self.site.sitemap(), "application/xml")


def _compress(response: web.Response) -> web.Response:
    """Has `response` compressed for whoever can read that; what has no body stays as it is."""
    response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    if response.body:
        response.enable_compression()
    return response


def open_pages(facts: Facts, offers: Offers, grpc_address: str) -> PageRoutes:
    """All pages; `facts` are those of a host that offers every rail."""
    statics = Statics()
    return PageRoutes(Site(facts, statics), statics, offers, grpc_address)
