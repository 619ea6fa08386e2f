"""The public HTTP API, called for a tool: one form, sent until there is an answer for good."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from agent.errors import UnreachableError
from agent.payment import Payment
from agent.pictures import Picture
from transport.addresses import is_loopback

Progress = Callable[[float], Awaitable[None]]
"""Is told the share of a job that is done, 0 to 100."""

_TIMEOUT = httpx.Timeout(10, read=90)  # Seconds; the work and the settlement take up to half a minute.
_SUBMIT, _RESULT = "/image/hd/submit/v1", "/image/hd/result/"
_TOO_LARGE = "Use HD endpoint"


@dataclass(frozen=True)
class Caller:
    """On whose behalf the service is called: what the caller pays with, or the key that stands for it."""

    payment: Payment
    api_key: str = ""
    address: str = ""
    """Where the caller is, for the service to count its requests; empty on this machine."""

    def headers(self, *, paying: bool = True) -> dict[str, str]:
        """All of it, as HTTP has it. A payment stands above a key: it is made for this one call."""
        headers = dict(self.payment.headers) if paying else {}
        if self.api_key and not self.payment:
            headers["X-API-Key"] = self.api_key
        if self.address:
            headers["X-Forwarded-For"] = self.address
        return headers


@dataclass(frozen=True)
class Service:
    """The service; share one, and its connections."""

    client: httpx.AsyncClient
    patience_s: float
    """How long one call may take, with all its waiting."""
    pause_s: float = 1.0
    """The shortest wait before a request is made again."""

    async def edit(
        self,
        operation: str,
        fields: Mapping[str, str],
        pictures: Mapping[str, Picture],
        caller: Caller,
        progress: Progress,
    ) -> httpx.Response:
        """Has one operation done, as a job where the picture is too large for anything else.

        Raises:
            UnreachableError: There was no answer, or none for good.
        """
        try:
            async with asyncio.timeout(self.patience_s):
                response = await self._post(f"/image/{operation}/v1", fields, pictures, caller)
                if response.status_code == HTTPStatus.BAD_REQUEST and _TOO_LARGE in describe(response):
                    job = {**fields, "operation": operation}
                    response = await self._post(_SUBMIT, job, pictures, caller)
                    if response.status_code == HTTPStatus.ACCEPTED:
                        return await self._wait(response.json()["uuid"], caller, progress)
                return response
        except TimeoutError:
            raise UnreachableError(_unknown("The service did not finish in time.", caller)) from None

    async def _post(
        self, path: str, fields: Mapping[str, str], pictures: Mapping[str, Picture], caller: Caller
    ) -> httpx.Response:
        files = {name: (name, picture.data, picture.media_type) for name, picture in pictures.items()}

        def send() -> Awaitable[httpx.Response]:
            return self.client.post(path, data=dict(fields), files=files, headers=caller.headers())

        return await self._insist(send, caller)

    async def _wait(self, uuid: str, caller: Caller, progress: Progress) -> httpx.Response:
        """The result of a job, when it is there; what the caller paid for the job is taken before it leaves.

        Raises:
            UnreachableError: The payment could not be taken, and another is asked for the result.
        """
        path = f"{_RESULT}{uuid}"
        headers = caller.headers(paying=False)
        while True:
            response = await self._insist(lambda: self.client.get(path, headers=headers), caller)
            if response.status_code == HTTPStatus.PAYMENT_REQUIRED:
                where = self.client.base_url.join(path)
                raise UnreachableError(f"The payment could not be taken. The result can be paid for at {where}")
            if response.status_code != HTTPStatus.ACCEPTED:
                return response
            await progress(response.json().get("progress_percentage", 0.0))
            await asyncio.sleep(max(_read_pause(response), self.pause_s))

    async def _insist(self, send: Callable[[], Awaitable[httpx.Response]], caller: Caller) -> httpx.Response:
        """Sends a request; with a payment, again and again while that may still be taken: it must not be paid anew.

        Raises:
            UnreachableError: There is no answer.
        """
        while True:
            try:
                response = await send()
            except httpx.RequestError as error:
                if not caller.payment:
                    why = f"{self.client.base_url} does not answer ({type(error).__name__})."
                    raise UnreachableError(why) from error
                await asyncio.sleep(self.pause_s)
                continue
            if not caller.payment or response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                return response
            await asyncio.sleep(max(_read_pause(response), self.pause_s))


@asynccontextmanager
async def opened(url: str, patience_s: float) -> AsyncIterator[Service]:
    """The service at `url`, with connections that are kept while the block lasts."""
    on_this_machine = is_loopback(urlsplit(url).hostname or "")  # No proxy of the environment leads there.
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=not on_this_machine) as client:
        yield Service(client, patience_s)


def describe(response: httpx.Response) -> str:
    """One sentence for an answer that is no result, in the service's own words where it has some."""
    try:
        body = json.loads(response.content)
    except ValueError:
        body = {}
    told = body if isinstance(body, dict) else {}
    words = next((told[key] for key in ("message", "detail", "error") if isinstance(told.get(key), str)), "")
    wrong = told.get("fields")
    if isinstance(wrong, dict):
        words += ": " + "; ".join(f"{name} {reason}" for name, reason in wrong.items())
    sentence = f"The service answered {response.status_code}{': ' if words else ''}{words[:1000]}"
    if "Retry-After" in response.headers:
        sentence += f" Try again in {response.headers['Retry-After']} s."
    return sentence


def _unknown(why: str, caller: Caller) -> str:
    again = " Whether it was paid is not known: make the same call with the same payment again, and pay nothing anew."
    return why + (again if caller.payment else "")


def _read_pause(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() else 0.0
