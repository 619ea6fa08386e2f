"""Uploads of videos: taken in chunks to the disk, judged by their header, and cut off where they stall or lie."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import av
import grpc
import numpy as np
import pytest
from clearcanvas.v1 import composition_pb2, images_pb2, jobs_pb2, videos_pb2

from tests.support.clip_scenes import moving
from tests.support.clips import film
from tests.support.customer import LIMIT_S, Customer, upload
from tests.support.fake_triton import FakeTriton, running_fake
from tests.support.processes import wait_until
from tests.support.server import Failure, RunningServer, encoded, failure, picture, running_server

MIB = 1024 * 1024
Message = jobs_pb2.SubmitVideoRequest
GREEN = composition_pb2.Composition(color=composition_pb2.Color(green=200))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """At most 1 MiB, at most 0.5 s, and nobody may keep it waiting for longer than a second."""
    folder = tmp_path_factory.mktemp("videos")
    settings: dict[str, Any] = {"model": "fake", "fast_model": "fake", "video_mib": 1, "video_duration_s": 0.5}
    with (
        running_fake(FakeTriton()) as triton,
        running_server(
            triton, folder, **settings, receive_s=1, transfer_s=2, cloudinary_url="c://canary-77d0"
        ) as server,
    ):
        wait_until(server.serving, "the server serves")
        yield server


@pytest.fixture
def customer(server: RunningServer) -> Customer:
    return Customer(server)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Twenty frames, 0.8 s."""
    file = tmp_path_factory.mktemp("clip") / "a.mp4"
    film(file, moving(frames=20))
    return file.read_bytes()


def scratch_files(server: RunningServer) -> list[Path]:
    return [path for path in (server.log.parent / "scratch").rglob("*") if path.is_file()]


def refused(customer: Customer, messages: Iterator[Message]) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        customer.server.jobs.SubmitVideo(messages, timeout=LIMIT_S)
    assert scratch_files(customer.server) == []
    return failure(caught.value)


def order(customer: Customer, **fields: object) -> jobs_pb2.VideoOrder:
    return jobs_pb2.VideoOrder(options=customer.options(), **fields)  # type: ignore[arg-type] # a test names fields


def test_a_video_is_taken_trimmed_and_laid_over_a_colour(customer: Customer, clip: bytes, tmp_path: Path) -> None:
    accepted = customer.submit_video(clip, jobs_pb2.VideoOrder(composition=GREEN))
    facts = accepted.video
    assert (accepted.kind, accepted.progress.total) == (jobs_pb2.JOB_KIND_VIDEO, 13)
    assert (facts.width, facts.height, facts.duration_s, facts.processed_s) == (320, 180, 0.8, 0.5)
    seen = customer.watch(accepted.id)
    assert [job.progress.done for job in seen] == sorted(job.progress.done for job in seen)
    ended = seen[-1]
    assert (ended.state, ended.progress.done) == (jobs_pb2.JOB_STATE_SUCCEEDED, 13)
    assert (ended.result.content_type, ended.result.video.frames) == ("video/mp4", 13)
    assert list(ended.result.video.models) == ["fake"]
    assert ended.video == facts
    (tmp_path / "result.mp4").write_bytes(customer.download(accepted.id).data)
    with av.open(tmp_path / "result.mp4") as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 13
    assert frames[0].shape == (180, 320, 3)


def test_without_a_background_it_becomes_a_webm(customer: Customer, clip: bytes) -> None:
    ended = customer.watch(customer.submit_video(clip).id)[-1]
    assert ended.result.content_type == "video/webm"
    assert customer.download(ended.id).data[:4] == b"\x1a\x45\xdf\xa3"


def test_a_picture_may_lie_behind(customer: Customer, clip: bytes) -> None:
    behind = composition_pb2.Composition(picture=composition_pb2.Picture(image=picture()))
    ended = customer.watch(customer.submit_video(clip, jobs_pb2.VideoOrder(composition=behind)).id)[-1]
    assert (ended.state, ended.result.content_type) == (jobs_pb2.JOB_STATE_SUCCEEDED, "video/mp4")


def test_the_same_upload_again_is_the_same_job(customer: Customer, clip: bytes) -> None:
    first = customer.submit_video(clip)
    assert customer.submit_video(clip, job=first.id).create_time == first.create_time
    with pytest.raises(grpc.RpcError) as caught:
        customer.submit_video(clip, jobs_pb2.VideoOrder(composition=GREEN), job=first.id)
    assert failure(caught.value).reason == "JOB_CONFLICT"
    customer.delete(first.id)


