"""Large pictures: submitted in a form, worked on as a job, fetched when they are ready."""

import asyncio
from dataclasses import dataclass

from aiohttp import hdrs, web
from clearcanvas.v1 import jobs_pb2
from clearcanvas.v1.jobs_pb2 import JobOptions, SubmitImageRequest

from adapter.access import Sale
from adapter.fetching.fetcher import Fetcher
from adapter.jobs.answers import answer_accepted
from adapter.jobs.desk import JobDesk
from adapter.jobs.failures import HD_PREFIX, HD_SUBMIT
from adapter.jobs.orders import ImageJob, read_image_job, stand_in
from adapter.jobs.paid import OWNER, Accepted
from adapter.jobs.paid_desk import HD
from adapter.lifecycle import Lifecycle
from adapter.middleware.request_id import request_id_of
from adapter.operations import BACKGROUND, IMAGE, fetch_background
from adapter.service import describe_picture
from adapter.uploads.body import UploadLimits, leave_expectation
from adapter.uploads.budget import Reservation, UploadBudget
from adapter.uploads.form import read_form


@dataclass(frozen=True)
class ImageJobRoutes:
    """Serves large pictures."""

    desk: JobDesk
    fetcher: Fetcher
    lifecycle: Lifecycle
    budget: UploadBudget
    limits: UploadLimits

    def add_to(self, app: web.Application) -> None:
        """Registers the routes."""
        app.router.add_post(HD_SUBMIT, self._submit, expect_handler=leave_expectation)
        app.router.add_get(HD_PREFIX + "result/{uuid:.*}", self._result)

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        with self.lifecycle.work(), self.budget.reserve() as reservation:
            leave = await self.desk.admit(request)
            if isinstance(leave, Sale):
                return await self._sell(request, leave, reservation)
            job = await self._read(request, reservation)
            leave.require(job.operation.name)
            options = self.desk.open_job(request, leave, job.webhook_url)
            await fetch_background(job.order.edit.composition, job.order.background_url, self.fetcher, reservation)
            submission = SubmitImageRequest(options=options, edit=job.order.edit)
            answer = await self.desk.quota.submit(
                leave, options.id, lambda: self.desk.jobs.submit_image(submission, request_id_of(request))
            )
            return answer_accepted(answer.job, answer.webhook_secret)

    async def _read(self, request: web.Request, reservation: Reservation) -> ImageJob:
        form = await read_form(request, self.limits, reservation, (IMAGE, BACKGROUND))
        return read_image_job(form, request.headers.get(hdrs.ACCEPT, ""))

    async def _sell(self, request: web.Request, sale: Sale, reservation: Reservation) -> web.StreamResponse:
        """The order is judged before money is looked at; nothing is fetched for those who do not pay."""
        desk = self.desk.paid
        assert desk is not None  # noqa: S101 - what is sold is paid for somewhere.
        if not request.body_exists:
            return await desk.quote(request, sale.rails, desk.priced[HD])
        job = await self._read(request, reservation)
        edit, behind = job.order.edit, job.order.background_url
        options = JobOptions(owner=OWNER, webhook_url=job.webhook_url)
        trial = SubmitImageRequest(options=options, edit=edit)
        trial.options.validate_only = True
        if behind:
            stand_in(trial.edit.composition)
        await self.desk.jobs.submit_image(trial, request_id_of(request))
        asked = {"background_url": behind, "webhook_url": job.webhook_url}
        charge = await asyncio.to_thread(desk.offers.charge, request, desk.priced[HD], edit, **asked)

        async def submit(job_id: str) -> Accepted:
            await fetch_background(job.order.edit.composition, job.order.background_url, self.fetcher, reservation)
            options.id = job_id
            submission = SubmitImageRequest(options=options, edit=edit)
            answer = await self.desk.jobs.submit_image(submission, request_id_of(request))
            return Accepted(answer.job, answer.webhook_secret)

        return await desk.sell(request, sale.rails, charge, submit)

    async def _result(self, request: web.Request) -> web.StreamResponse:
        with self.lifecycle.work():
            return await self.desk.answer(
                request, jobs_pb2.JOB_KIND_IMAGE, lambda job: describe_picture(job.result.image)
            )
