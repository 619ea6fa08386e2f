"""Who may use the image operations: everybody on this machine, and nobody on a public address unless it is meant."""

from pathlib import Path

import aiohttp
import pytest

from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.shop import PNG, running_shop, x402

PUBLIC = "192.0.2.1:80"


def form() -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("image", PNG, filename="photo.png", content_type="image/png")
    return data


@pytest.mark.parametrize(
    ("settings", "status"),
    [({}, 200), ({"http": PUBLIC}, 401), ({"http": PUBLIC, "open_access": True}, 200)],
)
async def test_the_image_operations_are_open_only_where_it_is_meant(
    running_fake: RunningFake, tmp_path: Path, settings: dict[str, object], status: int
) -> None:
    async with running_shop(running_fake.address, tmp_path, settings=settings) as shop:
        async with shop.http.post("/image/matte/v1", data=form()) as response:
            assert response.status == status
            if status == 401:
                assert set(await response.json()) == {"message"}
        sold, _ = await shop.post(x402())  # What is paid for is for everybody.
        assert sold.status == 200
