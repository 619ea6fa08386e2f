"""Fetches one picture from a URL that somebody else chose."""

import asyncio
import io
import logging

import aiohttp
from aiohttp import hdrs
from yarl import URL

from adapter.errors import DownloadError, NotAPictureError
from adapter.fetching.policy import FetchPolicy
from adapter.fetching.signatures import SIGNATURE_BYTES, is_picture
from adapter.uploads.budget import Reservation
from egress.connections import make_connector
from egress.lookup import Lookup, SystemLookup
from egress.policy import RefusedError
from egress.targets import follow_redirect, parse_target

logger = logging.getLogger(__name__)

_HEADERS = {
    hdrs.ACCEPT: "image/png, image/jpeg, image/webp, image/*;q=0.5",
    hdrs.ACCEPT_ENCODING: "identity",
    hdrs.USER_AGENT: "clearcanvas",
}
_REDIRECTS = {301, 302, 303, 307, 308}


class Fetcher:
    """The one way to a picture by URL. Holds nothing between fetches: no connection, no cookie, no answer of DNS."""

    def __init__(self, policy: FetchPolicy | None = None, lookup: Lookup | None = None) -> None:
        self._policy = policy or FetchPolicy()
        self._lookup = lookup or SystemLookup()

    async def fetch(self, url: str, reservation: Reservation) -> bytes:
        """Downloads the picture at `url`; `reservation` is charged with its bytes as they come.

        Raises:
            DownloadError: The policy forbids it, or it failed. Which of both is not told: it would map our network.
            NotAPictureError: Something else came from there.
            OverloadedError: The uploads in flight fill their budget.
        """
        try:
            async with asyncio.timeout(self._policy.total_timeout_s), self._open_session() as session:
                return await self._follow(session, url, reservation)
        except (RefusedError, aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError.
            logger.info("did not fetch %.200r: %r", url.partition("?")[0], error)  # A query may hold a secret.
            raise DownloadError from error

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=make_connector(self._policy, self._lookup),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),  # The whole fetch has one, redirects included.
        )

    async def _follow(self, session: aiohttp.ClientSession, url: str, reservation: Reservation) -> bytes:
        target = parse_target(url, self._policy)
        for _ in range(self._policy.max_redirects + 1):
            async with session.get(target, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._read(response, reservation)
                target = self._read_redirect(target, response)
        message = f"more than {self._policy.max_redirects} redirects"
        raise RefusedError(message)

    def _read_redirect(self, origin: URL, response: aiohttp.ClientResponse) -> URL:
        return follow_redirect(origin, response.headers.get(hdrs.LOCATION, ""), self._policy)

    async def _read(self, response: aiohttp.ClientResponse, reservation: Reservation) -> bytes:
        """Reads to the end with a counter: what is too long is refused, never cut."""
        if response.status != 200:
            message = f"status {response.status}"
            raise RefusedError(message)
        if response.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity":
            message = "it is compressed"
            raise RefusedError(message)
        self._check_size(response.content_length or 0)
        content, head = io.BytesIO(), b""
        async for chunk in response.content.iter_any():
            self._check_size(content.tell() + len(chunk))
            reservation.grow(len(chunk))
            content.write(chunk)
            if len(head) < SIGNATURE_BYTES:
                head = (head + chunk)[:SIGNATURE_BYTES]
                if len(head) == SIGNATURE_BYTES:
                    _check_content(head)  # A page is not read to its end.
        _check_content(head)
        return content.getvalue()  # Shares the buffer, copies nothing.

    def _check_size(self, size: int) -> None:
        if size > self._policy.max_bytes:
            message = f"it is over {self._policy.max_bytes} bytes"
            raise RefusedError(message)


def _check_content(head: bytes) -> None:
    if not is_picture(head):
        raise NotAPictureError
