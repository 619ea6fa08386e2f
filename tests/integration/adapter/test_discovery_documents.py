"""What machines read of the service is whole and valid: the OpenAPI document, and the page for language models."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import pytest_asyncio
from schemathesis.specs.openapi import definitions

from adapter.pages.catalog import DOCUMENTS
from adapter.pages.languages import LANGUAGES
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.shop import RunningShop, running_shop

PAGES = ("/static/", "/docs", *(f"/{language}/" for language in LANGUAGES))
FOR_PEOPLE = {"/", "/playground", "/robots.txt", "/sitemap.xml"}


@pytest_asyncio.fixture
async def shop(running_fake: RunningFake, tmp_path: Path) -> AsyncIterator[RunningShop]:
    payments = {"hosts": {"mpp.example.com": ("mpp",)}}
    async with running_shop(running_fake.address, tmp_path, payments=payments) as running:
        yield running


async def read(shop: RunningShop, path: str, host: str = "api.example.com") -> tuple[Any, str]:
    async with shop.http.get(path, headers={"Host": host}) as response:
        assert response.status == 200
        return response, await response.text()


async def test_the_document_is_openapi(shop: RunningShop) -> None:
    response, text = await read(shop, "/openapi.json")
    assert response.headers["Cache-Control"] == "public, max-age=300"
    document = json.loads(text)
    jsonschema_rs.Draft202012Validator(definitions.OPENAPI_31).validate(document)
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)


async def test_every_route_is_described_but_the_pages(shop: RunningShop) -> None:
    document = json.loads((await read(shop, "/openapi.json"))[1])
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    routes = {
        (route.method, route.resource.canonical)
        for route in shop.app.router.routes()
        if route.resource is not None and route.method not in {"HEAD", "OPTIONS"}
    }
    pages = {(method, path) for method, path in routes if path in FOR_PEOPLE or path.startswith(PAGES)}
    assert {method for method, _ in pages} == {"GET"}
    assert described == routes - pages


async def test_directories_of_both_protocols_read_the_prices(shop: RunningShop) -> None:
    """MPP's have `offers`, x402's have `price` and `protocols`."""
    paid = json.loads((await read(shop, "/openapi.json"))[1])["paths"]["/v1/remove-background"]["post"]
    assert paid["security"] == []
    told = paid["x-payment-info"]
    assert [(offer["method"], offer["amount"]) for offer in told["offers"]] == [("x402", "50000"), ("tempo", "50000")]
    assert told["price"] == {"mode": "fixed", "currency": "USD", "amount": "0.05"}
    assert [set(protocol) for protocol in told["protocols"]] == [{"x402"}, {"mpp"}]


@pytest.mark.parametrize("host", ["api.example.com", "mpp.example.com"])
async def test_language_models_find_every_guide_that_is_of_use_to_them(shop: RunningShop, host: str) -> None:
    _, text = await read(shop, "/llms.txt", host)
    for page in DOCUMENTS:
        address = f"http://{host}{page.markdown_path(LANGUAGES['en'])}"
        assert (address in text) == (page.slug != "x402" or host == "api.example.com")
        if address in text:
            await read(shop, page.markdown_path(LANGUAGES["en"]), host)
    assert "clearcanvas mcp" in text
