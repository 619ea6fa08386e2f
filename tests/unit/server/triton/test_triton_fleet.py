"""Several Tritons: the idlest that is well does the work; a failure is tried once elsewhere, without a storm."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cards.target import Target
from server.errors import InvalidImageError, ModelNotFoundError, ModelUnavailableError
from server.triton.fleet import Fleet, Member, RetryBudget
from server.triton.model import TritonOptions
from server.triton.monitor import ModelMonitor, ModelState

TOY, TWO, OTHER = Target("toy", 1), Target("toy", 2), Target("other", 1)


class FakeMonitor(ModelMonitor):
    """Of a Triton that is well until somebody says otherwise; `recover` is its next canary."""

    def __init__(self, models: set[str] | None) -> None:
        self.state = ModelState(TOY, serving=True)
        self._models = models
        self._is_well = True

    @property
    def target(self) -> Target:
        return TOY

    @property
    def well(self) -> bool:
        return self._is_well

    def suspect(self) -> None:
        self._is_well = False

    def recover(self) -> None:
        self._is_well = True

    async def lists(self, model: str) -> bool | None:
        return None if self._models is None else model in self._models


class Tritons:
    """Two Tritons with the toy model, and what they are asked."""

    def __init__(self, *listed: set[str] | None) -> None:
        self.monitors = [FakeMonitor(models) for models in listed or ({"toy"}, {"toy"})]
        self.ready = [{TOY, TWO} for _ in self.monitors]
        self.members = [
            Member(TritonOptions(f"triton-{number}:8400", 1.0, None), monitor, self._have(number))
            for number, monitor in enumerate(self.monitors)
        ]
        self.fleet = Fleet(self.members, RetryBudget(), shunned_s=3600)
        self.failing: dict[str, Exception] = {}
        self.asked: list[str] = []

    def _have(self, number: int) -> Callable[[], frozenset[Target]]:
        return lambda: frozenset(self.ready[number])

    async def ask(self, *targets: Target, meanwhile: Callable[[], Awaitable[None]] | None = None) -> str:
        """Have something done; returns the number of the Triton that did it."""

        async def work(triton: TritonOptions) -> str:
            number = triton.address.partition(":")[0].removeprefix("triton-")
            self.asked.append(number)
            if meanwhile is not None:
                await meanwhile()
            if number in self.failing:
                raise self.failing[number]
            return number

        return await self.fleet.run(targets or (TOY,), work)


@pytest.fixture
def tritons() -> Tritons:
    return Tritons()


def unavailable(model: str = "toy") -> ModelUnavailableError:
    return ModelUnavailableError("It cannot answer now.", {"model": model})


async def test_the_idlest_does_the_work(tritons: Tritons) -> None:
    release = asyncio.Event()

    async def wait() -> None:
        await release.wait()

    tasks = [asyncio.create_task(tritons.ask(meanwhile=wait)) for _ in range(6)]
    while len(tritons.asked) < len(tasks):  # noqa: ASYNC110 - each has to come as far as its Triton
        await asyncio.sleep(0)
    assert sorted(tritons.asked) == ["0"] * 3 + ["1"] * 3
    release.set()
    await asyncio.gather(*tasks)
    assert [member.in_flight for member in tritons.members] == [0, 0]


async def test_one_without_the_version_is_not_asked(tritons: Tritons) -> None:
    tritons.ready[0] = {TOY}
    assert [await tritons.ask(TWO) for _ in range(3)] == ["1"] * 3
    assert await tritons.ask(TOY) == "0"
    assert await tritons.ask(Target("toy")) == "0", "any version does"


@pytest.mark.case("H14")
async def test_what_one_cannot_do_another_does_once(tritons: Tritons) -> None:
    tritons.failing = {"0": unavailable()}
    assert await tritons.ask() == "1"
    assert tritons.asked == ["0", "1"]
    tritons.failing["1"] = unavailable()
    tritons.monitors[0].recover()
    with pytest.raises(ModelUnavailableError):
        await tritons.ask()
    assert len(tritons.asked) == 4


@pytest.mark.case("H13")
async def test_one_that_failed_is_out_until_its_canary_succeeds(tritons: Tritons) -> None:
    tritons.failing = {"0": unavailable()}
    await tritons.ask()
    tritons.failing.clear()
    assert [await tritons.ask() for _ in range(5)] == ["1"] * 5
    assert tritons.fleet.well == {"triton-0:8400": False, "triton-1:8400": True}
    tritons.monitors[0].recover()
    assert await tritons.ask() == "0"


async def test_where_all_are_out_one_is_asked_nevertheless(tritons: Tritons) -> None:
    for monitor in tritons.monitors:
        monitor.suspect()
    assert await tritons.ask() == "0"


async def test_a_failure_that_no_canary_tells_of_is_avoided_for_a_while(tritons: Tritons) -> None:
    tritons.failing = {"0": unavailable("other")}
    for ready in tritons.ready:
        ready.add(OTHER)
    assert await tritons.ask(OTHER) == "1"
    assert tritons.fleet.well == {"triton-0:8400": True, "triton-1:8400": True}
    assert await tritons.ask(OTHER) == "1"
    tritons.failing.clear()
    assert await tritons.ask(TOY) == "0", "for all else it is as good as before"


@pytest.mark.case("H14")
async def test_what_is_the_caller_s_fault_is_not_done_again(tritons: Tritons) -> None:
    tritons.failing = {"0": InvalidImageError("It is no picture.")}
    with pytest.raises(InvalidImageError):
        await tritons.ask()
    assert tritons.asked == ["0"]
    assert tritons.fleet.well == {"triton-0:8400": True, "triton-1:8400": True}


@pytest.mark.case("H14")
async def test_a_storm_of_failures_adds_a_tenth_at_most(tritons: Tritons) -> None:
    tritons.failing = dict.fromkeys("01", unavailable())
    for _ in range(500):
        with pytest.raises(ModelUnavailableError):
            await tritons.ask()
        for monitor in tritons.monitors:
            monitor.recover()
    repeated = len(tritons.asked) - 500
    assert 0 < repeated <= 500 // 10 + 10, "a tenth, and the ten that were saved up"


async def test_a_model_that_no_triton_lists() -> None:
    both = Tritons({"toy"}, {"toy", "only here"})
    await both.fleet.check_listed("only here", "model")
    with pytest.raises(ModelNotFoundError) as caught:
        await both.fleet.check_listed("nobody", "model")
    assert caught.value.metadata["field"] == "model"
    await Tritons({"toy"}, None).fleet.check_listed("nobody", "model")  # One is away: nobody knows.
