"""What the guides say of refusals is what callers are told."""

import json
import re
from pathlib import Path

import pytest

from adapter.keys.key import NewKey
from adapter.limits.local import LocalLimiter
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.forms import MATTE, post
from tests.integration.adapter.shop import RunningShop, running_shop

FORGED = "cc_" + "A" * 43


async def read(shop: RunningShop, slug: str) -> str:
    async with shop.http.get(f"/en/docs/{slug}.md") as response:
        return await response.text()


async def test_the_guide_to_keys_has_the_words_of_every_refusal(running_fake: RunningFake, tmp_path: Path) -> None:
    settings = {"http": "192.0.2.1:80"}
    async with running_shop(running_fake.address, tmp_path, settings=settings, sells=False) as shop:
        strict = (await shop.keys.add(NewKey("strict", ("blur",)))).secret
        spent = (await shop.keys.add(NewKey("spent", monthly=1))).secret
        slow = (await shop.keys.add(NewKey("slow", per_minute=1))).secret
        for key in (spent, slow):
            response, _ = await post(shop.http, MATTE, headers={"X-API-Key": key})
            assert response.status == 200
        refused = [
            await post(shop.http, MATTE, headers=headers)
            for headers in (
                {"X-API-Key": strict, "Authorization": f"Bearer {spent}"},
                {},
                {"X-API-Key": FORGED},
                {"X-API-Key": strict},
                {"X-API-Key": spent},
                {"X-API-Key": slow},
            )
        ]
        text = await read(shop, "keys")
    shown = re.findall(r"^\| (\d{3}) \| `(.+?)` \|", text, re.MULTILINE)
    assert len(shown) == len(refused)
    for (status, message), (response, body) in zip(shown, refused, strict=True):
        assert response.status == int(status)
        assert re.fullmatch(re.escape(message).replace("…", ".+"), json.loads(body)["message"])


@pytest.mark.parametrize("slug", ["x402", "mpp"])
async def test_the_guides_to_paying_show_the_refusal_of_the_unpaid(
    running_fake: RunningFake, tmp_path: Path, slug: str
) -> None:
    limit = 2
    settings = {"unpaid_per_minute": limit}
    async with running_shop(running_fake.address, tmp_path, settings=settings, limiter=LocalLimiter(limit)) as shop:
        for _ in range(limit):
            await shop.ask()
        response, body = await shop.post()
        text = await read(shop, slug)
    assert response.status == 429
    shown = next(
        block
        for block in map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))
        if "error" in block and "request_id" in block
    )
    given = json.loads(body)
    assert {**shown, "request_id": ""} == {**given, "request_id": ""}
    assert re.fullmatch(r"[0-9a-f]{32}", shown["request_id"])
