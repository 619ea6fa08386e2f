"""What a machine finds before it pays: rails by host, the documents, CORS; and what it finds where nothing is sold."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from adapter.discovery.jobs import SUBMISSIONS, list_job_options
from adapter.discovery.listings import LISTINGS
from adapter.jobs.failures import HD_SUBMIT, VIDEO_SUBMIT
from adapter.jobs.orders import VIDEO
from adapter.jobs.paid_desk import HD
from adapter.operations import OPERATIONS, PAID, Operation
from adapter.payments.x402.config import Listing
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.process import AdapterProcess, RawConnection
from tests.integration.adapter.shop import ADDRESS, PATH, PNG, PNG_TYPE, RunningShop, running_shop, x402

HOSTS = {"x402.example.com": ("x402",), "mpp.example.com": ("mpp",), "free.example.com": ()}


@pytest_asyncio.fixture
async def shop(running_fake: RunningFake, tmp_path: Path) -> AsyncIterator[RunningShop]:
    settings = {"trusted_proxies": ["127.0.0.0/8"]}
    async with running_shop(running_fake.address, tmp_path, payments={"hosts": HOSTS}, settings=settings) as running:
        yield running


async def get(shop: RunningShop, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, Any]:
    async with shop.http.get(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    ) as response:
        return response, await response.json()


@pytest.mark.parametrize(
    ("host", "offered"),
    [
        ("x402.example.com", {"PAYMENT-REQUIRED"}),
        ("X402.EXAMPLE.com:8443", {"PAYMENT-REQUIRED"}),
        ("mpp.example.com", {"WWW-Authenticate"}),
        ("other.example.com", {"PAYMENT-REQUIRED", "WWW-Authenticate"}),
        ("[::1]:80", {"PAYMENT-REQUIRED", "WWW-Authenticate"}),
    ],
)
async def test_a_host_offers_its_rails(shop: RunningShop, host: str, offered: set[str]) -> None:
    response = await shop.ask({"Host": host})
    assert response.status == 402
    assert {"PAYMENT-REQUIRED", "WWW-Authenticate"} & set(response.headers) == offered


async def test_a_payment_of_another_rail_is_no_payment_on_a_host(shop: RunningShop) -> None:
    response, _ = await shop.post(x402() | {"Host": "mpp.example.com"})
    assert response.status == 402
    assert "PAYMENT-REQUIRED" not in response.headers
    assert shop.x402.settled == []


@pytest.mark.parametrize("host", ["free.example.com", "FREE.example.com"])
async def test_a_host_without_rails_sells_nothing(shop: RunningShop, host: str) -> None:
    response, body = await shop.post({"Host": host})
    assert response.status == 401
    assert json.loads(body)["error"] == "payment_not_offered"


@pytest.mark.parametrize("host", ["a b", 'a"b', "a/b", "user@a", "a:b", "", "a" * 254])
async def test_a_host_that_is_no_name_is_refused(shop: RunningShop, host: str) -> None:
    response = await shop.ask({"Host": host})
    assert response.status == 400


@pytest.mark.parametrize(
    ("headers", "resource"),
    [
        ({"Host": "a.example:8080"}, "http://a.example:8080"),
        ({"Host": "A.example", "X-Forwarded-Proto": "https"}, "https://a.example"),
        ({"Host": "a.example", "X-Forwarded-Proto": "gopher"}, "http://a.example"),
    ],
)
async def test_the_resource_is_as_the_payer_sees_it(shop: RunningShop, headers: dict[str, str], resource: str) -> None:
    _, body = await shop.post(headers)
    assert json.loads(body)["resource"] == resource + PATH


@pytest.mark.parametrize("said", ["https://b.example", "ftp://b.example", "http://b.example"])
async def test_the_request_line_has_no_say_in_what_is_signed(shop: RunningShop, said: str) -> None:
    """An absolute address there would else choose the scheme of the URL that a payer signs (PYSEC-2026-4369)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    connection = RawConnection(reader, writer)
    await connection.post(f"{said}{PATH}", "Content-Type: image/png", f"Content-Length: {len(PNG)}", body=PNG)
    answer = await connection.read_answer()
    writer.close()
    assert answer.status == 402
    assert json.loads(answer.body)["resource"] == f"http://test{PATH}"


async def test_a_public_url_stands_in_for_the_host(running_fake: RunningFake, tmp_path: Path) -> None:
    payments = {"public_url": "https://api.example.com"}
    async with running_shop(running_fake.address, tmp_path, payments=payments) as shop:
        _, body = await shop.post()
        assert json.loads(body)["resource"] == f"https://api.example.com{PATH}"
        _, listed = await get(shop, "/.well-known/x402")
        sold = [
            f"https://api.example.com{path}"
            for path in (PATH, *(row.path for row in OPERATIONS), HD_SUBMIT, VIDEO_SUBMIT)
        ]
        assert listed == {"version": 1, "resources": sold}


async def test_only_x402_hosts_are_listed_for_x402(shop: RunningShop) -> None:
    _, listed = await get(shop, "/.well-known/x402", Host="x402.example.com")
    assert listed["resources"][0] == f"http://x402.example.com{PATH}"
    assert len(listed["resources"]) == 1 + len(OPERATIONS) + 2
    _, listed = await get(shop, "/.well-known/x402", Host="mpp.example.com")
    assert listed["resources"] == []


async def test_ready_names_the_rails(shop: RunningShop) -> None:
    _, ready = await get(shop, "/ready")
    assert ready["rails"] == ["x402", "mpp"]


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


