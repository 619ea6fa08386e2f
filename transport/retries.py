"""What may be sent again, and how often. gRPC itself does it, told by a service config.

gRPC repeats a call only as long as nothing of an answer has arrived, within the caller's deadline, and waits as long as
the server asks by `grpc-retry-pushback-ms`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PACKAGE = "clearcanvas.v1."

# A picture is a function of its request, a job is one by its id, and reading changes nothing: twice is as once. Not
# here: SubmitVideo, whose bytes nobody keeps; DeleteJob, which answers otherwise the second time; and all that swaps
# models. Money knows no gRPC.
_REPEATABLE = (
    "ImageService/Edit",
    "ImageService/Inspect",
    "JobService/SubmitImage",
    "JobService/GetJob",
    "JobService/WatchJob",
    "JobService/DownloadResult",
    "JobService/ConfirmDownload",
    "JobService/CancelJob",
)


@dataclass(frozen=True)
class Retries:
    """Which calls are sent again after which failures."""

    names: Sequence[str]
    """Services, or SERVICE/METHOD, of `clearcanvas.v1`."""
    codes: Sequence[str]
    attempts: int
    """The first one included; gRPC's ceiling is 5."""
    initial_s: float
    max_s: float
    budgeted: bool
    """Whether failures use up a budget, so that servers in trouble are not given more work by their callers."""
    elsewhere: bool
    """Only where another server may take the call up; a server on its own is left alone."""

    def to_config(self) -> Mapping[str, Any]:
        """This as a part of gRPC's service config."""
        policy = {
            "maxAttempts": self.attempts,
            "initialBackoff": f"{self.initial_s}s",
            "maxBackoff": f"{self.max_s}s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": list(self.codes),
        }
        config: dict[str, Any] = {
            "methodConfig": [{"name": [_name(name) for name in self.names], "retryPolicy": policy}]
        }
        if self.budgeted:
            # A failure costs one token, a success gives back a tenth of one, and below the half nothing is sent again:
            # a tenth of the calls that succeed, and before that the fifty that a dying server may hold.
            config["retryThrottling"] = {"maxTokens": 100, "tokenRatio": 0.1}
        return config


ELSEWHERE = Retries(_REPEATABLE, ("UNAVAILABLE",), attempts=2, initial_s=0.05, max_s=0.2, budgeted=True, elsewhere=True)
"""Of a program that has callers of its own: once more, at another server, out of a budget."""

PATIENT = Retries(
    ("ImageService", "JobService"), ("RESOURCE_EXHAUSTED", "UNAVAILABLE"),
    attempts=5, initial_s=1, max_s=16, budgeted=False, elsewhere=False,
)  # fmt: skip
"""Of a person at a terminal. A busy server answers RESOURCE_EXHAUSTED, one that restarts its model UNAVAILABLE; both
say how long to wait."""


def _name(text: str) -> Mapping[str, str]:
    service, _, method = text.partition("/")
    return {"service": _PACKAGE + service} | ({"method": method} if method else {})
