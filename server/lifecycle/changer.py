"""What operators do to a name, step by step, while requests go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cards.target import Target
from evaluation.verdict import describe, judge
from server import metrics
from server.errors import InvalidParameterError, ModelRefusedError
from server.lifecycle.ports import Ports, Step, Tell
from server.lifecycle.split import incumbent, write_shares
from server.routing.route import WHOLE, Route, Share, check_shares

# A large network is read and compiled within a minute or two; after this, something hangs.
LOAD_S = 300.0
# How long the end of work on the old version is waited for. What goes on for longer, as a video, is not cut off.
DRAIN_S = 60.0


@dataclass
class _Change:
    """One change under way. `before`: the routing that it was decided on; `route`: as it is by now."""

    kind: str
    subject: str
    before: Route
    route: Route
    tell: Tell

    async def step(self, name: str, work: Awaitable[str]) -> None:
        """Do a step, and tell of it."""
        began = time.monotonic()
        text = await work
        await self.tell(Step(name, text, time.monotonic() - began), self.route)


class Changer:
    """Changes what names stand for; one change of a name at a time, whichever server makes it.

    Whatever fails, or is cancelled, before the switch has changed nothing. `ModelRefusedError` says why a change was
    not made, and is written down; `ModelBusyError` says that another is under way.
    """

    def __init__(self, ports: Ports, max_latency_ratio: float) -> None:
        """`max_latency_ratio`: used where nobody says another."""
        self._ports = ports
        self._max_latency_ratio = max_latency_ratio

    async def promote(self, name: str, target: Target, max_latency_ratio: float, tell: Tell) -> None:
        """Let `name` stand for `target` alone, if it is as good and as fast as what it replaces.

        `max_latency_ratio`: most time of an inference, as a multiple of the old one's; 0 for the server's own.
        """
        async with self._change("promote", name, str(target), tell) as change:
            old = incumbent(change.route, target)
            async with self._brought_up(change, [target]):
                figures = await self._judge(change, target, old, max_latency_ratio or self._max_latency_ratio)
                await self._switch(change, (Share(target, WHOLE),), figures)
            await self._drain(change)

    async def rollback(self, name: str, tell: Tell) -> None:
        """Let `name` stand for what it stood for before its last change. Nothing is judged."""
        async with self._change("rollback", name, "", tell) as change:
            shares = change.route.previous
            if not shares:
                raise ModelRefusedError(f"There is nothing to go back to: {name} was never changed.")
            change.subject = write_shares(shares)
            async with self._brought_up(change, [share.target for share in shares]):
                await self._switch(change, shares, f"back from {write_shares(change.route.shares)}")
            await self._drain(change)

    async def split(self, name: str, shares: Sequence[Share], tell: Tell) -> None:
        """Split the requests of `name` among versions. Nothing is judged. Raises `InvalidParameterError`."""
        check_shares(shares)
        async with self._change("route", name, write_shares(shares), tell) as change:
            async with self._brought_up(change, [share.target for share in shares]):
                await self._switch(change, tuple(shares), f"before: {write_shares(change.route.shares)}")
            await self._drain(change)

    async def mirror(self, name: str, mirror: Share | None, tell: Tell) -> None:
        """Have a version work on copies of a share of the requests of `name`; None ends it."""
        if mirror is not None and not 1 <= mirror.percent <= WHOLE:
            raise InvalidParameterError("A mirror's share is 1 to 100 hundredths.", {"field": "mirror.percent"})
        subject = "none" if mirror is None else f"{mirror.target}={mirror.percent}%"
        async with self._change("mirror", name, subject, tell) as change:
            if mirror is not None and change.route.shares == (Share(mirror.target, WHOLE),):
                raise ModelRefusedError(f"{name} stands for {mirror.target} already: there is nothing to compare.")
            async with self._brought_up(change, [] if mirror is None else [mirror.target]):
                await change.step("switch", self._put(change, change.route.shares, mirror, change.route.previous, ""))
            await self._drain(change)

    @asynccontextmanager
    async def _change(self, kind: str, name: str, subject: str, tell: Tell) -> AsyncIterator[_Change]:
        await self._ports.cards.check_name(name)
        async with self._ports.store.lock(f"model {name}"):
            route = await self._route(name)
            change = _Change(kind, subject, route, route, tell)
            try:
                yield change
            except ModelRefusedError as error:
                metrics.MODEL_CHANGES.labels(kind, "refused").inc()
                notes = self._ports.notes
                await notes.write(notes.entry(name, kind, change.subject, done=False, text=str(error)))
                raise

    async def _route(self, name: str) -> Route:
        """What a name stands for now; without any share where nothing is known of it."""
        routes = await self._ports.store.read()
        return routes.get(name) or self._ports.traffic.route(name) or Route(name, ())

    @asynccontextmanager
    async def _brought_up(self, change: _Change, targets: Sequence[Target]) -> AsyncIterator[None]:
        """Have versions verified, loaded everywhere, asked once, and kept loaded during the block."""
        for target in targets:
            await change.step("verify", self._ports.cards.verify(target))
        async with self._ports.store.hold(*targets):
            for target in targets:
                await change.step("load", self._loaded(target))
            for target in targets:
                await change.step("canary", self._ports.gate.ask(target))
            yield

    async def _loaded(self, target: Target) -> str:
        try:
            async with asyncio.timeout(LOAD_S) as limit:
                await self._ports.traffic.ready(target)
        except TimeoutError:
            if not limit.expired():
                raise
            raise ModelRefusedError(f"{target} was not ready at every Triton within {LOAD_S:.0f} s.") from None
        except ModelRefusedError as error:
            raise ModelRefusedError(f"{target} cannot be loaded. {error}") from error
        return f"{target} is ready at every Triton"

    async def _judge(self, change: _Change, new: Target, old: Target, max_ratio: float) -> str:
        """Hold `new` against `old`, and return the figures. Raises `ModelRefusedError` with every reason."""
        figures, reasons = "", tuple[str, ...]()

        async def judged() -> str:
            nonlocal figures, reasons
            trial = await self._ports.gate.compare(new, old)
            figures, reasons = describe(trial.new, trial.old), judge(trial.new, trial.old, max_ratio)
            return f"{new} beside {old}: {figures}"

        await change.step("golden", judged())
        if reasons:
            raise ModelRefusedError(f"{new} is refused. {' '.join(reasons)}")
        return figures

    async def _switch(self, change: _Change, shares: tuple[Share, ...], text: str) -> None:
        """Give the name other shares; what it had becomes what a rollback goes back to."""
        mirror = change.route.mirror
        if mirror is not None and shares == (Share(mirror.target, WHOLE),):
            mirror = None  # It answers now: there is nothing left to compare.
        await change.step("switch", self._put(change, shares, mirror, change.route.shares, text))

    async def _put(
        self, change: _Change, shares: tuple[Share, ...], mirror: Share | None, previous: tuple[Share, ...], text: str
    ) -> str:
        old = change.route
        entry = self._ports.notes.entry(old.name, change.kind, change.subject, done=True, text=text)
        change.route = await self._ports.store.change(
            old.name, shares=shares, mirror=mirror, previous=previous, generation=old.generation, also=entry
        )
        metrics.MODEL_CHANGES.labels(change.kind, "done").inc()
        copied = "" if mirror is None else f", {mirror.target} works on {mirror.percent}% as copies"
        return f"{old.name} stands for {write_shares(shares)}{copied}"

    async def _drain(self, change: _Change) -> None:
        """Wait until every server goes by the new routing, and nobody waits for what it leaves out."""
        await change.step("drain", self._drained(change.before, change.route))

    async def _drained(self, before: Route, route: Route) -> str:
        gone = before.targets - route.targets
        left = ", ".join(map(str, sorted(gone)))
        try:
            async with asyncio.timeout(DRAIN_S) as limit:
                await self._ports.traffic.settled(route.name, route.generation, gone)
        except TimeoutError:
            if not limit.expired():
                raise
            return f"after {DRAIN_S:.0f} s somebody still waits for {left or 'what it was before'}; nothing is cut off"
        return f"every server follows; nobody waits for {left} any more" if left else "every server follows"
