"""What may be fetched, and how much of it."""

from dataclasses import dataclass

from egress.policy import EgressPolicy


@dataclass(frozen=True)
class FetchPolicy(EgressPolicy):
    """Bounds of one fetch."""

    max_bytes: int = 25 * 1024 * 1024  # As for an upload.
    max_redirects: int = 3
    total_timeout_s: float = 10.0  # From the look-up of the first name to the last byte.
