"""The limit on unpaid requests: who is counted, who never is, and over how many replicas."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from adapter.limits import shared as shared_limiter
from adapter.limits.clients import Client
from adapter.limits.local import LocalLimiter, Standing
from adapter.limits.shared import SharedLimiter
from adapter.payments.errors import OutcomeUnknownError
from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.shop import PATH, REQUIRED, RunningShop, mpp, running_shop, x402
from tests.support.redis import running_redis

LIMIT = 30
ONE, OTHER = Client("192.0.2.1", "192.0.0.0/16"), Client("192.0.2.2", "192.0.0.0/16")


def counted(headers: Any) -> tuple[str, ...]:
    return tuple(headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Policy"))


async def test_the_thirty_first_unpaid_request_of_a_minute_is_429(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(LIMIT)) as shop:
        answers = [await shop.ask() for _ in range(LIMIT)]
        assert {answer.status for answer in answers} == {402}
        assert counted(answers[0].headers) == ("30", "29", "30;w=60")
        assert counted(answers[-1].headers) == ("30", "0", "30;w=60")
        response, body = await shop.post()
        assert response.status == 429
        assert counted(response.headers) == ("30", "0", "30;w=60")
        assert 0 < int(response.headers["Retry-After"]) <= 60
        assert response.headers["Retry-After"] == response.headers["RateLimit-Reset"]
        refusal = json.loads(body)
        assert (refusal["error"], refusal["retryable"]) == ("rate_limited", True)
        assert fake.inspected == []  # Its body was not even read.
        async with shop.http.get("/health") as health:
            assert health.status == 200


async def test_the_paid_are_not_limited_and_do_not_count(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(2)) as shop:
        for number in range(5):
            response, _ = await shop.post(x402(str(number)))
            assert response.status == 200
            assert "RateLimit-Limit" not in response.headers
        assert [(await shop.ask()).status for _ in range(3)] == [402, 402, 429]
        assert (await shop.post(mpp("late")))[0].status == 200
        assert len(fake.requests) == 6


async def test_refused_payments_count_and_get_no_more_challenges(running_fake: RunningFake, tmp_path: Path) -> None:
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(2)) as shop:
        shop.x402.refusal = REQUIRED
        answers = [(await shop.post(x402()))[0] for _ in range(3)]
        assert [answer.status for answer in answers] == [402, 402, 429]
        assert counted(answers[0].headers) == ("2", "1", "2;w=60")
        assert "PAYMENT-REQUIRED" not in answers[-1].headers
        assert (await shop.post(x402("unreadable")))[0].status == 429
        shop.x402.refusal = None
        assert (await shop.post(x402()))[0].status == 200


async def test_an_unknown_outcome_does_not_count(running_fake: RunningFake, tmp_path: Path) -> None:
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(1)) as shop:
        shop.x402.trouble = OutcomeUnknownError("outcome_unknown", "Not known yet.")
        assert {(await shop.post(x402(str(number))))[0].status for number in range(3)} == {503}
        assert (await shop.ask()).status == 402


@pytest.mark.case("H6")
@pytest.mark.parametrize(("trusted", "statuses"), [([], [402, 429]), (["127.0.0.0/8"], [402, 402])])
async def test_a_forwarded_address_counts_only_when_the_peer_is_trusted(
    running_fake: RunningFake, tmp_path: Path, trusted: list[str], statuses: list[int]
) -> None:
    settings = {"trusted_proxies": trusted}
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(1), settings=settings) as shop:
        headers = [{"X-Forwarded-For": address} for address in ("203.0.113.1", "203.0.113.2")]
        assert [(await shop.ask(sent)).status for sent in headers] == statuses


async def test_requests_to_other_routes_do_not_count(running_fake: RunningFake, tmp_path: Path) -> None:
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(1)) as shop:
        for path in ("/ready", "/openapi.json", PATH):  # GET is not POST.
            async with shop.http.get(path) as response:
                assert "RateLimit-Limit" not in response.headers
        assert (await shop.ask()).status == 402


class Clock:
    """Stands in for the module `time` where the library reads it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.mark.case("H7")
