"""How long each part of a paid request may take, and how long its result is kept."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GateLimits:
    """Times of the gate. Raises ValueError where they contradict each other."""

    work_s: float = 15.0
    """The longest that the work may take; a payment that does not live as long is refused before it."""
    settle_s: float = 20.0
    """How long a settlement is waited for; then its outcome is unknown."""
    lease_s: float = 10.0
    """How long a claim stays with a process that shows no sign of life."""
    retention_h: float = 24.0
    """How long a result is kept after its delivery."""
    undelivered_days: float = 30.0
    """How long a result that was paid for and not fetched is kept; after that it is made again when asked for."""
    reconcile_s: float = 2.0
    """Between two rounds of asking the chain about unknown outcomes."""
    sweep_s: float = 60.0
    """Between two rounds of removing what is kept no longer."""
    count_s: float = 15.0
    """Between two looks at how the payments stand, for the metrics."""
    audit_s: float = 300.0
    """Between two checks of every rule of the money."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"{name} must be more than 0")
        if self.undelivered_days * 24 < self.retention_h:
            raise ValueError("an undelivered result must be kept at least as long as a delivered one")

    def require_validity(self, validity_s: float, margin_s: float) -> None:
        """Check that an offer which is valid for `validity_s` leaves time to work, to settle, and to come back.

        Raises ValueError.
        """
        needed_s = self.work_s + margin_s
        if validity_s < needed_s:
            raise ValueError(
                f"payments that are valid for {validity_s:g} s are too short: the work may take {self.work_s:g} s, "
                f"and the settlement must begin {margin_s:g} s before their end"
            )
        if self.retention_h * 3600 < validity_s:
            raise ValueError(
                f"results kept for {self.retention_h:g} h are gone before payments valid for {validity_s:g} s are"
            )
