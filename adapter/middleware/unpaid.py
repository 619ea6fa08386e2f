"""The limit on requests without payment. Those that bring one count only when they are refused; the paid never do."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from adapter.limits.clients import Client, Clients
from adapter.limits.local import Limiter, Standing
from adapter.middleware.failure import Failure
from adapter.middleware.shapes import to_response
from adapter.middleware.standing import note_standing
from adapter.sale.headers import pays

IsSold = Callable[[web.BaseRequest], Awaitable[bool]]


def limit_unpaid(limiter: Limiter, clients: Clients, is_sold: IsSold) -> Middleware:
    """Makes the middleware that guards what is sold; `is_sold` says of a request whether that is what it is for."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != hdrs.METH_POST or not await is_sold(request):
            return await handler(request)
        if not pays(request.headers):
            standing = await limiter.take(identify(request, clients))
            if not standing.allowed:
                return _refuse(request, standing)
            note_standing(request, standing)
            response = await handler(request)
        else:
            response = await handler(request)
            if not HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return response
            # A refused credential is a guess that cost us work. Who is over the limit gets no more challenges.
            standing = await limiter.take(identify(request, clients))
            if not standing.allowed:
                return _refuse(request, standing)
            note_standing(request, standing)
        return response

    return guard


def identify(request: web.BaseRequest, clients: Clients) -> Client:
    """The client behind a request."""
    return clients.identify(request.remote, request.headers.getall(hdrs.X_FORWARDED_FOR, ()))


def _refuse(request: web.BaseRequest, standing: Standing) -> web.Response:
    note_standing(request, standing)
    message = f"More than {standing.limit} requests without a valid payment in a minute."
    refusal = Failure(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", message, retry_after_s=standing.reset_s)
    return to_response(request, refusal)
