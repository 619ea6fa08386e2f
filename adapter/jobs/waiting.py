"""Waiting for a job in the background, whatever becomes of the service meanwhile."""

import asyncio
import logging

import grpc
from clearcanvas.v1.jobs_pb2 import Job

from adapter.jobs.service import JobService, Ref
from adapter.jobs.states import is_at_work
from adapter.middleware.errors import read_reason, summarize

logger = logging.getLogger(__name__)


async def find_job(jobs: JobService, ref: Ref, request_id: str) -> Job | None:
    """A job as it stands; None where there is none.

    Raises:
        grpc.aio.AioRpcError: The service does not answer.
    """
    try:
        return await jobs.get(ref, request_id)
    except grpc.aio.AioRpcError as error:
        if read_reason(error) == "JOB_NOT_FOUND":
            return None
        raise


async def wait_for_end(jobs: JobService, ref: Ref, request_id: str, pause_s: float) -> Job | None:
    """A job as it has ended; None where it is there no more. `pause_s`: before each try to reach the service again."""
    while True:
        call = jobs.watch(ref, request_id)
        try:
            async for message in call:
                if not is_at_work(message.job):
                    return message.job
        except grpc.aio.AioRpcError as error:
            if read_reason(error) == "JOB_NOT_FOUND":
                return None
            logger.warning("the news of job %s broke off: %s", ref.id, summarize(error))
        finally:
            call.cancel()
        await asyncio.sleep(pause_s)
