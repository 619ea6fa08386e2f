"""Changes of what a name stands for: what is done in which order, and what is left when a step fails."""

import asyncio

import pytest

from cards.target import Target
from server.errors import (
    InvalidParameterError,
    ModelBusyError,
    ModelNotFoundError,
    ModelRefusedError,
    ModelUnavailableError,
)
from server.lifecycle.ports import Trial
from server.routing.route import Route, Share
from tests.unit.server.lifecycle.world import (
    HALVES,
    ONE,
    OTHER,
    TWO,
    WHOLE_ONE,
    WHOLE_TWO,
    World,
    measured,
    refused,
)


@pytest.fixture
def world() -> World:
    return World()


async def promote(world: World, target: Target = TWO, name: str = "isnet", ratio: float = 0) -> None:
    await world.changer.promote(name, target, ratio, world.tell)


async def test_a_promotion_verifies_loads_asks_judges_switches_and_drains_in_this_order(world: World) -> None:
    await promote(world)
    steps = ["verify isnet@2", "load isnet@2", "canary isnet@2", "golden isnet@2 isnet@1", "switch", "drain isnet@1"]
    assert world.done == steps
    assert world.steps == ["verify", "load", "canary", "golden", "switch", "drain"]
    assert world.stands_for() == WHOLE_TWO
    assert [route.shares for _, route in world.told] == [WHOLE_ONE] * 4 + [WHOLE_TWO] * 2
    assert world.notes == [("promote", "isnet@2", True, world.notes[0][3])]
    assert "MAE 0.0100 instead of 0.0100" in world.notes[0][3]
    assert not world.held
    assert not world.locked


@pytest.mark.parametrize("step", ["verify", "load", "canary", "golden"])
async def test_what_fails_before_the_switch_changes_nothing_and_is_written_down(world: World, step: str) -> None:
    world.faults[step] = refused("It is broken.")
    with pytest.raises(ModelRefusedError, match="It is broken"):
        await promote(world)
    assert world.stands_for() == WHOLE_ONE
    ((kind, subject, done, text),) = world.notes
    assert (kind, subject, done) == ("promote", "isnet@2", False)
    assert text.endswith("It is broken.")
    assert "switch" not in world.done
    assert not world.held
    assert not world.locked


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        (Trial(measured(mae=0.05), measured()), "mean absolute error 0.0500 is above"),
        (Trial(measured(seconds=0.2), measured()), "2.00 times as long"),
    ],
    ids=["worse", "slower"],
)
async def test_the_gate_refuses_in_words_what_is_worse_or_slower(world: World, trial: Trial, reason: str) -> None:
    world.trial = trial
    with pytest.raises(ModelRefusedError, match=reason):
        await promote(world)
    assert world.stands_for() == WHOLE_ONE
    assert world.steps[-1] == "golden"  # The figures are told all the same.
    ((_, _, done, text),) = world.notes
    assert not done
    assert reason in text


async def test_all_reasons_are_said_at_once(world: World) -> None:
    world.trial = Trial(measured(mae=0.05, seconds=0.2), measured())
    with pytest.raises(ModelRefusedError, match=r"mean absolute error.* times as long"):
        await promote(world)


async def test_who_promotes_may_allow_more_time(world: World) -> None:
    world.trial = Trial(measured(seconds=0.2), measured())
    await promote(world, ratio=2.5)
    assert world.stands_for() == WHOLE_TWO


async def test_a_version_of_another_model_may_take_the_name(world: World) -> None:
    await promote(world, OTHER)
    assert world.stands_for() == (Share(OTHER, 100),)
    assert "golden birefnet@1 isnet@1" in world.done


async def test_a_split_is_ended_by_promoting_one_of_its_versions(world: World) -> None:
    await world.changer.split("isnet", HALVES, world.tell)
    world.done.clear()
    await promote(world)
    assert world.stands_for() == WHOLE_TWO
    assert "golden isnet@2 isnet@1" in world.done
    assert world.routes["isnet"].previous == HALVES


