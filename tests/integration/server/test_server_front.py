"""The door that deploy/nginx puts before the server: a real nginx, which ends what gRPC's own server outlives."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Template

import grpc
import pytest
from clearcanvas.v1 import images_pb2, images_pb2_grpc
from typer.testing import CliRunner

from cli.certs import app
from tests.support.certificates import tls_settings
from tests.support.processes import free_address, running, tail, wait_until
from tests.support.raw_http2 import Connection, begin_and_reset, connected, ping_without_pause
from tests.support.server import RunningServer, open_channel, picture, running_server
from tests.support.tls_relay import relayed
from transport.tls import Tls

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "nginx" / "grpc.conf.template"
EDIT = "/clearcanvas.v1.ImageService/Edit"


@dataclass(frozen=True)
class Front:
    """A running nginx with a server behind it."""

    address: str
    caller: Tls
    server: RunningServer

    def inspect(self) -> int:
        """The width of a picture, asked through the door on a connection of its own."""
        with open_channel(self.address, self.caller) as channel:
            return inspect(channel)


def inspect(channel: grpc.Channel) -> int:
    data = picture()
    request = images_pb2.InspectRequest(prefix=data, total_size=len(data))
    return int(images_pb2_grpc.ImageServiceStub(channel).Inspect(request, timeout=60).facts.width)


def certificate(folder: Path, name: str, peer: str) -> Tls:
    """What `name` has, for a connection to `peer`."""
    return Tls(folder / name / "cert.pem", folder / name / "key.pem", folder / "ca.pem", peer)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("front")
    certificates = folder / "certificates"
    made = CliRunner().invoke(app, [str(certificates), "--caller", "front"])
    assert made.exit_code == 0, made.output
    callers = {"callers": json.dumps({"front": ["ImageService"]})}
    settings = callers | tls_settings(certificate(certificates, "server", "server"))
    with running_server(free_address(), folder, certificate(certificates, "front", "server"), **settings) as server:
        address, log = free_address(), folder / "nginx.log"
        file = folder / "nginx.conf"
        names = {"LISTEN": address, "SERVER": server.address, "CERTIFICATES": certificates, "NAME": "server"}
        file.write_text(Template(CONFIGURATION.read_text()).substitute(names, STATE=folder))
        with running([nginx, "-c", str(file), "-e", "stderr", "-g", "daemon off;"], {}, log):
            found = Front(address, certificate(certificates, "adapter", "front"), server)
            wait_until(partial(_is_open, found), f"nginx is open:\n{tail(log)}")
            yield found


def _is_open(front: Front) -> bool:
    try:
        return front.inspect() == 320
    except grpc.RpcError:
        return False


@pytest.mark.case("H17")
@pytest.mark.parametrize(
    "flood",
    [partial(begin_and_reset, path=EDIT, calls=20_000), partial(ping_without_pause, pings=1_000_000)],
    ids=["calls begun and reset", "pings without pause"],
)
def test_the_connection_of_who_floods_is_closed_and_others_are_served(
    front: Front, flood: Callable[[Connection], None]
) -> None:
    with relayed(front.address, front.caller) as relay, connected(relay) as peer:
        flooding = threading.Thread(target=flood, args=(peer,))
        flooding.start()
        while flooding.is_alive():
            assert front.inspect() == 320
        flooding.join()
        assert peer.closed.wait(60), "the connection is still open"
    assert front.inspect() == 320
    assert front.server.files() == []


@pytest.mark.case("H19")
def test_nobody_passes_the_door_without_a_certificate(front: Front) -> None:
    with open_channel(front.address) as plain, pytest.raises(grpc.RpcError) as refusal:
        inspect(plain)
    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE


def test_the_door_has_the_rights_that_its_own_certificate_has(front: Front) -> None:
    with open_channel(front.address, front.caller) as channel, pytest.raises(grpc.RpcError) as refusal:
        list(channel.unary_stream("/clearcanvas.v1.JobService/GetJob", bytes, bytes)(b"", timeout=30))
    assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED
