"""Metrics are served at their own address and nowhere else, and no caller makes them many."""

import socket
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Counter

from telemetry.errors import TelemetryError
from telemetry.metrics import OTHER, Vocabulary, exposed
from telemetry.settings import TelemetrySettings


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("cats", "Cats.", registry=registry).inc(3)
    return registry


@pytest.mark.case("O7")
def test_they_are_read_where_they_are_told_to_be(registry: CollectorRegistry) -> None:
    with exposed(registry, "127.0.0.1:0") as address:
        host, _, port = address.rpartition(":")
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        with socket.create_connection((host, int(port))) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"

    assert "cats_total 3.0" in text
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


@pytest.mark.case("O7")
def test_by_default_only_this_machine_can_read_them() -> None:
    from adapter.config import Settings as AdapterSettings
    from server.config import Settings as ServerSettings

    for settings in (TelemetrySettings, AdapterSettings, ServerSettings):
        assert str(settings.model_fields["metrics"].default).startswith("127.0.0.1:")


def test_nothing_is_served_where_none_are_wanted(registry: CollectorRegistry) -> None:
    with exposed(registry, "") as address:
        assert address == ""


def test_a_port_that_is_taken_is_said_in_a_sentence(registry: CollectorRegistry) -> None:
    with (
        exposed(registry, "127.0.0.1:0") as address,
        pytest.raises(TelemetryError, match=f"cannot serve metrics on {address}"),
        exposed(registry, address),
    ):
        pass


@pytest.mark.case("O2")
def test_a_label_that_comes_from_outside_has_so_many_values_and_no_more() -> None:
    vocabulary = Vocabulary(3)

    assert [vocabulary.word(value) for value in "abacdbe"] == ["a", "b", "a", "c", OTHER, "b", OTHER]


@pytest.mark.case("O2")
def test_a_million_names_are_as_many_series_as_a_hundred() -> None:
    from adapter import metrics as adapter_metrics
    from server import metrics as server_metrics

    for number in range(1000):
        adapter_metrics.count_rejection(f"reason-{number}")
        server_metrics.count_picture(f"model-{number}", number, ((f"stage-{number}", 0.1),), 0.0)
        server_metrics.count_call(f"Method{number}", f"REASON_{number}", 0.1)
    for registry, most in ((adapter_metrics.REGISTRY, 1_000), (server_metrics.REGISTRY, 10_000)):
        samples = [sample for metric in registry.collect() for sample in metric.samples]
        assert len(samples) < most
