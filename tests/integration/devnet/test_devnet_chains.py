"""The local chains as a payer finds them."""

import httpx
import pytest

from tests.support.devnet import ONE_DOLLAR, DevChain, RunningDevnet, new_wallet
from tests.support.processes import wait_until


@pytest.fixture(params=["base", "tempo"])
def chain(request: pytest.FixtureRequest, devnet: RunningDevnet) -> DevChain:
    found: DevChain = getattr(devnet, request.param)
    return found


def test_the_payer_has_money_and_a_new_payer_gets_some(chain: DevChain) -> None:
    assert chain.balance(chain.payer) > 1000 * ONE_DOLLAR
    assert chain.balance(chain.funded_payer(123_456).address) == 123_456


def test_the_chain_is_the_one_it_says(chain: DevChain) -> None:
    assert int(chain.call("eth_chainId"), 16) == chain.chain_id


def test_a_transaction_waits_while_mining_is_off(chain: DevChain) -> None:
    target = new_wallet().address
    data = f"0xa9059cbb{target[2:].lower().zfill(64)}{7:064x}"
    with chain.no_mining():
        transaction = chain.call("eth_sendTransaction", {"from": chain.payer, "to": chain.token, "data": data})
        assert chain.call("eth_getTransactionReceipt", transaction) is None
        chain.mine()
        assert chain.call("eth_getTransactionReceipt", transaction)["status"] == "0x1"
    assert chain.balance(target) == 7


def test_the_clock_of_an_idle_chain_goes_on(chain: DevChain) -> None:
    began = timestamp(chain)
    wait_until(lambda: timestamp(chain) > began, "a block comes though there is no transaction", 20)


def timestamp(chain: DevChain) -> int:
    block = chain.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC's own.
    return int(block["timestamp"], 16)


def test_faults_hit_only_their_own_address(chain: DevChain) -> None:
    message = {"jsonrpc": "2.0", "id": 9, "method": "eth_chainId", "params": []}
    with chain.faulty() as proxy:
        assert httpx.post(proxy.rpc_url, json=message).json()["result"] == hex(chain.chain_id)
        proxy.set("eth_chainId", before="out of order", times=1)
        assert httpx.post(proxy.rpc_url, json=message).json()["error"]["message"] == "out of order"
        assert httpx.post(proxy.rpc_url, json=message).json()["result"] == hex(chain.chain_id)
        proxy.set("eth_chainId", drop_after=True)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(proxy.rpc_url, json=message)
        assert int(chain.call("eth_chainId"), 16) == chain.chain_id
        assert proxy.calls("eth_chainId") == 4
