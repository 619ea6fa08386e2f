"""Whether the payer of a signed transaction could pay now. The SDK does not ask the chain before it broadcasts."""

import asyncio
from collections import Counter

from eth_hash.auto import keccak

from adapter.payments.chain import CallRevertedError, Chain
from adapter.payments.errors import PaymentRequiredError
from adapter.payments.mpp.transaction import TempoTransaction

# The precompile that knows in which token an account wants to pay its fees.
_FEE_MANAGER = "0xfeec000000000000000000000000000000000000"
_USER_TOKENS = keccak(b"userTokens(address)")[:4]


async def check_funds(chain: Chain, transaction: TempoTransaction, payer: str, token: str, amount: int) -> None:
    """Raise PaymentRequiredError where `transaction` would fail now: balances, or the token's own rules.

    Raises RailUnavailableError where the node does not answer.
    """
    fee_token = transaction.fee_token or await _preferred_fee_token(chain, payer) or token
    swaps = transaction.swaps
    needs = Counter({fee_token: transaction.max_fee})
    needs.update({swaps[0]: swaps[1]} if swaps else {token: amount})
    balances = await asyncio.gather(*(chain.balance(needed, payer) for needed in needs))
    if any(balance < need for balance, need in zip(balances, needs.values(), strict=True)):
        raise PaymentRequiredError("payment_insufficient", "The payer's balance does not cover the price and the fee.")
    if swaps:
        return  # A transfer of what is yet to be swapped cannot be tried alone.
    try:
        for to, data in transaction.calls:
            await chain.call(to, data, sender=payer)
    except CallRevertedError:
        raise PaymentRequiredError("payment_insufficient", "The token would refuse this transfer.") from None


async def _preferred_fee_token(chain: Chain, payer: str) -> str | None:
    answer = await chain.call(
        _FEE_MANAGER, _USER_TOKENS + bytes.fromhex(payer.removeprefix("0x").zfill(64)), sender=payer
    )
    return "0x" + answer[-20:].hex() if any(answer) else None
