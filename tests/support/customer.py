"""A caller of JobService: one owner, and every call read to its end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

from clearcanvas.v1 import images_pb2, jobs_pb2

from tests.support.processes import wait_until
from tests.support.server import RunningServer

ENDED = {jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED, jobs_pb2.JOB_STATE_CANCELLED}
LIMIT_S = 60.0


@dataclass(frozen=True)
class Download:
    """A result, or a part of it."""

    header: jobs_pb2.JobResult
    chunks: list[bytes]

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)


@dataclass(frozen=True)
class Customer:
    """Somebody who has jobs."""

    server: RunningServer
    owner: str = field(default_factory=lambda: f"key:{uuid4().hex}")

    def options(self, job: str = "", **more: object) -> jobs_pb2.JobOptions:
        return jobs_pb2.JobOptions(id=job, owner=self.owner, **more)  # type: ignore[arg-type] # a test names fields

    def submit(self, edit: images_pb2.EditRequest, job: str = "", **options: object) -> jobs_pb2.Job:
        request = jobs_pb2.SubmitImageRequest(options=self.options(job, **options), edit=edit)
        return self.server.jobs.SubmitImage(request, timeout=LIMIT_S).job

    def submit_video(self, video: bytes, order: jobs_pb2.VideoOrder | None = None, job: str = "") -> jobs_pb2.Job:
        order = order or jobs_pb2.VideoOrder()
        order.options.CopyFrom(self.options(job))
        return self.server.jobs.SubmitVideo(upload(order, video), timeout=LIMIT_S).job

    def get(self, job: str) -> jobs_pb2.Job:
        return self.server.jobs.GetJob(jobs_pb2.GetJobRequest(id=job, owner=self.owner), timeout=LIMIT_S).job

    def watch(self, job: str) -> list[jobs_pb2.Job]:
        """Every state until the job has ended."""
        request = jobs_pb2.WatchJobRequest(id=job, owner=self.owner)
        return [seen.job for seen in self.server.jobs.WatchJob(request, timeout=LIMIT_S)]

    def download(self, job: str, offset: int = 0, length: int = 0) -> Download:
        request = jobs_pb2.DownloadResultRequest(id=job, owner=self.owner, offset=offset, length=length)
        first, *rest = self.server.jobs.DownloadResult(request, timeout=LIMIT_S)
        assert all(part.WhichOneof("part") == "chunk" for part in rest)
        return Download(first.header, [part.chunk for part in rest])

    def confirm(self, job: str, offset: int, length: int) -> None:
        request = jobs_pb2.ConfirmDownloadRequest(id=job, owner=self.owner, offset=offset, length=length)
        self.server.jobs.ConfirmDownload(request, timeout=LIMIT_S)

    def cancel(self, job: str) -> jobs_pb2.Job:
        return self.server.jobs.CancelJob(jobs_pb2.CancelJobRequest(id=job, owner=self.owner), timeout=LIMIT_S).job

    def delete(self, job: str) -> None:
        self.server.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(id=job, owner=self.owner), timeout=LIMIT_S)

    def until_running(self, job: str) -> None:
        wait_until(lambda: self.get(job).state == jobs_pb2.JOB_STATE_RUNNING, "the job runs")


def upload(order: jobs_pb2.VideoOrder, video: bytes, chunk: int = 1024 * 1024) -> Iterator[jobs_pb2.SubmitVideoRequest]:
    """The messages of an upload."""
    yield jobs_pb2.SubmitVideoRequest(order=order)
    for start in range(0, len(video), chunk):
        yield jobs_pb2.SubmitVideoRequest(chunk=video[start : start + chunk])
