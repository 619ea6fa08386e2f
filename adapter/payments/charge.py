"""What one request costs, and what exactly it buys."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

UPLOAD_SLACK = 1.2
"""A payment for long work is signed before a long upload: it is asked to live a fifth longer than the work takes."""
LONGEST_LIFE_S = 3500
"""Seconds that a payment is asked to live at the most: an outcome that is unknown is known within the hour."""


@dataclass(frozen=True)
class Charge:
    """One purchase, before anybody has paid for it.

    A payment is bound to the first charge it comes with: the same credential for another `digest` is refused.
    """

    operation: str
    """Row of the price table, for example `remove-background`."""
    resource: str
    """Absolute URL that is paid for, without its query, as the payer sees it."""
    amount: int
    """Price in millionths of a dollar, which are the base units of USDC and pathUSD: 50000 is $0.05."""
    description: str
    """One sentence for the payer's wallet."""
    content_type: str = "image/png"
    """Media type of the result."""
    body: bytes = field(default=b"", repr=False)
    """The request's body; empty when only the price is asked for."""
    digest: bytes = field(default=b"", repr=False)
    """SHA-256 of all that decides the result (see `digest_request`), 32 bytes."""
    work_s: float = 0.0
    """Seconds that the work may take beyond what every work may: a rail that says how long its payments are to live
    asks for so much more."""
    subject: str = ""
    """What else a challenge is bound to, for example one finished job; empty where it is good for any request."""


def digest_request(operation: str, options: Mapping[str, str], body: bytes) -> bytes:
    """Return the SHA-256 of a request: its operation, its options in sorted order, its body.

    Every part goes in with its length before it, so that no two different requests read the same.
    """
    hasher = hashlib.sha256()
    for part in (operation, *(text for item in sorted(options.items()) for text in item)):
        encoded = part.encode()
        hasher.update(len(encoded).to_bytes(8, "big") + encoded)
    hasher.update(len(body).to_bytes(8, "big"))
    hasher.update(body)
    return hasher.digest()
