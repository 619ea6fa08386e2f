"""A Triton's model control that does what it is told, at once, and tells of it."""

from collections.abc import Iterable

from cards.target import Target
from server.errors import ModelRefusedError, ModelUnavailableError
from server.triton.control import READY, Placement, TritonControl


class FakeControl(TritonControl):
    """`ready`: what it has loaded; `broken`: what it cannot load; `fixed`: unloads nothing; `away`: does not answer."""

    def __init__(self, address: str, *ready: Target) -> None:
        self.address = address
        self.ready = set(ready)
        self.broken: dict[Target, str] = {}
        self.fixed = self.away = False
        self.told: list[str] = []

    async def placements(self) -> tuple[Placement, ...]:
        if self.away:
            raise ModelUnavailableError("Triton does not answer.")
        return tuple(Placement(target, self.address, READY) for target in sorted(self.ready))

    async def serve(self, model: str, versions: Iterable[int]) -> None:
        wanted = {Target(model, version) for version in versions}
        self.told.append(f"{model} {sorted(target.version for target in wanted)}")
        for target in wanted & self.broken.keys():
            raise ModelRefusedError(self.broken[target])
        self.ready = {target for target in self.ready if target.model != model} | wanted

    async def drop(self, model: str) -> None:
        self.told.append(f"{model} dropped")
        if self.fixed:
            raise ModelRefusedError("explicit model unload is not allowed")
        self.ready = {target for target in self.ready if target.model != model}

    async def close(self) -> None:
        self.told.append("closed")
