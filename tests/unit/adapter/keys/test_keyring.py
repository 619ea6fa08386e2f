"""Keys as a running adapter sees them: asked for seldom, gone soon after they were revoked, and bounded in memory."""

import logging

import pytest

from adapter.keys import keyring as keyrings
from adapter.keys.key import Key, digest_secret, draw_secret
from adapter.keys.keyring import FRESH_S, Keyring

KEY = Key("1", "a shop", None, 60, None, 0.0)


class FakeStore:
    """Knows some digests, and counts how often it is asked."""

    def __init__(self) -> None:
        self.known: dict[bytes, Key] = {}
        self.asked = 0
        self.any = False

    async def find(self, digest: bytes) -> Key | None:
        self.asked += 1
        return self.known.get(digest)

    async def any_was_made(self) -> bool:
        self.asked += 1
        return self.any


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def open_keyring() -> tuple[FakeStore, Clock, Keyring]:
    store, clock = FakeStore(), Clock()
    return store, clock, Keyring(store, clock=clock)  # type: ignore[arg-type]


async def test_a_good_key_is_asked_for_once_a_second() -> None:
    store, clock, keyring = open_keyring()
    secret = draw_secret()
    store.known[digest_secret(secret)] = KEY
    assert [await keyring.find(secret) for _ in range(5)] == [KEY] * 5
    assert store.asked == 1
    clock.now += FRESH_S
    assert await keyring.find(secret) == KEY
    assert store.asked == 2


async def test_a_revoked_key_is_gone_within_a_second_and_forgotten() -> None:
    store, clock, keyring = open_keyring()
    secret = draw_secret()
    store.known[digest_secret(secret)] = KEY
    await keyring.find(secret)
    store.known.clear()
    clock.now += FRESH_S
    assert keyring.remembers(secret)
    assert await keyring.find(secret) is None
    assert not keyring.remembers(secret)


async def test_a_key_that_was_just_made_is_found_at_once() -> None:
    store, _, keyring = open_keyring()
    secret = draw_secret()
    assert await keyring.find(secret) is None
    store.known[digest_secret(secret)] = KEY
    assert await keyring.find(secret) == KEY


async def test_what_is_no_key_is_not_even_asked_for() -> None:
    store, _, keyring = open_keyring()
    assert [await keyring.find(text) for text in ("", "password", "cc_short", "x" * 8000)] == [None] * 4
    assert store.asked == 0


@pytest.mark.case("H9")
async def test_forged_keys_take_no_memory_and_the_good_ones_a_bounded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "_REMEMBERED", 3)
    store, _, keyring = open_keyring()
    for _ in range(100):
        assert await keyring.find(draw_secret()) is None
    assert len(keyring._found) == 0
    secrets = [draw_secret() for _ in range(5)]
    for secret in secrets:
        store.known[digest_secret(secret)] = KEY
        await keyring.find(secret)
    assert [keyring.remembers(secret) for secret in secrets] == [False, False, True, True, True]


async def test_whether_there_is_any_key_is_asked_once_a_second_and_said_when_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, clock, keyring = open_keyring()
    with caplog.at_level(logging.WARNING):
        assert [await keyring.is_empty() for _ in range(3)] == [True] * 3
        assert store.asked == 1
        assert caplog.text == ""
        store.any = True
        clock.now += FRESH_S
        assert not await keyring.is_empty()
    assert "an API key is needed from now on" in caplog.text
