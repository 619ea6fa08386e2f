"""The pages as a browser gets them: languages, twins for programs, headers, and what they load."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import aiohttp
import pytest
import pytest_asyncio

from adapter.pages.catalog import DOCUMENTS, LANDING, PAGES, Page
from adapter.pages.languages import LANGUAGES
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.shop import PATH, RunningShop, running_shop, x402

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest_asyncio.fixture(scope="module")
async def shop(running_fake: RunningFake, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningShop]:
    folder: Path = tmp_path_factory.mktemp("pages")
    hosts = {"x402.example.com": ("x402",), "mpp.example.com": ("mpp",), "free.example.com": ()}
    async with running_shop(running_fake.address, folder, payments={"hosts": hosts}) as running:
        yield running


async def read(shop: RunningShop, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with shop.http.get(path, headers=sent, allow_redirects=False) as response:
        return response, await response.text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_every_page_is_there_in_every_language_for_people_and_for_programs(shop: RunningShop, page: Page) -> None:
    for language in LANGUAGES.values():
        response, text = await read(shop, page.path(language))
        assert response.status == 200
        assert response.content_type == "text/html"
        assert response.headers["Content-Language"] == language.code
        assert f'<html lang="{language.code}">' in text
        assert len(re.findall(r"<h1[ >]", text)) == 1
        assert "built-in method" not in text  # A word with the name of a method of dictionaries.
        response, text = await read(shop, page.markdown_path(language))
        assert response.status == 200
        assert response.content_type == "text/markdown"
        assert text.startswith("# ")
        assert "{#" not in text


@pytest.mark.parametrize(
    ("path", "accept_language", "place"),
    [
        ("/", "", "/en/"),
        ("/", "es-ES,es;q=0.9", "/es/"),
        ("/playground", "fr", "/fr/playground"),
        ("/docs", "fr-CH", "/fr/docs"),
        ("/docs/x402", "de, es;q=0.5", "/es/docs/x402"),
    ],
)
async def test_an_address_without_a_language_leads_to_the_readers(
    shop: RunningShop, path: str, accept_language: str, place: str
) -> None:
    response, _ = await read(shop, path, Accept_Language=accept_language)
    assert response.status == 302
    assert response.headers["Location"] == place
    assert response.headers["Vary"] == "Accept-Language"


async def test_a_page_names_itself_in_the_other_languages_and_for_programs(shop: RunningShop) -> None:
    _, text = await read(shop, "/es/docs/mpp", Host="free.example.com")
    for code in LANGUAGES:
        assert f'<link rel="alternate" hreflang="{code}" href="http://free.example.com/{code}/docs/mpp">' in text
    assert '<link rel="alternate" hreflang="x-default" href="http://free.example.com/en/docs/mpp">' in text
    assert '<link rel="canonical" href="http://free.example.com/es/docs/mpp">' in text
    assert '<link rel="alternate" type="text/markdown" href="/es/docs/mpp.md">' in text


async def test_a_page_shows_the_addresses_of_the_host_that_is_asked(shop: RunningShop) -> None:
    for path in ("/en/docs/x402", "/en/docs/x402.md"):
        _, text = await read(shop, path, Host="other.example.com:8443")
        assert "http://other.example.com:8443/v1/remove-background" in text
        assert "clearcanvas.app" not in text
        # A host without the rail leads to the one that has it.
        _, text = await read(shop, path, Host="mpp.example.com")
        assert "http://x402.example.com/v1/remove-background" in text


async def test_a_page_is_asked_for_again_and_sent_again_only_when_it_changed(shop: RunningShop) -> None:
    response, text = await read(shop, "/en/")
    assert response.headers["Cache-Control"] == "no-cache"
    tag = response.headers["ETag"]
    again, nothing = await read(shop, "/en/", If_None_Match=tag)
    assert (again.status, nothing) == (304, "")
    assert again.headers["ETag"] == tag
    other, changed = await read(shop, "/en/", If_None_Match=tag, Host="free.example.com")
    assert other.status == 200
    assert changed != text


async def test_a_page_is_sent_compressed_to_whoever_can_read_that(shop: RunningShop) -> None:
    for path in ("/en/docs/rest", "/en/docs/rest.md", "/static/0123456789abcdef/style.css"):
        for accepted, used in (("gzip", "gzip"), ("identity", None)):
            response, text = await read(shop, path, Accept_Encoding=accepted)
            assert response.headers.get("Content-Encoding") == used
            assert response.headers["Vary"] == "Accept-Encoding"
            assert len(text) > 1000
        async with shop.http.head(path) as response:
            assert response.status == 200


async def test_a_rail_that_no_named_host_offers_is_shown_at_the_host_that_is_asked(
    running_fake: RunningFake, tmp_path: Path
) -> None:
    hosts = {"free.example.com": ()}
    async with running_shop(running_fake.address, tmp_path, payments={"hosts": hosts}) as shop:
        response, text = await read(shop, "/en/docs/x402", Host="free.example.com")
    assert response.status == 200
    assert "http://free.example.com/v1/remove-background" in text


async def test_a_page_may_load_from_its_own_host_alone(shop: RunningShop) -> None:
    response, text = await read(shop, "/en/playground")
    policy = dict(directive.split(" ", 1) for directive in response.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert " style=" not in text
    assert not re.search(r"<style|\son[a-z]+=|javascript:", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_what_a_page_loads_is_there_and_kept_for_good(shop: RunningShop, page: Page) -> None:
    _, text = await read(shop, page.path(LANGUAGES["en"]))
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
    assert any(address.endswith("/style.css") for address in loaded)
    weight = len(text.encode())
    for address in loaded:
        async with shop.http.get(address) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            if not response.content_type.startswith(("image/", "video/")):
                weight += len(await response.read())
    assert weight <= 150 * 1024


async def test_a_file_of_another_version_is_not_kept(shop: RunningShop) -> None:
    response, _ = await read(shop, "/static/0123456789abcdef/style.css")
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-cache"
    response, _ = await read(shop, "/static/0123456789abcdef/../../app.py")
    assert response.status == 404


async def test_the_sitemap_names_every_page_in_every_language(shop: RunningShop) -> None:
    response, text = await read(shop, "/sitemap.xml", Host="other.example.com")
    assert response.content_type == "application/xml"
    places = [place.text for place in ElementTree.fromstring(text).iter(f"{_SITEMAP}loc")]  # noqa: S314 - our own.
    assert places == [
        f"http://other.example.com{page.path(language)}" for page in PAGES for language in LANGUAGES.values()
    ]
    _, robots = await read(shop, "/robots.txt", Host="other.example.com")
    assert "Sitemap: http://other.example.com/sitemap.xml" in robots


async def test_a_browser_that_meets_a_402_reads_what_it_costs(shop: RunningShop) -> None:
    plain = await shop.ask()
    async with shop.http.post(PATH, headers=BROWSER | {"Accept-Language": "fr"}) as response:
        text = await response.text()
    assert response.status == plain.status == 402
    assert response.content_type == "text/html"
    changed = {"Content-Length", "Content-Type", "Date", "X-Request-ID"}
    own = {name for name in response.headers if name not in plain.headers}
    assert {n: v for n, v in plain.headers.items() if n not in changed and not n.startswith("RateLimit")} == {
        n: v for n, v in response.headers.items() if n not in changed | own and not n.startswith("RateLimit")
    }
    assert "Content-Security-Policy" in own
    assert "Cet appel coûte 0,05\N{NO-BREAK SPACE}$" in text
    assert "USDC sur Base Sepolia" in text
    assert "pathUSD sur Tempo Moderato" in text
    for rail in ("x402", "mpp"):
        assert f'href="/fr/docs/{rail}"' in text


async def test_a_browser_that_opens_the_address_of_something_sold_reads_the_same(shop: RunningShop) -> None:
    async with shop.http.get(PATH, headers=BROWSER | {"Host": "mpp.example.com"}) as response:
        text = await response.text()
    assert response.status == 405
    assert response.headers["Allow"] == "POST"
    assert "This call costs $0.05" in text
    assert "pathUSD on Tempo Moderato" in text
    assert "USDC" not in text


async def test_what_is_wrong_with_a_request_is_told_to_everybody_alike(shop: RunningShop) -> None:
    async with shop.http.post(PATH, headers=BROWSER | x402("unreadable")) as response:
        assert response.status == 400
        assert response.content_type == "application/json"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html", "image/png"])
async def test_a_program_that_meets_a_402_gets_the_protocols_answer(shop: RunningShop, accept: str) -> None:
    async with shop.http.post(PATH, headers={"Accept": accept}) as response:
        assert response.status == 402
        assert response.content_type == "application/json"
        assert (await response.json())["x402Version"] == 1


async def test_an_address_that_is_no_page_says_so_to_people(shop: RunningShop) -> None:
    for path in ("/nothing", "/en/docs/nothing", "/fr/docs/nothing.md", "/static/x/nothing.css"):
        async with shop.http.get(path, headers=BROWSER | {"Accept-Language": "es"}) as response:
            assert response.status == 404
            assert response.content_type == "text/html"
            text = await response.text()
            assert "Aquí no hay nada" in text
            assert '<meta name="robots" content="noindex">' in text
        async with shop.http.get(path) as response:
            assert response.status == 404
            assert await response.json() == {"message": "Not Found"}


async def test_an_installation_without_rails_says_so_and_shows_no_price(http: aiohttp.ClientSession) -> None:
    async with http.get("/en/") as response:
        text = await response.text()
    assert "$0.05" not in text
    assert "This installation sells nothing" in text
    for document in DOCUMENTS:
        async with http.get(document.path(LANGUAGES["en"])) as response:
            assert response.status == 200, document.name
    async with http.get(LANDING.markdown_path(LANGUAGES["fr"])) as response:
        assert "Cette installation ne vend rien" in await response.text()
