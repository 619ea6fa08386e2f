"""Every error of the tree has one gRPC status, and travels with its reason."""

from collections.abc import Iterator

import grpc
import pytest
from clearcanvas.v1 import errors_pb2
from google.rpc import error_details_pb2, status_pb2

from server.errors import (
    InvalidImageError,
    InvalidRequestError,
    ModelUnavailableError,
    OverloadedError,
    RetryableError,
    ServiceError,
)
from server.rpc.errors import code_of, to_status


def leaves(error: type[ServiceError]) -> Iterator[type[ServiceError]]:
    children = error.__subclasses__()
    if not children:
        yield error
    for child in children:
        yield from leaves(child)


LEAVES = sorted(leaves(ServiceError), key=lambda error: error.__name__)


def details(metadata: tuple[tuple[str, str | bytes], ...]) -> status_pb2.Status:
    packed = dict(metadata)["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    return status_pb2.Status.FromString(packed)


def test_the_tree_and_the_contract_have_the_same_reasons() -> None:
    contract = {name.removeprefix("ERROR_REASON_") for name in errors_pb2.ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    assert {error.reason for error in LEAVES} == contract


@pytest.mark.parametrize("error", LEAVES)
def test_every_error_has_a_status_and_carries_its_reason(error: type[ServiceError]) -> None:
    code, sentence, metadata = to_status(error("One sentence.", {"field": "x"}))
    assert code not in {grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN}
    assert sentence == "One sentence."
    status = details(metadata)
    assert status.code == code.value[0] == code_of(error)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason, dict(info.metadata)) == ("clearcanvas", error.reason, {"field": "x"})


@pytest.mark.parametrize("error", LEAVES)
def test_only_what_may_succeed_later_says_so(error: type[ServiceError]) -> None:
    _, _, metadata = to_status(error("One sentence."))
    retryable = issubclass(error, RetryableError)
    assert ("grpc-retry-pushback-ms" in dict(metadata)) is retryable
    kinds = [detail.type_url.rpartition(".")[2] for detail in details(metadata).details]
    assert kinds == (["ErrorInfo", "RetryInfo"] if retryable else ["ErrorInfo"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidImageError, grpc.StatusCode.INVALID_ARGUMENT),
        (OverloadedError, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (ModelUnavailableError, grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_statuses_are_those_of_the_architecture(error: type[ServiceError], code: grpc.StatusCode) -> None:
    assert to_status(error("x"))[0] is code


def test_an_error_without_a_status_is_found_out() -> None:
    with pytest.raises(KeyError):
        code_of(ServiceError)
    assert code_of(InvalidRequestError)
