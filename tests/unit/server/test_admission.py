"""Admission: tried, never queued for; bounded by memory; closed for good."""

import asyncio

import pytest

from server.admission import Admission
from server.errors import OverloadedError, ShuttingDownError


def test_the_budget_is_filled_to_its_last_byte_and_no_further() -> None:
    admission = Admission(100)
    with admission.permit(60), admission.permit(40):
        assert admission.in_flight == 2
        with pytest.raises(OverloadedError), admission.permit(1):
            pass
        assert admission.in_flight == 2
    assert admission.in_flight == 0


def test_a_permit_is_given_back_when_the_work_fails() -> None:
    admission = Admission(100)
    with pytest.raises(ZeroDivisionError), admission.permit(100):
        raise ZeroDivisionError
    with admission.permit(100):
        pass


def test_what_is_larger_than_the_budget_is_admitted_alone() -> None:
    admission = Admission(100)
    with admission.permit(101), pytest.raises(OverloadedError), admission.permit(0):
        pass
    with admission.permit(1), pytest.raises(OverloadedError), admission.permit(101):
        pass


async def test_closing_refuses_new_work_and_waits_for_the_old() -> None:
    admission = Admission(100)
    with admission.permit(1):
        admission.close()
        with pytest.raises(ShuttingDownError), admission.permit(1):
            pass
        draining = asyncio.create_task(admission.drained())
        await asyncio.sleep(0)
        assert not draining.done()
    await draining


async def test_an_idle_server_is_drained() -> None:
    await Admission(1).drained()
