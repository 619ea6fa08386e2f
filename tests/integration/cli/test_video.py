"""`clearcanvas video` against a service of our own that keeps the contract, so that it can be made to fail."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
import pyvips
from clearcanvas.v1 import jobs_pb2, jobs_pb2_grpc, videos_pb2
from clearcanvas.v1.jobs_pb2 import Job
from typer.testing import CliRunner, Result

from cli.__main__ import app
from tests.support.processes import module

RESULT = bytes(range(256)) * 5_000  # 1.28 MB: two chunks.
CHUNK = 1024 * 1024


@dataclass
class Upload:
    """What was submitted under one id."""

    order: jobs_pb2.VideoOrder
    data: bytes


@dataclass
class Service(jobs_pb2_grpc.JobServiceServicer):
    """Makes `RESULT` of everything; misbehaves once for each thing in `troubles`."""

    uploads: dict[str, Upload] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    asked_from: list[int] = field(default_factory=list)
    confirmed: list[tuple[int, int]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    watched: threading.Event = field(default_factory=threading.Event)
    duration_s: float = 3.5
    preview: bytes = b""

    def has_trouble(self, name: str) -> bool:
        if name in self.troubles:
            self.troubles.remove(name)
            return True
        return False

    def SubmitVideo(  # noqa: N802 - gRPC's name.
        self, request_iterator: Iterator[jobs_pb2.SubmitVideoRequest], context: grpc.ServicerContext
    ) -> jobs_pb2.SubmitVideoResponse:
        order = next(request_iterator).order
        data = b"".join(request.chunk for request in request_iterator)
        if data == b"bad":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The file is not a video.")
        if self.has_trouble("busy"):
            context.set_trailing_metadata((("grpc-retry-pushback-ms", "20"),))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "The service is busy.")
        self.uploads[order.options.id] = Upload(order, data)
        return jobs_pb2.SubmitVideoResponse(job=self.job(order.options.id, jobs_pb2.JOB_STATE_QUEUED))

    def WatchJob(  # noqa: N802 - gRPC's name.
        self, request: jobs_pb2.WatchJobRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.WatchJobResponse]:
        for done in range(5):
            previews = [jobs_pb2.Preview(time_s=done / 25, picture=self.preview)] if request.previews else []
            at_work = self.job(request.id, jobs_pb2.JOB_STATE_RUNNING, done)
            yield jobs_pb2.WatchJobResponse(job=at_work, previews=previews)
            if done == 2 and self.has_trouble("watch breaks"):
                context.abort(grpc.StatusCode.UNAVAILABLE, "The service is shutting down.")
            if done == 2 and "hangs" in self.troubles:
                self.watched.set()
                threading.Event().wait(30)
        if self.has_trouble("fails"):
            failed = self.job(request.id, jobs_pb2.JOB_STATE_FAILED)
            failed.failure.CopyFrom(jobs_pb2.JobFailure(reason="PROCESSING_FAILED", message="It could not be done."))
            yield jobs_pb2.WatchJobResponse(job=failed)
            return
        finished = self.job(request.id, jobs_pb2.JOB_STATE_SUCCEEDED, 4)
        finished.result.CopyFrom(jobs_pb2.JobResult(content_type="video/webm", size=len(RESULT), available=True))
        finished.result.video.CopyFrom(
            videos_pb2.VideoResult(
                frames=4,
                matting=videos_pb2.VIDEO_MATTING_QUALITY,
                models=["selfie", "isnet"],
                device="cpu/test/f32",
                agreement=0.25,
            )
        )
        yield jobs_pb2.WatchJobResponse(job=finished)

    def DownloadResult(  # noqa: N802 - gRPC's name.
        self, request: jobs_pb2.DownloadResultRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.DownloadResultResponse]:
        self.asked_from.append(request.offset)
        yield jobs_pb2.DownloadResultResponse(header=jobs_pb2.JobResult(size=len(RESULT)))
        end = len(RESULT) - 10 * self.has_trouble("download is short")
        for start in range(request.offset, end, CHUNK):
            if start and self.has_trouble("download breaks"):
                context.abort(grpc.StatusCode.UNAVAILABLE, "The connection is lost.")
            yield jobs_pb2.DownloadResultResponse(chunk=RESULT[start : min(start + CHUNK, end)])

    def ConfirmDownload(  # noqa: N802 - gRPC's name.
        self, request: jobs_pb2.ConfirmDownloadRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.ConfirmDownloadResponse:
        self.confirmed.append((request.offset, request.length))
        return jobs_pb2.ConfirmDownloadResponse()

    def CancelJob(  # noqa: N802 - gRPC's name.
        self, request: jobs_pb2.CancelJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.CancelJobResponse:
        self.cancelled.append(request.id)
        return jobs_pb2.CancelJobResponse(job=self.job(request.id, jobs_pb2.JOB_STATE_CANCELLED))

    def GetJob(  # noqa: N802 - gRPC's name.
        self, request: jobs_pb2.GetJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.GetJobResponse:
        raise AssertionError("`video` watches")

    def DeleteJob(  # noqa: N802 - gRPC's name.
        self, request: jobs_pb2.DeleteJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.DeleteJobResponse:
        raise AssertionError("`video` deletes nothing")

    def SubmitImage(  # noqa: N802 - gRPC's name.
        self, request: jobs_pb2.SubmitImageRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.SubmitImageResponse:
        raise AssertionError("`video` sends no pictures")

    def job(self, job_id: str, state: jobs_pb2.JobState.ValueType, done: int = 0) -> Job:
        facts = videos_pb2.VideoFacts(duration_s=self.duration_s, processed_s=min(self.duration_s, 4))
        progress = jobs_pb2.Progress(done=done, total=4)
        return Job(id=job_id, kind=jobs_pb2.JOB_KIND_VIDEO, state=state, progress=progress, attempt=1, video=facts)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    servicer = Service()
    server = grpc.server(ThreadPoolExecutor(16))
    jobs_pb2_grpc.add_JobServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("CLEARCANVAS_GRPC", f"127.0.0.1:{port}")
    monkeypatch.setenv("COLUMNS", "200")
    yield servicer
    server.stop(None).wait()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "clip.mov"
    path.parent.mkdir()
    path.write_bytes(b"video" * 300_000)  # 1.5 MB: two chunks.
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["video", *map(str, arguments)])


def test_a_video_is_done(service: Service, clip: Path, tmp_path: Path) -> None:
    result = run(clip, "-o", tmp_path / "new" / "out.webm", "--matting", "quality")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "new" / "out.webm").read_bytes() == RESULT
    assert "out.webm: 4 frames, matting quality (fast and quality agree by 0.25 on the first frames)" in result.output
    assert "selfie and isnet on cpu/test/f32" in result.output
    assert "warning" not in result.output
    ((job_id, upload),) = service.uploads.items()
    assert upload.data == clip.read_bytes()
    assert (upload.order.format, upload.order.matting) == (
        videos_pb2.VIDEO_FORMAT_WEBM,
        videos_pb2.VIDEO_MATTING_QUALITY,
    )
    assert (upload.order.options.id, upload.order.options.owner) == (job_id, "cli")
    assert service.confirmed == [(0, len(RESULT))]
    assert service.cancelled == []


def test_the_ending_of_the_result_is_its_format(service: Service, clip: Path, tmp_path: Path) -> None:
    clip = clip.rename(clip.with_suffix(".mp4"))
    run(clip, "-o", clip.with_name("red.mp4"), "--color", "red")  # Beside its source.
    run(clip, "-o", tmp_path / "a.webp", "--color", "red")
    run(clip, "-o", tmp_path / "a.zip")
    run(clip, "-o", tmp_path / "b", "--color", "red")
    formats = [upload.order.format for upload in service.uploads.values()]
    mp4, webp = videos_pb2.VIDEO_FORMAT_MP4, videos_pb2.VIDEO_FORMAT_WEBP
    assert formats == [mp4, webp, videos_pb2.VIDEO_FORMAT_PNG_ZIP, mp4]
    assert (tmp_path / "b" / "clip.mp4").exists()


def test_a_folder_of_videos_is_done_and_results_are_kept(service: Service, clip: Path, tmp_path: Path) -> None:
    (clip.parent / "deep").mkdir()
    (clip.parent / "deep" / "other.MKV").write_bytes(b"video")
    (clip.parent / "notes.txt").write_bytes(b"no video")
    assert "2 done, 0 kept, 0 failed" in run(clip.parent, "-o", tmp_path / "out").output
    assert "0 done, 2 kept, 0 failed" in run(clip.parent, "-o", tmp_path / "out").output
    assert (tmp_path / "out" / "deep" / "other.webm").read_bytes() == RESULT
    assert len(service.uploads) == 2


def test_a_trimmed_video_is_warned_of(service: Service, clip: Path, tmp_path: Path) -> None:
    service.duration_s = 5.2
    output = run(clip, "-o", tmp_path / "out.webm").output
    assert "clip.mov: warning: it is 5.20 s long, and only its first 4.00 s are processed" in output


@pytest.mark.parametrize(
    ("trouble", "check"),
    [
        ("busy", lambda service: len(service.uploads) == 1),
        ("watch breaks", lambda service: service.asked_from == [0]),
        ("download breaks", lambda service: service.asked_from == [0, CHUNK]),
    ],
)
def test_what_breaks_is_taken_up_where_it_broke(
    service: Service, clip: Path, tmp_path: Path, trouble: str, check: Callable[[Service], Any]
) -> None:
    service.troubles = [trouble]
    result = run(clip, "-o", tmp_path / "out.webm")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out.webm").read_bytes() == RESULT
    assert check(service)
    assert service.troubles == []


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [("fails", "It could not be done."), ("download is short", "the server sent 1279990 bytes of 1280000")],
)
def test_a_failure_is_said_and_leaves_nothing(
    service: Service, clip: Path, tmp_path: Path, trouble: str, sentence: str
) -> None:
    service.troubles = [trouble]
    result = run(clip, "-o", tmp_path / "out" / "a.webm")
    assert result.exit_code == 1
    assert f"clip.mov: {sentence}" in result.output
    assert list((tmp_path).glob("out/*")) == []
    assert service.confirmed == []


def test_a_contact_sheet_shows_what_is_done_while_the_rest_is_at_work(
    service: Service, clip: Path, tmp_path: Path
) -> None:
    service.preview = pyvips.Image.black(32, 16, bands=3).webpsave_buffer()
    service.troubles = ["fails"]
    assert run(clip, "-o", tmp_path / "out.webm", "--contact-sheet", tmp_path / "sheet.png").exit_code == 1
    sheet = pyvips.Image.new_from_file(str(tmp_path / "sheet.png"))
    assert (sheet.width, sheet.height) == (4 * (32 + 2), 2 * (16 + 24)), "five frames"


def test_a_file_that_is_refused_is_said(service: Service, clip: Path, tmp_path: Path) -> None:
    clip.write_bytes(b"bad")
    result = run(clip, "-o", tmp_path / "out.webm")
    assert result.exit_code == 1
    assert "clip.mov: The file is not a video." in result.output


def test_ctrl_c_cancels_the_work(service: Service, clip: Path, tmp_path: Path) -> None:
    service.troubles = ["hangs"]
    command = module("cli", "video", str(clip), "-o", str(tmp_path / "out.webm"))
    with subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert service.watched.wait(30)
        process.send_signal(signal.SIGINT)
        assert process.wait(15) != 0
    assert service.cancelled == list(service.uploads)
    assert not (tmp_path / "out.webm").exists()
