"""ModelService's messages: what is read, what is refused, what is told."""

import pytest
from clearcanvas.v1 import models_pb2
from clearcanvas.v1.models_pb2 import ModelVersion

from cards.target import Target
from cards.versions import VersionCard
from server.errors import InvalidParameterError
from server.lifecycle.findings import Copies, Pair
from server.lifecycle.journal import Change
from server.routing.route import Route, Share
from server.rpc.model_messages import (
    read_mirror,
    read_name,
    read_shares,
    read_version,
    write_changes,
    write_models,
    write_route,
)
from server.triton.control import Placement

ONE, TWO = Target("isnet", 1), Target("isnet", 2)


@pytest.mark.parametrize(
    "version",
    [ModelVersion(model="isnet"), ModelVersion(version=1), ModelVersion(model="../x", version=1),
     ModelVersion(model="isnet", version=-1)],
)  # fmt: skip
def test_what_names_no_version_is_refused_by_its_field(version: ModelVersion) -> None:
    with pytest.raises(InvalidParameterError) as refusal:
        read_version(version, "target")
    assert refusal.value.metadata == {"field": "target"}


@pytest.mark.parametrize("name", ["", "isnet@2", "a b", "x" * 65])
def test_a_name_has_no_version(name: str) -> None:
    with pytest.raises(InvalidParameterError) as refusal:
        read_name(name)
    assert refusal.value.metadata == {"field": "name"}


def test_a_routing_is_read_as_it_is_written() -> None:
    shares = (Share(ONE, 90), Share(TWO, 10))
    written = write_route(Route("isnet", shares, Share(TWO, 5), 7, (Share(ONE, 100),)))
    assert (written.name, written.generation) == ("isnet", 7)
    assert tuple(read_shares(written.shares)) == shares
    assert tuple(read_shares(written.previous)) == (Share(ONE, 100),)
    assert read_mirror(models_pb2.MirrorModelRequest(mirror=written.mirror)) == Share(TWO, 5)


def test_no_mirror_is_none() -> None:
    assert read_mirror(models_pb2.MirrorModelRequest(name="isnet")) is None
    assert not write_route(Route("isnet", (Share(ONE, 100),))).HasField("mirror")


def test_a_card_says_where_its_version_is_loaded() -> None:
    cards = [VersionCard(target, "matting", {"license": "MIT"}, is_default=True) for target in (ONE, TWO)]
    places = [Placement(ONE, "127.0.0.1:1", "READY"), Placement(ONE, "127.0.0.1:2", "UNAVAILABLE", "unloaded")]
    answer = write_models(cards, places, {"isnet": Route("isnet", (Share(ONE, 100),))})
    one, two = answer.cards
    assert [(p.triton, p.state, p.reason) for p in one.placements] == [
        ("127.0.0.1:1", "READY", ""),
        ("127.0.0.1:2", "UNAVAILABLE", "unloaded"),
    ]
    assert not two.placements
    assert dict(two.facts) == {"license": "MIT"}
    assert [routing.name for routing in answer.routings] == ["isnet"]


def test_sums_over_copies_are_told_as_means() -> None:
    found = Copies(4, 1, 2, difference=2.0, largest=0.75, candidate_s=4.0, answered_s=2.0)
    change = Change(1.5, "promote", "isnet@2", done=False, text="It is too slow.")
    answer = write_changes([change], [(Pair("isnet", TWO, ONE), found)])
    (finding,) = answer.findings
    assert (finding.compared, finding.failed, finding.skipped) == (4, 1, 2)
    assert (finding.mean_difference, finding.largest_difference) == (0.5, 0.75)
    assert (finding.candidate_s, finding.answered_s) == (1.0, 0.5)
    assert answer.changes[0].time.ToMilliseconds() == 1500
    assert (answer.changes[0].done, answer.changes[0].text) == (False, "It is too slow.")
