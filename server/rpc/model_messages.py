"""ModelService's messages to the values of routing and life cycle, and back."""

from collections.abc import Iterable, Mapping, Sequence

from clearcanvas.v1 import models_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from cards.target import Target, parse_target
from cards.versions import VersionCard
from server.errors import InvalidParameterError
from server.lifecycle.findings import Copies, Pair
from server.lifecycle.journal import Change
from server.lifecycle.ports import Step
from server.routing.route import Route, Share
from server.triton.control import Placement


def read_version(version: models_pb2.ModelVersion, field: str) -> Target:
    """A version of a model. Raises `InvalidParameterError` where it names none."""
    return _parsed(f"{version.model}@{version.version}", field)


def read_name(name: str) -> str:
    """The name of a model. Raises `InvalidParameterError` where it cannot be one."""
    target = _parsed(name, "name")
    if target.version:
        raise InvalidParameterError("A name is written without a version.", {"field": "name"})
    return target.model


def read_shares(shares: Iterable[models_pb2.Share]) -> list[Share]:
    """Shares, as they are. Raises `InvalidParameterError` where one names no version."""
    return [Share(read_version(share.target, "shares"), share.percent) for share in shares]


def read_mirror(request: models_pb2.MirrorModelRequest) -> Share | None:
    """What works on copies; None where nothing is to. Raises `InvalidParameterError`."""
    if not request.HasField("mirror"):
        return None
    return Share(read_version(request.mirror.target, "mirror.target"), request.mirror.percent)


def write_step(step: Step) -> models_pb2.Step:
    """One step that is done."""
    return models_pb2.Step(name=step.name, text=step.text, seconds=step.seconds)


def write_route(route: Route) -> models_pb2.Routing:
    """What a name stands for."""
    mirror = route.mirror
    return models_pb2.Routing(
        name=route.name,
        shares=_shares(route.shares),
        mirror=None if mirror is None else models_pb2.Mirror(target=_version(mirror.target), percent=mirror.percent),
        generation=route.generation,
        previous=_shares(route.previous),
    )


def write_models(
    cards: Iterable[VersionCard], placements: Sequence[Placement], routes: Mapping[str, Route]
) -> models_pb2.ListModelsResponse:
    """All models, with where they are and what names stand for."""
    return models_pb2.ListModelsResponse(
        cards=[_card(card, placements) for card in cards],
        routings=[write_route(route) for _, route in sorted(routes.items())],
    )


def write_changes(
    changes: Iterable[Change], findings: Iterable[tuple[Pair, Copies]]
) -> models_pb2.ListModelChangesResponse:
    """What happened to a name."""
    return models_pb2.ListModelChangesResponse(
        changes=[_change(change) for change in changes],
        findings=[_finding(pair, found) for pair, found in findings],
    )


def _change(change: Change) -> models_pb2.ModelChange:
    time = Timestamp()
    time.FromMicroseconds(round(change.time * 1e6))
    return models_pb2.ModelChange(
        time=time, kind=change.kind, subject=change.subject, done=change.done, text=change.text
    )


def _finding(pair: Pair, found: Copies) -> models_pb2.MirrorFindings:
    return models_pb2.MirrorFindings(
        candidate=_version(pair.candidate),
        answered=_version(pair.answered),
        compared=found.compared,
        failed=found.failed,
        skipped=found.skipped,
        mean_difference=found.mean(found.difference),
        largest_difference=found.largest,
        candidate_s=found.mean(found.candidate_s),
        answered_s=found.mean(found.answered_s),
    )


def _card(card: VersionCard, placements: Iterable[Placement]) -> models_pb2.ModelCard:
    return models_pb2.ModelCard(
        target=_version(card.target),
        kind=card.kind,
        facts=card.facts,
        placements=[
            models_pb2.ModelPlacement(triton=place.triton, state=place.state, reason=place.reason)
            for place in placements
            if place.target == card.target
        ],
    )


def _shares(shares: Iterable[Share]) -> list[models_pb2.Share]:
    return [models_pb2.Share(target=_version(share.target), percent=share.percent) for share in shares]


def _version(target: Target) -> models_pb2.ModelVersion:
    return models_pb2.ModelVersion(model=target.model, version=target.version)


def _parsed(text: str, field: str) -> Target:
    try:
        return parse_target(text)
    except ValueError as error:
        raise InvalidParameterError(str(error), {"field": field}) from None
