"""Whether a transaction on the chain paid for a challenge of ours. Nothing but our own Transfer event proves it."""

from mpp.methods.tempo import attribution

from adapter.payments.chain import Receipt, Transfer
from adapter.payments.payment import PaymentFacts


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
