"""What a key is: a secret that only its holder keeps, and what it allows."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_SECRET = re.compile(r"cc_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Key:
    """A key as it is kept: not its secret, but all that is known of it. Times are Unix seconds."""

    id: str
    """The first 12 hex digits of the secret's SHA-256, for people to name it by."""
    name: str
    operations: tuple[str, ...] | None
    """Names of the operations it may be used for; None for all."""
    per_minute: int
    """Requests in any minute."""
    monthly: int | None
    """Results in a calendar month, by UTC; None for no end."""
    created_at: float
    revoked_at: float | None = None

    def allows(self, operation: str) -> bool:
        """Whether it may be used for an operation."""
        return self.operations is None or operation in self.operations


@dataclass(frozen=True)
class NewKey:
    """What a key is to allow."""

    name: str
    operations: tuple[str, ...] | None = None
    per_minute: int = 60
    monthly: int | None = None


@dataclass(frozen=True)
class Month:
    """One calendar month, by UTC."""

    name: str
    """Such as 2026-11."""
    start: datetime
    end: datetime
    """Its first moment, and that of the next."""


@dataclass(frozen=True)
class Usage:
    """What a key has used of a month."""

    key: Key
    month: Month
    used: int
    """Results."""

    @property
    def remaining(self) -> int | None:
        """Results that are left; None for no end."""
        return None if self.key.monthly is None else max(0, self.key.monthly - self.used)


def say_usage(usage: Usage) -> dict[str, object]:
    """All that the holder of a key is told of it."""
    key, month = usage.key, usage.month
    return {
        "name": key.name,
        "operations": None if key.operations is None else list(key.operations),  # None: all of them.
        "per_minute": key.per_minute,
        "monthly_quota": key.monthly,
        "used": usage.used,
        "remaining": usage.remaining,
        "period_start": month.start.isoformat(),
        "period_end": month.end.isoformat(),
    }


def draw_secret() -> str:
    """A new secret: `cc_` and 256 random bits."""
    return f"cc_{secrets.token_urlsafe(32)}"


def is_secret(text: str) -> bool:
    """Whether `text` has the form of a secret, so that it is worth looking for."""
    return _SECRET.fullmatch(text) is not None


def digest_secret(secret: str) -> bytes:
    """The SHA-256 under which a key is kept and found: who reads the store learns no secret, also not by the clock."""
    return hashlib.sha256(secret.encode()).digest()


def month_of(time_s: float) -> Month:
    """The month of a moment in Unix seconds."""
    start = datetime.fromtimestamp(time_s, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return Month(f"{start:%Y-%m}", start, end)


def sort_operations(names: Iterable[str]) -> tuple[str, ...] | None:
    """The operations of a key in one spelling; None where none is named, which is all of them."""
    return tuple(sorted(set(names))) or None
