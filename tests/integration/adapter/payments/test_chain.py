"""Reads of a chain: on the real ones, and from a node that tells what no honest chain of ours holds."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from web3 import Web3

from adapter.payments.chain import CallRevertedError, Chain
from adapter.payments.errors import RailUnavailableError
from tests.support.devnet import DevChain, RunningDevnet, new_wallet
from tests.support.token_calls import block_time, cancel_authorization, send_authorization
from tests.support.x402_payer import PRICE, sign

_TOKEN, _PAYER, _THIEF, _WE = ("0x" + pair * 20 for pair in ("aa", "bb", "cc", "dd"))
_ONE, _TWO = ("0x" + pair * 32 for pair in ("01", "02"))
_TRANSACTION = "0x" + "ee" * 32


@pytest.fixture
def base(devnet: RunningDevnet) -> DevChain:
    return devnet.base


@pytest_asyncio.fixture
async def chain(base: DevChain) -> AsyncIterator[Chain]:
    reading = Chain(base.rpc_url)
    yield reading
    await reading.close()


@asynccontextmanager
async def node(answer: Callable[[str, list[Any]], Any]) -> AsyncIterator[Chain]:
    """A chain whose node answers what `answer` makes of a method and its parameters."""

    async def handle(request: web.Request) -> web.Response:
        call = await request.json()
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": answer(call["method"], call["params"])})

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reading = Chain(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield reading
    finally:
        await reading.close()
        await runner.cleanup()


def event(signature: str, topics: list[str], index: int, amount: int | None = None) -> dict[str, Any]:
    padded = ["0x" + topic[2:].rjust(64, "0") for topic in topics]
    return {
        "address": _TOKEN,
        "topics": [Web3.to_hex(Web3.keccak(text=signature)), *padded],
        "data": "0x" if amount is None else f"0x{amount:064x}",
        "logIndex": hex(index),
        "blockNumber": "0x10",
        "blockHash": _ONE,
        "transactionHash": _TRANSACTION,
        "transactionIndex": "0x0",
        "removed": False,
    }


def receipt(logs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"transactionHash": _TRANSACTION, "status": "0x1", "blockNumber": "0x10", "blockHash": _ONE, "logs": logs}


@pytest.mark.case("P10")
async def test_one_transfer_pays_for_one_authorization_only() -> None:
    """A payer's own contract uses two authorisations at once: one pays a friend, the other us. Both name us as paid."""
    used, moved = "AuthorizationUsed(address,bytes32)", "Transfer(address,address,uint256)"
    logs = [
        event(used, [_PAYER, _ONE], 0),
        event(moved, [_PAYER, _THIEF], 1, PRICE),
        event(used, [_PAYER, _TWO], 2),
        event(moved, [_PAYER, _WE], 3, PRICE),
    ]

    def answer(method: str, params: list[Any]) -> Any:
        if method == "eth_getTransactionReceipt":
            return receipt(logs)
        assert method == "eth_getLogs"
        return [log for log in logs if log["topics"][-1] == params[0]["topics"][2]]

    async with node(answer) as chain:
        first = await chain.authorization_use(_TOKEN, _PAYER, _ONE, first_block=0, last_block=20)
        second = await chain.authorization_use(_TOKEN, _PAYER, _TWO, first_block=0, last_block=20)
    assert first is not None
    assert second is not None
    assert first.transfer is not None
    assert first.transfer.recipient == _THIEF
    assert second.transfer is not None
    assert second.transfer.recipient == _WE


async def test_logs_are_asked_for_in_ranges_that_public_nodes_answer() -> None:
    asked: list[tuple[int, int]] = []

    def answer(method: str, params: list[Any]) -> Any:
        assert method == "eth_getLogs"
        asked.append((int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)))
        return []

    async with node(answer) as chain:
        assert await chain.authorization_use(_TOKEN, _PAYER, _ONE, first_block=100, last_block=1300) is None
    assert asked == [(100, 599), (600, 1099), (1100, 1300)]


async def test_a_memo_is_read() -> None:
    logs = [
        event("Transfer(address,address,uint256)", [_PAYER, _WE], 0, 7),
        event("TransferWithMemo(address,address,uint256,bytes32)", [_PAYER, _WE, _TWO], 1, 7),
    ]
    async with node(lambda method, params: receipt(logs)) as chain:
        found = await chain.receipt(_TRANSACTION)
    assert found is not None
    assert [(one.recipient, one.amount, one.memo) for one in found.transfers] == [(_WE, 7, None), (_WE, 7, _TWO)]


