"""The system's resolver: its answers, and that nobody waits for those it does not give."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from egress.lookup import SystemLookup


async def test_the_systems_answers() -> None:
    assert "127.0.0.1" in await SystemLookup()("localhost")


async def test_a_name_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(OSError, match="no such name"):
        await SystemLookup()("nothing.example")


@pytest.mark.case("S7")
async def test_questions_without_an_answer_take_no_more_threads_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, asked = threading.Event(), 0

    def hang(*_: Any, **__: Any) -> list[Any]:
        nonlocal asked
        asked += 1
        answered.wait()
        return [(2, 1, 6, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    lookup = SystemLookup(threads=2)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await lookup("silent.example")
    assert asked == 2
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "lookup")
    answered.set()
    assert await lookup("late.example") == ["192.0.2.1"]
