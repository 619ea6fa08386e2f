"""Sees to it that one Triton has the versions that are wanted, also after it was started again."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from cards.target import Target
from server.errors import ModelBusyError, ModelRefusedError, ModelUnavailableError, StoreUnavailableError
from server.routing.store import RouteStore
from server.triton.control import READY, Placement, TritonControl

logger = logging.getLogger(__name__)

_REST_S = 2.0  # after a version's first failed load; twice as long after each further one
_LONGEST_REST_S = 60.0


@dataclass(frozen=True)
class Wish:
    """What a Triton is to have, and of what it has, what it is to let go."""

    wanted: frozenset[Target] = frozenset()
    spare: frozenset[Target] = frozenset()


@dataclass
class _Failure:
    reason: str
    rest_s: float
    due: float  # by the keeper's clock


class Keeper:
    """Looks at one Triton again and again. Of several servers, one at a time changes what it has."""

    def __init__(
        self,
        control: TritonControl,
        place: str,
        store: RouteStore,
        wish: Callable[["Keeper"], Wish],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`place`: names the Triton among those of all servers. `wish` is asked with each look."""
        self.control = control
        self.placements: tuple[Placement, ...] | None = None  # None before the first look, and while it is away
        self.steady: frozenset[Target] = frozenset()
        self._place = place
        self._store = store
        self._wish = wish
        self._clock = clock
        self._failures: dict[Target, _Failure] = {}
        self._unload_due = 0.0  # by the clock
        self._leaving: frozenset[Target] = frozenset()
        self._acting: asyncio.Task[None] | None = None

    @property
    def ready(self) -> frozenset[Target]:
        """The versions that it has."""
        return frozenset(each.target for each in self.placements or () if each.state == READY)

    @property
    def failed(self) -> Mapping[Target, str]:
        """The wanted versions that it could not load, with the reason."""
        return {target: failure.reason for target, failure in self._failures.items()}

    async def look(self) -> None:
        """Look once, and begin to change what is not as it should be."""
        wish = self._wish(self)
        try:
            self.placements = await self.control.placements()
        except (ModelUnavailableError, ModelRefusedError):
            self.placements, self.steady = None, frozenset()
            return
        # What was not wanted before this look may just be on its way out, by another server's hand.
        self.steady = self.ready & wish.wanted - self._leaving
        self._failures = {t: failure for t, failure in self._failures.items() if t in wish.wanted - self.ready}
        if (self._acting is None or self._acting.done()) and (self._missing(wish) or self._surplus(wish)):
            self._acting = asyncio.create_task(self._act())

    async def done(self) -> None:
        """Wait until what the last look began is done."""
        if self._acting is not None:
            await self._acting

    async def close(self) -> None:
        """Give up what is being done, and disconnect."""
        if self._acting is not None:
            self._acting.cancel()
            await asyncio.gather(self._acting, return_exceptions=True)
        await self.control.close()

    def _missing(self, wish: Wish) -> list[Target]:
        failures, now = self._failures, self._clock()
        missing = sorted(wish.wanted - self.ready)
        return [target for target in missing if target not in failures or now >= failures[target].due]

    def _surplus(self, wish: Wish) -> bool:
        return bool(self.ready & wish.spare) and self._clock() >= self._unload_due

    async def _act(self) -> None:
        with suppress(ModelBusyError, ModelUnavailableError, StoreUnavailableError):  # The next look tries again.
            async with self._store.lock(f"triton {self._place}"):
                await self._change()

    async def _change(self) -> None:
        self.placements = await self.control.placements()
        for target in self._missing(self._wish(self)):
            await self._load(target)
        wish = self._wish(self)
        for model in sorted({target.model for target in self.ready & wish.spare}) if self._surplus(wish) else ():
            try:
                await self._unload(model)
            except ModelRefusedError as error:
                logger.error("nothing is unloaded at %s for a while: %s", self.control.address, error)
                self._unload_due = self._clock() + _LONGEST_REST_S

    async def _load(self, target: Target) -> None:
        have = {each.version for each in self.ready if each.model == target.model}
        begun = self._clock()
        try:
            await self.control.serve(target.model, have | {target.version})
        except ModelRefusedError as error:
            last = self._failures.get(target)
            rest_s = _REST_S if last is None else min(2 * last.rest_s, _LONGEST_REST_S)
            self._failures[target] = _Failure(str(error), rest_s, self._clock() + rest_s)
            logger.error("%s is not loaded at %s: %s", target, self.control.address, error)
        else:
            logger.info("%s loaded at %s in %.1f s", target, self.control.address, self._clock() - begun)
        self.placements = await self.control.placements()

    async def _unload(self, model: str) -> None:
        """Let go what of a model is spare now: it may have been asked for since the look."""
        mine = frozenset(target for target in self.ready if target.model == model)
        self._leaving = mine & self._wish(self).spare
        stays = {target.version for target in mine - self._leaving}
        try:
            if not self._leaving:
                return
            if stays:
                await self.control.serve(model, stays)
            else:
                await self.control.drop(model)
            logger.info("%s unloaded at %s", ", ".join(map(str, sorted(self._leaving))), self.control.address)
            self.placements = await self.control.placements()
        finally:
            self._leaving = frozenset()
