"""The keys as a running adapter sees them: found without asking the store each time, and soon gone once revoked."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from adapter.keys.key import Key, Usage, digest_secret, is_secret
from adapter.keys.store import KeyStore

logger = logging.getLogger(__name__)

FRESH_S = 1.0
"""How long what the store said is believed, and so how long a revoked key still works."""

_REMEMBERED = 4096  # Keys that were good when they were last looked for, about 2 MB; a forged one is never among them.


@dataclass(frozen=True)
class _Found:
    key: Key
    at: float


class Keyring:
    """Finds keys by their secrets. All methods raise KeysUnavailableError when the store does not answer."""

    def __init__(self, store: KeyStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any moment."""
        self.store = store
        self._clock = clock
        self._found: OrderedDict[bytes, _Found] = OrderedDict()  # By digest; the longest unused first.
        self._empty: bool | None = None
        self._looked_at = 0.0
        self._looking = asyncio.Lock()

    def remembers(self, secret: str) -> bool:
        """Whether the key was good when it was last looked for: then it is no guess."""
        return is_secret(secret) and digest_secret(secret) in self._found

    async def find(self, secret: str) -> Key | None:
        """The key with this secret; None where there is none, or it is revoked."""
        if not is_secret(secret):
            return None
        digest, now = digest_secret(secret), self._clock()
        found = self._found.get(digest)
        if found is not None and now < found.at + FRESH_S:
            self._found.move_to_end(digest)
            return found.key
        key = await self.store.find(digest)
        if key is None:
            self._found.pop(digest, None)
            return None
        self._found[digest] = _Found(key, now)
        self._found.move_to_end(digest)
        while len(self._found) > _REMEMBERED:
            self._found.popitem(last=False)
        return key

    async def read_usage(self, key: Key) -> Usage:
        """What the key has used of this month, by all adapters."""
        month = self.store.month()
        return Usage(key, month, await self.store.used(key, month))

    async def is_empty(self) -> bool:
        """Whether no key was ever made. A revoked one counts: to revoke the last must not open the service to all."""
        async with self._looking:
            if self._empty is None or self._clock() >= self._looked_at + FRESH_S:
                self._empty, before = not await self.store.any_was_made(), self._empty
                self._looked_at = self._clock()
                if before is not None and before != self._empty:
                    logger.warning("an API key %s", "is no longer needed" if self._empty else "is needed from now on")
        return self._empty
