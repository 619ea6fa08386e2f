"""`clearcanvas up --devnet` and `clearcanvas pay` as their user meets them, on both rails."""

import io
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.support.devnet import DevChain
from tests.support.http import make_photo
from tests.support.processes import module, wait_until
from tests.support.stack import RunningStack, running_stack

pytestmark = pytest.mark.alone

PRICE = 50_000  # Units of USDC and pathUSD: $0.05.
KEYS = {"rpc_url", "chain_id", "token", "payer_key", "payer", "recipient"}
CANARIES = {
    "CLEARCANVAS_WALLET": "0x" + "77" * 32,
    "CLEARCANVAS_MPP_SECRET": "canary-of-a-secret-that-nobody-reads",
    "CLEARCANVAS_LEDGER": "postgresql+psycopg://user:canary@127.0.0.1:1/real-books",
}


@contextmanager
def stack_on_devnet(repository: Path, triton_env: Path, folder: Path) -> Iterator[RunningStack]:
    """A stack that is paid on chains of its own; afterwards none of its processes is left, nor the chains' files."""
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env), **CANARIES}
    with running_stack(repository, "toy", folder, environment, "--devnet") as stack:
        programs = stack.programs()
        assert sum(program.name() == "anvil" for program in programs) == 2
        yield stack
    assert not [program for program in programs if program.is_running()]


def chains(folder: Path) -> dict[str, DevChain]:
    found = json.loads((folder / "data" / "devnet.json").read_text())
    assert {name: set(facts) for name, facts in found.items()} == {"base": KEYS, "tempo": KEYS}
    return {name: DevChain(name, **facts) for name, facts in found.items()}


def pay_command(stack: RunningStack, folder: Path, rail: str, *options: str) -> list[str]:
    (folder / "photo.jpg").write_bytes(make_photo())
    data = str(folder / "data")
    where = ["--wallet", f"{data}/devnet.json", "-o", str(folder / f"{rail}.png")]
    url = stack.url("/v1/remove-background")
    return module("cli", "pay", url, str(folder / "photo.jpg"), "--rail", rail, *where, *options)


def test_both_rails_are_paid_and_the_books_are_right(toy_repository: Path, triton_env: Path, tmp_path: Path) -> None:
    with stack_on_devnet(toy_repository, triton_env, tmp_path) as stack:
        for rail, chain in zip(("x402", "mpp"), chains(tmp_path).values(), strict=True):
            before = chain.balance(chain.recipient)
            paid = subprocess.run(pay_command(stack, tmp_path, rail), capture_output=True, text=True, check=False)
            assert paid.returncode == 0, paid.stderr
            assert chain.balance(chain.recipient) - before == PRICE
            receipt = re.search(r"^receipt +(0x[0-9a-f]{64})$", paid.stdout, re.MULTILINE)
            assert receipt, paid.stdout
            assert chain.call("eth_getTransactionReceipt", receipt[1])["status"] == "0x1"
            with Image.open(io.BytesIO((tmp_path / f"{rail}.png").read_bytes())) as picture:
                assert (picture.mode, picture.size) == ("RGBA", (256, 256))
        ledger = module("cli", "ledger", "--data", str(tmp_path / "data"))
        books = subprocess.run(ledger, capture_output=True, text=True, check=False)
        assert books.returncode == 0, books.stderr
        assert "payments: 2 delivered" in books.stdout
    assert stack.process.returncode == 0
    assert not list((tmp_path / "data").glob("devnet.*"))


@pytest.mark.case("V4")
def test_only_the_adapter_is_told_of_money_and_nobody_of_the_wallet(
    toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    with stack_on_devnet(toy_repository, triton_env, tmp_path) as stack:
        told = {program.pid: program.environ() for program in stack.programs() if program.name() != "anvil"}
        adapter = told.pop(stack.find("adapter").pid)
        secret = next(line for line in env_file(tmp_path) if line.startswith("CLEARCANVAS_MPP_SECRET="))
        assert adapter["CLEARCANVAS_MPP_SECRET"] == secret.partition("=")[2]
        assert not set(CANARIES.values()) & set(adapter.values())
        assert len(told) >= 4  # The engine, Triton, the server, its workers, the devnet.
        for environment in told.values():
            assert not [name for name in environment if re.match(r"CLEARCANVAS_(X402|MPP|LEDGER|WALLET)", name)]
            assert not set(CANARIES.values()) & set(environment.values())


def env_file(folder: Path) -> list[str]:
    file = folder / "data" / "devnet.env"
    assert file.stat().st_mode & 0o777 == 0o600
    return file.read_text().splitlines()


def test_a_stop_does_not_wait_for_a_settlement_that_hangs(
    toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    with stack_on_devnet(toy_repository, triton_env, tmp_path) as stack:
        base = chains(tmp_path)["base"]
        base.automine(on=False)
        with subprocess.Popen(pay_command(stack, tmp_path, "x402", "--timeout", "1"), stderr=subprocess.PIPE) as payer:
            wait_until(lambda: base.call("txpool_status")["pending"] != "0x0", "the settlement is on its way")
            stack.process.send_signal(signal.SIGTERM)
            wait_until(lambda: stack.process.poll() is not None, "the stack is gone", 10)
            assert stack.process.returncode == 0
            _, said = payer.communicate()
            assert payer.returncode == 1
            assert b"Whether it was paid is not known: the same command goes on with" in said


def test_a_chain_that_dies_ends_the_stack_by_name(toy_repository: Path, triton_env: Path, tmp_path: Path) -> None:
    with stack_on_devnet(toy_repository, triton_env, tmp_path) as stack:
        stack.find("anvil").kill()
        wait_until(lambda: stack.process.poll() is not None, "the stack is gone", 10)
        assert stack.process.returncode == 1
        text = stack.log.read_text()
        assert "the chain base has ended with status -9" in text
        assert "error: devnet exited with status 1" in text


def test_without_the_chains_the_error_names_the_command_that_brings_them(
    toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    environment = os.environ | {
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_MODEL_REPOSITORY": str(toy_repository),
        "CLEARCANVAS_MODEL": "toy",
        "CLEARCANVAS_DEVNET_ENV": str(tmp_path / "missing"),
    }
    command = module("cli", "up", "--devnet", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0")
    command += ["--data", str(tmp_path / "data")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "python -m devnet install" in result.stderr
