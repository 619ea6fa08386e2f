"""What is sent again: only what may be done twice, and only what the contract has."""

from clearcanvas.v1 import images_pb2, jobs_pb2, models_pb2
from google.protobuf.descriptor import ServiceDescriptor

from transport.retries import ELSEWHERE, PATIENT

SERVICES: dict[str, ServiceDescriptor] = {
    name: service
    for file in (images_pb2, jobs_pb2, models_pb2)
    for name, service in file.DESCRIPTOR.services_by_name.items()
}


def test_what_is_repeated_elsewhere_are_methods_of_the_contract_that_take_one_message() -> None:
    for name in ELSEWHERE.names:
        service, _, method = name.partition("/")
        assert not SERVICES[service].methods_by_name[method].client_streaming


def test_nobody_repeats_what_swaps_models() -> None:
    for retries in (ELSEWHERE, PATIENT):
        assert not any(name.startswith("ModelService") for name in retries.names)


def test_a_program_repeats_once_and_out_of_a_budget() -> None:
    config = ELSEWHERE.to_config()
    (method,) = config["methodConfig"]
    assert {"service": "clearcanvas.v1.ImageService", "method": "Edit"} in method["name"]
    assert method["retryPolicy"]["maxAttempts"] == 2
    assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert config["retryThrottling"]["tokenRatio"] == 0.1


def test_nothing_is_ever_hedged() -> None:
    for retries in (ELSEWHERE, PATIENT):
        assert not any("hedgingPolicy" in method for method in retries.to_config()["methodConfig"])
