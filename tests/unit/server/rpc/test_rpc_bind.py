"""Where the server listens, and for whom."""

from pathlib import Path

import grpc.aio
import pytest
import trustme

from server.rpc.service import ListenError, bind
from tests.support.certificates import SERVER, write_certificate
from transport.tls import Tls


@pytest.mark.case("H19")
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "server.example:0", "192.0.2.1:0"])
async def test_plain_text_is_not_served_to_others_by_accident(address: str) -> None:
    with pytest.raises(ListenError, match="CLEARCANVAS_ALLOW_PLAINTEXT"):
        bind(grpc.aio.server(), address, None, plaintext=False)


@pytest.mark.parametrize(("address", "plaintext"), [("127.0.0.1:0", False), ("0.0.0.0:0", True)])
async def test_plain_text_is_served_on_this_machine_and_where_it_is_allowed(address: str, *, plaintext: bool) -> None:
    assert bind(grpc.aio.server(), address, None, plaintext=plaintext)


@pytest.mark.case("H19")
async def test_certificates_open_any_address_and_faulty_ones_none(tmp_path: Path) -> None:
    good = write_certificate(tmp_path / "good", trustme.CA(), SERVER)
    other = write_certificate(tmp_path / "other", trustme.CA(), SERVER)
    assert bind(grpc.aio.server(), "0.0.0.0:0", good, plaintext=False)
    with pytest.raises(ListenError, match="do not belong together"):
        bind(grpc.aio.server(), "127.0.0.1:0", Tls(good.cert, other.key, good.ca, SERVER), plaintext=True)


async def test_a_port_that_is_taken_is_a_plain_error() -> None:
    options = (("grpc.so_reuseport", 0),)
    first = grpc.aio.server(options=options)
    port = bind(first, "127.0.0.1:0", None, plaintext=False)
    await first.start()
    with pytest.raises(ListenError, match="cannot listen"):
        bind(grpc.aio.server(options=options), f"127.0.0.1:{port}", None, plaintext=False)
    await first.stop(None)
