"""Downloads: parts, conditions and HEAD by RFC 9110; and a result that goes only once all of it has arrived."""

import asyncio
import socket
import struct

import grpc
import pytest

from tests.integration.adapter.fake_jobs import FakeJob, FakeJobService, Refusal
from tests.integration.adapter.jobs.calls import HD_RESULT, call
from tests.integration.adapter.shop import RunningShop

MIB = 1024 * 1024
CONTENT = bytes(range(256)) * 40  # 10,240 bytes
SIZE = len(CONTENT)


async def finished(jobs: FakeJobService, content: bytes = CONTENT) -> FakeJob:
    job = jobs.put()
    await job.succeed(content)
    return job


@pytest.mark.case("J9")
@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        ("bytes=100-100000000", 100, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-100000000", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    ],
)
async def test_a_part_is_sent(door: RunningShop, jobs: FakeJobService, wanted: str, start: int, end: int) -> None:
    job = await finished(jobs)
    reply = await call(door, "GET", HD_RESULT + job.job.id, headers={"Range": wanted})
    assert (reply.status, reply.body) == (206, CONTENT[start:end])
    assert reply.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert reply.headers["Content-Length"] == str(end - start)
    assert await confirmed(job) == [(start, end - start)]
    assert job.job.result.available == (end - start < SIZE)


@pytest.mark.case("J9")
@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=100000000-200000000", "bytes=-0"])
async def test_a_part_behind_the_end_is_416(door: RunningShop, jobs: FakeJobService, wanted: str) -> None:
    job = await finished(jobs)
    reply = await call(door, "GET", HD_RESULT + job.job.id, headers={"Range": wanted})
    assert (reply.status, reply.body) == (416, b"")
    assert reply.headers["Content-Range"] == f"bytes */{SIZE}"
    assert job.confirmed == []


@pytest.mark.case("J9")
@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,3-4", "bytes=5-3", "bytes=-", "bytes=a-b", "lines=0-1", "bytes 0-1", f"bytes=0-{'9' * 5000}"]
)
async def test_what_is_no_single_range_is_the_whole(door: RunningShop, jobs: FakeJobService, wanted: str) -> None:
    job = await finished(jobs)
    reply = await call(door, "GET", HD_RESULT + job.job.id, headers={"Range": wanted})
    assert (reply.status, reply.body) == (200, CONTENT)
    assert await confirmed(job) == [(0, SIZE)]
    assert not job.job.result.available


@pytest.mark.case("J9")
@pytest.mark.parametrize(
    ("tag", "status"),
    [('"{}"', 206), ('W/"{}"', 200), ('"another"', 200), ("Sat, 21 Nov 2026 21:00:00 GMT", 200)],
)
async def test_a_part_is_only_of_the_same_result(
    door: RunningShop, jobs: FakeJobService, tag: str, status: int
) -> None:
    job = await finished(jobs)
    headers = {"Range": "bytes=1-2", "If-Range": tag.format(job.job.id)}
    reply = await call(door, "GET", HD_RESULT + job.job.id, headers=headers)
    assert (reply.status, reply.body) == (status, CONTENT[1:3] if status == 206 else CONTENT)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": '"{}"'}, 304),
        ({"If-None-Match": 'W/"{}", "x"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"another"'}, 200),
        ({"If-Match": '"another"'}, 412),
        ({"If-Match": 'W/"{}"'}, 412),
        ({"If-Match": '"{}"'}, 200),
        ({"If-Match": "*"}, 200),
    ],
)
async def test_conditions(door: RunningShop, jobs: FakeJobService, headers: dict[str, str], status: int) -> None:
    job = await finished(jobs)
    sent = {name: value.format(job.job.id) for name, value in headers.items()}
    reply = await call(door, "GET", HD_RESULT + job.job.id, headers=sent)
    assert (reply.status, reply.headers["ETag"]) == (status, f'"{job.job.id}"')
    if status == 200:
        await confirmed(job)
    else:
        assert job.confirmed == []


