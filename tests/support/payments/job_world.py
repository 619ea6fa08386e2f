"""Jobs that are sold by mortal processes: a service of jobs in memory, which outlives them, and what a payer asks."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import grpc
from clearcanvas.v1 import jobs_pb2
from clearcanvas.v1.jobs_pb2 import Job, JobResult, WatchJobResponse
from sqlalchemy import Connection, Engine

from adapter.jobs.paid import Accepted, PaidJobs
from adapter.jobs.service import JobService, Ref
from adapter.payments.charge import Charge, digest_request
from adapter.payments.errors import PaymentError, PaymentRequiredError, RetryablePaymentError, StoreUnavailableError
from adapter.payments.payment import Payment
from adapter.sale.jobs_store import SoldJobs
from tests.integration.adapter.fake_service import pack_status
from tests.support.payments.model_rail import PRICE
from tests.support.payments.mortal import Body, DeadError, MortalProcess
from tests.support.payments.world import World, charge_for

T = TypeVar("T")

PICTURE = b"a large picture"
_TURNS = 400  # Of the event loop: more than any history has steps.


class ModelJobs(JobService):
    """Jobs that begin when they are submitted, and end when a test says so."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.changed = asyncio.Event()

    async def submit(self, job_id: str) -> Accepted:
        known = self.jobs.setdefault(job_id, Job(id=job_id, state=jobs_pb2.JOB_STATE_RUNNING))
        return Accepted(known)

    async def get(self, ref: Ref, request_id: str) -> Job:
        if ref.id not in self.jobs:
            trailing = pack_status(grpc.StatusCode.NOT_FOUND, "no job", "JOB_NOT_FOUND")
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.NOT_FOUND, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), "no job"
            )
        return self.jobs[ref.id]

    def watch(self, ref: Ref, request_id: str) -> Any:
        return _Watch(self, ref)

    def end(self, *, well: bool = True) -> None:
        """All that is at work ends."""
        for job in self.jobs.values():
            if job.state == jobs_pb2.JOB_STATE_RUNNING:
                job.state = jobs_pb2.JOB_STATE_SUCCEEDED if well else jobs_pb2.JOB_STATE_FAILED
                job.result.CopyFrom(JobResult(size=1, available=True) if well else JobResult())
        self.changed.set()

    def remove(self, *, fetched: bool) -> None:
        """The results are gone: each has arrived, or its time was over."""
        for job in self.jobs.values():
            job.result.available, job.result.fetched = False, fetched


class _Watch:
    """A call, as far as it is used."""

    def __init__(self, jobs: ModelJobs, ref: Ref) -> None:
        self._jobs, self._ref = jobs, ref

    async def __aiter__(self) -> AsyncIterator[WatchJobResponse]:
        while True:
            job = await self._jobs.get(self._ref, "")
            yield WatchJobResponse(job=job)
            self._jobs.changed.clear()
            await self._jobs.changed.wait()

    def cancel(self) -> None:
        return


class MortalSoldJobs(SoldJobs):
    """The real tables, in the thread of the test."""

    def __init__(self, engine: Engine, clock: Callable[[], float], body: Body) -> None:
        self._engine, self.clock, self._body = engine, clock, body

    async def run(self, work: Callable[[Connection], T]) -> T:
        await self._body.step("before a transaction of the jobs")
        if self._body.ledger_down:
            raise StoreUnavailableError("ledger_unavailable", "Down.")
        result = self._transact(work)
        await self._body.step("after a transaction of the jobs")
        return result


class JobWorld:
    """One order in a world of two processes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.jobs = ModelJobs()
        self.charge = dataclasses.replace(charge_for(PICTURE), work_s=60.0)
        self._counters: dict[int, PaidJobs] = {}

    def counter(self, process: MortalProcess) -> PaidJobs:
        """The jobs side of a process."""
        if id(process) not in self._counters:
            engine = self.world.tables.engines[self.world.processes.index(process)]
            sold = MortalSoldJobs(engine, lambda: self.world.chain.now, process.body)
            self._counters[id(process)] = PaidJobs(process.gate, sold, self.jobs, pause_s=0)
        return self._counters[id(process)]

    async def order(self, process: MortalProcess, payment: Payment) -> str | int:
        """Submit; the job's id, or the status that a payer is told, 0 where there was no answer."""
        try:
            accepted = await self.counter(process).take(payment, self.charge, self.jobs.submit)
        except (PaymentError, DeadError) as error:
            return _status(error)
        return accepted.job.id

    async def fetch(self, process: MortalProcess, job_id: str, payment: Payment | None = None) -> int:
        """Ask for the result: 200 where it is released."""
        digest = digest_request("job", {"id": job_id}, b"")
        charge = Charge("remove-background", f"https://shop/{job_id}", PRICE, "A job.", digest=digest, subject=job_id)
        try:
            return 402 if await self.counter(process).release(job_id, payment, charge) is None else 200
        except (PaymentError, DeadError) as error:
            return _status(error)

    async def pass_time(self) -> None:
        """Whatever waits goes on, as far as it comes."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def close(self) -> None:
        """End all that is waiting still."""
        for counter in self._counters.values():
            await counter.close()


def _status(error: BaseException) -> int:
    if isinstance(error, DeadError):
        return 0
    return 402 if isinstance(error, PaymentRequiredError) else 503 if isinstance(error, RetryablePaymentError) else 403