async def test_what_is_served_already_is_not_promoted_again(world: World) -> None:
    with pytest.raises(ModelRefusedError, match="isnet stands for isnet@1 already"):
        await promote(world, ONE)


async def test_what_no_triton_has_cannot_be_judged_by(world: World) -> None:
    with pytest.raises(ModelRefusedError, match="nothing to judge isnet@2 by"):
        await promote(world, TWO, name="birefnet")


async def test_only_names_of_matting_models_can_be_given(world: World) -> None:
    with pytest.raises(ModelNotFoundError):
        await promote(world, name="backdrop")


async def test_a_promoted_mirror_no_longer_works_on_copies(world: World) -> None:
    await world.changer.mirror("isnet", Share(TWO, 5), world.tell)
    await promote(world)
    assert world.routes["isnet"].mirror is None


async def test_a_mirror_of_another_version_stays(world: World) -> None:
    await world.changer.mirror("isnet", Share(OTHER, 5), world.tell)
    await promote(world)
    assert world.routes["isnet"].mirror == Share(OTHER, 5)


async def test_rollback_goes_back_without_judging_and_back_again(world: World) -> None:
    await promote(world)
    world.done.clear()
    await world.changer.rollback("isnet", world.tell)
    assert world.stands_for() == WHOLE_ONE
    assert world.done == ["verify isnet@1", "load isnet@1", "canary isnet@1", "switch", "drain isnet@2"]
    await world.changer.rollback("isnet", world.tell)
    assert world.stands_for() == WHOLE_TWO


async def test_there_is_nothing_to_go_back_to_before_the_first_change(world: World) -> None:
    with pytest.raises(ModelRefusedError, match="nothing to go back to"):
        await world.changer.rollback("isnet", world.tell)
    assert world.notes[0][2] is False


async def test_a_split_is_brought_up_whole_before_the_first_request_goes_there(world: World) -> None:
    await world.changer.split("isnet", HALVES, world.tell)
    assert world.done[-3:] == ["canary isnet@2", "switch", "drain"]
    assert world.stands_for() == HALVES
    assert world.routes["isnet"].previous == WHOLE_ONE


@pytest.mark.parametrize(
    "shares",
    [[], [Share(ONE, 90)], [Share(ONE, 50), Share(ONE, 50)], [Share(ONE, 110), Share(TWO, -10)]],
    ids=["none", "too little", "twice", "negative"],
)
async def test_what_is_no_whole_is_no_split(world: World, shares: list[Share]) -> None:
    with pytest.raises(InvalidParameterError):
        await world.changer.split("isnet", shares, world.tell)
    assert not world.done


async def test_a_mirror_leaves_the_answers_and_the_way_back_as_they_are(world: World) -> None:
    await promote(world)
    await world.changer.mirror("isnet", Share(ONE, 5), world.tell)
    route = world.routes["isnet"]
    assert (route.shares, route.mirror, route.previous) == (WHOLE_TWO, Share(ONE, 5), WHOLE_ONE)
    await world.changer.mirror("isnet", None, world.tell)
    assert world.routes["isnet"] == Route("isnet", WHOLE_TWO, None, 3, WHOLE_ONE)
    assert world.done[-1] == "drain isnet@1"


async def test_a_version_is_no_mirror_of_itself(world: World) -> None:
    with pytest.raises(ModelRefusedError, match="nothing to compare"):
        await world.changer.mirror("isnet", Share(ONE, 5), world.tell)


async def test_two_changes_of_one_name_do_not_mix(world: World) -> None:
    async with world.lock("model isnet"):
        with pytest.raises(ModelBusyError):
            await promote(world)
    assert not world.notes  # It may be tried again: nothing was decided.


async def test_who_goes_away_before_the_switch_has_changed_nothing(world: World) -> None:
    world.faults["golden"] = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await promote(world)
    assert world.stands_for() == WHOLE_ONE
    assert not world.held
    assert not world.locked


async def test_a_triton_that_is_away_refuses_nothing(world: World) -> None:
    world.faults["canary"] = ModelUnavailableError("The model isnet cannot answer now.")
    with pytest.raises(ModelUnavailableError):
        await promote(world)
    assert not world.notes
