"""The adapter shows its certificate to the image service, and believes only the service's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import grpc
import pytest
import trustme

from adapter.service import ImageService, open_channel
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.process import run_adapter
from tests.support.certificates import SERVER, tls_settings, write_certificate
from transport.tls import Tls

AUTHORITY = trustme.CA()
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def given(folder: Path, name: str, fault: str) -> Tls:
    """A certificate of that name, or one with a fault."""
    match fault:
        case "expired":
            return write_certificate(folder, AUTHORITY, name, until=YESTERDAY)
        case "foreign":
            return write_certificate(folder, trustme.CA(), name, believed=AUTHORITY)
        case "another name":
            return write_certificate(folder, AUTHORITY, "other", "127.0.0.1")
    return write_certificate(folder, AUTHORITY, name)


@asynccontextmanager
async def served_with(server: Tls) -> AsyncIterator[RunningFake]:
    fake = RunningFake(credentials=server.server_credentials())
    await fake.start()
    yield fake
    await fake.stop()


@pytest.mark.case("H19")
async def test_an_adapter_is_served_by_the_name_in_its_certificate(tmp_path: Path) -> None:
    own = tls_settings(given(tmp_path / "adapter", "adapter", ""))
    async with served_with(given(tmp_path / "server", SERVER, "")) as fake, run_adapter(fake.address, **own) as adapter:
        form = aiohttp.FormData()
        form.add_field("image", b"\x89PNG\r\n\x1a\n picture", filename="a.png")
        async with aiohttp.ClientSession(adapter.url) as session:
            async with session.get("/ready") as response:
                assert response.status == 200
            async with session.post("/image/matte/v1", data=form) as response:
                assert response.status == 200
        assert fake.service.callers == {"adapter"}


@pytest.mark.case("H19")
@pytest.mark.parametrize(
    ("caller", "server"),
    [
        ("none", ""),
        ("expired", ""),
        ("foreign", ""),
        ("", "another name"),
        ("", "expired"),
        ("", "foreign"),
    ],
)
async def test_without_a_good_certificate_on_both_sides_nothing_is_said(
    tmp_path: Path, caller: str, server: str
) -> None:
    own = None if caller == "none" else given(tmp_path / "adapter", "adapter", caller)
    async with (
        served_with(given(tmp_path / "server", SERVER, server)) as fake,
        open_channel(fake.address, own) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError):
            await ImageService(channel).inspect(b"picture", max_pixels=0, request_id="a")
        assert not fake.service.inspected
