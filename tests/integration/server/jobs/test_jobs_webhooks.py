"""The end of a job, told by POST: what a receiver gets, and whom we do not talk to."""

import dataclasses
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from egress.courier import Courier
from egress.policy import EgressPolicy
from server.errors import InvalidParameterError, RetryableError
from server.jobs.record import Failure, Kind, Record, State
from server.jobs.webhooks import WebhookErrand, check_webhook_url, make_secret
from tests.support.fake_runner import Spec, make_order
from tests.support.job_bench import open_bench
from tests.support.processes import eventually, free_address
from tests.support.receiver import HOST, Receiver, running_receiver

SECRET = make_secret()
ENDED = datetime(2026, 11, 21, 12, 30, 15, 250_000, UTC)
INSIDE = [
    "127.0.0.1", "localhost.", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",  # noqa: S104 - to go to.
    "169.254.169.254", "[::1]", "[fd00::8]", "[fe80::1]", "[::ffff:127.0.0.1]", "[2002:7f00:1::]",
    "[64:ff9b::7f00:1]", "[2001:0:7f00:1::]", "0x7f.1", "2130706433", "127.1",
]  # fmt: skip


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as running:
        yield running


@pytest.fixture
def record(receiver: Receiver) -> Record:
    return Record(
        str(uuid4()), "me", Kind.VIDEO, {}, "ab", State.SUCCEEDED, 1, 1, 1, created=ENDED, ended=ENDED,
        webhook_url=f"{receiver.url}?token=of-the-caller", webhook_secret=SECRET,
    )  # fmt: skip


