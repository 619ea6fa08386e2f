"""What jobs take of a key's month: one each, from when it is accepted, unless it ends without a result."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import grpc
from clearcanvas.v1.jobs_pb2 import Job, SubmitImageResponse, SubmitVideoResponse

from adapter.access import USED_UP, Pass
from adapter.errors import QuotaUsedUpError
from adapter.jobs.owners import key_owner
from adapter.jobs.service import JobService, Ref
from adapter.jobs.states import has_failed, is_at_work
from adapter.keys.jobs import CountedJob, JobCounts
from adapter.middleware.errors import read_reason, summarize
from adapter.payments.periodic import every

logger = logging.getLogger(__name__)

Accepted = TypeVar("Accepted", SubmitImageResponse, SubmitVideoResponse)

_ROUND_S = 30.0
_ROUND_JOBS = 1_000
# A submission has long been answered by then, so that a job that is not there was not accepted.
_UNANSWERED_S = 600.0
# Longer than the service knows a job that has ended: until then a retry is the same job.
_KEPT_S = 30 * 86_400.0
# After these, and these only, it is certain that nothing was accepted.
_REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@dataclass(frozen=True)
class JobQuota:
    """Counts jobs for their keys."""

    counts: JobCounts
    jobs: JobService

    def look(self, leave: Pass, *, is_retry: bool) -> None:
        """Raises QuotaUsedUpError where nothing is left for a new job; a retry may be one that is counted already."""
        if leave.usage is not None and leave.usage.remaining == 0 and not is_retry:
            raise QuotaUsedUpError(USED_UP)

    async def submit(self, leave: Pass, job_id: str, submit: Callable[[], Awaitable[Accepted]]) -> Accepted:
        """Has a job accepted, and counted once.

        Raises:
            QuotaUsedUpError: Nothing is left of the key's month; nothing was submitted.
            KeysUnavailableError: The store does not answer.
            grpc.aio.AioRpcError: It was not accepted, or nobody knows; then `sweep` finds out.
        """
        if leave.usage is None:
            return await submit()
        key = leave.usage.key
        first = await self.counts.count(key, job_id)
        if first is None:
            raise QuotaUsedUpError(USED_UP)
        try:
            answer = await submit()
        except grpc.aio.AioRpcError as error:
            if first and error.code() in _REFUSALS:
                await self.counts.forget(job_id)
            raise
        if not first and is_at_work(answer.job) and not await self.counts.count_again(key, job_id):
            await self.jobs.delete(Ref(job_id, key_owner(key.id)), "quota")
            raise QuotaUsedUpError(USED_UP)
        return answer

    async def note(self, job: Job) -> None:
        """Gives back what a job took that has ended without a result; whoever sees its end may call.

        Raises:
            KeysUnavailableError: The store does not answer.
        """
        if has_failed(job):
            await self.counts.give_back(job.id)
        elif not is_at_work(job):
            await self.counts.close(job.id)

    async def sweep(self) -> None:
        """Finds out what became of the jobs that nobody asks after."""
        now = self.counts.clock()
        for counted in await self.counts.list_open(now - _ROUND_S, _ROUND_JOBS):
            await self._settle(counted, now)
        await self.counts.forget_closed(now - _KEPT_S)

    @asynccontextmanager
    async def sweeping(self, _: object) -> AsyncIterator[None]:
        """Sweeps again and again while an application runs."""
        task = asyncio.create_task(every(_ROUND_S, self.sweep))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _settle(self, counted: CountedJob, now: float) -> None:
        ref = Ref(counted.id, key_owner(counted.key_id))
        try:
            await self.note(await self.jobs.get(ref, "quota"))
        except grpc.aio.AioRpcError as error:
            if read_reason(error) != "JOB_NOT_FOUND":
                logger.warning("the count of job %s stays open: %s", counted.id, summarize(error))
            elif counted.counted_at < now - _UNANSWERED_S:
                await self.counts.forget(counted.id)
