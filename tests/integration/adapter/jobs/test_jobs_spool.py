"""Videos on their way in: on the disk and not in memory, within every limit, and nothing of them left behind."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from clearcanvas.v1.composition_pb2 import Color, Composition
from clearcanvas.v1.jobs_pb2 import VideoOrder

from adapter.errors import SpoolError
from adapter.uploads.budget import UploadBudget
from adapter.uploads.spool import Spool, SpoolLimits
from tests.integration.adapter.fake_jobs import FakeJobService
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.jobs.calls import MP4, VIDEO, submit
from tests.integration.adapter.process import BOUNDARY, FORM_TYPE, RawConnection, run_adapter
from tests.integration.adapter.shop import RunningShop, running_shop

MIB = 1024 * 1024
LIMIT = MIB
BODY_LIMIT = LIMIT + 25 * MIB + 64 * 1024  # The video, a background, and what is around them.


@pytest_asyncio.fixture(scope="session")
async def small_door(job_server: RunningFake, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningShop]:
    """Takes videos of 1 MiB, and 2 MiB of them at a time."""
    folder = tmp_path_factory.mktemp("small")
    settings = {
        "video_mib": 1,
        "spool_budget_mib": 2,
        "spool": str(folder / "spool"),
    }
    async with running_shop(job_server.address, folder, sells=False, settings=settings) as shop:
        yield shop


@pytest_asyncio.fixture
async def narrow(small_door: RunningShop, jobs: FakeJobService) -> RunningShop:
    return small_door


def spooled() -> list[Path]:
    """What this process, in which the adapter runs, has open in the spool: files without a name."""
    links = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    return [link.readlink() for link in links if link.is_symlink() and "/spool/" in str(link.readlink())]


def named(folders: pytest.TempPathFactory) -> list[Path]:
    return list(folders.getbasetemp().glob("small*/spool/*"))


async def until(count: int) -> None:
    async with asyncio.timeout(10):
        while len(spooled()) != count:  # noqa: ASYNC110 - the kernel calls nobody.
            await asyncio.sleep(0.01)


def video_part(content: bytes, name: str = "video", content_type: str = "video/mp4") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="-i concat:a|b.mp4"'
    return f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: {content_type}\r\n\r\n".encode() + content + b"\r\n"


def field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


END = f"--{BOUNDARY}--\r\n".encode()


async def connect(door: RunningShop) -> RawConnection:
    return RawConnection(*await asyncio.open_connection("127.0.0.1", door.port))


async def post(door: RunningShop, body: bytes) -> int:
    connection = await connect(door)
    await connection.post(VIDEO, FORM_TYPE, f"Content-Length: {len(body)}", body=body)
    answer = await connection.read_answer()
    connection.writer.close()
    return answer.status


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 202), (LIMIT + 1, 413)])
async def test_a_video_may_have_so_much(narrow: RunningShop, jobs: FakeJobService, size: int, status: int) -> None:
    content = MP4 + bytes(size - len(MP4))
    reply = await submit(narrow, VIDEO, {"bg_color": "1,2,3"}, file=content)
    assert reply.status == status
    assert [job.upload == content for job in jobs.jobs.values()] == ([True] if status == 202 else [])
    assert spooled() == []


@pytest.mark.case("H1")
@pytest.mark.parametrize(("length", "status"), [(BODY_LIMIT, 100), (BODY_LIMIT + 1, 413)])
async def test_a_body_is_invited_or_refused_unread(
    narrow: RunningShop, jobs: FakeJobService, length: int, status: int
) -> None:
    connection = await connect(narrow)
    await connection.post(VIDEO, FORM_TYPE, f"Content-Length: {length}", "Expect: 100-continue")
    assert (await connection.read_answer()).status == status
    connection.writer.close()


@pytest.mark.case("V3")
@pytest.mark.parametrize("name", ["video", "file"])
async def test_fields_may_follow_and_names_of_files_are_of_no_interest(
    narrow: RunningShop, jobs: FakeJobService, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    body = field("format", "mp4") + video_part(MP4, name) + field("bg_color", " 1, 2,3 ") + END
    assert await post(narrow, body) == 202
    order = jobs.only.request
    assert isinstance(order, VideoOrder)
    assert order.composition == Composition(color=Color(red=1, green=2, blue=3, alpha=255))
    assert jobs.only.upload == MP4
    assert named(tmp_path_factory) == []


async def test_a_background_comes_beside_the_video(narrow: RunningShop, jobs: FakeJobService) -> None:
    reply = await submit(narrow, VIDEO, {"fit": "contain"}, background=b"a picture")
    assert reply.status == 202
    order = jobs.only.request
    assert isinstance(order, VideoOrder)
    assert order.composition.picture.image == b"a picture"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (video_part(MP4) + video_part(MP4) + END, 400),
        (video_part(MP4) + video_part(MP4, "file") + END, 400),
        (video_part(MP4), 400),  # Not whole.
        (video_part(b"") + END, 400),
        (video_part(b"tiny", content_type="text/plain") + END, 400),
        (field("video", "a word") + END, 400),
        (video_part(MP4) + field("extra", "x" * 4097) + END, 413),
        (video_part(MP4) + b"".join(field(f"f{number}", "") for number in range(32)) + END, 413),
    ],
)
async def test_a_form_is_refused_and_leaves_nothing(
    narrow: RunningShop, jobs: FakeJobService, body: bytes, status: int
) -> None:
    assert await post(narrow, body) == status
    assert jobs.jobs == {}
    assert spooled() == []


async def test_what_is_no_video_is_refused_by_its_first_bytes(narrow: RunningShop, jobs: FakeJobService) -> None:
    connection = await connect(narrow)
    start = video_part(b"\x89PNG\r\n\x1a\n" + bytes(8), content_type="image/png")[:-2]
    await connection.post(VIDEO, FORM_TYPE, f"Content-Length: {LIMIT}", body=start)
    answer = await connection.read_answer()
    assert (answer.status, answer.body) == (400, b'{"detail": "File must be a video"}')
    connection.writer.close()


async def test_an_upload_that_is_cut_leaves_nothing(
    narrow: RunningShop, jobs: FakeJobService, tmp_path_factory: pytest.TempPathFactory
) -> None:
    connection = await connect(narrow)
    body = video_part(MP4 + bytes(LIMIT - len(MP4)))
    await connection.post(VIDEO, FORM_TYPE, f"Content-Length: {len(body) + 1000}", body=body)
    await until(1)
    assert named(tmp_path_factory) == []  # It has no name, so that a process that is killed leaves nothing either.
    connection.writer.transport.abort()
    await until(0)
    assert jobs.jobs == {}


async def test_an_upload_that_stalls_leaves_nothing(
    job_server: RunningFake, jobs: FakeJobService, tmp_path: Path
) -> None:
    settings = {"spool": str(tmp_path / "spool"), "upload_idle_timeout_s": 0.3}
    async with running_shop(job_server.address, tmp_path, sells=False, settings=settings) as door:
        connection = await connect(door)
        body = video_part(MP4 + bytes(LIMIT - len(MP4)))
        await connection.post(VIDEO, FORM_TYPE, f"Content-Length: {len(body) + 1000}", body=body)
        assert (await connection.read_answer()).status == 408
        await until(0)
        connection.writer.close()
    assert list((tmp_path / "spool").glob("*")) == []
    assert jobs.jobs == {}


async def test_the_disk_has_a_budget_for_all_together(narrow: RunningShop, jobs: FakeJobService) -> None:
    waiting = [await connect(narrow) for _ in range(2)]
    body = video_part(MP4 + bytes(LIMIT - len(MP4)))
    for connection in waiting:
        await connection.post(VIDEO, FORM_TYPE, f"Content-Length: {len(body) + len(END)}", body=body)
    await until(2)
    refused = await submit(narrow, VIDEO)
    assert refused.status == 503
    assert refused.words == {"detail": "Failed to submit video: Too many uploads are in progress. Try again later."}
    assert refused.headers["Retry-After"] == "1"
    for connection in waiting:
        await connection.send(END)
        assert (await connection.read_answer()).status == 202
        connection.writer.close()
    assert (await submit(narrow, VIDEO)).status == 202


@pytest.mark.case("J8")
async def test_a_disk_that_takes_no_more_is_said_and_not_survived_by_half_a_video(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    limits = SpoolLimits(tmp_path / "file", UploadBudget(LIMIT), LIMIT)
    async with Spool(limits, ("video",), lambda *_: None) as spool:
        spool.begin("video/mp4")
        spool.add(MP4)
        spool.end()
        with pytest.raises(SpoolError):
            await spool.flush(whole=True)


async def test_a_large_video_passes_without_being_held(job_server: RunningFake, jobs: FakeJobService) -> None:
    content = MP4 + os.urandom(1000) + bytes(48 * MIB)
    body = video_part(content) + END
    async with run_adapter(job_server.address) as adapter, adapter.connect() as connection:
        before = adapter.forget_peak_memory()
        await connection.post(VIDEO, FORM_TYPE, f"Content-Length: {len(body)}", body=body)
        assert (await connection.read_answer()).status == 202
        grown = adapter.peak_memory_mib - before
        assert grown < 24
    assert jobs.only.upload == content
