"""The limit on requests without payment. Those that bring one count only when they are refused; the paid never do."""

from collections.abc import Collection
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from adapter.limits.clients import Client, Clients
from adapter.limits.local import WINDOW_S, Limiter, Standing
from adapter.middleware.failure import Failure
from adapter.middleware.shapes import to_response
from adapter.sale.headers import pays


def limit_unpaid(limiter: Limiter, clients: Clients, paths: Collection[str]) -> Middleware:
    """Makes the middleware that guards the priced `paths`."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != hdrs.METH_POST or request.path not in paths:
            return await handler(request)
        if not pays(request.headers):
            standing = await limiter.take(identify(request, clients))
            if not standing.allowed:
                return _refuse(request, standing)
            response = await handler(request)
        else:
            response = await handler(request)
            if not HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return response
            # A refused credential is a guess that cost us work. Who is over the limit gets no more challenges.
            standing = await limiter.take(identify(request, clients))
            if not standing.allowed:
                return _refuse(request, standing)
        if not response.prepared:
            response.headers.update(_describe(standing))
        return response

    return guard


def identify(request: web.BaseRequest, clients: Clients) -> Client:
    """The client behind a request."""
    return clients.identify(request.remote, request.headers.getall(hdrs.X_FORWARDED_FOR, ()))


def _refuse(request: web.BaseRequest, standing: Standing) -> web.Response:
    message = f"More than {standing.limit} requests without a valid payment in a minute."
    return to_response(
        request,
        Failure(
            HTTPStatus.TOO_MANY_REQUESTS,
            "rate_limited",
            message,
            retry_after_s=standing.reset_s,
            headers=_describe(standing),
        ),
    )


def _describe(standing: Standing) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers, as its widely read versions have them."""
    return {
        "RateLimit-Limit": str(standing.limit),
        "RateLimit-Policy": f"{standing.limit};w={WINDOW_S}",
        "RateLimit-Remaining": str(standing.remaining),
        "RateLimit-Reset": str(standing.reset_s),
    }
