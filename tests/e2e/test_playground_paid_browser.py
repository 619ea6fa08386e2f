"""What a visitor pays in the playground, with a wallet in a real browser, on a real chain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.support.axe import find_barriers
from tests.support.devnet import Wallet
from tests.support.paid_stack import PRICE, PaidStack, RunningAdapter
from tests.support.playground import Playground, photo_file, visiting
from tests.support.wallet import BrowserWallet

HD_PRICE = 200_000
CLEAR = (0, 0, 0, 0)
pytestmark = pytest.mark.usefixtures("client_packages")


@pytest.fixture(scope="module")
async def shop(paid_stack: PaidStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningAdapter]:
    """Where everybody pays, but for one picture a day; tells visitors apart by what a proxy says of them."""
    told: dict[str, Any] = {"free_per_day": 100, "free_per_client": 1, "trusted_proxies": ["127.0.0.0/8"]}
    async with paid_stack.adapter(tmp_path_factory.mktemp("shop"), http="0.0.0.0:0", **told) as adapter:
        yield adapter


@asynccontextmanager
async def shopping(
    browser: Browser, shop: RunningAdapter, number: int, wallet: BrowserWallet
) -> AsyncIterator[Playground]:
    """A visitor of the shop, who has a wallet and whose free picture is used up."""
    host = shop.http.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced, not bound.
    headers = {"X-Forwarded-For": f"203.0.113.{number}"}
    async with visiting(browser, host, refusals=[402], extra_http_headers=headers) as (playground, _):
        await wallet.install(playground.page.context)
        await playground.open()
        await playground.upload(photo_file())
        await expect(playground.page.locator("#access")).to_have_attribute("data-way", "free")
        await playground.run()
        await playground.until("done")
        await expect(playground.page.locator("#access")).to_have_attribute("data-way", "pay")
        yield playground


async def test_a_wallet_pays_for_a_photo_once(browser: Browser, shop: RunningAdapter, paid_stack: PaidStack) -> None:
    payer = await paid_stack.payer("x402")
    wallet = BrowserWallet(Wallet(payer.key, payer.address))
    async with shopping(browser, shop, 1, wallet) as playground:
        page = playground.page
        await playground.run()
        await playground.until("payment")
        await expect(page.locator("#payment-price")).to_have_text("$0.05")
        await expect(page.locator("#payment-network")).to_contain_text("Base Sepolia")
        assert await find_barriers(page) == []
        assert wallet.asked == [], "nobody is asked before they agreed"
        await page.click("#pay")
        await playground.until("done")
        (charge,) = await payer.charges()
        assert charge.amount == PRICE
        await expect(page.locator("#receipt")).to_contain_text(charge.transaction)
        assert await playground.read_pixel(0, 0) == CLEAR
    assert len(wallet.signed) == 1
    assert "wallet_addEthereumChain" in wallet.asked, "the wallet did not know the chain"


async def test_who_declines_pays_nothing(browser: Browser, shop: RunningAdapter, paid_stack: PaidStack) -> None:
    payer = await paid_stack.payer("x402")
    wallet = BrowserWallet(Wallet(payer.key, payer.address), rejects=True)
    async with shopping(browser, shop, 2, wallet) as playground:
        page = playground.page
        await playground.run()
        await playground.until("payment")
        await page.click("#pay")
        await playground.until("error")
        await expect(page.locator("#error-title")).to_contain_text("Nothing was charged")
    assert wallet.signed == []
    assert await payer.charges() == []


async def test_a_wallet_pays_for_a_job_once(browser: Browser, shop: RunningAdapter, paid_stack: PaidStack) -> None:
    payer = await paid_stack.payer("x402")
    wallet = BrowserWallet(Wallet(payer.key, payer.address), chains={1, 84532})
    async with shopping(browser, shop, 3, wallet) as playground:
        page = playground.page
        await playground.upload(photo_file(2080))
        await playground.until("ready")
        await playground.run()
        await playground.until("payment")
        await page.click("#pay")
        await playground.until("done")
        (charge,) = await payer.charges()
        assert charge.amount == HD_PRICE
        assert await playground.read_pixel(0, 0) == CLEAR
    assert len(wallet.signed) == 1
