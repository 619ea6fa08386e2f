"""The hot key's nonces: none is lost, none is used for two transactions that both arrive."""

from typing import Any

import pytest
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3 import Web3
from web3.types import RPCEndpoint, RPCResponse

from adapter.payments.x402.node import WatchedProvider
from adapter.payments.x402.signer import BroadcastRefusedError, SettlementSigner

_TOKEN = "0x" + "aa" * 20
_ABI: list[dict[str, Any]] = [
    {"name": "pause", "type": "function", "stateMutability": "nonpayable", "inputs": [], "outputs": []}
]
_ANSWERS = {
    "eth_chainId": "0x14a34",
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_getBlockByNumber": {"number": "0x1", "timestamp": "0x1", "baseFeePerGas": "0x7"},
}


class FakeNode(WatchedProvider):
    """A node without a chain: it counts what was sent, or loses and refuses what `plan` says, one entry a broadcast."""

    def __init__(self, *plan: str) -> None:
        super().__init__("http://node.test", connections=1)
        self.plan = list(plan)
        self.sent: dict[str, int] = {}
        self.behind = 0
        """How many transactions its count is late by."""

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if method == "eth_getTransactionCount":
            return self._result(hex(max(self.nonces, default=6) + 1 - self.behind))
        if method == "eth_getTransactionByHash":
            return self._result({"hash": params[0]} if Web3.to_hex(HexBytes(params[0])) in self.sent else None)
        if method == "eth_sendRawTransaction":
            return self._take(HexBytes(params[0]))
        return self._result(_ANSWERS[method])

    @property
    def nonces(self) -> list[int]:
        return list(self.sent.values())

    def _take(self, raw: HexBytes) -> RPCResponse:
        fate = self.plan.pop(0) if self.plan else "arrives"
        transaction = TypedTransaction.from_bytes(raw).as_dict()
        if fate in ("arrives", "reply lost", "said to fail"):
            self.sent[Web3.to_hex(Web3.keccak(raw))] = int(transaction["nonce"])
        if fate in ("reply lost", "lost"):
            raise ConnectionError("the node is gone")
        if fate == "arrives":
            return self._result(Web3.to_hex(Web3.keccak(raw)))
        return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": fate}}

    def _result(self, value: Any) -> RPCResponse:
        return {"jsonrpc": "2.0", "id": 1, "result": value}


def send(node: FakeNode, times: int = 1) -> SettlementSigner:
    signer = SettlementSigner("11" * 32, node, settle_s=1)
    for _ in range(times):
        signer.write_contract(_TOKEN, _ABI, "pause")
    return signer


def test_each_transaction_has_the_next_nonce() -> None:
    node = FakeNode()
    send(node, times=3)
    assert node.nonces == [7, 8, 9]


def test_a_node_whose_count_is_late_does_not_mislead() -> None:
    node = FakeNode()
    signer = send(node)
    node.behind = 1
    signer.write_contract(_TOKEN, _ABI, "pause")
    assert node.nonces == [7, 8]


def test_a_node_that_forgot_what_was_not_mined_is_believed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    node, now = FakeNode(), 100.0
    monkeypatch.setattr("adapter.payments.x402.signer.time.monotonic", lambda: now)
    signer = send(node, times=3)
    node.sent.clear()
    now += 16
    signer.write_contract(_TOKEN, _ABI, "pause")
    assert node.nonces == [7]


@pytest.mark.parametrize("refusal", ["insufficient funds for gas * price + value", "intrinsic gas too low"])
def test_a_refused_broadcast_gives_its_nonce_back(refusal: str) -> None:
    node = FakeNode("arrives", refusal, refusal)
    signer = send(node)
    for _ in range(2):
        with pytest.raises(BroadcastRefusedError):
            signer.write_contract(_TOKEN, _ABI, "pause")
    signer.write_contract(_TOKEN, _ABI, "pause")
    assert node.nonces == [7, 8]


@pytest.mark.case("P9")
@pytest.mark.parametrize("fate", ["reply lost", "said to fail"])
def test_a_broadcast_that_arrived_all_the_same_is_known_by_its_hash(fate: str) -> None:
    node = FakeNode(fate)
    signer = SettlementSigner("11" * 32, node, settle_s=1)
    transaction = signer.write_contract(_TOKEN, _ABI, "pause")
    assert list(node.sent) == [transaction]
    signer.write_contract(_TOKEN, _ABI, "pause")
    assert node.nonces == [7, 8]


@pytest.mark.case("P9")
def test_a_broadcast_that_was_lost_leaves_no_gap() -> None:
    node = FakeNode("lost")
    send(node, times=2)
    assert node.nonces == [7]


def test_a_nonce_that_another_process_took_is_not_insisted_on() -> None:
    node = FakeNode("nonce too low", "replacement transaction underpriced")
    send(node)
    assert node.nonces == [7]
    assert not node.troubles.refused


def test_a_nonce_that_is_always_taken_is_given_up() -> None:
    node = FakeNode(*["nonce too low"] * 10)
    with pytest.raises(BroadcastRefusedError):
        send(node)
    assert node.troubles.refused
    assert node.nonces == []


@pytest.mark.case("H14")
def test_a_broadcast_is_sent_once_however_it_fails() -> None:
    node = FakeNode("lost", "lost", "lost")
    send(node)
    assert len(node.plan) == 2
