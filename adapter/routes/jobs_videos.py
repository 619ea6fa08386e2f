"""Videos: submitted in a form, worked on as a job, fetched when they are ready, from here or from where they lie."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from aiohttp import hdrs, web
from clearcanvas.v1 import jobs_pb2

from adapter.errors import InvalidFieldsError, ResultGoneError
from adapter.fetching.fetcher import Fetcher
from adapter.jobs.desk import JobDesk
from adapter.jobs.failures import VIDEO_PREFIX, VIDEO_SUBMIT
from adapter.jobs.orders import VIDEO, VIDEO_FIELDS, complete_video_job, judge_video, read_video_job
from adapter.jobs.states import (
    describe_video,
    has_failed,
    is_at_work,
    say_accepted,
    say_at_work,
    say_failed,
    say_uploaded,
)
from adapter.lifecycle import Lifecycle
from adapter.middleware.request_id import request_id_of
from adapter.operations import BACKGROUND
from adapter.uploads.body import UploadLimits, leave_expectation
from adapter.uploads.budget import UploadBudget
from adapter.uploads.form import read_form
from adapter.uploads.spool import Spool


@dataclass(frozen=True)
class VideoJobRoutes:
    """Serves videos."""

    desk: JobDesk
    fetcher: Fetcher
    lifecycle: Lifecycle
    budget: UploadBudget
    """Of the memory, for what is no video."""
    limits: UploadLimits
    disk_budget: UploadBudget
    folder: Path
    """Where videos are kept while they arrive."""
    max_bytes: int
    """Of one video."""

    def add_to(self, app: web.Application) -> None:
        """Registers the routes."""
        app.router.add_post(VIDEO_SUBMIT, self._submit, expect_handler=leave_expectation)
        app.router.add_get(VIDEO_PREFIX + "result/{uuid:.*}", self._result)

    async def _submit(self, request: web.Request) -> web.Response:
        with self.lifecycle.work(), self.budget.reserve() as reservation:
            leave = await self.desk.admit(request)
            leave.require(VIDEO)
            async with Spool(
                self.folder, VIDEO_FIELDS, self.max_bytes, self.disk_budget.reserve(), judge_video
            ) as spool:
                form = await read_form(request, self.limits, reservation, (BACKGROUND,), spool)
                job = read_video_job(form)
                if not spool.arrived:
                    raise InvalidFieldsError({VIDEO: "is required"})
                job.order.options.CopyFrom(self.desk.open_job(request, leave, job.webhook_url))
                await complete_video_job(job, self.fetcher, reservation)
                answer = await self.desk.quota.submit(
                    leave,
                    job.order.options.id,
                    lambda: self.desk.jobs.submit_video(job.order, spool.chunks(), request_id_of(request)),
                )
            words = say_accepted(answer.job, answer.webhook_secret)
            return web.json_response(words, status=HTTPStatus.ACCEPTED, headers={hdrs.CACHE_CONTROL: "no-store"})

    async def _result(self, request: web.Request) -> web.StreamResponse:
        with self.lifecycle.work():
            ref, job = await self.desk.find(request, jobs_pb2.JOB_KIND_VIDEO)
            headers = {hdrs.CACHE_CONTROL: "no-store"}
            if is_at_work(job):
                return web.json_response(say_at_work(job), status=HTTPStatus.ACCEPTED, headers=headers)
            if has_failed(job):
                return web.json_response(say_failed(job), status=HTTPStatus.INTERNAL_SERVER_ERROR, headers=headers)
            if not job.result.available:
                raise ResultGoneError
            if job.result.upload_link:
                return web.json_response(say_uploaded(job), headers=headers)
            return await self.desk.downloads.send(request, ref, job, describe_video(job))
