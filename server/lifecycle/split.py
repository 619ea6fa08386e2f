"""What a name stands for, in words, and what a new version of it is held against."""

from collections.abc import Sequence

from cards.target import Target
from server.errors import ModelRefusedError
from server.routing.route import WHOLE, Route, Share


def write_shares(shares: Sequence[Share]) -> str:
    """As people write them: `isnet@1=90% isnet@2=10%`, and just `isnet@2` for the whole."""
    if len(shares) == 1 and shares[0].percent == WHOLE:
        return str(shares[0].target)
    return " ".join(f"{share.target}={share.percent}%" for share in shares)


def incumbent(route: Route, new: Target) -> Target:
    """The version that `new` is to be held against: of those that it would replace, the one with the largest share.

    Raises `ModelRefusedError` where the name stands for `new` alone already, or for nothing.
    """
    if not route.shares:
        raise ModelRefusedError(f"No Triton has {route.name}, so there is nothing to judge {new} by: route it instead.")
    others = [share for share in route.shares if share.target != new]
    if not others:
        raise ModelRefusedError(f"{route.name} stands for {new} already.")
    return max(others, key=lambda share: share.percent).target
