"""Headers of every response, errors included: CORS, request id, nosniff; and the answer to CORS preflights."""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from adapter.middleware import request_id
from adapter.middleware.standing import set_standing
from adapter.sale import headers as payment_headers

_EXPOSED = (
    *payment_headers.RESPONSE,
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "ETag",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "Server-Timing",
    "X-Background-Method",
    "X-Background-Model",
    "X-Background-Seed",
    "X-Credits-Charged",
    "X-Foreground-Height",
    "X-Foreground-Left",
    "X-Foreground-Top",
    "X-Foreground-Width",
    "X-Height",
    "X-Matting",
    "X-Model",
    "X-Model-Version",
    "X-Original-Duration",
    "X-Processed-Duration",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
    "X-Type",
    "X-Video-Warning",
    "X-Width",
)
_COMMON = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: ", ".join(_EXPOSED),
    "X-Content-Type-Options": "nosniff",
    hdrs.SERVER: "clearcanvas",  # Instead of the versions of Python and aiohttp.
}
# Of pages, which load what they need from here and nothing else; what a playground shows, it makes of blobs.
_OF_PAGES = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
}
# The first x402 clients send a header that belongs into responses; a browser asks for leave for it all the same.
_ALLOWED = (
    *payment_headers.REQUEST,
    "Accept",
    "Accept-Payment",
    hdrs.ACCESS_CONTROL_EXPOSE_HEADERS,
    "Content-Type",
    "If-Range",
    "Last-Event-ID",
    "Range",
    "X-API-Key",
    "X-Request-ID",
)
_PREFLIGHT = {
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ", ".join(_ALLOWED),
    hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
}


def set_common_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Sets what every response carries."""
    response.headers.update(_COMMON)
    if response.content_type == "text/html":
        response.headers.update(_OF_PAGES)
    response.headers[request_id.HEADER] = request_id.request_id_of(request)
    set_standing(request, response)


@web.middleware
async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers OPTIONS on every known path, with the methods that the router knows for it."""
    refusal = request.match_info.http_exception
    if request.method != hdrs.METH_OPTIONS or not isinstance(refusal, web.HTTPMethodNotAllowed):
        return await handler(request)
    methods = ", ".join(sorted({*refusal.allowed_methods, hdrs.METH_OPTIONS}))
    headers = {hdrs.ALLOW: methods, hdrs.ACCESS_CONTROL_ALLOW_METHODS: methods, **_PREFLIGHT}
    return web.Response(status=204, headers=headers)
