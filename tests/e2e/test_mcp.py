"""Agents: the official SDK's client starts or calls the MCP server, gets pictures, and pays for them on real chains."""

import asyncio
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from mcp.client import Client
from mcp_types import CallToolResult
from PIL import Image
from x402 import x402Client
from x402.mcp.types import MCPToolResult
from x402.mcp.utils import extract_payment_required_from_result
from x402.mechanisms.evm.exact import register_exact_evm_client

from tests.support.agents import agent_on_stdio, call, encode, facts_of, mcp_over_http, picture_of
from tests.support.clients import FOLDER, NODE
from tests.support.paid_pictures import check_cutout, make_paid_photo
from tests.support.paid_stack import PRICE, PaidStack, Payer, RunningAdapter

HD_PRICE = 200_000
PHOTO = make_paid_photo()


@pytest.fixture(scope="module")
def mcp_url(counter: RunningAdapter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server on streamable HTTP, in front of a service where everybody pays."""
    with mcp_over_http(counter.url(""), tmp_path_factory.mktemp("mcp")) as url:
        yield url


def make_large_photo() -> bytes:
    """A white square on black, too large for anything but a job."""
    picture, buffer = Image.new("RGB", (2100, 2100)), io.BytesIO()
    picture.paste("white", (500, 500, 1600, 1600))
    picture.save(buffer, "PNG")
    return buffer.getvalue()


async def sign_x402(asked: CallToolResult, payer: Payer) -> dict[str, Any]:
    """What an agent with the official x402 client puts beside the call's arguments."""
    required = extract_payment_required_from_result(
        MCPToolResult(content=[], is_error=asked.is_error, structured_content=asked.structured_content)
    )
    assert required is not None
    client = register_exact_evm_client(x402Client(), Account.from_key(payer.key))
    payload = await client.create_payment_payload(required)
    return {"x402/payment": payload.model_dump(by_alias=True, exclude_none=True)}


async def test_an_agent_on_this_machine_has_files_cut_out(paid_adapter: RunningAdapter, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PHOTO)
    async with agent_on_stdio(paid_adapter.url(""), folder=tmp_path) as client:
        result = await call(client, "remove_background", image_path="photo.png")
        check_cutout(picture_of(result), PHOTO)
        assert facts_of(result)["width"] == 256

        saved = await call(
            client, "replace_background_with_color", image_path="photo.png", color="blue", save_to="b.png"
        )
        assert facts_of(saved)["saved_to"] == str(tmp_path / "b.png")
        assert Image.open(tmp_path / "b.png").convert("RGB").getpixel((0, 0)) == (0, 0, 255)


async def test_an_agent_pays_by_x402_once(paid_stack: PaidStack, counter: RunningAdapter) -> None:
    payer = await paid_stack.payer("x402")
    async with agent_on_stdio(counter.url("")) as client:
        asked = await call(client, "remove_background", image=encode(PHOTO))
        assert asked.is_error
        payment = await sign_x402(asked, payer)
        paid = await call(client, "remove_background", payment, image=encode(PHOTO))
        again = await call(client, "remove_background", payment, image=encode(PHOTO))
    check_cutout(picture_of(paid), PHOTO)
    assert picture_of(again) == picture_of(paid)
    (charge,) = await payer.charges()
    assert charge.amount == PRICE
    assert (paid.meta or {})["x402/payment-response"]["transaction"] == charge.transaction


@pytest.mark.usefixtures("client_packages")
async def test_an_agent_pays_by_mpp_once(paid_stack: PaidStack, mcp_url: str, tmp_path: Path) -> None:
    payer = await paid_stack.payer("mpp")
    (tmp_path / "photo.png").write_bytes(PHOTO)
    process = await asyncio.create_subprocess_exec(
        *(NODE, str(FOLDER / "mcp_mpp.mjs"), mcp_url, str(tmp_path / "photo.png"), str(tmp_path / "result.png")),
        env=os.environ | {"TEMPO_WALLET_PRIVATE_KEY": payer.key, "RPC_URL": payer.rpc_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    report = json.loads(output)
    assert report["error"] is None
    check_cutout((tmp_path / "result.png").read_bytes(), PHOTO)
    (charge,) = await payer.charges()
    assert charge.amount == PRICE
    assert report["receipt"]["reference"] == charge.transaction


async def test_an_agent_pays_for_a_picture_that_only_a_job_can_take(
    paid_stack: PaidStack, counter: RunningAdapter, mcp_url: str
) -> None:
    payer, photo = await paid_stack.payer("x402"), make_large_photo()
    async with Client(mcp_url) as client:
        payment = await sign_x402(await call(client, "remove_background", image=encode(photo)), payer)
        paid = await call(client, "remove_background", payment, image=encode(photo))
    alpha = Image.open(io.BytesIO(picture_of(paid))).getchannel("A")
    assert (alpha.size, alpha.getpixel((1050, 1050)), alpha.getpixel((5, 5))) == ((2100, 2100), 255, 0)
    (charge,) = await payer.charges()
    assert charge.amount == HD_PRICE
    assert (paid.meta or {})["x402/payment-response"]["transaction"] == charge.transaction
