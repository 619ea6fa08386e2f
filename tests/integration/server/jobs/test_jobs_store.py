"""The store of inputs and results, on a disk and on an S3 server: one contract for both."""

import os
import uuid
from pathlib import Path

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from server.errors import StoreUnavailableError
from server.jobs.store import JobStore
from tests.support.processes import free_address
from tests.support.s3 import RunningS3

MIB = 1024 * 1024


def use(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def on_s3(s3: RunningS3, monkeypatch: pytest.MonkeyPatch) -> JobStore:
    use(monkeypatch, s3.environment)
    return JobStore(f"s3://{s3.BUCKET}/{uuid.uuid4()}")


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> JobStore:
    if request.param == "file":
        return JobStore(f"file://{tmp_path / 'a folder'}")
    made: JobStore = request.getfixturevalue("on_s3")
    return made


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> JobStore:
    use(monkeypatch, RunningS3(free_address()).environment)
    return JobStore("s3://bucket/prefix")


def write(folder: Path, content: bytes) -> Path:
    path = folder / uuid.uuid4().hex
    path.write_bytes(content)
    return path


async def read(store: JobStore, path: str, offset: int, length: int) -> bytes:
    chunks = [chunk async for chunk in store.open_range(path, offset, length)]
    assert all(0 < len(chunk) <= MIB for chunk in chunks)
    return b"".join(chunks)


@pytest.mark.parametrize("size", [0, 1, 11 * MIB + 7], ids=["empty", "a byte", "in parts"])
async def test_what_is_put_is_there_whole_and_in_ranges(store: JobStore, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)

    await store.put_file("jobs/a/in/video", write(tmp_path, content))

    assert await store.exists("jobs/a/in/video")
    assert await read(store, "jobs/a/in/video", 0, size) == content
    for offset, length in [(size // 2, size - size // 2), (size // 3, min(size // 3, 10))]:
        assert await read(store, "jobs/a/in/video", offset, length) == content[offset : offset + length]
    await store.get_to_file("jobs/a/in/video", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


async def test_putting_again_replaces(store: JobStore, tmp_path: Path) -> None:
    for content in (b"the first, longer", b"the second"):
        await store.put_file("jobs/a/out/1/result.png", write(tmp_path, content))

    assert await read(store, "jobs/a/out/1/result.png", 0, 10) == b"the second"
    with pytest.raises(StoreUnavailableError):  # It is shorter than the caller was told.
        await read(store, "jobs/a/out/1/result.png", 0, 17)


async def test_what_is_not_there_is_not_found(store: JobStore, tmp_path: Path) -> None:
    assert not await store.exists("jobs/a/in/video")
    with pytest.raises(FileNotFoundError):
        await read(store, "jobs/a/in/video", 0, 1)
    with pytest.raises(FileNotFoundError):
        await store.get_to_file("jobs/a/in/video", tmp_path / "copy")
    await store.delete_prefix("jobs/a/")
    assert [path async for path in store.list_paths("jobs/")] == []


async def test_a_prefix_is_listed_and_deleted_and_its_neighbours_stay(store: JobStore, tmp_path: Path) -> None:
    source = write(tmp_path, b"x")
    paths = {"jobs/a/in/video", "jobs/a/out/1/x.mp4", "jobs/a/out/2/x.mp4", "jobs/ab/in/video"}
    for path in paths:
        await store.put_file(path, source)

    assert {path async for path in store.list_paths("jobs/")} == paths
    await store.delete_prefix("jobs/a/out/1/")
    assert {path async for path in store.list_paths("jobs/a/")} == {"jobs/a/in/video", "jobs/a/out/2/x.mp4"}
    await store.delete_prefix("jobs/a/")
    assert {path async for path in store.list_paths("jobs/")} == {"jobs/ab/in/video"}


@pytest.mark.parametrize("prefix", ["", "/", "jobs/a", "jobs/../../", "/jobs/"])
async def test_only_a_prefix_below_it_is_deleted(store: JobStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="no prefix"):
        await store.delete_prefix(prefix)


@pytest.mark.case("J13")
async def test_what_an_interrupted_write_left_is_listed_and_deleted(tmp_path: Path) -> None:
    store = JobStore(f"file://{tmp_path}")
    (tmp_path / "jobs/a/in").mkdir(parents=True)
    (tmp_path / "jobs/a/in/video#1").write_bytes(b"half of it")  # As obstore names what it has not finished.

    assert [path async for path in store.list_paths("jobs/")] == ["jobs/a/in/video#1"]
    await store.delete_prefix("jobs/a/")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.case("J8")
async def test_what_was_put_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))

    await JobStore(f"file://{tmp_path}/store").put_file("jobs/a/in/video", write(tmp_path, b"x"))

    names = ["jobs/a/in/video", "jobs/a/in", "jobs/a", "jobs", ""]
    assert synced == [str(tmp_path / "store" / name) for name in names]


@pytest.mark.case("J8")
async def test_a_full_or_closed_disk_is_unavailable_and_nothing_is_left(tmp_path: Path) -> None:
    store = JobStore(f"file://{tmp_path}")
    (tmp_path / "jobs").write_bytes(b"a file where the folder should be")

    with pytest.raises(StoreUnavailableError):
        await store.put_file("jobs/a/in/video", write(tmp_path.parent, b"x"))
    assert [path.name for path in tmp_path.iterdir()] == ["jobs"]


async def test_a_remote_file_is_handed_out_by_a_link_for_a_time(on_s3: JobStore, tmp_path: Path) -> None:
    path = "jobs/a/out/1/processed_a.mp4"
    await on_s3.put_file(path, write(tmp_path, b"a video"))

    link = await on_s3.link(path, 3600)

    assert link is not None
    assert "the-secret-key" not in link
    assert "X-Amz-Expires=3600" in link
    body, headers = await fetch(link)
    assert body == b"a video"
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Disposition"] == "attachment; filename=processed_a.mp4"


async def test_no_link_lasts_longer_than_the_store_signs_for(on_s3: JobStore) -> None:
    assert f"X-Amz-Expires={7 * 24 * 3600}&" in (await on_s3.link("jobs/a/out/1/x.mp4", 1e9) or "")


async def test_a_local_file_has_no_link(tmp_path: Path) -> None:
    store = JobStore(f"file://{tmp_path}")

    assert await store.link("jobs/a/out/1/video.mp4", 3600) is None
    assert not store.remote


@pytest.mark.case("J8")
async def test_a_store_that_does_not_answer_is_unavailable(
    unreachable: JobStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refusals = []
    for call in [
        unreachable.put_file("jobs/a/in/video", write(tmp_path, b"x")),
        unreachable.exists("jobs/a/in/video"),
        unreachable.get_to_file("jobs/a/in/video", tmp_path / "copy"),
        unreachable.delete_prefix("jobs/a/"),
        read(unreachable, "jobs/a/in/video", 0, 1),
        anext(unreachable.list_paths("jobs/")),
    ]:
        with pytest.raises(StoreUnavailableError) as refusal:
            await call
        refusals.append(refusal.value)

    assert all(error.__cause__ is None and error.__suppress_context__ for error in refusals)
    assert "http" not in caplog.text
    assert "kind: Connect" in caplog.text


@pytest.mark.parametrize(
    "url", ["ftp://user:secret@x", "secret", "s3://", "file:///proc/nowhere", "file://[secret", "memory:///"]
)
def test_a_place_that_cannot_hold_jobs_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="jobs cannot be kept") as refusal:
        JobStore(url)
    assert "secret" not in str(refusal.value)


async def fetch(link: str) -> tuple[bytes, CIMultiDictProxy[str]]:
    async with aiohttp.ClientSession() as session, session.get(link) as response:
        return await response.read(), response.headers
