"""Results that callers fetch without us: what an upload that fails costs, and who hears of it."""

import dataclasses
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from server.errors import ProcessingFailedError, StoreUnavailableError
from server.jobs.record import Kind, Record, Result, State
from server.jobs.store import JobStore
from server.jobs.uploads import cloudinary_account
from server.jobs.uploads.cloudinary_account import CloudinaryAccount
from server.jobs.uploads.errand import UploadErrand
from server.jobs.uploads.setup import Places, open_places
from server.jobs.uploads.spool import SpoolErrand, SpoolingStore
from tests.support.fake_cloudinary import SECRET, FakeCloudinary, running_cloudinary
from tests.support.fake_runner import make_order
from tests.support.job_bench import open_bench
from tests.support.processes import eventually, free_address
from tests.support.s3 import RunningS3, require_s3, running_s3

JOB = str(uuid.uuid4())
RESULT = f"jobs/{JOB}/out/1/processed_{JOB}.mp4"
CONTENT = bytes(range(256)) * 5000  # More than one chunk.


def record(facts: Mapping[str, str] | None = None, kind: Kind = Kind.VIDEO, content_type: str = "video/mp4") -> Record:
    now = datetime.now(UTC)
    result = Result(
        RESULT, content_type, len(CONTENT), facts or {}, available=True, fetched=False, expires=now + timedelta(hours=1)
    )
    return Record(JOB, "open", kind, {}, "ab", State.SUCCEEDED, 1, 1, 1, created=now, ended=now, result=result)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / f"processed_{JOB}.mp4"
    path.write_bytes(CONTENT)
    return path


class MovingStore(JobStore):
    """A store that takes inputs, and results only while it `takes` them."""

    takes = False

    async def put_file(self, path: str, source: Path) -> None:
        if "/out/" in path and not self.takes:
            raise StoreUnavailableError("It is being moved.")
        await super().put_file(path, source)


async def read(places: Places) -> bytes:
    return b"".join([chunk async for chunk in places.store.open_range(RESULT, 0, len(CONTENT))])


