"""The answers that both kinds of jobs give, as responses."""

from http import HTTPStatus

from aiohttp import hdrs, web
from clearcanvas.v1.jobs_pb2 import Job

from adapter.errors import ResultGoneError
from adapter.jobs.states import Words, has_failed, is_at_work, say_accepted, say_at_work, say_failed


def answer_accepted(job: Job, webhook_secret: str) -> web.Response:
    """Answers a submission."""
    return answer(say_accepted(job, webhook_secret), HTTPStatus.ACCEPTED)


def answer_at_work(job: Job) -> web.Response:
    """Answers who asks for a result too early."""
    return answer(say_at_work(job), HTTPStatus.ACCEPTED)


def answer_without_result(job: Job) -> web.Response | None:
    """Answers who asks for a result that is not there yet, or never will be; None where it can be sent.

    Raises:
        ResultGoneError: It was there.
    """
    if is_at_work(job):
        return answer_at_work(job)
    if has_failed(job):
        return answer(say_failed(job), HTTPStatus.INTERNAL_SERVER_ERROR)
    if not job.result.available:
        raise ResultGoneError
    return None


def answer(words: Words, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Answers with JSON that nobody is to keep."""
    return web.json_response(words, status=status, headers={hdrs.CACHE_CONTROL: "no-store"})