class TestDelivery:
    """One try."""

    async def test_it_is_signed_as_the_public_library_checks_it(self, receiver: Receiver, record: Record) -> None:
        assert await WebhookErrand(receiver.courier()).run(record) == {}

        assert receiver.read(SECRET) == {
            "type": "job.succeeded",
            "timestamp": "2026-11-21T12:30:15.250Z",
            "data": {"uuid": record.id, "kind": "video", "status": "success"},
        }
        headers, body = receiver.got[0]
        assert headers["Content-Type"] == "application/json"
        for other_secret, other_body in [(make_secret(), body), (SECRET, body + b" ")]:
            with pytest.raises(WebhookVerificationError):
                Webhook(other_secret).verify(other_body, dict(headers))

    async def test_why_there_is_no_result_is_told(self, receiver: Receiver, record: Record) -> None:
        errand = WebhookErrand(receiver.courier())
        failure = Failure("INVALID_VIDEO", "It has no picture.")

        await errand.run(dataclasses.replace(record, state=State.FAILED, failure=failure))
        await errand.run(dataclasses.replace(record, state=State.CANCELLED))

        failed, cancelled = receiver.read(SECRET, 0), receiver.read(SECRET, 1)
        assert (failed["type"], failed["data"]["status"]) == ("job.failed", "failed")
        assert (failed["data"]["reason"], failed["data"]["message"]) == ("INVALID_VIDEO", "It has no picture.")
        assert (cancelled["type"], cancelled["data"]["status"]) == ("job.cancelled", "cancelled")

    @pytest.mark.parametrize("status", [302, 307, 400, 404, 429, 500, 503])
    async def test_what_is_not_taken_is_tried_again_under_the_same_id(
        self, receiver: Receiver, record: Record, status: int
    ) -> None:
        elsewhere = {"Location": f"http://{HOST}:{receiver.port}/elsewhere"}
        receiver.answers = [web.Response(status=status, headers=elsewhere), web.Response(status=200)]
        times = iter([1_800_000_000.0, 1_800_000_005.0])
        errand = WebhookErrand(receiver.courier(), wall=lambda: next(times))

        with pytest.raises(RetryableError, match=str(status)):
            await errand.run(record)
        await errand.run(record)

        assert len(receiver.got) == 2  # A redirect is not followed.
        assert len(set(receiver.ids)) == 1
        assert [headers["webhook-timestamp"] for headers, _ in receiver.got] == ["1800000000", "1800000005"]

    @pytest.mark.parametrize("status", [200, 204, 299, 410])
    async def test_what_is_taken_or_gone_is_done(self, receiver: Receiver, record: Record, status: int) -> None:
        receiver.answers = [web.Response(status=status, body=b"x" * 2**20)]

        assert await WebhookErrand(receiver.courier()).run(record) == {}

    async def test_a_receiver_that_does_not_answer_is_left(self, receiver: Receiver, record: Record) -> None:
        receiver.free.clear()
        with pytest.raises(RetryableError, match="TimeoutError"):
            await WebhookErrand(receiver.courier(timeout_s=0.1)).run(record)

        nobody = dataclasses.replace(record, webhook_url=f"http://{free_address()}/")
        everywhere = EgressPolicy(lambda _: True, frozenset(range(65536)))
        with pytest.raises(RetryableError, match="ClientConnectorError"):
            await WebhookErrand(Courier(everywhere)).run(nobody)

    async def test_neither_secret_nor_query_is_logged(
        self, receiver: Receiver, record: Record, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        receiver.answers = [web.Response(status=500)]
        texts = []
        for courier in (receiver.courier(), Courier()):
            with pytest.raises(RetryableError) as refusal:
                await WebhookErrand(courier).run(record)
            texts.append(str(refusal.value))
            assert refusal.value.__cause__ is None

        ours = "".join(each.getMessage() for each in caplog.records if not each.name.startswith("aiohttp.access"))
        for hidden in ("of-the-caller", SECRET):
            assert hidden not in "".join(texts) + ours + repr(record).replace(record.webhook_url, "")

    def test_only_an_end_is_told_and_only_to_who_asked(self, record: Record) -> None:
        errand = WebhookErrand()
        assert errand.wanted(record)
        assert not errand.wanted(dataclasses.replace(record, webhook_url=""))
        assert not errand.wanted(dataclasses.replace(record, state=State.RUNNING))


class TestAddresses:
    """Whom nobody reaches through us."""

    @pytest.mark.case("S1")
    @pytest.mark.parametrize("host", INSIDE)
    async def test_an_inner_address_is_refused_at_delivery(self, record: Record, host: str) -> None:
        inner = dataclasses.replace(record, webhook_url=f"http://{host}/hook")

        with pytest.raises(RetryableError, match=r"refused|ClientConnectorDNSError"):
            await WebhookErrand().run(inner)

    @pytest.mark.case("S3")
    @pytest.mark.parametrize("answers", [["10.0.0.1"], ["93.184.216.34", "10.0.0.1"], [HOST]])
    async def test_a_name_that_leads_inside_is_refused(
        self, receiver: Receiver, record: Record, answers: list[str]
    ) -> None:
        async def look_up(_name: str) -> list[str]:
            return answers

        policy = EgressPolicy(lambda address: address.is_global, frozenset({receiver.port}))
        named = dataclasses.replace(record, webhook_url=f"http://hooks.example:{receiver.port}/")

        with pytest.raises(RetryableError, match="refused"):
            await WebhookErrand(Courier(policy, look_up)).run(named)
        assert receiver.got == []

    @pytest.mark.case("S1")
    @pytest.mark.parametrize("host", [host for host in INSIDE if host != "localhost."])
    def test_an_inner_address_is_refused_at_submit(self, host: str) -> None:
        with pytest.raises(InvalidParameterError):
            check_webhook_url(f"https://{host}/hook")

    @pytest.mark.case("S6")
    @pytest.mark.parametrize(
        "url",
        ["", "hooks.example", "ftp://hooks.example/", "file:///etc/passwd", "http://hooks.example:8080/",
         "https://user:secret@hooks.example/", "https://hooks.example\\@10.0.0.1/",
         f"https://hooks.example/{'a' * 2048}"],
    )  # fmt: skip
    def test_what_is_no_address_of_the_web_is_refused_at_submit(self, url: str) -> None:
        with pytest.raises(InvalidParameterError) as refusal:
            check_webhook_url(url)
        assert refusal.value.metadata == {"field": "options.webhook_url"}
        assert "secret" not in refusal.value.message

    @pytest.mark.parametrize("url", ["https://hooks.example/a?b=c", "http://hooks.example", "https://8.8.8.8:443/"])
    def test_a_public_address_is_taken(self, url: str) -> None:
        check_webhook_url(url)
        check_webhook_url("http://127.0.0.1:81/", EgressPolicy(lambda a: a == ip_address(HOST), frozenset({81})))


class TestEngine:
    """Every end is told once, whatever happens between."""

    @pytest.mark.parametrize(
        ("spec", "state"),
        [({}, State.SUCCEEDED), ({"fault": "INVALID_VIDEO"}, State.FAILED), ({"part_s": 60.0}, State.CANCELLED)],
        ids=["succeeded", "failed", "cancelled"],
    )
    async def test_every_end_is_told_once(
        self, receiver: Receiver, tmp_path: Path, database: str, spec: Spec, state: State
    ) -> None:
        receiver.answers = [web.Response(status=503), web.Response(status=200)]
        errand = WebhookErrand(receiver.courier())
        async with open_bench(database, tmp_path, [errand]) as bench:
            order = make_order(spec, webhook_url=receiver.url, webhook_secret=SECRET)
            await bench.submit(order)
            if state is State.CANCELLED:
                await bench.jobs.cancel(order.id, order.owner)
            assert (await bench.end(order)).state is state
            await eventually(lambda: len(receiver.got) == 2, "the second try")
            await bench.jobs.sweeper.sweep()
            quiet = make_order()
            await bench.submit(quiet)
            await bench.end(quiet)

        assert receiver.read(SECRET)["type"] == f"job.{state.value}"
        assert len(receiver.got) == 2
        assert len(set(receiver.ids)) == 1

    @pytest.mark.case("J14")
    async def test_a_delivery_survives_a_restart(self, receiver: Receiver, tmp_path: Path, database: str) -> None:
        receiver.free.clear()
        errand = WebhookErrand(receiver.courier())
        async with open_bench(database, tmp_path, [errand]) as bench:
            order = make_order(webhook_url=receiver.url, webhook_secret=SECRET)
            await bench.submit(order)
            await eventually(lambda: len(receiver.got) == 1, "the first try")

        receiver.free.set()
        async with open_bench(database, tmp_path, [errand]):
            await eventually(lambda: len(receiver.got) == 2, "the try after the restart")

        assert receiver.read(SECRET)["data"]["uuid"] == order.id
        assert len(set(receiver.ids)) == 1
