"""Peers that speak HTTP/2 to do harm: too many pings, calls that are begun and reset. Others are served meanwhile."""

import threading
from collections.abc import Iterator

import pytest
from clearcanvas.v1 import images_pb2

from tests.support.processes import free_address
from tests.support.raw_http2 import ENHANCE_YOUR_CALM, begin_and_reset, connected, ping_until_goodbye
from tests.support.server import RunningServer, picture, running_server

EDIT = "/clearcanvas.v1.ImageService/Edit"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server; it needs no model to be flooded."""
    with running_server(free_address(), tmp_path_factory.mktemp("flooded")) as server:
        yield server


def check_that_it_serves(server: RunningServer) -> None:
    data = picture()
    answer = server.images.Inspect(images_pb2.InspectRequest(prefix=data, total_size=len(data)), timeout=60)
    assert answer.facts.width == 320


@pytest.mark.case("H17")
def test_who_pings_too_often_is_told_so_and_cut_off(flooded: RunningServer) -> None:
    with connected(flooded.address) as peer:
        assert ping_until_goodbye(peer, 100) == ENHANCE_YOUR_CALM
        peer.drain()  # To the end of the connection.
    check_that_it_serves(flooded)


@pytest.mark.case("H17")
def test_calls_that_are_begun_and_reset_cost_others_nothing_and_leave_nothing(flooded: RunningServer) -> None:
    check_that_it_serves(flooded)
    before = flooded.process.memory_info().rss
    with connected(flooded.address) as peer:
        flood = threading.Thread(target=begin_and_reset, args=(peer, EDIT, 20_000))
        flood.start()
        while flood.is_alive():
            check_that_it_serves(flooded)
        flood.join()
        check_that_it_serves(flooded)
    assert flooded.files() == []
    assert flooded.process.memory_info().rss < before + 200 * MIB
