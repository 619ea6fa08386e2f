"""What the chains' front door translates, seen from outside."""

from typing import Any

import httpx
import pytest
from eth_account import Account

from tests.support.devnet import DevChain, RunningDevnet, new_wallet


def ask(chain: DevChain, message: object) -> Any:
    return httpx.post(chain.rpc_url, json=message, timeout=30).json()


def call(method: str, *params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def signed(chain: DevChain) -> tuple[str, str]:
    """A transaction of 1 wei from a new wallet: its bytes and its hash."""
    transaction = {
        "chainId": chain.chain_id,
        "nonce": 0,
        "gas": 21_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 1,
        "to": new_wallet().address,
        "value": 1,
    }
    made = Account.sign_transaction(transaction, chain.hot_key().key)
    return made.raw_transaction.to_0x_hex(), made.hash.to_0x_hex()


def test_a_transaction_is_sent_and_its_receipt_waited_for(devnet: RunningDevnet) -> None:
    raw, transaction = signed(devnet.base)
    answer = ask(devnet.base, call("eth_sendRawTransactionSync", raw, 5000))
    assert answer["id"] == 7
    assert answer["result"]["transactionHash"] == transaction
    assert answer["result"]["status"] == "0x1"


def test_a_transaction_that_is_not_mined_in_time_is_named_by_its_hash(devnet: RunningDevnet) -> None:
    with devnet.base.no_mining():
        raw, transaction = signed(devnet.base)
        answer = ask(devnet.base, call("eth_sendRawTransactionSync", raw, 100))
    assert (answer["error"]["code"], answer["error"]["data"]) == (4, transaction)
    assert devnet.base.call("eth_getTransactionReceipt", transaction)["status"] == "0x1"


def test_a_transaction_that_is_refused_is_refused_at_once(devnet: RunningDevnet) -> None:
    answer = ask(devnet.base, call("eth_sendRawTransactionSync", "0x02", 60_000))
    assert answer["id"] == 7
    assert "error" in answer


@pytest.mark.parametrize("method", ["eth_simulateV1", "tempo_simulateV1"])
def test_what_would_end_the_chain_is_refused(method: str, devnet: RunningDevnet) -> None:
    answer = ask(devnet.tempo, call(method, {"blockStateCalls": []}, "latest"))
    assert answer["error"]["code"] == -32601
    assert int(devnet.tempo.call("eth_chainId"), 16) == 42431


def test_a_batch_is_answered_one_by_one_and_nonsense_with_an_error(devnet: RunningDevnet) -> None:
    answers = ask(devnet.base, [call("eth_chainId"), call("tempo_simulateV1"), call("no_such_method")])
    assert answers[0]["result"] == hex(84532)
    assert [answer["error"]["code"] for answer in answers[1:]] == [-32601, -32601]
    assert ask(devnet.base, "eth_chainId")["error"]["code"] == -32600
    assert httpx.post(devnet.base.rpc_url, content=b"{").json()["error"]["code"] == -32700
