"""Judges a credential against a charge without asking anybody: can this ever pay for that, and is it time?"""

from adapter.payments.charge import Charge
from adapter.payments.errors import PaymentRequiredError
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.credential import Credential

# Longer than any client asks for, short enough that an unknown outcome is known within the hour at the latest.
_LONGEST_LIFE_S = 3600


def judge(credential: Credential, charge: Charge, config: X402Config, *, now: float, margin_s: float) -> None:
    """Return where `credential` can pay for `charge` at Unix time `now`.

    Both are looked at, what the payer says it accepted and what it signed: the first tells an honest client what is
    wrong, only the second moves money. Raises PaymentRequiredError.
    """
    offer, signed, network = credential.offer, credential.authorization, config.network
    pay_to = config.pay_to.lower()
    judgements = (
        (offer.network == network.caip2, "network_mismatch", f"The payment is not on {network.caip2}."),
        (offer.token in (None, network.token), "asset_mismatch", "The payment is not in the token that was asked for."),
        (offer.amount in (None, charge.amount), "amount_mismatch", f"The price is {charge.amount} base units."),
        (offer.recipient in (None, pay_to), "recipient_mismatch", "The payment is to somebody else."),
        (offer.resource in (None, charge.resource), "resource_mismatch", "The payment is for another address."),
        (signed.recipient == pay_to, "recipient_mismatch", "The authorisation is to somebody else."),
        (signed.amount == charge.amount, "amount_mismatch", f"The price is {charge.amount} base units."),
        (signed.valid_after <= now, "payment_not_yet_valid", "The authorisation is not valid yet."),
        (signed.valid_before > now + margin_s, "payment_expires_too_soon", "The authorisation expires too soon."),
        (signed.valid_before <= now + _LONGEST_LIFE_S, "payment_lives_too_long", "It must expire within an hour."),
    )
    for holds, reason, message in judgements:
        if not holds:
            raise PaymentRequiredError(reason, message)