@pytest.mark.parametrize("nonsense", [None, {}, [], 7, "0x", {"number": None}])
async def test_a_node_that_talks_nonsense_does_not_answer(nonsense: Any) -> None:
    async with node(lambda method, params: nonsense) as chain:
        with pytest.raises(RailUnavailableError):
            await chain.head()
        with pytest.raises(RailUnavailableError):
            await chain.balance(_TOKEN, _PAYER)


async def test_a_node_that_is_not_there_does_not_answer() -> None:
    chain = Chain("http://127.0.0.1:9/api-key")
    with pytest.raises(RailUnavailableError) as failed:
        await chain.head()
    assert failed.value.__cause__ is None, "its text may hold the key"
    await chain.close()


async def test_a_silent_node_is_not_waited_for(base: DevChain) -> None:
    with base.faulty() as proxy:
        proxy.set("eth_getBlockByNumber", delay_s=3)
        chain = Chain(proxy.rpc_url, timeout_s=0.2)
        with pytest.raises(RailUnavailableError):
            await chain.timestamp()
        await chain.close()


async def test_an_answer_lost_once_is_asked_for_again(base: DevChain) -> None:
    with base.faulty() as proxy:
        for fault in ({"drop_before": True}, {"before": "header not found"}):
            proxy.set("eth_getBlockByNumber", **fault, times=1)
            chain = Chain(proxy.rpc_url)
            assert (await chain.head()).number > 0
            await chain.close()


async def test_a_used_authorization_and_its_transfer(chain: Chain, base: DevChain) -> None:
    payer = base.funded_payer()
    payload, before = sign(payer.key, base.recipient), await chain.head()
    nonce, token = payload["authorization"]["nonce"], base.token.lower()
    assert not await chain.authorization_used(token, payer.address.lower(), nonce)
    transaction = send_authorization(base, payload)
    assert await chain.authorization_used(token, payer.address.lower(), nonce)
    last = (await chain.head()).number
    use = await chain.authorization_use(token, payer.address.lower(), nonce, first_block=before.number, last_block=last)
    assert use is not None
    assert use.transfer is not None
    assert (use.transaction, use.transfer.sender, use.transfer.recipient, use.transfer.amount) == (
        transaction,
        payer.address.lower(),
        base.recipient.lower(),
        PRICE,
    )
    assert await chain.block_timestamp(use.block) == block_time(base, transaction)
    assert await chain.balance(token, payer.address) == 10_000_000 - PRICE
    found = await chain.receipt(transaction)
    assert found is not None
    assert found.succeeded
    assert found.transfers == (use.transfer,)


async def test_a_cancelled_authorization_has_no_transfer(chain: Chain, base: DevChain) -> None:
    payer, nonce, before = base.funded_payer(), "0x" + "77" * 32, await chain.head()
    cancel_authorization(base, payer, nonce)
    last = (await chain.head()).number
    use = await chain.authorization_use(base.token, payer.address, nonce, first_block=before.number, last_block=last)
    assert use is not None
    assert use.transfer is None


async def test_a_transaction_that_is_not_there(chain: Chain) -> None:
    assert await chain.receipt("0x" + "99" * 32) is None


async def test_a_call_is_run_and_not_sent(chain: Chain, base: DevChain) -> None:
    payer = base.funded_payer()
    move = bytes.fromhex("a9059cbb") + bytes(12) + bytes.fromhex(new_wallet().address[2:])
    assert int.from_bytes(await chain.call(base.token, move + (1).to_bytes(32), sender=payer.address)) == 1
    with pytest.raises(CallRevertedError, match="exceeds balance"):
        await chain.call(base.token, move + (10**12).to_bytes(32), sender=payer.address)
    assert base.balance(payer.address) == 10_000_000


async def test_each_chain_says_which_it_is(devnet: RunningDevnet, chain: Chain) -> None:
    assert await chain.chain_id() == 84532
    tempo = Chain(devnet.tempo.rpc_url)
    assert await tempo.chain_id() == 42431
    assert await tempo.timestamp() > 0
    assert await tempo.balance(devnet.tempo.token, devnet.tempo.payer) > 0
    await tempo.close()
