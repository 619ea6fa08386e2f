"""The way of a paid request: ask for money, take the credential, work, settle, deliver.

One way for every operation and rail. A 200 leaves only after the settlement; a 402 only where certainly nothing has
moved, because a client pays every fresh challenge it sees.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import hdrs, web

from adapter.errors import InvalidPictureError
from adapter.middleware.request_id import request_id_of
from adapter.payments.charge import Charge
from adapter.payments.errors import MalformedPaymentError, PaymentError, PaymentRequiredError
from adapter.payments.gate import Gate, Ticket
from adapter.payments.payment import Payment
from adapter.payments.rail import Challenge
from adapter.sale.headers import pays, pays_by_mpp
from adapter.sending import break_off
from telemetry.traces import span

logger = logging.getLogger(__name__)

_PROBLEM_TYPE = "application/problem+json"
_DUPLICATE = "duplicate_payment"
_NO_BODY = Challenge(())

Work = Callable[[Ticket], Awaitable[None]]
"""Does what is paid for and keeps the result with the ticket, within `ticket.work_deadline_s`."""


@dataclass(frozen=True)
class Till:
    """Sells work over the gate."""

    gate: Gate
    send_timeout_s: float
    """For each chunk of a result: a client that takes none for so long is cut off."""

    async def ask(
        self, request: web.Request, charge: Charge, rails: Sequence[str], refusal: PaymentError | None = None
    ) -> web.Response:
        """Answers 402 with a challenge of each rail; `refusal` says why the credential that came was no good."""
        reason = (refusal.reason, refusal.message) if refusal is not None else None
        challenges = await self.gate.challenge(charge, rails, reason)
        shown = _choose_body(challenges, problem=refusal is not None and pays_by_mpp(request.headers))
        response = web.Response(status=HTTPStatus.PAYMENT_REQUIRED, body=shown.body)
        if shown.content_type:
            response.headers[hdrs.CONTENT_TYPE] = shown.content_type
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        for challenge in challenges:
            for name, value in challenge.headers:
                if name.lower() not in {"cache-control", "content-type"}:
                    response.headers.add(name, value)
        return response

    async def quote(self, request: web.Request, charge: Charge, rails: Sequence[str]) -> web.Response:
        """Answers a request that has nothing to work on yet: what it would cost.

        Raises:
            InvalidPictureError: It brings a payment, which buys nothing.
            PaymentError: It brings one that is refused.
        """
        if not pays(request.headers):  # By far the most: nothing is read, looked up or held for them.
            return await self.ask(request, charge, rails)
        try:
            payment = await self.gate.parse(tuple(request.headers.items()), charge, rails)
        except PaymentError as refusal:
            return await self.refuse(request, charge, rails, refusal)
        if payment is not None:
            message = "The request brings a payment and no picture."
            raise InvalidPictureError(message)
        return await self.ask(request, charge, rails)

    async def sell(self, request: web.Request, charge: Charge, rails: Sequence[str], work: Work) -> web.StreamResponse:
        """Serves one request for `charge`, paid or not.

        Raises:
            PaymentError: The credential is refused and no challenge may be offered, or the outcome is not known yet.
        """

        async def serve(payment: Payment) -> web.StreamResponse:
            async with self.gate.open(payment, charge) as ticket:
                if ticket.result is None:
                    await work(ticket)
                with span("settle"):
                    await ticket.settle()
                return await self._deliver(request, ticket)

        return await self.require(request, charge, rails, serve)

    async def require(
        self,
        request: web.Request,
        charge: Charge,
        rails: Sequence[str],
        serve: Callable[[Payment], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Has a request served that brings a payment, and asks for one where there is none. Raises as `sell`."""
        try:
            payment = await self.gate.parse(tuple(request.headers.items()), charge, rails)
            if payment is None:
                return await self.ask(request, charge, rails)
            return await serve(payment)
        except PaymentError as refusal:
            return await self.refuse(request, charge, rails, refusal)

    async def refuse(
        self, request: web.Request, charge: Charge, rails: Sequence[str], refusal: PaymentError
    ) -> web.Response:
        """Offers a new challenge where that cannot make anybody pay twice; else raises the refusal."""
        # MPP wants a fresh challenge for a credential that cannot be read; for x402 that is a plain mistake.
        malformed = isinstance(refusal, MalformedPaymentError) and refusal.reason != _DUPLICATE
        if isinstance(refusal, PaymentRequiredError) or (malformed and pays_by_mpp(request.headers)):
            return await self.ask(request, charge, rails, refusal)
        raise refusal

    async def _deliver(self, request: web.Request, ticket: Ticket) -> web.StreamResponse:
        if ticket.result is None:
            message = "a settled ticket has no result"
            raise RuntimeError(message)
        response = web.StreamResponse()
        response.content_type, response.content_length = ticket.result.content_type, ticket.result.size
        response.headers.update(ticket.result.headers)
        response.headers.update(ticket.receipt())
        response.headers[hdrs.CACHE_CONTROL] = "private"
        chunks = ticket.read()
        chunk = await anext(chunks, b"")  # A store that fails does so while there is still a status to choose.
        await response.prepare(request)
        try:
            while chunk:
                async with asyncio.timeout(self.send_timeout_s):
                    await response.write(chunk)
                chunk = await anext(chunks, b"")
            await response.write_eof()
        except (PaymentError, TimeoutError) as error:
            break_off(request, error)
        try:
            await ticket.delivered()
        except PaymentError as error:  # The payer has the result; only that it was the last time is not noted.
            logger.warning("request %s: the delivery was not noted: %s", request_id_of(request), error.reason)
        return response


def _choose_body(challenges: Sequence[Challenge], *, problem: bool) -> Challenge:
    """The one body there can be: x402's first clients read it, MPP's do only when their credential was refused."""
    wanted = _PROBLEM_TYPE if problem else "application/json"
    with_body = [challenge for challenge in challenges if challenge.body]
    return next((challenge for challenge in with_body if challenge.content_type == wanted), (*with_body, _NO_BODY)[0])
