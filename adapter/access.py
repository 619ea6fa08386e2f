"""Who may use the image operations: those with a key, those who pay, and all on this machine until there is a key.

In this order: a request with a key is judged by the key, one with a payment is sold to, and one with neither is served
where the operations are open, or out of the day's gift where it asks for that; asked to pay where payments are taken;
and else refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiohttp import hdrs, web
from multidict import CIMultiDictProxy

from adapter.errors import (
    AdapterError,
    AmbiguousKeyError,
    KeyRequiredError,
    OperationForbiddenError,
    QuotaUsedUpError,
    RateLimitedError,
    UnknownKeyError,
)
from adapter.keys.key import Key, Usage
from adapter.keys.keyring import Keyring
from adapter.limits.clients import Client, Clients
from adapter.limits.daily import Allowance, DailyBudget
from adapter.limits.local import Limiter, Standing
from adapter.middleware.standing import note_standing
from adapter.middleware.unpaid import identify
from adapter.sale.headers import pays
from adapter.sale.offers import Offers

API_KEY = "X-API-Key"
PLAYGROUND = "X-Playground"
"""`free` asks for one of the day's free pictures. CORS does not allow it: other sites cannot spend them."""
# A generation model's work is many times that of the others.
NEVER_FREE = frozenset({"generate"})

_BEARER = "bearer "
_NEEDED = f"An API key is needed, in {API_KEY} or as Authorization: Bearer."
USED_UP = "This API key has had all the results of its month."


@dataclass(frozen=True)
class Sale:
    """The request is to be paid for, over one of these rails."""

    rails: Sequence[str]


@dataclass
class Pass:
    """Leave to use an operation."""

    keyring: Keyring
    usage: Usage | None
    """Of the key; None where the operations are open to all."""

    def require(self, operation: str) -> None:
        """For what is known only when the body is read. Raises OperationForbiddenError where the key is not for it."""
        if self.usage is not None:
            _require(self.usage.key, operation)

    async def count(self) -> None:
        """Counts one result. Call it when the work is done and before anything of its result leaves.

        Raises:
            QuotaUsedUpError: Others were faster: this result may not leave.
            KeysUnavailableError: The store does not answer.
        """
        if self.usage is None:
            return
        used = await self.keyring.store.count(self.usage.key, self.usage.month)
        if used is None:
            raise QuotaUsedUpError(USED_UP)
        self.usage = replace(self.usage, used=used)

    async def give_back(self) -> None:
        """Counts one result less, where it could not be sent for no fault of the caller's."""
        if self.usage is not None:
            await self.keyring.store.give_back(self.usage.key, self.usage.month)
            self.usage = replace(self.usage, used=self.usage.used - 1)


