"""The official clients, each a program in tests/clients, run as a payer would run it."""

import asyncio
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parents[1] / "clients"
_PROCESSOR = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
NODE = str(FOLDER / "node_modules" / f"node-linux-{_PROCESSOR}" / "bin" / "node")
"""Node.js as it is pinned with the clients: Debian's is too old for them, and its npm 9 links no `.bin/node`."""


@dataclass(frozen=True)
class Client:
    """One client: its rail, its program, the variable its key is read from, and the receipt it must be given."""

    name: str
    rail: Literal["x402", "mpp"]
    program: str
    key_variable: str
    receipt: str
    environment: Mapping[str, str] = field(default_factory=dict)


X402_V1 = Client("x402-fetch", "x402", "x402_v1.mjs", "PRIVATE_KEY", "x-payment-response", {"NETWORK": "base-sepolia"})
X402_V2 = Client("@x402/fetch", "x402", "x402_v2.mjs", "PRIVATE_KEY", "payment-response")
X402_PYTHON = Client("x402-httpx", "x402", "x402_httpx.py", "PRIVATE_KEY", "payment-response")
MPP_PULL = Client("mppx-pull", "mpp", "mpp.mjs", "TEMPO_WALLET_PRIVATE_KEY", "payment-receipt", {"MODE": "pull"})
MPP_PUSH = Client("mppx-push", "mpp", "mpp.mjs", "TEMPO_WALLET_PRIVATE_KEY", "payment-receipt", {"MODE": "push"})
MPP_PYTHON = Client("mpp-httpx", "mpp", "mpp_httpx.py", "TEMPO_WALLET_PRIVATE_KEY", "payment-receipt")
CLIENTS = (X402_V1, X402_V2, X402_PYTHON, MPP_PULL, MPP_PUSH, MPP_PYTHON)


@dataclass(frozen=True)
class Paid:
    """What a client got: the status, the headers in lower case, which receipts came, and the picture."""

    status: int
    headers: Mapping[str, str]
    receipts: list[str]
    error: str
    picture: bytes


async def pay(
    client: Client,
    url: str,
    photo: bytes,
    folder: Path,
    *,
    key: str,
    rpc_url: str,
    form: Mapping[str, str] | None = None,
    files: Mapping[str, Path] | None = None,
    method: Literal["GET", "POST"] = "POST",
) -> Paid:
    """Run `client` once with the payer's `key`, in `folder`, which is made.

    `rpc_url` is the chain, for a client that asks it itself. With `form`, the other fields, the photo goes in one, or
    `files` do in its place, by their fields. With the `method` GET, which the JavaScript clients know, nothing is sent.
    """
    folder.mkdir(exist_ok=True)
    source, result = folder / "photo.png", folder / "result.png"
    source.write_bytes(photo)
    result.unlink(missing_ok=True)
    program = sys.executable if client.program.endswith(".py") else NODE
    process = await asyncio.create_subprocess_exec(
        program,
        *(str(FOLDER / client.program), url, str(source), str(result)),
        env=os.environ
        | client.environment
        | {client.key_variable: key, "RPC_URL": rpc_url, "METHOD": method}
        | _write_form(form, files),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    report: dict[str, Any] = json.loads(output.decode().splitlines()[-1])
    return Paid(**report, picture=result.read_bytes() if result.exists() else b"")


def _write_form(form: Mapping[str, str] | None, files: Mapping[str, Path] | None) -> dict[str, str]:
    written = {} if form is None else {"FORM": json.dumps(form)}
    return written if files is None else {**written, "FILES": json.dumps(files, default=str)}
