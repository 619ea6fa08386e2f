"""Nothing that can pay is ever written down: logs at DEBUG, answers, ledger, arguments."""

import base64
import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from tests.support.clients import MPP_PULL, X402_V1, X402_V2, pay
from tests.support.devnet import ONE_DOLLAR
from tests.support.http import Answer
from tests.support.paid_pictures import make_paid_photo
from tests.support.paid_stack import PATH, PRICE, PaidStack, Payer
from tests.support.processes import free_address
from tests.support.recorder import Call, recording

pytestmark = pytest.mark.usefixtures("client_packages")
_LONG_HEX = re.compile(r"0x[0-9a-fA-F]{128,}")
_MARK = "canary" * 6  # Stands in credentials that nobody can read.


def forms(secret: str) -> set[bytes]:
    """How a secret may be written: as it is, as hex without 0x in both cases, as the bytes that the hex stands for."""
    bare = secret.removeprefix("0x")
    found = {secret.encode(), bare.lower().encode(), bare.upper().encode()}
    return found | ({bytes.fromhex(bare)} if re.fullmatch(r"([0-9a-fA-F]{2})+", bare) else set())


def secrets_of(call: Call, payer: Payer) -> Iterable[str]:
    """The payer's key, the credential as it was sent, and the signatures inside."""
    yield payer.key
    credential = call.credential.removeprefix("Payment ")
    yield credential
    yield from _LONG_HEX.findall(base64.urlsafe_b64decode(credential + "===").decode())


def assert_absent(secrets: Iterable[str], text: bytes, where: object) -> None:
    for secret in secrets:
        for form in forms(secret):
            at = text.find(form)
            assert at < 0, f"{where} holds {form[:12]!r}…: {text[max(0, at - 200) : at]!r}"


@pytest.mark.case("O1")
async def test_no_key_secret_or_credential_is_written_anywhere(paid_stack: PaidStack, tmp_path: Path) -> None:
    known, bodies, dead = {_MARK}, list[Answer](), f"http://{free_address()}"
    async with (
        paid_stack.adapter(tmp_path / "well", log_level="DEBUG") as well,
        paid_stack.adapter(tmp_path / "blind", log_level="DEBUG", x402_rpc_url=dead, mpp_rpc_url=dead) as blind,
        paid_stack.adapter(tmp_path / "idle", log_level="DEBUG", grpc=free_address()) as idle,
        recording(well.http) as recorder,
    ):
        for adapter in (well, blind, idle):
            known |= {adapter.environment["CLEARCANVAS_X402_KEY"], adapter.environment["CLEARCANVAS_MPP_SECRET"]}
        recorder.holding = True
        for client, funds in itertools.product((X402_V1, X402_V2, MPP_PULL), (ONE_DOLLAR, PRICE - 1)):
            payer = await paid_stack.payer(client.rail, funds)
            folder = tmp_path / "payer"
            await pay(client, recorder.url(PATH), make_paid_photo(), folder, key=payer.key, rpc_url=payer.rpc_url)
            call = recorder.paid_calls()[-1]
            known |= set(secrets_of(call, payer))
            (header,) = (name for name, value in call.headers.items() if value == call.credential)
            answers = [
                await recorder.send(call, blind.http),
                await recorder.send(call, idle.http),
                await recorder.send(call, headers={header: call.credential[:-20] + _MARK}),
                await recorder.send(call),
            ]
            spoiled = 402 if client.rail == "mpp" else 400
            assert [answer.status for answer in answers] == [503, 503, spoiled, 200 if funds >= PRICE else 402]
            bodies += answers
        for adapter in (well, blind, idle):
            assert_absent(known, " ".join(psutil.Process(adapter.process.pid).cmdline()).encode(), "the command line")
    for answer in bodies:
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        assert_absent(known, head.encode() + answer.body, f"the answer {answer.status}")
    written = [file for name in ("well", "blind", "idle") for file in (tmp_path / name).rglob("*") if file.is_file()]
    assert any("ledger" in file.name for file in written)
    assert all(b" DEBUG " in adapter.log.read_bytes() for adapter in (well, blind, idle))
    with pytest.raises(AssertionError):  # What is looked for would be found.
        assert_absent(known, b"paid with " + call.credential.encode(), "a careless log")
    for file in written:
        assert_absent(known, file.read_bytes(), file.relative_to(tmp_path))