class TestRemoteStore:
    """A remote store that is down when the work is done."""

    @pytest.fixture
    def address(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """Where the store will be; nothing listens there yet."""
        require_s3()
        address = free_address()
        for name, value in RunningS3(address).environment.items():
            monkeypatch.setenv(name, value)
        return address

    def open(self, folder: Path, server: str = "a") -> Places:
        return open_places(f"s3://{RunningS3.BUCKET}", folder / server, None, folder)

    @pytest.mark.case("J12")
    async def test_the_local_copy_is_served_until_the_upload_succeeds(
        self, address: str, tmp_path: Path, made: Path
    ) -> None:
        places, other = self.open(tmp_path), self.open(tmp_path, "b")
        await places.store.put_file(RESULT, made)

        (errand,) = places.errands
        assert errand.wanted(record())
        assert await read(places) == CONTENT
        assert await places.link(record()) == ""
        with pytest.raises(StoreUnavailableError):
            await errand.run(record())

        with running_s3(address, tmp_path / "s3.log"):
            with pytest.raises(StoreUnavailableError, match="another server"):
                await other.errands[0].run(record())
            reader = aiter(places.store.open_range(RESULT, 0, len(CONTENT)))
            begun = await anext(reader)
            await errand.run(record())
            assert begun + b"".join([chunk async for chunk in reader]) == CONTENT

            assert not errand.wanted(record())
            assert not [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
            for server in (places, other):
                assert await read(server) == CONTENT
                assert await fetch(await server.link(record())) == CONTENT
            await errand.run(record())  # Again is no harm.

    @pytest.mark.case("J12")
    async def test_a_server_that_starts_brings_what_it_left(self, address: str, tmp_path: Path, made: Path) -> None:
        await self.open(tmp_path).store.put_file(RESULT, made)
        await self.open(tmp_path).start()  # The store is down still.

        with running_s3(address, tmp_path / "s3.log"):
            await self.open(tmp_path).start()

            assert await read(self.open(tmp_path, "b")) == CONTENT
            await self.open(tmp_path).store.delete_prefix(f"jobs/{JOB}/")
            assert not await self.open(tmp_path, "b").store.exists(RESULT)

    @pytest.mark.case("J12")
    async def test_a_job_succeeds_although_its_store_went_down_at_work(self, tmp_path: Path) -> None:
        remote = MovingStore((tmp_path / "remote").as_uri())
        store = SpoolingStore(remote, tmp_path / "spool")
        async with open_bench(f"sqlite:///{tmp_path}/jobs.sqlite", tmp_path, [SpoolErrand(store)], store) as bench:
            order = make_order()
            await bench.submit(order)
            ended = await bench.end(order)

            assert ended.state is State.SUCCEEDED
            assert ended.result is not None
            assert store.holds(ended.result.path)
            assert b"".join([chunk async for chunk in store.open_range(ended.result.path, 0, 9)]) == b"the input"
            remote.takes = True
            path = ended.result.path
            await eventually(lambda: not store.holds(path), "the upload is made up for")
            assert await bench.paths(order) == [path]

    @pytest.mark.case("J12")
    async def test_what_waits_is_deleted_and_listed_with_the_job(self, tmp_path: Path, made: Path) -> None:
        remote = JobStore((tmp_path / "remote").as_uri())
        store = SpoolingStore(remote, tmp_path / "spool")
        (tmp_path / "spool" / RESULT).parent.mkdir(parents=True)
        made.rename(tmp_path / "spool" / RESULT)

        assert [path async for path in store.list_paths("jobs/")] == [RESULT]
        assert SpoolErrand(store).wanted(record())
        await store.delete_prefix(f"jobs/{JOB}/")

        assert not await store.exists(RESULT)
        await SpoolErrand(store).withdraw(record())

    @pytest.mark.usefixtures("address")
    async def test_an_input_does_not_wait_because_its_job_is_not_accepted_yet(self, tmp_path: Path, made: Path) -> None:
        with pytest.raises(StoreUnavailableError):
            await self.open(tmp_path).store.put_file(f"jobs/{JOB}/in/ab/video", made)


class TestCloudinary:
    """The account at Cloudinary, through its own SDK, over HTTP."""

    @pytest.fixture
    async def cloud(self) -> AsyncIterator[FakeCloudinary]:
        async with running_cloudinary() as fake:
            yield fake

    @pytest.fixture
    def places(self, cloud: FakeCloudinary, tmp_path: Path) -> Places:
        return open_places((tmp_path / "store").as_uri(), tmp_path / "spool", cloud.url, tmp_path)

    async def test_a_video_is_uploaded_under_a_name_that_its_id_does_not_tell(
        self, cloud: FakeCloudinary, places: Places, made: Path
    ) -> None:
        facts = await places.upload(JOB, Kind.VIDEO, made, "video/mp4")
        again = await places.upload(JOB, Kind.VIDEO, made, "video/mp4")

        ((kind, name), content) = next(iter(cloud.assets.items()))
        assert (kind, content, len(cloud.assets)) == ("video", CONTENT, 1)
        assert JOB not in name
        assert facts == again == {"upload_link": f"https://res.cloudinary.com/canvas/video/upload/v1/{name}"}
        assert await places.link(record(facts)) == facts["upload_link"]
        assert not places.errands[0].wanted(record(facts))

    async def test_a_large_video_goes_in_parts(
        self, cloud: FakeCloudinary, places: Places, made: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cloudinary_account, "_PART_BYTES", len(CONTENT) // 2 - 1)

        assert await places.upload(JOB, Kind.VIDEO, made, "video/webm")

        assert (list(cloud.assets.values()), cloud.calls) == ([CONTENT], 3)

    async def test_a_picture_is_not_uploaded(self, cloud: FakeCloudinary, places: Places, made: Path) -> None:
        assert await places.upload(JOB, Kind.IMAGE, made, "image/png") == {}
        assert not places.errands[0].wanted(record(kind=Kind.IMAGE))
        await places.errands[0].withdraw(record(kind=Kind.IMAGE))
        assert cloud.calls == 0

    @pytest.mark.case("J12")
    @pytest.mark.parametrize("status", [401, 420, 500])
    async def test_our_copy_is_served_and_the_upload_tried_again(
        self, cloud: FakeCloudinary, places: Places, made: Path, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        cloud.status = status
        await places.store.put_file(RESULT, made)
        (errand,) = places.errands

        assert await places.upload(JOB, Kind.VIDEO, made, "video/mp4") == {}
        assert await read(places) == CONTENT
        assert await places.link(record()) == ""
        assert errand.wanted(record())
        with pytest.raises(StoreUnavailableError) as refusal:
            await errand.run(record())

        cloud.status = 200
        assert (await errand.run(record()))["upload_link"].startswith("https://res.cloudinary.com/")
        assert list(cloud.assets.values()) == [CONTENT]
        for secret in (SECRET, next(iter(cloud.assets))[1]):
            assert secret not in caplog.text + str(refusal.value)

    @pytest.mark.case("J12")
    async def test_an_upload_that_hangs_does_not_hold_the_job(
        self, cloud: FakeCloudinary, places: Places, tmp_path: Path, made: Path
    ) -> None:
        cloud.free.clear()
        errand = UploadErrand(CloudinaryAccount(cloud.url), places.store, tmp_path, first_try_s=0.05)

        assert await errand.try_first(JOB, made, "video/mp4") == {}

    async def test_a_file_that_is_not_taken_is_not_sent_again(
        self, cloud: FakeCloudinary, places: Places, made: Path
    ) -> None:
        cloud.status = 400
        await places.store.put_file(RESULT, made)

        with pytest.raises(ProcessingFailedError):
            await places.errands[0].run(record())
        await places.errands[0].withdraw(record())  # The sweep goes on.

    async def test_a_result_that_is_gone_is_not_uploaded(self, cloud: FakeCloudinary, places: Places) -> None:
        assert await places.errands[0].run(record()) == {}  # Its file went.
        gone = record()
        assert gone.result is not None
        gone = dataclasses.replace(gone, result=dataclasses.replace(gone.result, available=False))
        assert not places.errands[0].wanted(gone)
        assert await places.errands[0].run(gone) == {}
        assert await places.link(gone) == ""
        assert cloud.calls == 0

    @pytest.mark.case("J13")
    @pytest.mark.parametrize("content_type", ["video/mp4", "video/webm", "image/webp", "application/zip"])
    async def test_what_was_uploaded_goes_with_the_result(
        self, cloud: FakeCloudinary, places: Places, made: Path, content_type: str
    ) -> None:
        (errand,) = places.errands
        for each in (record(content_type=content_type), dataclasses.replace(record(), result=None)):
            await places.upload(JOB, Kind.VIDEO, made, content_type)
            assert cloud.assets

            await errand.withdraw(each)

            assert not cloud.assets
            await errand.withdraw(each)  # Again is no harm.

    @pytest.mark.parametrize(
        "url", ["https://k:secret@x", "cloudinary://secret", "cloudinary://k:secret@", "cloudinary://[secret"]
    )
    def test_an_account_that_is_none_is_refused_without_showing_it(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="account at Cloudinary") as refusal:
            open_places((tmp_path / "store").as_uri(), tmp_path / "spool", url, tmp_path)
        assert "secret" not in str(refusal.value)


async def fetch(link: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(link) as response:
        return await response.read()
