"""Every sample of the documents does what it says, run as the served page shows it, against the stack `make up` starts."""

import io
import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from eth_account import Account
from numpy.typing import NDArray
from PIL import Image
from x402 import x402ClientSync
from x402.http.utils import decode_payment_required_header, encode_payment_signature_header
from x402.mechanisms.evm.exact import register_exact_evm_client

from tests.support.clip_scenes import Scene
from tests.support.clips import decoded_frames, film
from tests.support.devnet import DevChain, RunningDevnet
from tests.support.mppx import running_mppx
from tests.support.paid_pictures import check_cutout, make_paid_photo
from tests.support.processes import module
from tests.support.server import picture
from tests.support.shown import ROOT, SAMPLES, Reader
from tests.support.stack import RunningStack, starting_stack
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model

pytestmark = pytest.mark.usefixtures("client_packages")

PRICE = 50_000  # Units of both tokens: $0.05.
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
    """What `make up` starts, with the toy models, where one needs a key or pays on the local chains."""
    data, _ = key
    repository = data.parent / "repository"
    write_toy_model(repository)
    write_toy_generation(repository, "painter")
    environment = devnet.adapter_environment() | {
        "CLEARCANVAS_HTTP": "127.0.0.1:0",
        "CLEARCANVAS_GRPC": "127.0.0.1:0",
        "CLEARCANVAS_DATA": str(data),
        "CLEARCANVAS_MODEL_REPOSITORY": str(repository),
        "CLEARCANVAS_MODEL": "toy",
        "CLEARCANVAS_FAST_MODEL": "toy",
        "CLEARCANVAS_GENERATION_MODEL": "painter",
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_UNPAID_PER_MINUTE": "1000",
        "MAKEFLAGS": "",
    }
    command = (SAMPLES / "self-hosting" / "up.sh").read_text()
    with starting_stack(shlex.split(command, comments=True), environment, data.parent / "up.log", cwd=ROOT) as running:
        assert Reader(running.url(""), data).copy("self-hosting/up.sh") == command
        yield running


@pytest.fixture
def reader(stack: RunningStack, key: tuple[Path, str], tmp_path: Path) -> Reader:
    """A reader with a photo and a key."""
    (tmp_path / "photo.png").write_bytes(make_paid_photo())
    (tmp_path / "beach.jpg").write_bytes(picture(form="JPEG"))
    return Reader(stack.url(""), tmp_path, {"CLEARCANVAS_API_KEY": key[1]})


def photo(reader: Reader) -> bytes:
    return (reader.folder / "photo.png").read_bytes()


def result(reader: Reader, mode: str = "RGB") -> NDArray[np.uint8]:
    """The pixels of result.png, which has the photo's size and this mode."""
    with Image.open(reader.folder / "result.png") as found:
        assert (found.format, found.mode, found.size) == ("PNG", mode, (256, 256))
        return np.asarray(found)


def check_is_cut_out(reader: Reader) -> None:
    check_cutout((reader.folder / "result.png").read_bytes(), photo(reader))


def check_is_on(reader: Reader, *corner: int) -> None:
    """The photo's subject, on a colour."""
    pixels = result(reader)
    assert tuple(pixels[2, 2]) == corner
    assert (pixels[128, 128] > 200).all()


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
        with Image.open(io.BytesIO(photo(reader))) as original:
            change = np.abs(result(reader).astype(int) - np.asarray(original.convert("RGB"))).max(axis=2)
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

    def test_openapi(self, reader: Reader) -> None:
        assert "/image/matte/v1" in json.loads(reader.run("agents/openapi.sh"))["paths"]


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
        check_video(filming)

    @pytest.mark.parametrize("name", ["video/video.mts", "video/video.py"])
    def test_video(self, filming: Reader, name: str) -> None:
        filming.run(name)
        check_video(filming)

    @pytest.fixture
    def filming(self, reader: Reader) -> Reader:
        """A reader with a clip: the photo's subject, a quarter of a second long."""
        film(reader.folder / "clip.mp4", Scene([np.asarray(Image.open(io.BytesIO(picture(320, 240))))] * 6))
        return reader


def check_video(reader: Reader) -> None:
    frames = decoded_frames(reader.folder / "result.mp4")
    assert len(frames) == 6
    for _, pixels in frames:
        assert np.abs(pixels[4, 4, :3].astype(int) - (0, 160, 60)).max() <= 8
