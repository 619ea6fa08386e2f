"""Videos: submitted in a form, worked on as a job, fetched when they are ready, from here or from where they lie."""

from dataclasses import dataclass

from aiohttp import web
from clearcanvas.v1 import jobs_pb2
from clearcanvas.v1.jobs_pb2 import JobOptions, VideoOrder

from adapter.access import Sale
from adapter.errors import InvalidFieldsError
from adapter.fetching.fetcher import Fetcher
from adapter.jobs.answers import answer_accepted
from adapter.jobs.desk import JobDesk
from adapter.jobs.failures import VIDEO_PREFIX, VIDEO_SUBMIT
from adapter.jobs.orders import (
    VIDEO,
    VIDEO_FIELDS,
    VideoJob,
    judge_video,
    read_video_job,
    stand_in,
)
from adapter.jobs.paid import OWNER, Accepted
from adapter.jobs.states import (
    describe_video,
)
from adapter.lifecycle import Lifecycle
from adapter.middleware.request_id import request_id_of
from adapter.operations import BACKGROUND, fetch_background
from adapter.uploads.body import UploadLimits, leave_expectation
from adapter.uploads.budget import Reservation, UploadBudget
from adapter.uploads.form import read_form
from adapter.uploads.spool import Spool, SpoolLimits


@dataclass(frozen=True)
class VideoJobRoutes:
    """Serves videos."""

    desk: JobDesk
    fetcher: Fetcher
    lifecycle: Lifecycle
    budget: UploadBudget
    """Of the memory, for what is no video."""
    limits: UploadLimits
    disk: SpoolLimits

    def add_to(self, app: web.Application) -> None:
        """Registers the routes."""
        app.router.add_post(VIDEO_SUBMIT, self._submit, expect_handler=leave_expectation)
        app.router.add_get(VIDEO_PREFIX + "result/{uuid:.*}", self._result)

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        with self.lifecycle.work(), self.budget.reserve() as reservation:
            leave = await self.desk.admit(request)
            if isinstance(leave, Sale):
                return await self._sell(request, leave, reservation)
            leave.require(VIDEO)
            async with self._spool() as spool:
                job = await self._read(request, spool, reservation)
                job.order.options.CopyFrom(self.desk.open_job(request, leave, job.webhook_url))
                await fetch_background(job.order.composition, job.background_url, self.fetcher, reservation)
                answer = await self.desk.quota.submit(
                    leave,
                    job.order.options.id,
                    lambda: self.desk.jobs.submit_video(job.order, spool.chunks(), request_id_of(request)),
                )
            return answer_accepted(answer.job, answer.webhook_secret)

    def _spool(self) -> Spool:
        return Spool(self.disk, VIDEO_FIELDS, judge_video)

    async def _read(self, request: web.Request, spool: Spool, reservation: Reservation) -> VideoJob:
        form = await read_form(request, self.limits, reservation, (BACKGROUND,), spool)
        job = read_video_job(form)
        if not spool.arrived:
            raise InvalidFieldsError({VIDEO: "is required"})
        return job

    async def _sell(self, request: web.Request, sale: Sale, reservation: Reservation) -> web.StreamResponse:
        """The order is judged before money is looked at; nothing is fetched for those who do not pay."""
        desk = self.desk.paid
        assert desk is not None  # noqa: S101 - what is sold is paid for somewhere.
        if not request.body_exists:
            return await desk.quote(request, sale.rails, desk.priced[VIDEO])
        async with self._spool() as spool:
            job = await self._read(request, spool, reservation)
            order, request_id = job.order, request_id_of(request)
            order.options.CopyFrom(JobOptions(owner=OWNER, webhook_url=job.webhook_url))
            trial = VideoOrder()
            trial.CopyFrom(order)
            trial.options.validate_only = True
            if job.background_url:
                stand_in(trial.composition)
            await self.desk.jobs.submit_video(trial, spool.chunks(), request_id)
            charge = desk.offers.charge_video(
                request, desk.priced[VIDEO], order, await spool.digest(), job.background_url
            )

            async def submit(job_id: str) -> Accepted:
                await fetch_background(job.order.composition, job.background_url, self.fetcher, reservation)
                order.options.id = job_id
                answer = await self.desk.jobs.submit_video(order, spool.chunks(), request_id)
                return Accepted(answer.job, answer.webhook_secret)

            return await desk.sell(request, sale.rails, charge, submit)

    async def _result(self, request: web.Request) -> web.StreamResponse:
        with self.lifecycle.work():
            return await self.desk.answer(request, jobs_pb2.JOB_KIND_VIDEO, describe_video)
