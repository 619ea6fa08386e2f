"""The budget of uploads and the count of work in flight."""

import asyncio

import pytest

from adapter.errors import OverloadedError, ShuttingDownError
from adapter.lifecycle import Lifecycle
from adapter.uploads.budget import UploadBudget


def test_the_budget_is_full_at_its_limit_and_not_before() -> None:
    budget = UploadBudget(10)
    with budget.reserve() as first, budget.reserve() as second:
        first.grow(6)
        second.grow(4)
        with pytest.raises(OverloadedError):
            first.grow(1)
        assert budget.used_bytes == 10
    assert budget.used_bytes == 0


def test_a_refused_upload_gives_back_what_it_had() -> None:
    budget = UploadBudget(10)
    with budget.reserve() as reservation:
        reservation.grow(6)
        with pytest.raises(OverloadedError):
            reservation.grow(6)
        assert budget.used_bytes == 6
    assert budget.used_bytes == 0


async def test_draining_refuses_new_work_and_waits_for_the_old() -> None:
    lifecycle = Lifecycle()
    with lifecycle.work():
        draining = asyncio.create_task(lifecycle.drain(30))
        await asyncio.sleep(0)
        assert lifecycle.draining
        assert not draining.done()
        with pytest.raises(ShuttingDownError), lifecycle.work():
            pass
    assert await draining == 0


async def test_draining_tells_what_it_left() -> None:
    lifecycle = Lifecycle()
    with lifecycle.work(), lifecycle.work():
        assert await lifecycle.drain(0.01) == 2
