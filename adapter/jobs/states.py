"""How a job stands, in the words of the public contract."""

from clearcanvas.v1 import jobs_pb2, videos_pb2
from clearcanvas.v1.jobs_pb2 import Job, JobState, Progress
from clearcanvas.v1.videos_pb2 import VideoFacts

PROCESSING = "processing"
_TOLD_S = 0.005  # Less than what two decimals show is no trimming.

Words = dict[str, object]

_STATUS: dict[JobState.ValueType, str] = {
    jobs_pb2.JOB_STATE_QUEUED: PROCESSING,
    jobs_pb2.JOB_STATE_RUNNING: PROCESSING,
    jobs_pb2.JOB_STATE_SUCCEEDED: "success",
    jobs_pb2.JOB_STATE_FAILED: "failed",
    jobs_pb2.JOB_STATE_CANCELLED: "cancelled",
}
_KINDS = {jobs_pb2.JOB_KIND_IMAGE: "image", jobs_pb2.JOB_KIND_VIDEO: "video"}
_EXTENSIONS = {"video/mp4": "mp4", "video/webm": "webm", "image/webp": "webp", "application/zip": "zip"}


def is_at_work(job: Job) -> bool:
    """Whether a job has not ended."""
    return _STATUS[job.state] == PROCESSING


def has_failed(job: Job) -> bool:
    """Whether a job has ended without a result, for whatever reason."""
    return job.state in {jobs_pb2.JOB_STATE_FAILED, jobs_pb2.JOB_STATE_CANCELLED}


def say_accepted(job: Job, webhook_secret: str) -> Words:
    """The answer to a submission."""
    name = _KINDS[job.kind].capitalize()
    words: Words = {"message": f"{name} submitted for processing", "uuid": job.id, "status": PROCESSING}
    if job.HasField("video"):
        words |= _say_length(job.video)
    return words | ({"webhook_secret": webhook_secret} if webhook_secret else {})


def say_at_work(job: Job) -> Words:
    """The answer to who asks for the result too early."""
    is_video = job.kind == jobs_pb2.JOB_KIND_VIDEO
    message = "Video is still processing" if is_video else "Task is still processing"
    return {"message": message, "uuid": job.id, "status": PROCESSING} | _say_progress(job.progress, frames=is_video)


def say_failed(job: Job) -> Words:
    """The answer to who asks for a result that there will never be."""
    if job.kind == jobs_pb2.JOB_KIND_VIDEO:
        return {"message": "Video processing failed", "uuid": job.id, "status": "failed"}
    return {"detail": "Image processing failed"}


def say_uploaded(job: Job) -> Words:
    """The answer to who asks for a video that lies somewhere else."""
    words: Words = {
        "message": "Video processing completed successfully",
        "uuid": job.id,
        "status": "success",
        "upload_link": job.result.upload_link,
    }
    if is_trimmed(job.video):
        original, processed = _seconds(job.video.duration_s), _seconds(job.video.processed_s)
        words["warning"] = f"Video was trimmed from {original} to {processed}"
        words |= {"original_duration": original, "processed_duration": processed}
    return words


def say_state(job: Job, result_path: str) -> Words:
    """All that a watcher is told. `result_path`: where the result is asked for."""
    is_video = job.kind == jobs_pb2.JOB_KIND_VIDEO
    words: Words = {
        "uuid": job.id,
        "kind": _KINDS[job.kind],
        "status": _STATUS[job.state],
        "state": JobState.Name(job.state).removeprefix("JOB_STATE_").lower(),
        "attempt": job.attempt,
        **_say_progress(job.progress, frames=is_video),
    }
    if job.state == jobs_pb2.JOB_STATE_SUCCEEDED:
        words["result"] = result_path
    if job.HasField("failure"):
        words["error"] = {"code": job.failure.reason.lower(), "message": job.failure.message}
    return words


def describe_video(job: Job) -> dict[str, str]:
    """The headers that a video comes with."""
    made = job.result.video
    name = f"processed_{job.id}.{_EXTENSIONS.get(job.result.content_type, 'bin')}"
    facts = {
        "Content-Disposition": f"attachment; filename={name}",
        "X-Model": ", ".join(made.models),
        "X-Matting": videos_pb2.VideoMatting.Name(made.matting).removeprefix("VIDEO_MATTING_").lower(),
    }
    if is_trimmed(job.video):
        original, processed = _seconds(job.video.duration_s), _seconds(job.video.processed_s)
        limit = f"{job.video.processed_s:.4g}"
        facts |= {
            "X-Video-Warning": f"Original video ({original}) was trimmed to {limit} seconds",
            "X-Original-Duration": original,
            "X-Processed-Duration": processed,
        }
    return facts


def is_trimmed(facts: VideoFacts) -> bool:
    """Whether only the beginning of a video is processed."""
    return facts.duration_s - facts.processed_s > _TOLD_S


def _say_length(facts: VideoFacts) -> Words:
    length = _seconds(facts.duration_s)
    if not is_trimmed(facts):
        return {"duration": length}
    limit = f"{facts.processed_s:.4g}s"
    warning = f"Video duration ({length}) exceeds {limit} limit. Only the first {limit} will be processed."
    return {"duration": length, "warning": warning, "processed_duration": limit}


def _say_progress(progress: Progress, *, frames: bool) -> Words:
    if not progress.total:
        return {}
    counts: Words = {"current_frame": progress.done, "total_frames": progress.total} if frames else {}
    return counts | {"progress_percentage": round(100 * progress.done / progress.total, 1)}


def _seconds(value: float) -> str:
    return f"{value:.2f}s"
