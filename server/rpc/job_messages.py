"""A job as it stands, as jobs.proto says it."""

from datetime import datetime

from clearcanvas.v1 import jobs_pb2 as wire
from google.protobuf.timestamp_pb2 import Timestamp

from server.jobs.record import Kind, Record, Result, State
from server.wire.image_jobs import read_image_facts
from server.wire.video_jobs import read_spec_facts, read_video_result

_KINDS = {Kind.IMAGE: wire.JOB_KIND_IMAGE, Kind.VIDEO: wire.JOB_KIND_VIDEO}
_STATES = {
    State.QUEUED: wire.JOB_STATE_QUEUED,
    State.RUNNING: wire.JOB_STATE_RUNNING,
    State.SUCCEEDED: wire.JOB_STATE_SUCCEEDED,
    State.FAILED: wire.JOB_STATE_FAILED,
    State.CANCELLED: wire.JOB_STATE_CANCELLED,
}


def write_job(record: Record, upload_link: str = "") -> wire.Job:
    """The job. `upload_link`: where its result can be fetched from directly."""
    return wire.Job(
        id=record.id,
        kind=_KINDS[record.kind],
        state=_STATES[record.state],
        progress=wire.Progress(done=record.done, total=record.total),
        attempt=record.attempt,
        create_time=_timestamp(record.created),
        end_time=None if record.ended is None else _timestamp(record.ended),
        video=read_spec_facts(record.spec) if record.kind is Kind.VIDEO else None,
        result=None if record.result is None else write_result(record.kind, record.result, upload_link),
        failure=None if record.failure is None else wire.JobFailure(**vars(record.failure)),
    )


def write_result(kind: Kind, result: Result, upload_link: str = "") -> wire.JobResult:
    """The job's result."""
    return wire.JobResult(
        content_type=result.content_type,
        size=result.size,
        available=result.available,
        fetched=result.fetched,
        expire_time=_timestamp(result.expires),
        upload_link=upload_link,
        image=read_image_facts(result.facts) if kind is Kind.IMAGE else None,
        video=read_video_result(result.facts) if kind is Kind.VIDEO else None,
    )


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message
