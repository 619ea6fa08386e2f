"""The pages in a real browser: what a reader meets in each language, by day and by night, on a desk and on a phone."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from adapter.operations import PAID
from adapter.pages.catalog import DOCUMENTS, LANDING, PAGES, PLAYGROUND
from adapter.pages.catalog import Page as Place
from adapter.pages.languages import DEFAULT, LANGUAGES, Language
from tests.support.axe import find_barriers
from tests.support.browser import PHONE, Watch, launched, reading
from tests.support.lighthouse import judge
from tests.support.processes import free_address

pytestmark = pytest.mark.usefixtures("client_packages")

MOST_BYTES = 150 * 1000  # Of a page with all that it loads, without pictures.
ANCHORS = "[...document.querySelectorAll('[id]')].map(({ id }) => id)"
LINKS = "[...document.querySelectorAll('a[href], link[href], img[src]')].map(({ href, src }) => href ?? src)"
LANGUAGE_CASES = pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
PLACE_CASES = pytest.mark.parametrize("place", PAGES, ids=lambda place: place.slug)


async def weigh(watch: Watch) -> int:
    """Bytes of what a page loaded, as it is without compression; pictures are not counted."""
    answers = [await request.response() for request in watch.requests if request.resource_type != "image"]
    return sum([len(await answer.body()) for answer in answers if answer is not None])


async def overflow(page: Page) -> int:
    """How many pixels a page is wider than its window."""
    width: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


@PLACE_CASES
async def test_a_page_is_for_everyone(browser: Browser, face: str, place: Place) -> None:
    async with reading(browser, face, color_scheme="light") as (page, watch):
        await page.goto(place.path(DEFAULT))
        assert await find_barriers(page) == []
        await page.set_viewport_size(PHONE)
        await page.emulate_media(color_scheme="dark")
        assert await find_barriers(page) == []
        assert await weigh(watch) <= MOST_BYTES


@LANGUAGE_CASES
async def test_the_pages_of_a_language_fit_a_phone_and_lead_nowhere_wrong(
    browser: Browser, face: str, language: Language
) -> None:
    anchors: dict[str, set[str]] = {}
    links: set[str] = set()
    async with reading(browser, face, viewport=PHONE) as (page, _):
        for place in PAGES:
            answer = await page.goto(place.path(language))
            assert answer is not None
            assert answer.status == 200, place
            assert await page.get_attribute("html", "lang") == language.code, place
            await expect(page.locator("h1")).to_have_count(1)
            assert await overflow(page) == 0, place
            assert "object at 0x" not in await page.content(), place
            anchors[place.path(language)] = set(await page.evaluate(ANCHORS))
            links |= set(await page.evaluate(LINKS))
        for link in sorted(links):
            address = urlsplit(link)
            if address.netloc != face:
                assert address.scheme == "https", link
            elif address.path in anchors:
                assert not address.fragment or address.fragment in anchors[address.path], link
            else:
                assert (await page.request.get(link)).status == 200, link


async def test_lighthouse_has_nothing_to_say(face: str) -> None:
    debugging = free_address()
    places = (LANDING, PLAYGROUND, DOCUMENTS[0])
    async with launched(f"--remote-debugging-port={urlsplit(f'//{debugging}').port}"):
        verdicts = await judge(debugging, [f"http://{face}{place.path(DEFAULT)}" for place in places])
    assert len(verdicts) == len(places)
    for verdict in verdicts:
        assert verdict.scores == {"accessibility": 1, "best-practices": 1, "seo": 1}, verdict.findings


@pytest.mark.parametrize(("locale", "code"), [("fr-CA", "fr"), ("es-MX", "es"), ("de-DE", "en")])
async def test_a_reader_is_met_in_their_language(browser: Browser, face: str, locale: str, code: str) -> None:
    async with reading(browser, face, locale=locale) as (page, _):
        await page.goto("/")
        assert urlsplit(page.url).path == f"/{code}/"
        await page.goto("/docs/x402")
        assert urlsplit(page.url).path == f"/{code}/docs/x402"


async def test_another_language_of_the_same_page_is_a_click_away(browser: Browser, face: str) -> None:
    async with reading(browser, face) as (page, _):
        await page.goto("/en/docs/mpp")
        for language in (LANGUAGES["es"], LANGUAGES["fr"]):
            await page.locator(f"a[hreflang={language.code}]:visible").first.click()
            await page.wait_for_url(f"**/{language.code}/docs/mpp")
            assert await page.get_attribute("html", "lang") == language.code


async def test_what_is_copied_is_what_is_shown(browser: Browser, face: str) -> None:
    async with reading(browser, face, permissions=["clipboard-read", "clipboard-write"]) as (page, _):
        await page.goto("/en/docs/x402")
        figure = page.locator("figure.code").first
        await expect(figure.get_by_role("button")).to_have_text("Copy")
        await figure.get_by_role("button").click()
        shown = await figure.locator("pre").inner_text()
        await expect(figure.get_by_role("button")).to_have_text("Copied")
        assert (await page.evaluate("navigator.clipboard.readText()")).strip() == shown.strip()


async def test_the_keyboard_goes_to_the_text_at_once(browser: Browser, face: str) -> None:
    async with reading(browser, face) as (page, _):
        await page.goto("/en/docs/rest")
        await page.keyboard.press("Tab")
        skip = page.locator(":focus")
        await expect(skip).to_be_in_viewport()
        await skip.press("Enter")
        assert await page.evaluate("location.hash && !!document.querySelector(location.hash).closest('main')")


async def test_an_address_that_is_no_page_is_answered_in_words(browser: Browser, face: str) -> None:
    async with reading(browser, face, refusals=[404], locale="fr-FR") as (page, _):
        answer = await page.goto("/fr/docs/nothing")
        assert answer is not None
        assert answer.status == 404
        await expect(page.locator("h1")).to_be_visible()
        assert await page.get_attribute("html", "lang") == "fr"
        assert await find_barriers(page) == []


async def test_a_browser_that_must_pay_is_told_how(browser: Browser, face: str) -> None:
    async with reading(browser, face, refusals=[402]) as (page, _):
        form = f'<form method="post" action="http://{face}{PAID.path}"><button>go</button></form>'
        await page.set_content(form)  # As some page elsewhere may send its reader.
        async with page.expect_navigation() as leaving:
            await page.get_by_role("button").click()
        answer = await leaving.value
        assert answer is not None
        assert answer.status == 402
        assert {"payment-required", "www-authenticate"} <= (await answer.all_headers()).keys()
        text = await page.locator("main").inner_text()
        assert all(word in text for word in ("$0.05", "USDC", "Base Sepolia", "pathUSD", "Tempo"))
        guides = [await link.get_attribute("href") for link in await page.locator("main a[href*='/docs/']").all()]
        assert {"/en/docs/x402", "/en/docs/mpp"} <= set(guides)
        assert await find_barriers(page) == []