async def test_three_replicas_allow_exactly_thirty_in_any_minute(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(shared_limiter, "ANSWER_S", 60.0)  # However slow the machine is.
    monkeypatch.setattr("limits.aio.storage.redis.redispy.time", clock)
    replicas = [SharedLimiter(f"{redis_url}/7", LIMIT) for _ in range(3)]

    async def storm() -> int:
        standings = await asyncio.gather(*(replica.take(ONE) for replica in replicas for _ in range(40)))
        assert {standing.limit for standing in standings} == {LIMIT}
        return sum(standing.allowed for standing in standings)

    assert await storm() == LIMIT
    clock.now += 59
    assert await storm() == 0
    assert (await replicas[0].take(OTHER)).remaining == LIMIT - 1
    clock.now += 2  # The minute since the first storm is over.
    assert await storm() == LIMIT
    for replica in replicas:
        await replica.close()


async def test_replicas_share_the_limits_of_each_key_and_see_who_is_over(redis_url: str) -> None:
    replicas = [SharedLimiter(f"{redis_url}/6", 1, "clearcanvas-test") for _ in range(2)]
    one, other = replicas
    assert [(await replica.take(ONE, 3)).remaining for replica in (one, other, one)] == [2, 1, 0]
    assert not (await other.take(ONE, 3)).allowed
    assert [(await one.look(OTHER)).allowed for _ in range(3)] == [True] * 3  # To look counts nothing.
    assert (await one.take(OTHER)).allowed
    refused = await other.look(OTHER)
    assert (refused.allowed, refused.remaining, refused.limit) == (False, 0, 1)
    assert 0 < refused.reset_s <= 60
    elsewhere = SharedLimiter(f"{redis_url}/6", 1, "clearcanvas-else")
    assert (await elsewhere.look(OTHER)).allowed
    for limiter in (*replicas, elsewhere):
        await limiter.close()


@pytest.mark.case("H8")
async def test_without_redis_each_key_has_a_third_of_its_limit() -> None:
    limiter = SharedLimiter("redis://127.0.0.1:1", LIMIT)
    standings = [await limiter.take(ONE, 6) for _ in range(3)]
    assert [standing.allowed for standing in standings] == [True, True, False]
    assert (await limiter.look(OTHER)).limit == 10
    await limiter.close()


async def exhaust(limiter: SharedLimiter) -> list[Standing]:
    return [await limiter.take(ONE) for _ in range(LIMIT)]


@pytest.mark.case("H8")
async def test_without_redis_a_stricter_local_limit_holds_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_limiter, "_PAUSE_S", 0.0)  # Ask Redis again with every request.
    with running_redis(tmp_path) as url:
        limiter = SharedLimiter(url, LIMIT)
        assert (await limiter.take(ONE)).limit == LIMIT
    standings = await exhaust(limiter)
    assert {standing.limit for standing in standings} == {10}
    assert sum(standing.allowed for standing in standings) == 10
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "does not answer" in errors[0].message
    await limiter.close()


@pytest.mark.case("H8")
async def test_a_redis_that_hangs_is_not_waited_for_again_and_again() -> None:
    asked = 0

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    limiter = SharedLimiter(f"redis://127.0.0.1:{port}", LIMIT)
    assert {standing.limit for standing in await exhaust(limiter)} == {10}
    assert asked == 1
    await limiter.close()
    server.close()


@pytest.mark.case("H8")
async def test_redis_is_used_again_when_it_is_back(
    redis_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_limiter, "_PAUSE_S", 0.0)
    monkeypatch.setattr(shared_limiter, "ANSWER_S", 0.0)  # No answer is quick enough.
    limiter = SharedLimiter(f"{redis_url}/8", LIMIT)
    assert (await limiter.take(ONE)).limit == 10
    monkeypatch.setattr(shared_limiter, "ANSWER_S", 30.0)
    assert (await limiter.take(ONE)).limit == LIMIT
    assert "answers again" in caplog.text
    await limiter.close()


async def test_the_shared_limit_guards_the_route(running_fake: RunningFake, tmp_path: Path, redis_url: str) -> None:
    async def serve(shop: RunningShop) -> list[int]:
        return [(await shop.ask()).status for _ in range(2)]

    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    limiters = [SharedLimiter(f"{redis_url}/9", 3) for _ in range(2)]
    async with (
        running_shop(running_fake.address, tmp_path / "one", limiter=limiters[0]) as one,
        running_shop(running_fake.address, tmp_path / "other", limiter=limiters[1]) as other,
    ):
        assert await serve(one) + await serve(other) == [402, 402, 402, 429]
    for limiter in limiters:
        await limiter.close()
