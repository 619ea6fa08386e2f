"""What every answer has in common: request ids, shapes of errors, CORS, probes, the log."""

import aiohttp
import pytest

from tests.integration.adapter.fake_service import DEVICE, FakeImageService
from tests.integration.adapter.forms import COLOR, MATTE, post
from tests.integration.adapter.process import AdapterProcess


async def test_the_request_id_goes_down_and_comes_back(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    response, _ = await post(http, MATTE, headers={"X-Request-ID": "abc-1.2:3_4"})
    assert response.headers["X-Request-ID"] == "abc-1.2:3_4"
    assert fake.request_ids == ["abc-1.2:3_4"]


@pytest.mark.parametrize("sent", ["a" * 129, "two words", 'x"y', ""])
async def test_an_unsound_request_id_is_replaced(
    http: aiohttp.ClientSession, fake: FakeImageService, sent: str
) -> None:
    response, _ = await post(http, MATTE, headers={"X-Request-ID": sent})
    chosen = response.headers["X-Request-ID"]
    assert len(chosen) == 32
    assert fake.request_ids == [chosen]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", MATTE, 405),
        ("DELETE", COLOR, 405),
        ("POST", "/health", 405),
        ("POST", MATTE, 415),
    ],
)
async def test_every_error_has_the_surface_s_shape_and_headers(
    http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, path, headers={"X-Request-ID": "me", "Origin": "https://a.example"}) as response:
        assert response.status == status
        assert set(await response.json()) == {"message"}
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Request-ID"] == "me"
        assert "aiohttp" not in response.headers["Server"]
        assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(("path", "methods"), [(MATTE, "OPTIONS, POST"), ("/health", "GET, HEAD, OPTIONS")])
async def test_a_preflight_is_answered_with_the_router_s_methods(
    http: aiohttp.ClientSession, path: str, methods: str
) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    async with http.options(path, headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Methods"] == methods
        assert "X-API-Key" in response.headers["Access-Control-Allow-Headers"]
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_preflight_of_nothing_is_404(http: aiohttp.ClientSession) -> None:
    async with http.options("/nowhere") as response:
        assert response.status == 404


async def test_a_picture_exposes_its_facts_to_scripts(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    response, _ = await post(http, MATTE)
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"X-Width", "X-Model", "Server-Timing", "X-Request-ID"} <= set(exposed)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert fake.requests


@pytest.mark.case("H16")
async def test_ready_names_the_model_and_its_device(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    async with http.get("/ready") as response:
        assert (response.status, await response.json()) == (
            200,
            {"status": "ready", "model": "isnet", "device": DEVICE, "rails": []},
        )
    async with http.get("/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "alive"})
    assert fake.requests == []


async def test_the_access_log_has_the_request_id_and_no_probes(
    http: aiohttp.ClientSession, adapter: AdapterProcess, fake: FakeImageService
) -> None:
    async with http.get("/health"), http.get("/ready"):
        await post(http, MATTE, headers={"X-Request-ID": "find-me"})
    assert fake.request_ids == ["find-me"]
    await adapter.logged("find-me", MATTE)
    accesses = [line for line in adapter.log if " aiohttp.access [" in line]
    assert [line for line in accesses if "/ready" in line or "/health" in line] == []


@pytest.mark.case("C2")
@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/models/isnet/infer",
        "/v2/repository/index",
        "/v2/repository/models/isnet/load",
        "/v2/repository/models/isnet/unload",
        "/v2/systemsharedmemory/region/a/register",
        "/v2/cudasharedmemory/region/a/register",
        "/inference.GRPCInferenceService/RepositoryModelLoad",
        "/clearcanvas.v1.ModelService/PromoteModel",
        "/clearcanvas.v1.ImageService/Edit",
    ],
)
async def test_nothing_of_the_inner_side_is_served_to_the_public(http: aiohttp.ClientSession, path: str) -> None:
    headers = {"Content-Type": "application/grpc"}
    for method in ("GET", "POST"):
        async with http.request(method, path, data=None if method == "GET" else b"{}", headers=headers) as response:
            assert response.status == 404
