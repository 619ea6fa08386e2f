"""For people whose browser meets an answer that is meant for programs: the same answer, with a page as its body."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from adapter.accept import prefers_html

Explain = Callable[[web.BaseRequest, HTTPStatus], str | None]
"""The page for an answer of that status; None where the answer speaks for itself."""

# What is sold takes POST, so that a pasted address is first met with a 405.
_EXPLAINED = {HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}


def explain_to_browsers(explain: Explain) -> Middleware:
    """Makes the middleware. Status and headers stay; whoever does not ask for HTML gets the very same bytes."""

    @web.middleware
    async def show(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if response.status not in _EXPLAINED or not isinstance(response, web.Response) or response.prepared:
            return response
        if request.method == hdrs.METH_HEAD or not prefers_html(request.headers.get(hdrs.ACCEPT, "")):
            return response
        page = explain(request, HTTPStatus(response.status))
        if page is not None:
            response.body = page.encode()
            response.headers[hdrs.CONTENT_TYPE] = "text/html; charset=utf-8"
        return response

    return show