def test_what_is_no_video_is_refused(customer: Customer, clip: bytes) -> None:
    for data in (picture(), b"#EXTM3U\nfile:///etc/passwd\n", clip[:200], b"\0" * 5000):
        seen = refused(customer, upload(order(customer), data))
        assert (seen.code, seen.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_VIDEO")
        assert seen.message


MP4 = videos_pb2.VIDEO_FORMAT_MP4


def test_what_is_no_upload_is_refused(customer: Customer, clip: bytes) -> None:
    whole = order(customer)
    gif = composition_pb2.Composition(picture=composition_pb2.Picture(image=b"GIF89a" + bytes(64)))
    cases: list[tuple[list[Message], str, str | None]] = [
        ([], "INVALID_PARAMETER", "order"),
        ([Message(chunk=clip)], "INVALID_PARAMETER", "order"),
        ([Message(order=whole)], "INVALID_VIDEO", None),
        ([Message(order=whole), Message(chunk=b"")], "INVALID_PARAMETER", "chunk"),
        ([Message(order=whole), Message(order=whole)], "INVALID_PARAMETER", "chunk"),
        ([Message(order=whole), Message(chunk=bytes(MIB + 1))], "INVALID_PARAMETER", "chunk"),
        ([Message(order=order(customer, format=MP4))], "INVALID_PARAMETER", "format"),
        ([Message(order=order(customer, format=99))], "INVALID_PARAMETER", "format"),
        ([Message(order=order(customer, matting=99))], "INVALID_PARAMETER", "matting"),
        ([Message(order=order(customer, model="nobody")), Message(chunk=clip)], "MODEL_NOT_FOUND", "model"),
        ([Message(order=order(customer, composition=gif))], "UNSUPPORTED_FORMAT", "picture.image"),
        ([Message(order=jobs_pb2.VideoOrder())], "INVALID_PARAMETER", "options.owner"),
    ]
    for messages, reason, field in cases:
        seen = refused(customer, iter(messages))
        assert (seen.reason, seen.metadata.get("field")) == (reason, field)


@pytest.mark.case("H2")
def test_more_than_the_limit_is_cut_off(customer: Customer) -> None:
    sent = 0

    def endless() -> Iterator[Message]:
        nonlocal sent
        yield Message(order=order(customer))
        while sent < 64:
            sent += 1
            yield Message(chunk=bytes(MIB // 2))

    seen = refused(customer, endless())
    assert (seen.code, seen.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE")
    assert seen.metadata["limit"] == str(MIB)
    assert sent < 64


@pytest.mark.case("H18")
@pytest.mark.parametrize("pause_s", [30.0, 0.3], ids=["it stops", "it drips"])
def test_an_upload_that_does_not_get_on_is_ended_and_leaves_nothing(customer: Customer, pause_s: float) -> None:
    over = Event()

    def slow() -> Iterator[Message]:
        yield Message(order=order(customer))
        while not over.is_set():
            yield Message(chunk=b"x")
            over.wait(pause_s)

    seen = refused(customer, slow())
    over.set()
    assert (seen.code, seen.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


@pytest.mark.case("H11")
def test_an_upload_whose_caller_goes_away_leaves_nothing(customer: Customer) -> None:
    over = Event()

    def begun() -> Iterator[Message]:
        yield Message(order=order(customer))
        yield Message(chunk=b"x" * MIB)
        over.wait(30)

    call = customer.server.jobs.SubmitVideo.future(begun())
    wait_until(lambda: len(scratch_files(customer.server)) == 1, "the upload has begun")
    call.cancel()
    over.set()
    wait_until(lambda: scratch_files(customer.server) == [], "nothing is left of it")


@pytest.mark.case("V4")
def test_a_worker_of_jobs_knows_no_secret_and_has_its_limits(server: RunningServer, customer: Customer) -> None:
    customer.watch(customer.submit(images_pb2.EditRequest(image=picture())).id)  # Its processor time is limited now.
    (worker,) = server.job_workers()
    limits = dict(
        re.findall(r"^(Max [a-z ]+?) {2,}(\S+)", Path(f"/proc/{worker.pid}/limits").read_text(), re.MULTILINE)
    )
    assert limits["Max address space"] == str(4096 * MIB)
    assert limits["Max file size"] == str(2048 * MIB)
    assert limits["Max core file size"] == "0"
    assert 3600 < int(limits["Max cpu time"]) < 3700
    for process in server.process.children(recursive=True):
        assert "CLEARCANVAS_" not in Path(f"/proc/{process.pid}/environ").read_text()
    assert "canary-77d0" not in server.log.read_text()
    descriptors = [
        Path(f"/proc/{worker.pid}/fd/{n}").resolve() for n in range(64) if Path(f"/proc/{worker.pid}/fd/{n}").exists()
    ]
    assert [path for path in descriptors if "jobs.sqlite" in path.name] == []


@pytest.mark.case("H18")
def test_a_download_that_nobody_reads_is_ended(customer: Customer) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (1600, 1600, 3), np.uint8)
    job = customer.watch(customer.submit(images_pb2.EditRequest(image=encoded(noise, "PNG"))).id)[-1]
    request = jobs_pb2.DownloadResultRequest(id=job.id, owner=customer.owner)
    call = customer.server.jobs.DownloadResult(request)  # no deadline, and nobody reads
    wait_until(lambda: "DownloadResult DEADLINE_EXCEEDED" in customer.server.log.read_text(), "the call is over")
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert customer.get(job.id).result.available
