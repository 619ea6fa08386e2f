"""JobService with a real server, SQLite and a Triton that answers what a test wants."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import psutil
import pytest
from clearcanvas.v1 import composition_pb2, images_pb2, jobs_pb2

from server.image.header import read_header
from tests.support.customer import Customer
from tests.support.fake_triton import FakeTriton, running_fake
from tests.support.pictures import blank_png
from tests.support.processes import wait_until
from tests.support.server import Failure, RunningServer, failure, picture, running_server

MIB = 1024 * 1024
RECOVERY_S = 10.0
LARGE_KB = 800_000
EDIT = images_pb2.EditRequest(image=picture())
QUEUED, RUNNING = jobs_pb2.JOB_STATE_QUEUED, jobs_pb2.JOB_STATE_RUNNING
SUCCEEDED, FAILED = jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED
CANCELLED = jobs_pb2.JOB_STATE_CANCELLED


@pytest.fixture(scope="module")
def fake() -> FakeTriton:
    return FakeTriton()


@pytest.fixture(scope="module")
def server(fake: FakeTriton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("jobs")
    with running_fake(fake) as triton, running_server(triton, folder, model="fake") as server:
        wait_until(server.serving, "the server serves")
        yield server


@pytest.fixture
def customer(server: RunningServer) -> Customer:
    return Customer(server)


@pytest.fixture
def stuck(fake: FakeTriton) -> Iterator[FakeTriton]:
    """No inference ends, until the test does."""
    fake.delay_s = 60.0
    yield fake
    fake.delay_s = 0.0
    fake.released.set()
    fake.released.clear()


@pytest.fixture(scope="module")
def done(server: RunningServer) -> tuple[Customer, jobs_pb2.Job]:
    """A job that has succeeded, of 2 megapixels; only to be looked at."""
    customer = Customer(server)
    edit = images_pb2.EditRequest(image=picture(1632, 1224))
    return customer, customer.watch(customer.submit(edit).id)[-1]


def refused(call: Callable[[], object]) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return failure(caught.value)


def in_store(server: RunningServer, job: str) -> list[Path]:
    return [path for path in (server.log.parent / "data").rglob("*") if path.is_file() and job in str(path)]


def test_an_edit_as_a_job_makes_what_edit_makes(server: RunningServer, done: tuple[Customer, jobs_pb2.Job]) -> None:
    customer, job = done
    direct = server.edit(images_pb2.EditRequest(image=picture(1632, 1224)))
    download = customer.download(job.id)
    assert download.data == direct.data
    assert max(len(chunk) for chunk in download.chunks) <= MIB
    assert download.header == job.result
    assert (job.result.content_type, job.result.size) == ("image/png", len(direct.data))
    assert (job.result.image.width, job.result.image.model) == (1632, "fake")
    assert job.result.available
    assert (job.kind, job.state, job.attempt) == (jobs_pb2.JOB_KIND_IMAGE, SUCCEEDED, 1)
    assert job.create_time.ToDatetime() < job.end_time.ToDatetime() < job.result.expire_time.ToDatetime()


@pytest.mark.case("J6")
def test_a_watched_job_is_seen_from_its_queue_to_its_end(customer: Customer) -> None:
    accepted = customer.submit(EDIT)
    assert (accepted.state, accepted.progress.done, accepted.progress.total) == (QUEUED, 0, 100)
    seen = customer.watch(accepted.id)
    assert [job.state for job in seen] == sorted(job.state for job in seen)
    assert [job.progress.done for job in seen] == sorted(job.progress.done for job in seen)
    assert (seen[-1].state, seen[-1].progress.done) == (SUCCEEDED, 100)
    assert customer.watch(accepted.id) == [seen[-1]]


@pytest.mark.case("J9")
def test_a_download_goes_on_where_it_was_cut(done: tuple[Customer, jobs_pb2.Job]) -> None:
    customer, job = done
    whole, half = customer.download(job.id).data, job.result.size // 2
    assert customer.download(job.id, half).data == whole[half:]
    assert customer.download(job.id, 3, 5).data == whole[3:8]
    assert customer.download(job.id, half, 2 * job.result.size).data == whole[half:]
    assert customer.download(job.id, job.result.size).chunks == []
    seen = refused(lambda: customer.download(job.id, job.result.size + 1))
    assert (seen.reason, seen.metadata) == ("INVALID_PARAMETER", {"field": "offset"})


@pytest.mark.case("J9")
def test_a_result_is_gone_once_all_of_it_has_arrived(customer: Customer) -> None:
    job = customer.watch(customer.submit(EDIT).id)[-1]
    size = job.result.size
    for offset, length in ((0, size // 2), (0, size // 2), (size - 5, 5)):
        customer.confirm(job.id, offset, length)
        known = customer.get(job.id).result
        assert (known.available, known.fetched) == (True, False)
    customer.confirm(job.id, size // 3, size - size // 3)
    after = customer.get(job.id)
    assert (after.state, after.result.available, after.result.fetched) == (SUCCEEDED, False, True)
    seen = refused(lambda: customer.download(job.id))
    assert (seen.code, seen.reason) == (grpc.StatusCode.NOT_FOUND, "RESULT_GONE")


def test_the_same_id_is_the_same_job_and_another_request_a_conflict(customer: Customer) -> None:
    name = str(uuid4())
    first = customer.submit(EDIT, name)
    assert first.id == name
    ended = customer.watch(name)[-1]
    assert customer.submit(EDIT, name) == ended
    other = images_pb2.EditRequest(image=picture(200, 100))
    for who, edit in ((customer, other), (Customer(customer.server), EDIT)):
        seen = refused(lambda who=who, edit=edit: who.submit(edit, name))  # type: ignore[misc]
        assert (seen.code, seen.reason) == (grpc.StatusCode.ALREADY_EXISTS, "JOB_CONFLICT")


def test_a_generated_background_without_a_seed_is_the_same_request(customer: Customer, stuck: FakeTriton) -> None:
    assert stuck.delay_s
    sky = composition_pb2.Composition(generated=composition_pb2.Generated(prompt="sky"))
    edit, name = images_pb2.EditRequest(image=picture(), composition=sky), str(uuid4())
    assert customer.submit(edit, name).id == customer.submit(edit, name).id
    customer.delete(name)


def test_what_is_only_to_be_checked_is_not_accepted(customer: Customer, done: tuple[Customer, jobs_pb2.Job]) -> None:
    name = str(uuid4())
    job = customer.submit(EDIT, name, validate_only=True)
    assert (job.id, job.state) == (name, QUEUED)
    assert refused(lambda: customer.get(name)).reason == "JOB_NOT_FOUND"
    assert refused(lambda: customer.submit(images_pb2.EditRequest(), validate_only=True)).reason == "INVALID_IMAGE"
    owner, known = done
    assert refused(lambda: owner.submit(EDIT, known.id, validate_only=True)).reason == "JOB_CONFLICT"


JPEG = images_pb2.OutputOptions(format=images_pb2.IMAGE_FORMAT_JPEG)
BEHIND = composition_pb2.Composition(picture=composition_pb2.Picture(image=b"GIF89a" + bytes(64)))
BAD = [
    ("nothing", images_pb2.EditRequest(), {}, "INVALID_IMAGE", None),
    ("a GIF", images_pb2.EditRequest(image=b"GIF89a" + bytes(64)), {}, "UNSUPPORTED_FORMAT", None),
    ("a side of 10,001", images_pb2.EditRequest(image=picture(10_001, 1, "PNG")), {}, "DIMENSION_EXCEEDED", None),
    ("too many pixels", images_pb2.EditRequest(image=picture(), max_pixels=9), {}, "PIXELS_EXCEEDED", None),
    ("a GIF behind", images_pb2.EditRequest(image=picture(), composition=BEHIND), {}, "UNSUPPORTED_FORMAT", None),
    ("a transparent JPEG", images_pb2.EditRequest(image=picture(), output=JPEG), {}, "INVALID_PARAMETER", "format"),
    ("no such model", images_pb2.EditRequest(image=picture(), model="nobody"), {}, "MODEL_NOT_FOUND", "model"),
    ("an id in capitals", EDIT, {"job": str(uuid4()).upper()}, "INVALID_PARAMETER", "options.id"),
    ("an id that climbs", EDIT, {"job": "../../etc/passwd"}, "INVALID_PARAMETER", "options.id"),
    ("a webhook at home", EDIT, {"webhook_url": "http://127.0.0.1/"}, "INVALID_PARAMETER", "options.webhook_url"),
]


@pytest.mark.parametrize(("edit", "options", "reason", "field"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_can_never_work_is_refused_at_once(
    customer: Customer, edit: images_pb2.EditRequest, options: dict[str, str], reason: str, field: str | None
) -> None:
    seen = refused(lambda: customer.submit(edit, **options))
    assert seen.reason == reason
    if field is not None:
        assert seen.metadata["field"] == field


def test_who_asks_must_be_said(server: RunningServer) -> None:
    for owner in ("", "x" * 129):
        seen = refused(lambda owner=owner: Customer(server, owner).submit(EDIT))  # type: ignore[misc]
        assert (seen.reason, seen.metadata) == ("INVALID_PARAMETER", {"field": "options.owner"})
        assert refused(lambda owner=owner: Customer(server, owner).get(str(uuid4()))).reason == "INVALID_PARAMETER"  # type: ignore[misc]


@pytest.mark.case("J11")
def test_jobs_of_others_forged_and_climbing_ids_are_one_and_the_same(done: tuple[Customer, jobs_pb2.Job]) -> None:
    owner, job = done
    stranger = Customer(owner.server)
    calls: list[Callable[[str], object]] = [
        stranger.get,
        stranger.watch,
        stranger.download,
        lambda name: stranger.confirm(name, 0, job.result.size),
        stranger.cancel,
        stranger.delete,
    ]
    ids = [job.id, str(uuid4()), job.id.upper(), f"../{job.id}", f"{job.id}/../{job.id}", "", "x" * 5000, "%00", "é"]
    seen = {
        (outcome.code, outcome.reason, outcome.message, *outcome.metadata.items())
        for call in calls
        for name in ids
        for outcome in [refused(lambda call=call, name=name: call(name))]  # type: ignore[misc]
    }
    assert [each[:2] for each in seen] == [(grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")]
    assert owner.get(job.id) == job


@pytest.mark.case("J5")
def test_cancelling_a_running_job_kills_its_worker_and_frees_the_model(customer: Customer, stuck: FakeTriton) -> None:
    server = customer.server
    asked = stuck.inferences
    job = customer.submit(EDIT)
    wait_until(lambda: stuck.inferences > asked, "the model is asked")
    (worker,) = server.job_workers()
    waiting = customer.submit(EDIT)
    assert refused(lambda: customer.download(job.id)).reason == "JOB_NOT_FINISHED"
    stuck.delay_s = 0.0  # For whoever asks from now on.
    assert customer.cancel(job.id).state == CANCELLED
    wait_until(lambda: not psutil.pid_exists(worker.pid), "its worker is gone", RECOVERY_S)
    wait_until(lambda: not [name for name in stuck.regions if f"-{worker.pid}-" in name], "its regions are forgotten")
    seen = refused(lambda: customer.download(job.id))
    assert (seen.code, seen.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "JOB_FAILED")
    assert customer.watch(waiting.id)[-1].state == SUCCEEDED
    assert customer.get(job.id).state == CANCELLED


@pytest.mark.case("J5")
def test_cancelling_a_queued_job_and_one_that_has_ended(customer: Customer, stuck: FakeTriton) -> None:
    first, second = customer.submit(EDIT), customer.submit(EDIT)
    customer.until_running(first.id)
    assert customer.cancel(second.id).state == CANCELLED
    assert customer.cancel(second.id).attempt == 0
    stuck.delay_s = 0.0
    stuck.released.set()
    ended = customer.watch(first.id)[-1]
    assert ended.state == SUCCEEDED
    assert customer.cancel(first.id) == ended


def test_a_deleted_job_is_not_found_and_leaves_nothing(customer: Customer, stuck: FakeTriton) -> None:
    ended, running = None, customer.submit(EDIT)
    customer.until_running(running.id)
    customer.delete(running.id)
    stuck.delay_s = 0.0
    ended = customer.watch(customer.submit(EDIT).id)[-1]
    customer.delete(ended.id)
    for job in (running, ended):
        assert refused(lambda job=job: customer.get(job.id)).reason == "JOB_NOT_FOUND"  # type: ignore[misc]
        assert refused(lambda job=job: customer.delete(job.id)).reason == "JOB_NOT_FOUND"  # type: ignore[misc]
        wait_until(lambda job=job: not in_store(customer.server, job.id), "its files are gone")  # type: ignore[misc]


def test_a_picture_that_is_damaged_behind_its_header_fails_at_once_with_its_reason(customer: Customer) -> None:
    job = customer.watch(customer.submit(images_pb2.EditRequest(image=picture()[:2000])).id)[-1]
    assert (job.state, job.attempt, job.failure.reason) == (FAILED, 1, "INVALID_IMAGE")
    assert job.failure.message
    assert refused(lambda: customer.download(job.id)).reason == "JOB_FAILED"


def test_nothing_of_a_job_is_left_on_the_scratch_disk_or_in_the_log(
    server: RunningServer, done: tuple[Customer, jobs_pb2.Job]
) -> None:
    assert done
    wait_until(lambda: [p for p in (server.log.parent / "scratch").rglob("*") if p.is_file()] == [], "scratch is empty")
    text = server.log.read_text()
    assert "Traceback" not in text
    assert "\\x89PNG" not in text


@pytest.mark.case("M1")
@pytest.mark.case("J6")
def test_a_hundred_megapixels_stay_in_bounds_and_are_seen_to_get_on(customer: Customer) -> None:
    job = customer.submit(images_pb2.EditRequest(image=blank_png(10_000, 10_000)))
    seen = customer.watch(job.id)
    assert (seen[-1].state, seen[-1].attempt) == (SUCCEEDED, 1)
    assert [each.progress.done for each in seen if 0 < each.progress.done < 100]
    (worker,) = customer.server.job_workers()
    status = Path(f"/proc/{worker.pid}/status").read_text()
    assert int(status.partition("VmHWM:")[2].split()[0]) < LARGE_KB
    download = customer.download(job.id)
    assert len(download.data) == seen[-1].result.size
    assert read_header(download.data[: 64 * 1024]).width == 10_000
    customer.delete(job.id)
