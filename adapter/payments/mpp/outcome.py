"""What became of a payment, as the chain tells it. Nothing but our own Transfer event proves one."""

from mpp.methods.tempo import attribution

from adapter.payments.chain import Chain, Receipt, Transfer
from adapter.payments.payment import Outcome, PaymentFacts, Settlement, Verdict

# Seconds of the chain's clock past a transaction's end before a missing receipt proves that it never was mined: nodes
# behind one address may be some blocks apart.
VOID_MARGIN_S = 10


async def look_up(chain: Chain, facts: PaymentFacts, realm: str) -> Outcome:
    """Ask for the transaction's receipt. Void is what was reverted, and what the chain's clock says is too late.

    Raises RailUnavailableError.
    """
    transaction = facts.evidence["transaction"]
    receipt = await chain.receipt(transaction)
    if receipt is None and "valid_before" in facts.evidence:
        if await chain.timestamp() < int(facts.evidence["valid_before"]) + VOID_MARGIN_S:
            return Verdict.OPEN
        # Once more: it may have been mined between the two questions.
        receipt = await chain.receipt(transaction)
        if receipt is None:
            return Verdict.VOID
    if receipt is None:
        return Verdict.OPEN
    if find_transfer(receipt, facts, realm) is None:
        return Verdict.VOID
    return Settlement(receipt.transaction, await chain.block_timestamp(receipt.block))


def find_transfer(receipt: Receipt, facts: PaymentFacts, realm: str) -> Transfer | None:
    """Return the transfer of exactly the amount to us whose memo names the challenge; None where there is none."""
    challenge = facts.evidence["challenge"]
    for transfer in receipt.transfers:
        if (
            transfer.memo is not None
            and (transfer.token, transfer.recipient, transfer.amount) == (facts.token, facts.recipient, facts.amount)
            and facts.payer in {"", transfer.sender}
            and attribution.verify_server(transfer.memo, realm)
            and attribution.verify_challenge_binding(transfer.memo, challenge)
        ):
            return transfer
    return None
