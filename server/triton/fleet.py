"""Several Tritons: which one does a piece of work, and what becomes of it where that one fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from cards.target import Target
from server import metrics
from server.errors import ModelUnavailableError
from server.triton.contract import not_found
from server.triton.model import TritonOptions
from server.triton.monitor import ModelMonitor, ModelState

T = TypeVar("T")

SHUNNED_S = 5.0  # how long a version that failed at one Triton is asked elsewhere, where no canary tells


class RetryBudget:
    """How often work may be done again: at most one time for each ten that are done, so that no storm arises.

    As gRPC's retry throttling: each piece of work brings a tenth of a token, and a repetition costs a whole one.
    """

    def __init__(self, ratio: float = 0.1, most: float = 10.0) -> None:
        self._ratio = ratio
        self._most = most
        self._tokens = most

    def earn(self) -> None:
        """A piece of work has come."""
        self._tokens = min(self._most, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Whether one may be done again."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass
class Member:
    """One Triton. `ready`: what it has loaded, as far as known; `shunned`: what failed there, and until when."""

    options: TritonOptions
    monitor: ModelMonitor
    ready: Callable[[], frozenset[Target]] = frozenset
    in_flight: int = 0
    shunned: dict[Target, float] = field(default_factory=dict)  # until then, on time.monotonic

    def rank(self, targets: Collection[Target]) -> tuple[bool, int, int]:
        """The lowest of several does the work: one that is well and has the versions, and of those the idlest."""
        now, ready = time.monotonic(), self.ready()
        shunned = sum(self.shunned.get(target, 0.0) > now for target in targets)
        missing = sum(target.version > 0 and target not in ready for target in targets)
        return not self.monitor.well, shunned + missing, self.in_flight


def _well(monitor: ModelMonitor) -> float:
    return float(monitor.well)


class Fleet:
    """The Tritons of this server."""

    def __init__(
        self, members: Sequence[Member], budget: RetryBudget | None = None, shunned_s: float = SHUNNED_S
    ) -> None:
        self._members = members
        self._shunned_s = shunned_s
        self._budget = budget or RetryBudget()
        for member in members:
            metrics.TRITON_UP.labels(member.options.address).set_function(partial(_well, member.monitor))

    @property
    def state(self) -> ModelState:
        """That of the default model, where it is best."""
        return max((member.monitor.state for member in self._members), key=lambda state: state.serving)

    @property
    def well(self) -> Mapping[str, bool]:
        """Which of the Tritons, by address, are asked."""
        return {member.options.address: member.monitor.well for member in self._members}

    async def run(self, targets: Collection[Target], work: Callable[[TritonOptions], Awaitable[T]]) -> T:
        """Do `work` with one Triton; where it cannot answer, once more with another one.

        `targets`: what the work asks for. `work` must be of a kind that can begin again as long as it has not ended.
        Raises what `work` raises.
        """
        self._budget.earn()
        first = self._pick(targets, self._members)
        try:
            return await self._run(first, targets, work)
        except ModelUnavailableError:
            others = [member for member in self._members if member is not first and member.monitor.well]
            if not others or not self._budget.spend():
                metrics.RETRIES.labels("refused").inc()
                raise
        metrics.RETRIES.labels("made").inc()
        return await self._run(self._pick(targets, others), targets, work)

    async def watch(self, on_change: Callable[[ModelState], Awaitable[None]]) -> None:
        """Look after all of them, for ever; call `on_change` with each new state of the whole."""

        async def changed(_state: ModelState) -> None:
            await on_change(self.state)

        async with asyncio.TaskGroup() as tasks:
            for member in self._members:
                tasks.create_task(member.monitor.run(changed))

    async def check_listed(self, model: str, field: str) -> None:
        """Raise ModelNotFoundError where no Triton holds a model of that name. `field`: of the request, that names it.

        While one is away, nothing is said.
        """
        answers = await asyncio.gather(*(member.monitor.lists(model) for member in self._members))
        if not any(answer is not False for answer in answers):
            raise not_found(Target(model), field)

    async def close(self) -> None:
        """Have every Triton forget this server's shared memory, and disconnect."""
        await asyncio.gather(*(member.monitor.close() for member in self._members))

    def _pick(self, targets: Collection[Target], members: Sequence[Member]) -> Member:
        return min(members, key=lambda member: member.rank(targets))

    async def _run(
        self, member: Member, targets: Collection[Target], work: Callable[[TritonOptions], Awaitable[T]]
    ) -> T:
        member.in_flight += 1
        try:
            return await work(member.options)
        except ModelUnavailableError as error:
            self._suspect(member, targets, error.metadata.get("model"))
            raise
        finally:
            member.in_flight -= 1

    def _suspect(self, member: Member, targets: Collection[Target], model: str | None) -> None:
        """It is out until its canary has succeeded, where that asks for the same; a while, where it does not."""
        for target in targets:
            if target.model != model:
                continue
            if target == member.monitor.target:
                member.monitor.suspect()
            else:
                member.shunned[target] = time.monotonic() + self._shunned_s
