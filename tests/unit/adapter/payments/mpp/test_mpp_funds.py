"""Which money a transaction needs before it is worth any work."""

from typing import cast

import pytest
from pytempo import Call  # type: ignore[import-untyped]

from adapter.payments.chain import CallRevertedError, Chain
from adapter.payments.errors import PaymentRequiredError
from adapter.payments.mpp.funds import check_funds
from adapter.payments.mpp.transaction import TempoTransaction, read_transaction
from tests.support.tempo import ALPHA_USD, PATH_USD, TempoTransfer

PAYER, DEX = "0x" + "11" * 20, "0xdec0000000000000000000000000000000000000"
PRICE, FEE = 50_000, 20_000
GAS = {"gas_limit": 1_000_000, "max_fee_per_gas": 20_000_000_000}  # Together the fee.
TRANSFER = TempoTransfer("0x" + "ab" * 20, "0x" + "01" * 32)


class Purse:
    """A chain with these balances, on which the payer prefers a token for its fees."""

    def __init__(self, balances: dict[str, int], prefers: str | None = None, *, refuses: bool = False) -> None:
        self._balances, self._prefers, self._refuses = balances, prefers, refuses

    async def balance(self, token: str, owner: str) -> int:
        assert owner == PAYER
        return self._balances.get(token, 0)

    async def call(self, to: str, data: bytes, *, sender: str) -> bytes:
        assert sender == PAYER
        if to.startswith("0xfeec"):
            assert data.hex().endswith(PAYER[2:])
            return bytes.fromhex((self._prefers or "0x")[2:].zfill(64))
        if self._refuses:
            raise CallRevertedError("paused")
        return b""


def signed(fee_token: str | None = PATH_USD) -> TempoTransaction:
    return read_transaction(TRANSFER.sign("0x" + "11" * 32, fee_token=fee_token, **GAS))


def swapped() -> TempoTransaction:
    """Approves 51,000 of AlphaUSD to the exchange, swaps and pays."""
    approval = "0x095ea7b3" + DEX[2:].zfill(64) + f"{51_000:064x}"
    calls = (Call.create(to=ALPHA_USD, value=0, data=approval), Call.create(to=PATH_USD, value=0, data="0x"))
    return read_transaction(TRANSFER.sign("0x" + "11" * 32, calls=calls, fee_token=ALPHA_USD, **GAS))


@pytest.mark.parametrize(
    ("transaction", "purse"),
    [
        (signed(), Purse({PATH_USD: PRICE + FEE})),
        (signed(None), Purse({PATH_USD: PRICE + FEE})),
        (signed(None), Purse({PATH_USD: PRICE, ALPHA_USD: FEE}, ALPHA_USD)),
        (signed(ALPHA_USD), Purse({PATH_USD: PRICE, ALPHA_USD: FEE})),
        (swapped(), Purse({ALPHA_USD: 51_000 + FEE}, refuses=True)),
    ],
    ids=["named", "unnamed", "preferred", "other", "swap"],
)
async def test_enough_is_enough(transaction: TempoTransaction, purse: Purse) -> None:
    await check_funds(cast("Chain", purse), transaction, PAYER, PATH_USD, PRICE)


@pytest.mark.parametrize(
    ("transaction", "purse"),
    [
        (signed(), Purse({PATH_USD: PRICE + FEE - 1})),
        (signed(None), Purse({PATH_USD: PRICE + FEE - 1, ALPHA_USD: FEE})),
        (signed(None), Purse({PATH_USD: PRICE + FEE, ALPHA_USD: FEE - 1}, ALPHA_USD)),
        (signed(ALPHA_USD), Purse({PATH_USD: PRICE - 1, ALPHA_USD: FEE})),
        (swapped(), Purse({ALPHA_USD: 51_000 + FEE - 1, PATH_USD: PRICE})),
        (signed(), Purse({PATH_USD: PRICE + FEE}, refuses=True)),
    ],
    ids=["named", "unnamed", "preferred", "other", "swap", "refused by the token"],
)
async def test_a_unit_less_or_a_token_that_refuses_is_refused(transaction: TempoTransaction, purse: Purse) -> None:
    with pytest.raises(PaymentRequiredError) as refused:
        await check_funds(cast("Chain", purse), transaction, PAYER, PATH_USD, PRICE)
    assert refused.value.reason == "payment_insufficient"