@pytest.mark.case("J9")
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-1"}])
async def test_head_tells_of_the_whole_and_fetches_nothing(
    door: RunningShop, jobs: FakeJobService, headers: dict[str, str]
) -> None:
    job = await finished(jobs)
    head = await call(door, "HEAD", HD_RESULT + job.job.id, headers=headers)
    assert (head.status, head.body) == (200, b"")
    assert job.job.result.available
    got = await call(door, "GET", HD_RESULT + job.job.id)
    told = {name: value for name, value in head.headers.items() if name not in {"Date", "X-Request-ID"}}
    assert told == {name: got.headers[name] for name in told}
    assert (head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (str(SIZE), "bytes")


async def test_head_of_what_is_not_there_is_as_get(door: RunningShop, jobs: FakeJobService) -> None:
    at_work = jobs.put()
    for path, status in ((at_work.job.id, 202), ("nonsense", 404)):
        head = await call(door, "HEAD", HD_RESULT + path)
        assert (head.status, head.body) == (status, b"")


async def connect(door: RunningShop, path: str, *headers: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client with a small window, so that what it does not read waits with the sender."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    peer.settimeout(0)
    await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", door.port))
    reader, writer = await asyncio.open_connection(sock=peer, limit=4096)
    lines = (f"GET {path} HTTP/1.1", "Host: test", *headers)
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    return reader, writer


async def confirmed(job: FakeJob, times: int = 1) -> list[tuple[int, int]]:
    """What was confirmed, once it was: it is after the last byte, which the caller has by then."""
    async with asyncio.timeout(10):
        while len(job.confirmed) < times:  # noqa: ASYNC110 - a plain list of the fake.
            await asyncio.sleep(0.01)
    return job.confirmed


@pytest.mark.case("J9")
@pytest.mark.parametrize("abrupt", [False, True])
async def test_a_download_cut_at_half_leaves_the_file_and_is_gone_on_with(
    door: RunningShop, jobs: FakeJobService, *, abrupt: bool
) -> None:
    content = bytes(range(256)) * (8 * MIB // 256)
    job = await finished(jobs, content)
    reader, writer = await connect(door, HD_RESULT + job.job.id)
    await reader.readuntil(b"\r\n\r\n")
    half = len(content) // 2
    have = await reader.readexactly(half)
    if abrupt:  # SO_LINGER of 0 seconds: closing is a reset.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    ((offset, arrived),) = await confirmed(job)
    assert offset == 0
    assert half <= arrived < len(content)  # No less than was read, so that the rest closes the gap.
    assert job.job.result.available
    rest = await call(door, "GET", HD_RESULT + job.job.id, headers={"Range": f"bytes={half}-"})
    assert rest.status == 206
    assert have + rest.body == content
    await confirmed(job, 2)
    assert not job.job.result.available
    assert (await call(door, "GET", HD_RESULT + job.job.id)).status == 404


@pytest.mark.case("J9")
async def test_a_small_file_that_was_not_read_is_left(door: RunningShop, jobs: FakeJobService) -> None:
    """All of it fits into what the kernels hold: sent, and yet not received."""
    job = await finished(jobs, bytes(200 * 1024))
    reader, writer = await connect(door, HD_RESULT + job.job.id)
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    async with asyncio.timeout(10):
        while jobs.asked < 2:  # noqa: ASYNC110 - a plain number of the fake.
            await asyncio.sleep(0.01)
    assert (await call(door, "HEAD", HD_RESULT + job.job.id)).status == 200


@pytest.mark.case("J9")
async def test_who_hangs_up_after_the_last_byte_has_it(door: RunningShop, jobs: FakeJobService) -> None:
    job = await finished(jobs)
    reader, writer = await connect(door, HD_RESULT + job.job.id)
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(SIZE) == CONTENT
    writer.close()
    assert await confirmed(job) == [(0, SIZE)]
    assert not job.job.result.available


async def test_results_one_after_the_other_on_one_connection(door: RunningShop, jobs: FakeJobService) -> None:
    done = [await finished(jobs, bytes([number]) * 100_000) for number in range(3)]
    reader, writer = await connect(door, HD_RESULT + done[0].job.id)
    for job, following in zip(done, [*done[1:], None], strict=True):
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(100_000) == job.content
        if following is not None:
            writer.write(f"GET {HD_RESULT}{following.job.id} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    writer.close()
    await confirmed(done[-1])
    assert [job.confirmed for job in done] == [[(0, 100_000)]] * 3


@pytest.mark.case("J10")
async def test_what_expires_between_the_question_and_the_download_is_a_404(
    door: RunningShop, jobs: FakeJobService
) -> None:
    job = await finished(jobs)
    jobs.expires_in = 1  # Questions about it.
    reply = await call(door, "GET", HD_RESULT + job.job.id)
    assert (reply.status, reply.words) == (404, {"detail": "Processed image file not found"})


async def test_a_result_that_is_shorter_than_was_said_is_broken_off(door: RunningShop, jobs: FakeJobService) -> None:
    job = await finished(jobs, bytes(2 * MIB))
    job.content = bytes(2 * MIB - 1)
    reader, writer = await connect(door, HD_RESULT + job.job.id)
    await reader.readuntil(b"\r\n\r\n")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(2 * MIB)
    writer.close()
    assert job.job.result.available


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (Refusal(grpc.StatusCode.UNAVAILABLE, "gone"), 503),
        (Refusal(grpc.StatusCode.UNAVAILABLE, "The store does not answer.", "STORE_UNAVAILABLE"), 503),
        (Refusal(grpc.StatusCode.INTERNAL, "secret"), 500),
    ],
)
async def test_a_service_in_trouble(door: RunningShop, jobs: FakeJobService, trouble: Refusal, status: int) -> None:
    job = await finished(jobs)
    jobs.trouble = trouble
    reply = await call(door, "GET", HD_RESULT + job.job.id)
    assert reply.status == status
    assert set(reply.words) == {"message"}
    assert "secret" not in reply.words["message"]
