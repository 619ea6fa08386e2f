"""What a name stands for: one version, or several by shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cards.target import Target
from server.errors import InvalidParameterError

WHOLE = 100


@dataclass(frozen=True)
class Share:
    """A version, and the hundredths of the requests that it gets."""

    target: Target
    percent: int


@dataclass(frozen=True)
class Route:
    """The routing of one name.

    `mirror`: what works on copies, and on how many hundredths of the requests. `generation` counts the changes; 0 where
    there was none. `previous`: what a rollback goes back to; empty where there is nothing.
    """

    name: str
    shares: tuple[Share, ...]
    mirror: Share | None = None
    generation: int = 0
    previous: tuple[Share, ...] = ()

    def __str__(self) -> str:
        shares = ", ".join(f"{share.target} {share.percent}%" for share in self.shares)
        copies = "" if self.mirror is None else f", copies to {self.mirror.target} {self.mirror.percent}%"
        return f"{self.name} = {shares}{copies}"

    @property
    def targets(self) -> frozenset[Target]:
        """Every version that must be loaded."""
        copied = () if self.mirror is None else (self.mirror.target,)
        return frozenset((*(share.target for share in self.shares), *copied))

    @property
    def main(self) -> Target:
        """The version that most requests get."""
        return max(self.shares, key=lambda share: share.percent).target

    def pick(self, request_id: str) -> Target:
        """The version that a request gets: always the same one, as long as the shares are."""
        left = _hundredth(self.name, request_id)
        for share in self.shares:
            if left < share.percent:
                return share.target
            left -= share.percent
        raise ValueError(f"the shares of {self.name} are less than a whole")

    def mirrors(self, request_id: str) -> bool:
        """Whether a copy of a request is due to the mirror, whichever version answers it."""
        return self.mirror is not None and _hundredth(f"{self.name} mirrored", request_id) < self.mirror.percent


def check_shares(shares: Sequence[Share]) -> None:
    """Raise InvalidParameterError where the shares are no whole, or a version is named twice, or not at all."""
    targets = [share.target for share in shares]
    if any(not target.model or target.version < 1 for target in targets):
        raise InvalidParameterError("Each share names a version, as NAME@VERSION.", {"field": "shares"})
    if len(set(targets)) < len(targets):
        raise InvalidParameterError("A version may be named once.", {"field": "shares"})
    if any(not 1 <= share.percent <= WHOLE for share in shares) or sum(share.percent for share in shares) != WHOLE:
        raise InvalidParameterError("The shares are whole hundredths, and 100 together.", {"field": "shares"})


def _hundredth(name: str, request_id: str) -> int:
    digest = sha256(f"{name}\0{request_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % WHOLE
