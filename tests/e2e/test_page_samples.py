"""The documents' samples do what they say, run as the served pages show them, against the stack they say to start."""

import io
import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from eth_account import Account
from mcp import Client, StdioServerParameters
from PIL import Image
from x402 import x402ClientSync
from x402.http.utils import decode_payment_required_header, encode_payment_signature_header
from x402.mechanisms.evm.exact import register_exact_evm_client

from egress.courier import Courier
from egress.policy import EgressPolicy
from server.errors import RetryableError
from server.jobs.record import Kind, Record, State
from server.jobs.webhooks import WebhookErrand, make_secret
from tests.support.clip_scenes import Scene
from tests.support.clips import film
from tests.support.devnet import DevChain, RunningDevnet
from tests.support.documented import (
    check_is_cut_out,
    check_is_on,
    check_is_on_green,
    documented_stack,
    original,
    result,
)
from tests.support.mppx import running_mppx
from tests.support.paid_pictures import make_paid_photo
from tests.support.processes import eventually, free_address, listens, module, running
from tests.support.server import picture
from tests.support.shown import ROOT, Reader
from tests.support.stack import RunningStack

pytestmark = pytest.mark.usefixtures("client_packages")

PRICE = 50_000  # Units of both tokens: $0.05.
FRAMES = 6
TOMATO = (255, 99, 71)
MODERATO = Path(__file__).parents[1] / "support" / "moderato"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The stack's folder, with an API key in it, and the key."""
    data = tmp_path_factory.mktemp("documented") / "data"
    data.mkdir()
    command = module("cli", "keys", "add", "reader", "--per-minute", "1000", "--data", str(data))
    return data, subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def stack(key: tuple[Path, str], devnet: RunningDevnet, triton_env: Path) -> Iterator[RunningStack]:
    """A stack that serves whoever has a key or pays."""
    with documented_stack(key[0], devnet, triton_env) as running:
        yield running


@pytest.fixture
def reader(stack: RunningStack, key: tuple[Path, str], tmp_path: Path) -> Reader:
    """A reader with a photo and a key."""
    (tmp_path / "photo.png").write_bytes(make_paid_photo())
    (tmp_path / "beach.jpg").write_bytes(picture(form="JPEG"))
    return Reader(stack.url(""), tmp_path, {"CLEARCANVAS_API_KEY": key[1]})


class TestPaying:
    """x402 and MPP, step by step and by the official clients: one charge, one cut-out."""

    def test_x402_in_two_steps(self, reader: Reader, devnet: RunningDevnet) -> None:
        status, headers = head(reader.run("x402/quickstart.sh"))
        assert status == 402
        client = x402ClientSync()
        register_exact_evm_client(client, Account.from_key(devnet.base.funded_payer().key))
        payload = client.create_payment_payload(decode_payment_required_header(headers["payment-required"]))
        check_charge(devnet.base, lambda: reader.run("x402/paid.sh", PAYMENT=encode_payment_signature_header(payload)))
        check_is_cut_out(reader)

    async def test_mpp_in_two_steps(self, reader: Reader, devnet: RunningDevnet) -> None:
        status, headers = head(reader.run("mpp/quickstart.sh"))
        assert status == 402
        payer = devnet.tempo.funded_payer()
        async with running_mppx(devnet.tempo.rpc_url) as mppx:
            credential = await mppx.credential(headers["www-authenticate"], payer.key)
        credential = credential.removeprefix("Payment ")
        check_charge(devnet.tempo, lambda: reader.run("mpp/paid.sh", CREDENTIAL=credential))
        check_is_cut_out(reader)

    @pytest.mark.parametrize("name", ["x402/pay.mts", "x402/pay.py"])
    def test_x402(self, reader: Reader, devnet: RunningDevnet, name: str) -> None:
        payer = devnet.base.funded_payer()
        check_charge(devnet.base, lambda: reader.run(name, PRIVATE_KEY=payer.key))
        assert devnet.base.balance(payer.address) == 10_000_000 - PRICE
        check_is_cut_out(reader)

    @pytest.mark.parametrize("name", ["mpp/pay.mts", "mpp/pay.py"])
    def test_mpp(self, reader: Reader, devnet: RunningDevnet, name: str) -> None:
        payer = devnet.tempo.funded_payer()
        local = {
            "TEMPO_RPC": devnet.tempo.rpc_url,
            "NODE_OPTIONS": f"--import={(MODERATO / 'redirect.mjs').as_uri()}",
            "PYTHONPATH": str(MODERATO),
        }
        check_charge(devnet.tempo, lambda: reader.run(name, TEMPO_WALLET_PRIVATE_KEY=payer.key, **local))
        check_is_cut_out(reader)


