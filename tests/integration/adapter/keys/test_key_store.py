"""The keys on each of their databases: the same promises."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from adapter.errors import KeysUnavailableError
from adapter.keys.key import Key, NewKey, digest_secret
from adapter.keys.store import KeyStore
from tests.support.postgres import RunningPostgres

NOVEMBER = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC).timestamp()


class Time:
    now = NOVEMBER

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def stores(url: str, clock: Time) -> AsyncIterator[list[KeyStore]]:
    """Two processes on one database, started at once."""
    stores = [KeyStore(url, clock=clock) for _ in range(2)]
    await asyncio.gather(*(store.start() for store in stores))
    yield stores
    for store in stores:
        await store.close()


async def make(store: KeyStore, monthly: int | None = None) -> Key:
    return (await store.add(NewKey("a shop", monthly=monthly))).key


async def test_a_key_is_found_by_its_secret_alone(stores: list[KeyStore]) -> None:
    one, other = stores
    assert not await other.any_was_made()
    issued = await one.add(NewKey("a shop", ("blur", "matte"), per_minute=5, monthly=100))
    assert await other.find(digest_secret(issued.secret)) == issued.key
    assert await other.find(digest_secret(issued.secret[:-1] + "?")) is None
    assert await other.any_was_made()
    assert issued.key == Key(
        digest_secret(issued.secret).hex()[:12], "a shop", ("blur", "matte"), 5, 100, created_at=NOVEMBER
    )


async def test_a_key_without_operations_or_quota_has_them_all(stores: list[KeyStore]) -> None:
    issued = await stores[0].add(NewKey("a shop"))
    found = await stores[1].find(digest_secret(issued.secret))
    assert found is not None
    assert (found.operations, found.monthly, found.per_minute) == (None, None, 60)


async def test_a_revoked_key_is_not_found_and_was_made_all_the_same(stores: list[KeyStore], clock: Time) -> None:
    one, other = stores
    issued = await one.add(NewKey("a shop"))
    clock.now += 1
    assert await other.revoke(issued.key.id)
    assert await one.find(digest_secret(issued.secret)) is None
    assert not await other.revoke(issued.key.id)
    assert not await other.revoke("000000000000")
    assert await one.any_was_made()
    ((key, _used),) = await one.list_all()
    assert key.revoked_at == clock.now


async def test_keys_are_listed_with_what_they_used_this_month(stores: list[KeyStore], clock: Time) -> None:
    one, other = stores
    first = await make(one)
    clock.now += 0.1
    second = await make(one)
    await other.count(second, other.month())
    assert await one.list_all() == [(first, 0), (second, 1)]


async def test_the_database_never_sees_a_secret(stores: list[KeyStore], url: str) -> None:
    issued = await stores[0].add(NewKey("a shop"))
    tables = ("api_keys", "api_key_usage")

    def dump(store: KeyStore) -> str:
        with store._engine.begin() as connection:
            rows = [row for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
        return str(rows)

    seen = await asyncio.to_thread(dump, stores[0])
    assert issued.key.id in seen
    assert issued.secret[3:] not in seen
    assert issued.secret not in repr(issued)


async def test_a_quota_is_exact_however_many_race_for_it(stores: list[KeyStore]) -> None:
    key = await make(stores[0], monthly=10)
    month = stores[0].month()
    counts = await asyncio.gather(*(stores[number % 2].count(key, month) for number in range(50)))
    assert sorted(count for count in counts if count is not None) == list(range(1, 11))
    assert await stores[1].used(key, month) == 10


async def test_without_a_quota_every_result_counts(stores: list[KeyStore]) -> None:
    key = await make(stores[0])
    month = stores[0].month()
    counts = await asyncio.gather(*(stores[number % 2].count(key, month) for number in range(20)))
    assert sorted(count or 0 for count in counts) == list(range(1, 21))


async def test_what_is_given_back_may_be_had_again(stores: list[KeyStore]) -> None:
    one, other = stores
    key, month = await make(one, monthly=1), one.month()
    assert await one.count(key, month) == 1
    assert await other.count(key, month) is None
    await one.give_back(key, month)
    assert await other.count(key, month) == 1
    await one.give_back(key, month)
    await one.give_back(key, month)  # Never below nothing.
    assert await one.used(key, month) == 0


async def test_a_new_month_by_utc_is_a_new_quota(stores: list[KeyStore], clock: Time) -> None:
    one, _ = stores
    key, november = await make(one, monthly=1), one.month()
    assert await one.count(key, november) == 1
    clock.now += 1  # Midnight in Greenwich.
    december = one.month()
    assert (november.name, december.name) == ("2026-11", "2026-12")
    assert await one.count(key, december) == 1
    assert await one.count(key, december) is None
    assert await one.used(key, november) == 1


async def test_a_store_that_does_not_answer_says_so(postgres: RunningPostgres) -> None:
    store = KeyStore(postgres.create_database().replace(postgres.address, "127.0.0.1:1"))
    with pytest.raises(KeysUnavailableError):
        await store.start()
    await store.close()


@pytest.mark.parametrize("url", ["mysql://user:secret@x/y", "secret", "sqlite://", "sqlite:////proc/nowhere/k.sqlite"])
def test_a_url_that_cannot_hold_keys_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="key store") as refusal:
        KeyStore(url)
    assert "secret" not in str(refusal.value)
