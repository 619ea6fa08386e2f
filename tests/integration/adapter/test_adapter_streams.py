"""Results on their way out: slow readers, clients that leave, services that stall or lie."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse

from tests.integration.adapter.fake_service import CHUNK, Behaviour, Context, FakeImageService, RunningFake, header
from tests.integration.adapter.process import FORM_TYPE, AdapterProcess, RawConnection, form, run_adapter

MATTE = "/image/matte/v1"
GIB = 1024 * CHUNK


async def send_form(connection: RawConnection) -> None:
    body = form()
    await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body)


async def never_answer(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
    await asyncio.Event().wait()
    yield header(1)


async def stall_midway(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
    yield header(2 * CHUNK)
    yield EditResponse(chunk=bytes(CHUNK))
    await asyncio.Event().wait()


def say(size: int, *chunks: bytes) -> Behaviour:
    """Announces `size` bytes and sends `chunks`."""

    async def behave(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
        yield header(size)
        for chunk in chunks:
            yield EditResponse(chunk=chunk)

    return behave


@pytest_asyncio.fixture(scope="module")
async def hasty(running_fake: RunningFake) -> AsyncIterator[AdapterProcess]:
    """An adapter that gives an edit two seconds."""
    async with run_adapter(running_fake.address, request_timeout_s="2") as process:
        yield process


@pytest.mark.case("H11")
async def test_a_client_that_leaves_while_it_waits_cancels_the_work(
    adapter: AdapterProcess, fake: FakeImageService
) -> None:
    fake.behaviour = never_answer
    async with adapter.connect() as connection:
        await send_form(connection)
        await fake.started.wait()
        assert not fake.cancelled.is_set()
    async with asyncio.timeout(30):
        await fake.cancelled.wait()


@pytest.mark.case("H11")
async def test_a_client_that_leaves_midway_cancels_the_work(adapter: AdapterProcess, fake: FakeImageService) -> None:
    fake.behaviour = stall_midway
    async with adapter.connect() as connection:
        await send_form(connection)
        await connection.reader.readexactly(1000)
    async with asyncio.timeout(30):
        await fake.cancelled.wait()


@pytest.mark.case("H12")
async def test_the_deadline_is_passed_on(
    adapter: AdapterProcess, hasty: AdapterProcess, fake: FakeImageService
) -> None:
    for process in (adapter, hasty):
        async with process.connect() as connection:
            await send_form(connection)
            assert (await connection.read_answer()).status == 200
    usual_s, hasty_s = fake.deadlines_s
    assert 50 < usual_s < 61  # gRPC rounds up what it sends.
    assert 0 < hasty_s < 3


@pytest.mark.case("H12")
async def test_an_edit_over_its_deadline_is_504_and_cancelled(hasty: AdapterProcess, fake: FakeImageService) -> None:
    fake.behaviour = never_answer
    async with hasty.connect() as connection:
        await send_form(connection)
        answer = await connection.read_answer()
    assert (answer.status, json.loads(answer.body)) == (504, {"message": "The image was not ready in time."})
    async with asyncio.timeout(30):
        await fake.cancelled.wait()


@pytest.mark.case("H18")
@pytest.mark.parametrize(
    "behaviour",
    [stall_midway, say(100, b"x" * 99), say(100, b"x" * 99, b"yy"), say(100)],
    ids=["stalls", "too short", "too long", "nothing"],
)
async def test_a_result_that_is_not_as_announced_is_cut_not_passed_for_whole(
    hasty: AdapterProcess, fake: FakeImageService, behaviour: Behaviour
) -> None:
    fake.behaviour = behaviour
    async with hasty.connect() as connection:
        await send_form(connection)
        received = await connection.read_to_end()
    head, _, body = received.partition(b"\r\n\r\n")
    announced = int(head.lower().partition(b"content-length: ")[2].split()[0]) if head else 1
    assert len(body) < announced


async def begin_with_a_chunk(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
    yield EditResponse(chunk=b"x")


async def say_nothing(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
    return
    yield header(0)


@pytest.mark.case("H18")
@pytest.mark.parametrize("behaviour", [begin_with_a_chunk, say_nothing])
async def test_a_result_without_a_header_is_500(
    adapter: AdapterProcess, fake: FakeImageService, behaviour: Behaviour
) -> None:
    fake.behaviour = behaviour
    async with adapter.connect() as connection:
        await send_form(connection)
        answer = await connection.read_answer()
    assert (answer.status, json.loads(answer.body)) == (500, {"message": "Internal Server Error"})


@pytest.mark.case("H18")
async def test_a_client_that_does_not_read_holds_little_and_not_for_long(
    hasty: AdapterProcess, fake: FakeImageService
) -> None:
    sent = 0

    async def pour(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
        nonlocal sent
        yield header(GIB)
        for _chunk in range(1024):
            yield EditResponse(chunk=bytes(CHUNK))
            sent += CHUNK

    fake.behaviour = pour
    before = hasty.forget_peak_memory()
    async with hasty.connect() as connection:
        await send_form(connection)
        async with asyncio.timeout(30):
            await fake.cancelled.wait()  # By the deadline: nothing was read meanwhile.
    assert 0 < sent < 64 * CHUNK
    assert hasty.peak_memory_mib - before < 64


async def test_a_large_result_passes_through_in_little_memory(adapter: AdapterProcess, fake: FakeImageService) -> None:
    count = 256
    fake.behaviour = say(count * CHUNK, *(bytes(CHUNK) for _ in range(count)))
    before = adapter.forget_peak_memory()
    async with adapter.connect() as connection:
        await send_form(connection)
        await connection.reader.readuntil(b"\r\n\r\n")
        received = 0
        while received < count * CHUNK:
            received += len(await connection.reader.read(CHUNK))
    assert received == count * CHUNK
    assert adapter.peak_memory_mib - before < 64