def check_charge(chain: DevChain, pay: Callable[[], object]) -> None:
    """Whoever is paid is paid once."""
    before = chain.balance(chain.recipient)
    pay()
    assert chain.balance(chain.recipient) - before == PRICE


def head(output: str) -> tuple[int, dict[str, str]]:
    """The status and the headers that `curl -i` prints, names in lower case."""
    first, *lines = output.partition("\n\n")[0].splitlines()
    return int(first.split()[1]), {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


class TestRest:
    """The image operations, with a key."""

    def test_matte(self, reader: Reader) -> None:
        reader.run("rest/matte.sh")
        check_is_cut_out(reader)

    def test_color(self, reader: Reader) -> None:
        reader.run("rest/color.sh")
        check_is_on(reader, *TOMATO)

    def test_gradient_runs_from_corner_to_corner(self, reader: Reader) -> None:
        reader.run("rest/gradient.sh")
        pixels = result(reader).astype(int)
        assert np.abs(pixels[0, 0] - (0xFD, 0xE6, 0x8A)).max() <= 3
        assert np.abs(pixels[-1, -1] - (0xF4, 0x72, 0xB6)).max() <= 3

    def test_blur_leaves_the_subject(self, reader: Reader) -> None:
        reader.run("rest/blur.sh")
        change = np.abs(result(reader).astype(int) - original(reader)).max(axis=2)
        assert change[100:156, 100:156].max() <= 1
        assert change[:20].max() > 5

    def test_shadow_is_on_transparency(self, reader: Reader) -> None:
        reader.run("rest/shadow.sh")
        alpha = result(reader, "RGBA")[..., 3]
        assert alpha[128, 128] == 255
        assert ((alpha > 0) & (alpha < 200)).any()

    def test_picture(self, reader: Reader) -> None:
        reader.run("rest/picture.sh")
        assert (
            np.abs(result(reader)[2, 2].astype(int) - (20, 40, 60)).max() <= 8
        )  # The beach's own dark, as JPEG has it.

    def test_generate(self, reader: Reader) -> None:
        reader.run("rest/generate.sh")
        pixels = result(reader)
        assert (pixels[128, 128] > 200).all()
        assert len(np.unique(pixels[2, 2])) == 1  # The painter paints grey.

    @pytest.mark.parametrize("name", ["rest/edit.mts", "rest/edit.py"])
    def test_edit(self, reader: Reader, name: str) -> None:
        reader.run(name)
        check_is_on(reader, 0xF5, 0xF5, 0xF4)

    @pytest.mark.parametrize("name", ["removebg/removebg.sh", "removebg/removebg.py"])
    def test_removebg(self, reader: Reader, name: str) -> None:
        reader.run(name)
        check_is_cut_out(reader)

    def test_account(self, reader: Reader) -> None:
        assert json.loads(reader.run("keys/account.sh"))["name"] == "reader"

    def test_a_key_of_ones_own(self, reader: Reader, key: tuple[Path, str]) -> None:
        (reader.folder / "data").symlink_to(key[0])
        (reader.folder / ".venv").symlink_to(ROOT / ".venv")
        reader.run("self-hosting/key.sh")
        check_is_cut_out(reader)


class TestJobs:
    """Large pictures and videos."""

    def test_submitted_watched_fetched(self, reader: Reader) -> None:
        uuid = json.loads(reader.run("jobs/submit.sh"))["uuid"]
        assert "event: success" in reader.run("jobs/events.sh", UUID=uuid)
        reader.run("jobs/result.sh", UUID=uuid)
        result(reader)

    def test_deleted(self, reader: Reader) -> None:
        uuid = json.loads(reader.run("jobs/submit.sh"))["uuid"]
        assert reader.run("jobs/delete.sh", UUID=uuid) == ""
        gone = httpx.get(
            f"{reader.url}/image/hd/result/{uuid}", headers={"X-API-Key": reader.environment["CLEARCANVAS_API_KEY"]}
        )
        assert gone.status_code == 404

    @pytest.mark.parametrize("name", ["jobs/hd.mts", "jobs/hd.py"])
    def test_hd(self, reader: Reader, name: str) -> None:
        reader.run(name)
        result(reader)

    def test_video_submitted_watched_fetched(self, filming: Reader) -> None:
        uuid = json.loads(filming.run("video/submit.sh"))["uuid"]
        assert "event: success" in filming.run("jobs/events.sh", UUID=uuid)
        filming.run("video/result.sh", UUID=uuid)
        check_is_on_green(filming, FRAMES)

    @pytest.mark.parametrize("name", ["video/video.mts", "video/video.py"])
    def test_video(self, filming: Reader, name: str) -> None:
        filming.run(name)
        check_is_on_green(filming, FRAMES)

    @pytest.fixture
    def filming(self, reader: Reader) -> Reader:
        """A reader with a clip: the photo's subject, a quarter of a second long."""
        film(reader.folder / "clip.mp4", Scene([np.asarray(Image.open(io.BytesIO(picture(320, 240))))] * FRAMES))
        return reader


class TestWebhooks:
    """The end of a job is told, and whoever listens knows who told it."""

    @pytest.mark.parametrize("name", ["webhooks/receive.py", "webhooks/receive.mts"])
    async def test_only_the_jobs_own_end_is_taken(self, reader: Reader, name: str) -> None:
        reader.run("webhooks/submit.sh", WEBHOOK_URL="https://hooks.example/jobs")
        job = json.loads((reader.folder / "job.json").read_text())
        address = free_address()
        host, port = address.split(":")
        log = reader.folder / "log"
        program = reader.save(Path(name).name, reader.copy(name))
        with running(program, reader.variables(PORT=port), log, cwd=reader.folder):
            await eventually(lambda: listens(address), "the receiver listens")
            policy = EgressPolicy(lambda address: str(address) == host, frozenset({int(port)}))
            errand = WebhookErrand(Courier(policy, timeout_s=30))
            ended = Record(
                job["uuid"], "me", Kind.IMAGE, {}, "ab", State.SUCCEEDED, 1, 1, 1, created=datetime.now(UTC),
                webhook_url=f"http://{address}/jobs", webhook_secret=job["webhook_secret"],
            )  # fmt: skip
            with pytest.raises(RetryableError, match="answered with 400"):
                await errand.run(replace(ended, webhook_secret=make_secret()))
            await errand.run(ended)
            await eventually(lambda: f"job.succeeded {job['uuid']}" in log.read_text(), "the end is printed")


class TestGrpc:
    """The inner side of the service."""

    def test_what_there_is(self, reader: Reader) -> None:
        assert "clearcanvas.v1.ImageService/Edit" in reader.run("grpc/list.sh").split()

    def test_edit(self, reader: Reader) -> None:
        reader.run("grpc/edit.sh")
        check_is_on(reader, *TOMATO)

    def test_python(self, reader: Reader) -> None:
        (reader.folder / "proto").symlink_to(ROOT / "proto")
        reader.run("grpc/stubs.sh")
        assert (reader.folder / "clearcanvas" / "v1" / "images_pb2_grpc.py").exists()
        assert 'model: "toy"' in reader.run("grpc/cut.py")
        check_is_cut_out(reader)


class TestAgents:
    """Programs that find out by themselves how the service is called."""

    def test_openapi(self, reader: Reader) -> None:
        assert "/image/matte/v1" in json.loads(reader.run("agents/openapi.sh"))["paths"]

    def test_a_tool_is_called(self, reader: Reader) -> None:
        assert "'saved_to'" in reader.run("agents/call.py")
        check_is_cut_out(reader)

    async def test_the_configuration_starts_a_server(self, reader: Reader) -> None:
        server = json.loads(reader.copy("agents/mcp.json"))["mcpServers"]["clearcanvas"]
        assert server["env"].keys() == {"CLEARCANVAS_URL", "CLEARCANVAS_API_KEY"}
        assert server["env"]["CLEARCANVAS_URL"] == reader.url
        parameters = StdioServerParameters(**server | {"env": server["env"] | {"PATH": reader.variables()["PATH"]}})
        async with Client(parameters) as client:
            assert "remove_background" in {tool.name for tool in (await client.list_tools()).tools}

    async def test_a_server_of_ones_own(self, reader: Reader) -> None:
        address = free_address()
        code = reader.copy("agents/http.sh").replace("127.0.0.1:8404", address)
        with running(shlex.split(code, comments=True), reader.variables(), reader.folder / "log"):
            await eventually(lambda: listens(address), "the server listens")
            async with Client(f"http://{address}/mcp") as client:
                assert "remove_background" in {tool.name for tool in (await client.list_tools()).tools}
