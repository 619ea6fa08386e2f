"""Peers that speak HTTP/2 to do harm: too many pings, calls that are begun and reset. Others are served meanwhile."""

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from clearcanvas.v1 import images_pb2

from tests.support.processes import free_address
from tests.support.raw_http2 import (
    ENHANCE_YOUR_CALM,
    Connection,
    begin_and_reset,
    connected,
    ping_until_goodbye,
    ping_without_pause,
)
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
@pytest.mark.parametrize(
    "flood",
    [partial(begin_and_reset, path=EDIT, calls=20_000), partial(ping_without_pause, pings=50_000)],
    ids=["calls begun and reset", "pings without pause"],
)
def test_a_flood_costs_others_nothing_and_leaves_nothing(
    flooded: RunningServer, flood: Callable[[Connection], None]
) -> None:
    check_that_it_serves(flooded)
    before = flooded.process.memory_info().rss
    with connected(flooded.address) as peer:
        flooding = threading.Thread(target=flood, args=(peer,))
        flooding.start()
        while flooding.is_alive():
            check_that_it_serves(flooded)
        flooding.join()
        check_that_it_serves(flooded)
    assert flooded.files() == []
    assert flooded.process.memory_info().rss < before + 200 * MIB
