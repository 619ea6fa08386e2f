"""Any job: its news while it is at work, and its end by its owner's will."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

import grpc
from aiohttp import hdrs, web
from clearcanvas.v1 import jobs_pb2
from clearcanvas.v1.jobs_pb2 import Job, WatchJobResponse

from adapter.jobs.desk import JobDesk
from adapter.jobs.events import CONTENT_TYPE, END, HEARTBEAT, LAST_ID, OPENING, write_event
from adapter.jobs.failures import HD_PREFIX, JOBS_PREFIX, VIDEO_PREFIX
from adapter.jobs.states import is_at_work, say_state
from adapter.middleware.errors import summarize
from adapter.middleware.request_id import request_id_of

logger = logging.getLogger(__name__)


_SILENCE_S = 15.0  # Proxies cut after 30 to 60 seconds.


@dataclass(frozen=True)
class JobRoutes:
    """Serves what all jobs have."""

    desk: JobDesk

    def add_to(self, app: web.Application) -> None:
        """Registers the routes."""
        app.router.add_get(JOBS_PREFIX + "{uuid:.*}/events", self._watch, allow_head=False)
        app.router.add_delete(JOBS_PREFIX + "{uuid:.*(?<!/events)}", self._delete)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        """Not counted as work in flight: who stops the service does not wait for jobs."""
        ref = await self.desk.refer(request)
        call = self.desk.jobs.watch(ref, request_id_of(request))
        try:
            messages = aiter(call)
            first = (await anext(messages)).job  # What is refused is refused with a status.
            if not is_at_work(first) and request.headers.get(LAST_ID) == END:
                return web.Response(status=HTTPStatus.NO_CONTENT)  # A browser would come back for ever.
            response = web.StreamResponse(headers={hdrs.CACHE_CONTROL: "no-cache", "X-Accel-Buffering": "no"})
            response.content_type = CONTENT_TYPE
            await response.prepare(request)
            await response.write(OPENING)
            job: Job | None = first
            while job is not None:
                await response.write(write_event(say_state(job, _result_path(job)), last=not is_at_work(job)))
                if not is_at_work(job):
                    await self.desk.note(ref, job)
                    break
                job = await self._next(request, response, messages)
            await response.write_eof()
            return response
        finally:
            call.cancel()  # Also when the client is gone.

    async def _next(
        self, request: web.Request, response: web.StreamResponse, messages: AsyncIterator[WatchJobResponse]
    ) -> Job | None:
        """The next news, with heartbeats until it comes; None where the service has none any more."""
        news = asyncio.ensure_future(anext(messages, None))
        try:
            while not (await asyncio.wait({news}, timeout=_SILENCE_S))[0]:
                await response.write(HEARTBEAT)
            answer = await news
        except grpc.aio.AioRpcError as error:  # The client comes back, and so, perhaps, does the service.
            logger.warning("request %s: the news of a job broke off: %s", request_id_of(request), summarize(error))
            return None
        finally:
            news.cancel()
        return None if answer is None else answer.job

    async def _delete(self, request: web.Request) -> web.Response:
        """What a job took of a quota depends on how it ended, so that it is ended first, and then removed."""
        ref = await self.desk.refer(request)
        job = await self.desk.jobs.get(ref, request_id_of(request))
        if is_at_work(job):
            job = await self.desk.jobs.cancel(ref, request_id_of(request))
        await self.desk.note(ref, job)
        await self.desk.jobs.delete(ref, request_id_of(request))
        return web.Response(status=HTTPStatus.NO_CONTENT)


def _result_path(job: Job) -> str:
    prefix = VIDEO_PREFIX if job.kind == jobs_pb2.JOB_KIND_VIDEO else HD_PREFIX
    return f"{prefix}result/{job.id}"