async def test_the_openapi_document_is_whole(shop: RunningShop) -> None:
    response, document = await get(shop, "/openapi.json", Host="other.example.com")
    assert response.headers["Content-Type"].startswith("application/json")
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": "http://other.example.com"}]
    for reference in set(references(document)):
        node = document
        for key in reference.removeprefix("#/").split("/"):
            node = node[key]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert any(status.startswith("2") for status in operation["responses"]), (path, method)
            assert all(answer["description"] for answer in operation["responses"].values())
            async with shop.http.request(method, path, headers={"Host": "other.example.com"}) as answer:
                assert answer.status not in ({405} if "{" in path else {404, 405}), path
                assert str(answer.status) in operation["responses"], (path, method, answer.status)


async def test_the_openapi_document_says_how_to_pay_on_this_host(shop: RunningShop) -> None:
    methods = {}
    for host in ("other.example.com", "mpp.example.com", "free.example.com"):
        _, document = await get(shop, "/openapi.json", Host=host)
        paid = document["paths"][PATH]["post"]
        assert {"400", "401", "402", "403", "409", "410", "413", "415", "422", "429", "500", "503"} <= set(
            paid["responses"]
        )
        offers = paid.get("x-payment-info", {"offers": []})["offers"]
        assert all((offer["amount"], offer["currency"]) == ("50000", ADDRESS) for offer in offers)
        methods[host] = [offer["method"] for offer in offers]
    assert methods == {
        "other.example.com": ["x402", "tempo"],
        "mpp.example.com": ["tempo"],
        "free.example.com": [],
    }


@pytest.mark.parametrize("row", [PAID, *OPERATIONS], ids=lambda row: row.name)
async def test_every_operation_is_described_with_all_its_fields_and_its_price(
    shop: RunningShop, row: Operation
) -> None:
    _, document = await get(shop, "/openapi.json", Host="other.example.com")
    described = document["paths"][row.path]["post"]
    if row is PAID:
        names = {parameter["name"] for parameter in described["parameters"] if "name" in parameter}
    else:
        form = described["requestBody"]["content"]["multipart/form-data"]["schema"]
        names = set(form["properties"]) - set(row.files)
        assert set(row.files) <= set(form["properties"])
        assert set(form["required"]) == {"image", *(["prompt"] if row.name == "generate" else [])}
    assert names == {option.name for option in row.options}
    amount = "100000" if row.name == "generate" else "50000"
    assert [offer["amount"] for offer in described["x-payment-info"]["offers"]] == [amount, amount]
    async with shop.http.get("/llms.txt") as response:
        assert row.path in await response.text()


@pytest.mark.parametrize("name", [HD, VIDEO])
async def test_every_kind_of_job_is_described_with_all_its_fields_and_its_price(shop: RunningShop, name: str) -> None:
    _, document = await get(shop, "/openapi.json", Host="other.example.com")
    described = document["paths"][SUBMISSIONS[name]]["post"]
    form = described["requestBody"]["content"]["multipart/form-data"]["schema"]
    file = "video" if name == VIDEO else "image"
    assert form["required"] == [file]
    assert set(form["properties"]) == {file, "background"} | {option.name for option in list_job_options(name)}
    assert {"operation", "shadow", "prompt", "format", "webhook_url"} <= set(form["properties"])
    assert ("matting" in form["properties"]) == (name == VIDEO)
    assert len(described["x-payment-info"]["offers"]) == 2
    async with shop.http.get("/llms.txt") as response:
        assert SUBMISSIONS[name] in await response.text()


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS.keys())
def test_the_listing_for_directories_speaks_their_words(listing: Listing) -> None:
    assert set(listing.input) == set(listing.input_schema)
    assert listing.input["bodyType"] in {"json", "form-data", "text"}
    assert len(json.dumps([dict(listing.input), dict(listing.input_schema)])) < 1500  # It travels in one header.


async def test_one_page_tells_a_language_model_how_to_pay(shop: RunningShop) -> None:
    async with shop.http.get("/llms.txt", headers={"Host": "mpp.example.com"}) as response:
        text = await response.text()
        assert response.headers["Content-Type"].startswith("text/plain")
    assert f"POST http://mpp.example.com{PATH}" in text
    assert "$0.05" in text
    assert "MPP" in text
    assert "x402" not in text


async def test_a_browser_may_send_payments_and_read_receipts(shop: RunningShop) -> None:
    wanted = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    async with shop.http.options(PATH, headers=wanted) as response:
        assert response.status == 204
        allowed = set(response.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"X-PAYMENT", "PAYMENT-SIGNATURE", "Authorization", "Idempotency-Key", "Content-Type"} <= allowed
    for headers in ({}, x402()):
        response, _ = await shop.post(headers)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
        assert {
            "PAYMENT-REQUIRED",
            "PAYMENT-RESPONSE",
            "X-PAYMENT-RESPONSE",
            "WWW-Authenticate",
            "Payment-Receipt",
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "Retry-After",
        } <= exposed


async def test_with_no_rail_configured_nothing_is_sold_and_all_else_works(
    adapter: AdapterProcess, http: aiohttp.ClientSession
) -> None:
    async with http.post(PATH, data=PNG, headers={**PNG_TYPE, **x402()}) as response:
        assert response.status == 401
        answer = await response.json()
        assert (answer["error"], answer["retryable"]) == ("payment_not_offered", False)
    async with http.get("/openapi.json") as response:
        assert "x-payment-info" not in (await response.json())["paths"][PATH]["post"]
    async with http.get("/.well-known/x402") as response:
        assert (await response.json())["resources"] == []
    assert adapter.process.returncode is None