@dataclass(frozen=True)
class Access:
    """Decides for each request."""

    keyring: Keyring
    offers: Offers
    clients: Clients
    per_key: Limiter
    """Counts the requests of each key."""
    unpaid: Limiter
    """Counts guesses, with all other requests that nobody pays for."""
    on_loopback: bool
    """Whether only this machine can reach the adapter."""
    free: DailyBudget | None = None
    """What is given away; None where nothing is."""

    async def choose(self, request: web.BaseRequest, operation: str | None) -> Pass | Sale:
        """How a request for an operation is served.

        None: for one that the body names. Then `Pass.require` follows, and its quota is whoever counts it to look at.

        Raises:
            InvalidHostError: The Host header is malformed, and what is offered depends on it.
            AdapterError: As `admit`, where it is not sold.
        """
        if operation is not None and await self._is_given(request, operation):
            return Pass(self.keyring, None)
        rails = await self._rails_for(request)
        return Sale(rails) if rails else await self.admit(request, operation)

    async def admit(self, request: web.BaseRequest, operation: str | None) -> Pass:
        """Leave for an operation with a key, or without one where it is open; None as in `choose`.

        Raises:
            KeyRequiredError: There is no key, and it is not open.
            AmbiguousKeyError: There are several keys.
            UnknownKeyError: There is no such key.
            OperationForbiddenError: The key is not for this operation.
            RateLimitedError: More requests than the key allows, or too many guesses from one address.
            QuotaUsedUpError: Nothing is left of the key's month.
            KeysUnavailableError: The store does not answer.
        """
        if has_key(request.headers):
            return await self._judge(request, operation)
        if await self.is_open():
            return Pass(self.keyring, None)
        raise KeyRequiredError(_NEEDED)

    async def holder(self, request: web.BaseRequest) -> Key | None:
        """The key that stands behind a request for what was made before; None where the operations are open to all.

        Raises as `admit`, but counts nothing of a good key: who waits for a job asks again and again.
        """
        if has_key(request.headers):
            return await self._find(request)
        if await self.is_open():
            return None
        raise KeyRequiredError(_NEEDED)

    async def read_usage(self, request: web.BaseRequest) -> Usage:
        """What the key of a request has used; raises as `admit`, and counts nothing of a good key."""
        if not has_key(request.headers):
            raise KeyRequiredError(_NEEDED)
        return await self.keyring.read_usage(await self._find(request))

    async def close(self) -> None:
        """Gives back connections that are its own."""
        if self.free is not None:
            await self.free.close()

    async def is_open(self) -> bool:
        """Whether the operations are open to all who reach them: to this machine, until there is a key."""
        return self.on_loopback and await self.keyring.is_empty()

    async def is_sold(self, request: web.BaseRequest) -> bool:
        """Whether a request will be asked for a payment, or brings one that will be taken."""
        try:
            return bool(await self._rails_for(request))
        except AdapterError:  # Whoever serves the request says so.
            return False

    async def look_free(self, request: web.BaseRequest) -> Allowance | None:
        """What of the day's free pictures is left for whoever asks; None where none are given away."""
        return None if self.free is None else await self.free.look(identify(request, self.clients))

    async def _is_given(self, request: web.BaseRequest, operation: str) -> bool:
        """Takes one of the day's free pictures for a request that asks for it and has no other leave."""
        if self.free is None or operation in NEVER_FREE or request.headers.get(PLAYGROUND, "").strip() != "free":
            return False
        if has_key(request.headers) or pays(request.headers) or await self.is_open():
            return False
        return await self.free.take(identify(request, self.clients))

    async def _rails_for(self, request: web.BaseRequest) -> Sequence[str]:
        """The rails over which a request is sold to; none for one with a key, or where it is served for nothing."""
        if has_key(request.headers):
            return ()
        rails = self.offers.rails_of(request)
        return rails if rails and (pays(request.headers) or not await self.is_open()) else ()

    async def _judge(self, request: web.BaseRequest, operation: str | None) -> Pass:
        key = await self._find(request)
        if operation is not None:
            _require(key, operation)
        standing = await self.per_key.take(Client(f"key {key.id}", "keys"), key.per_minute)
        note_standing(request, standing)
        if not standing.allowed:
            message = f"More than {standing.limit} requests with this API key in a minute."
            raise RateLimitedError(message, standing.reset_s)
        usage = await self.keyring.read_usage(key)
        if operation is not None and usage.remaining == 0:
            raise QuotaUsedUpError(USED_UP)
        return Pass(self.keyring, usage)

    async def _find(self, request: web.BaseRequest) -> Key:
        """The key of a request; a wrong one counts as a request that nobody pays for.

        A client that guesses too much is refused before the store is asked. Keys that were good before are no guesses:
        they pass whoever else is behind the same address.
        """
        secret, client = read_secret(request.headers), identify(request, self.clients)
        if not self.keyring.remembers(secret):
            _limit_guesses(request, await self.unpaid.look(client))
        key = await self.keyring.find(secret)
        if key is None:
            standing = await self.unpaid.take(client)
            _limit_guesses(request, standing)
            note_standing(request, standing)
            message = "There is no such API key, or it was revoked."
            raise UnknownKeyError(message)
        return key


def has_key(headers: CIMultiDictProxy[str]) -> bool:
    """Whether a request brings an API key, sound or not."""
    return API_KEY in headers or any(map(_is_bearer, headers.getall(hdrs.AUTHORIZATION, ())))


def read_secret(headers: CIMultiDictProxy[str]) -> str:
    """The one key that a request brings.

    Raises:
        AmbiguousKeyError: It brings several.
    """
    borne = [value.lstrip()[len(_BEARER) :] for value in headers.getall(hdrs.AUTHORIZATION, ()) if _is_bearer(value)]
    keys: set[str] = {value.strip() for value in (*headers.getall(API_KEY, ()), *borne)}
    if len(keys) != 1:
        message = "The request brings several API keys: send one."
        raise AmbiguousKeyError(message)
    return keys.pop()


def _require(key: Key, operation: str) -> None:
    if not key.allows(operation):
        message = f"This API key is not for the operation {operation}."
        raise OperationForbiddenError(message)


def _is_bearer(authorization: str) -> bool:
    return authorization.lstrip()[: len(_BEARER)].lower() == _BEARER


def _limit_guesses(request: web.BaseRequest, standing: Standing) -> None:
    if not standing.allowed:
        note_standing(request, standing)
        message = f"More than {standing.limit} requests without a valid API key or payment in a minute."
        raise RateLimitedError(message, standing.reset_s)
