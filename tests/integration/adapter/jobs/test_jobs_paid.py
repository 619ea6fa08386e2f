"""Jobs that are paid for: 402 first, 202 at once, the money when the result is ready, the result after the money."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from adapter.payments.errors import OutcomeUnknownError, PaymentRequiredError
from adapter.payments.ledger.audit import Report, read_report
from adapter.payments.ledger.claim import State
from tests.integration.adapter.fake_jobs import FakeJob, FakeJobService, Refusal
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.jobs.calls import (
    HD,
    HD_RESULT,
    MP4,
    STRANGER,
    VIDEO,
    VIDEO_RESULT,
    Reply,
    call,
    submit,
)
from tests.integration.adapter.shop import TRANSACTION, RunningShop, mpp, running_shop, x402
from tests.support.processes import eventually

CONTENT = b"a large picture" * 100
UNKNOWN = OutcomeUnknownError("timeout", "No answer.")
PATHS = [(HD, HD_RESULT), (VIDEO, VIDEO_RESULT)]


@asynccontextmanager
async def counter(server: RunningFake, folder: Path) -> AsyncIterator[RunningShop]:
    """A shop that asks everybody to pay; the same folder again is the same shop after a restart."""
    folder.mkdir(exist_ok=True)
    async with running_shop(server.address, folder, settings={"http": "0.0.0.0:80"}) as shop:
        yield shop


@pytest.fixture
async def shop(job_server: RunningFake, jobs: FakeJobService, tmp_path: Path) -> AsyncIterator[RunningShop]:
    async with counter(job_server, tmp_path) as shop:
        yield shop


def books(folder: Path) -> Report:
    report = read_report(f"sqlite:///{folder}/ledger.sqlite")
    assert report.violations == ()
    return report


async def buy(shop: RunningShop, payment: str = "one", path: str = HD) -> str:
    """Submits a job that is paid for; its id."""
    reply = await submit(shop, path, headers=x402(payment))
    assert reply.status == 202, reply.body
    return str(reply.words["uuid"])


async def ready(shop: RunningShop, job: FakeJob, prefix: str = HD_RESULT) -> Reply:
    """Asks for a result until it is no longer at work."""

    async with asyncio.timeout(60):
        while (reply := await call(shop, "GET", prefix + job.job.id)).status == 202:  # noqa: ASYNC110 - as a client.
            await asyncio.sleep(0.02)
    return reply


@pytest.mark.parametrize(("path", "_"), PATHS)
async def test_without_a_payment_the_order_is_judged_and_a_price_is_told(
    shop: RunningShop, jobs: FakeJobService, path: str, _: str
) -> None:
    reply = await submit(shop, path)
    assert reply.status == 402
    assert reply.headers["PAYMENT-REQUIRED"] == ("200000" if path == HD else "500000")
    assert reply.headers["Cache-Control"] == "no-store"
    assert len(jobs.judged) == 1
    assert jobs.jobs == {}


@pytest.mark.parametrize(("path", "_"), PATHS)
async def test_who_sends_nothing_learns_the_price(shop: RunningShop, jobs: FakeJobService, path: str, _: str) -> None:
    assert (await call(shop, "POST", path)).status == 402
    assert jobs.judged == []


async def test_what_is_no_picture_is_refused_before_money_is_looked_at(
    shop: RunningShop, jobs: FakeJobService, tmp_path: Path
) -> None:
    jobs.refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "no picture", "INVALID_IMAGE")
    reply = await submit(shop, HD, headers=x402())
    assert (reply.status, reply.words) == (400, {"detail": "Invalid image file"})
    assert books(tmp_path).states == {}


@pytest.mark.parametrize(("path", "prefix"), PATHS)
async def test_a_job_is_accepted_at_once_and_charged_when_it_is_ready(
    shop: RunningShop, jobs: FakeJobService, tmp_path: Path, path: str, prefix: str
) -> None:
    job_id = await buy(shop, path=path)
    assert jobs.only.owner == "paid"
    assert jobs.only.upload == (MP4 if path == VIDEO else b"")
    assert (await call(shop, "GET", prefix + job_id)).status == 202
    assert shop.x402.settled == []

    await jobs.only.succeed(CONTENT)
    reply = await ready(shop, jobs.only, prefix)
    assert (reply.status, reply.body) == (200, CONTENT)
    assert reply.headers["X-PAYMENT-RESPONSE"] == TRANSACTION
    assert reply.headers["Cache-Control"].startswith("private")
    assert shop.x402.settled == ["x402:one"]
    await eventually(lambda: books(tmp_path).states == {State.DELIVERED: 1}, "the delivery is booked")
    assert (await call(shop, "GET", prefix + job_id)).status == 404  # As for everybody who has it all.


async def test_parts_and_headers_of_a_result_come_after_the_money(shop: RunningShop, jobs: FakeJobService) -> None:
    shop.x402.release.clear()
    job_id = await buy(shop)
    await jobs.only.succeed(CONTENT)
    await shop.x402.settling.wait()
    part = {"Range": "bytes=3-7"}
    assert (await call(shop, "GET", HD_RESULT + job_id, headers=part)).status == 202
    assert (await call(shop, "HEAD", HD_RESULT + job_id)).status == 202
    shop.x402.release.set()
    await eventually(lambda: bool(shop.x402.settled), "the money is taken")
    head = await call(shop, "HEAD", HD_RESULT + job_id)
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(CONTENT)))
    reply = await call(shop, "GET", HD_RESULT + job_id, headers=part)
    assert (reply.status, reply.body) == (206, CONTENT[3:8])
    assert reply.headers["X-PAYMENT-RESPONSE"] == head.headers["X-PAYMENT-RESPONSE"] == TRANSACTION


async def test_the_same_payment_again_is_the_same_job(shop: RunningShop, jobs: FakeJobService) -> None:
    job_id = await buy(shop)
    assert await buy(shop) == job_id
    await jobs.only.succeed(CONTENT)
    await eventually(lambda: bool(shop.x402.settled), "the money is taken")
    assert await buy(shop) == job_id
    assert list(jobs.jobs) == [job_id]
    assert shop.x402.settled == ["x402:one"]


async def test_a_payment_is_for_one_order(shop: RunningShop, jobs: FakeJobService) -> None:
    job_id = await buy(shop)
    other = await submit(shop, HD, {"webhook_url": "https://example.com/hook"}, headers=x402())
    assert other.status == 409
    assert list(jobs.jobs) == [job_id]


@pytest.mark.case("J4")
async def test_a_job_that_fails_costs_nothing_and_its_payment_may_come_again(
    shop: RunningShop, jobs: FakeJobService, tmp_path: Path
) -> None:
    job_id = await buy(shop)
    await jobs.only.fail()
    await eventually(lambda: books(tmp_path).states == {State.RELEASED: 1}, "the payment is given back")
    reply = await call(shop, "GET", HD_RESULT + job_id)
    assert (reply.status, reply.words) == (500, {"detail": "Image processing failed"})
    assert shop.x402.settled == []

    second = await buy(shop)
    assert second != job_id
    await jobs.jobs[second].succeed(CONTENT)
    assert (await ready(shop, jobs.jobs[second])).status == 200
    assert shop.x402.settled == ["x402:one"]


async def test_a_job_that_is_taken_back_costs_nothing(shop: RunningShop, jobs: FakeJobService, tmp_path: Path) -> None:
    job_id = await buy(shop)
    assert (await call(shop, "DELETE", f"/jobs/{job_id}")).status == 204
    await eventually(lambda: books(tmp_path).states == {State.RELEASED: 1}, "the payment is given back")
    assert (await call(shop, "GET", HD_RESULT + job_id)).status == 404
    assert shop.x402.settled == []


async def test_a_lost_payment_is_asked_for_anew_when_the_result_is(
    job_server: RunningFake, jobs: FakeJobService, tmp_path: Path
) -> None:
    async with counter(job_server, tmp_path) as shop:
        job_id = await buy(shop)
    await jobs.only.succeed(CONTENT)
    async with counter(job_server, tmp_path) as shop:
        path = HD_RESULT + job_id
        asked = await call(shop, "GET", path)
        assert asked.status == 402
        assert asked.headers["PAYMENT-REQUIRED"] == "200000"
        assert asked.words["resource"].endswith(path)
        assert (await call(shop, "HEAD", path)).status == 402
        paid = await call(shop, "GET", path, headers={**mpp("two"), "Range": "bytes=0-9"})
        assert (paid.status, paid.body) == (206, CONTENT[:10])
        assert paid.headers["Payment-Receipt"] == TRANSACTION

        # Whose job that is needs no payment any more, and whoever sends the first again is not charged.
        assert (await call(shop, "HEAD", path)).headers["Payment-Receipt"] == TRANSACTION
        assert await buy(shop) == job_id
        assert (await call(shop, "GET", path, headers=x402("three"))).body == CONTENT
        assert await buy(shop) == job_id  # Also when its result was fetched and is gone.
    assert (shop.x402.settled, shop.mpp.settled) == ([], ["mpp:two"])
    assert books(tmp_path).settled == 200_000


async def test_a_payment_that_comes_again_after_a_restart_is_taken_up(
    job_server: RunningFake, jobs: FakeJobService, tmp_path: Path
) -> None:
    async with counter(job_server, tmp_path) as shop:
        job_id = await buy(shop)
    async with counter(job_server, tmp_path) as shop:
        assert await buy(shop) == job_id
        await jobs.only.succeed(CONTENT)
        assert (await ready(shop, jobs.only)).body == CONTENT
        assert shop.x402.settled == ["x402:one"]


@pytest.mark.case("P9")
async def test_nobody_is_asked_to_pay_while_the_outcome_is_unknown(shop: RunningShop, jobs: FakeJobService) -> None:
    shop.x402.trouble = UNKNOWN
    job_id = await buy(shop)
    await jobs.only.succeed(CONTENT)
    path = HD_RESULT + job_id

    assert (await ready(shop, jobs.only)).status == 503
    assert (await call(shop, "GET", path, headers=x402("two"))).status in {202, 503}
    shop.x402.trouble = None
    async with asyncio.timeout(60):
        while (reply := await call(shop, "GET", path)).status != 200:
            assert reply.status in {202, 503}
            await asyncio.sleep(0.05)
    assert shop.x402.settled == ["x402:one"]


async def test_a_payment_that_is_refused_in_the_end_is_asked_for_anew(shop: RunningShop, jobs: FakeJobService) -> None:
    shop.x402.trouble = PaymentRequiredError("insufficient_funds", "The payer's balance is too low.")
    job_id = await buy(shop)
    await jobs.only.succeed(CONTENT)
    assert (await ready(shop, jobs.only)).status == 402
    refused = await call(shop, "GET", HD_RESULT + job_id, headers=x402("two"))
    assert (refused.status, refused.words["error"]) == (402, "insufficient_funds")
    shop.x402.trouble = None
    assert (await call(shop, "GET", HD_RESULT + job_id, headers=x402("three"))).body == CONTENT
    assert shop.x402.settled == ["x402:three"]


async def test_a_result_that_is_gone_is_not_sold(job_server: RunningFake, jobs: FakeJobService, tmp_path: Path) -> None:
    async with counter(job_server, tmp_path) as shop:
        job_id = await buy(shop)
    await jobs.only.succeed(CONTENT)
    jobs.only.job.result.available = False
    async with counter(job_server, tmp_path) as shop:
        assert (await call(shop, "GET", HD_RESULT + job_id, headers=x402("two"))).status == 404
        assert shop.x402.settled == []


@pytest.mark.case("J11")
async def test_only_its_id_opens_a_paid_job(shop: RunningShop, jobs: FakeJobService) -> None:
    job_id = await buy(shop)
    keyed = {"X-API-Key": "cc_unknown"}
    assert (await call(shop, "GET", HD_RESULT + job_id, headers=keyed)).status == 401
    assert (await call(shop, "GET", HD_RESULT + STRANGER)).status == 401
    assert (await call(shop, "GET", VIDEO_RESULT + job_id)).status == 404
    jobs.put("somebody", job_id=STRANGER)
    assert (await call(shop, "GET", HD_RESULT + STRANGER)).status == 401


async def test_a_link_is_told_only_after_the_money(
    job_server: RunningFake, jobs: FakeJobService, tmp_path: Path
) -> None:
    async with counter(job_server, tmp_path) as shop:
        job_id = await buy(shop, path=VIDEO)
    await jobs.only.succeed(CONTENT, "video/mp4", upload_link="https://store.example/secret")
    async with counter(job_server, tmp_path) as shop:
        asked = await call(shop, "GET", VIDEO_RESULT + job_id)
        assert asked.status == 402
        assert b"store.example" not in asked.body
        paid = await call(shop, "GET", VIDEO_RESULT + job_id, headers=x402("two"))
        assert paid.words["upload_link"] == "https://store.example/secret"
        assert paid.headers["X-PAYMENT-RESPONSE"] == TRANSACTION
