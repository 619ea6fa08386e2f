"""A key from its first request to its last, and its secret in no log of any of them."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import update

from adapter.keys.key import NewKey, digest_secret
from adapter.keys.schema import api_key_usage
from adapter.keys.store import KeyStore
from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.forms import COLOR, MATTE, post
from tests.integration.adapter.process import run_adapter


@pytest.mark.case("O1")
async def test_the_way_of_a_key_and_its_secret_is_in_no_log(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    async with (
        run_adapter(running_fake.address, log_level="DEBUG", data=str(tmp_path)) as adapter,
        aiohttp.ClientSession(adapter.url) as http,
    ):

        async def send(headers: dict[str, str], path: str = MATTE) -> int:
            return (await post(http, path, headers=headers))[0].status

        store = KeyStore(f"sqlite:///{tmp_path / 'keys.sqlite'}")
        assert await send({}) == 200
        issued = await store.add(NewKey("a shop", ("matte",), monthly=2))
        secret = issued.secret
        bearer = {"Authorization": f"Bearer {secret}"}
        assert await send(bearer) == 200
        status = 200
        while status == 200:  # Until the adapter looks again.
            status = await send({})
        await adapter.logged("an API key is needed from now on")
        wrong = secret[:-4] + ("aaaa" if secret[-4:] != "aaaa" else "bbbb")
        answers = [
            status,
            await send({"X-API-Key": wrong}),
            await send({"X-API-Key": secret, "Authorization": f"Bearer {wrong}"}),
            await send(bearer, COLOR),
            await send({"X-API-Key": secret}),
            await send(bearer),
        ]
        assert answers == [401, 401, 400, 403, 200, 403]
        await store.run(lambda connection: connection.execute(update(api_key_usage).values(used=0)))
        assert await send(bearer) == 200
        await store.revoke(issued.key.id)
        async with asyncio.timeout(30):
            while await send(bearer) != 401:  # noqa: ASYNC110 - the adapter looks again within a second.
                await asyncio.sleep(0.2)
        await store.close()
    log = "".join(adapter.log)
    assert " DEBUG " in log
    assert "POST /image/matte/v1" in log
    for hidden in (secret, wrong, secret[3:], digest_secret(secret).hex()):
        assert hidden not in log
