"""Failures in the words of the jobs' own routes: `detail` where the public contract says so, else `message`.

Which words depends on the route: the same failure is told of a picture in one way, and of a video in another.
"""

from http import HTTPStatus

from adapter.middleware.failure import Failure

HD_PREFIX, VIDEO_PREFIX, JOBS_PREFIX = "/image/hd/", "/video/", "/jobs/"
HD_SUBMIT, VIDEO_SUBMIT = f"{HD_PREFIX}submit/v1", f"{VIDEO_PREFIX}submit/v1"

HD_GONE, VIDEO_GONE = "Processed image file not found", "Processed video file not found"

_BAD_IMAGE = {"invalid_image", "unsupported_format", "dimension_exceeded", "pixels_exceeded"}
_INVALID_IMAGE = "Invalid image file"

Words = dict[str, object]


def describe_job_failure(path: str, failure: Failure) -> tuple[HTTPStatus, Words] | None:
    """The status and the body of an answer; None where a route has no words of its own for it."""
    if path.startswith(HD_PREFIX):
        return _describe_image(failure, submitting=path == HD_SUBMIT)
    if path.startswith(VIDEO_PREFIX):
        return _describe_video(failure, submitting=path == VIDEO_SUBMIT)
    return None


def _describe_image(failure: Failure, *, submitting: bool) -> tuple[HTTPStatus, Words] | None:
    match failure.code:
        case "job_not_found":
            return failure.status, {"detail": failure.message}
        case "result_gone":
            return failure.status, {"detail": HD_GONE}
    if not submitting:
        return None
    if failure.code in _BAD_IMAGE:
        return HTTPStatus.BAD_REQUEST, {"detail": _INVALID_IMAGE}
    return _describe_submission(failure, "image")


def _describe_video(failure: Failure, *, submitting: bool) -> tuple[HTTPStatus, Words] | None:
    match failure.code:
        case "job_not_found":
            return failure.status, {"message": failure.message, "status": "not_found"}
        case "result_gone":
            return failure.status, {"detail": VIDEO_GONE}
    if not submitting:
        return None
    if failure.code in _BAD_IMAGE:  # The only picture there can be is the background.
        return HTTPStatus.BAD_REQUEST, {"detail": failure.message}
    if failure.code in {"not_a_video", "invalid_video", "invalid_video_color"}:
        return failure.status, {"detail": failure.message}
    return _describe_submission(failure, "video")


def _describe_submission(failure: Failure, what: str) -> tuple[HTTPStatus, Words] | None:
    if failure.code == "download_failed":
        return failure.status, {"detail": f"Failed to download background image: {failure.message}"}
    if failure.code == "not_a_picture":
        return failure.status, {"detail": failure.message}
    if failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return failure.status, {"detail": f"Failed to submit {what}: {failure.message}"}
    return None
