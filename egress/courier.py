"""Posts something to a URL that somebody else chose."""

import asyncio
from collections.abc import Mapping

import aiohttp

from egress.connections import make_connector
from egress.lookup import Lookup, SystemLookup
from egress.policy import EgressPolicy, RefusedError
from egress.targets import parse_target

_TIMEOUT_S = 10.0


class DeliveryError(Exception):
    """It was not delivered, or nobody knows. The reason is for our log, and shows nothing of the URL."""


class Courier:
    """Holds nothing between deliveries: no connection, no cookie, no answer of DNS. Uses no proxy."""

    def __init__(
        self, policy: EgressPolicy | None = None, lookup: Lookup | None = None, timeout_s: float = _TIMEOUT_S
    ) -> None:
        """`timeout_s`: from the look-up of the name to the answer's status."""
        self._policy = policy or EgressPolicy()
        self._lookup = lookup or SystemLookup()
        self._timeout_s = timeout_s

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post `body`, and return the status of the answer. A redirect is an answer; what follows it is not read.

        Raises DeliveryError, also where the policy forbids it.
        """
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._open_session() as session,
                session.post(
                    parse_target(url, self._policy), headers=headers, data=body, allow_redirects=False
                ) as response,
            ):
                return response.status
        except RefusedError as error:
            raise DeliveryError(f"refused: {error}") from None
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError.
            raise DeliveryError(type(error).__name__) from None  # Its text may show the URL.

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=make_connector(self._policy, self._lookup),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),  # The whole has one, the look-up of the name included.
        )
