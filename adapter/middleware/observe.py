"""Around everything else: which request it is, for all that is logged below it; its time, its outcome, its trace."""

import time

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from adapter import metrics
from adapter.middleware.request_id import request_id_of
from telemetry.metrics import OTHER
from telemetry.request import request_id
from telemetry.traces import HEADER, Kind, span

_METHODS = {hdrs.METH_DELETE, hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS, hdrs.METH_POST}
_PROBES = {"/health", "/ready"}  # They come several times a second, and say nothing of the service's callers.
_BEGUN = web.RequestKey("begun", int)
_GONE = 499  # As nginx counts a client that did not wait for its answer.


async def note_begun(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Notes the status of an answer that begins: a client that has it all may go before its handler has ended."""
    request[_BEGUN] = response.status


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts and traces a request by its route's pattern: what callers put into paths becomes no label."""
    if request.path in _PROBES:
        return await handler(request)
    started_s = time.perf_counter()
    method = request.method if request.method in _METHODS else OTHER
    resource = request.match_info.route.resource
    route = OTHER if resource is None else resource.canonical
    request_id.set(request_id_of(request))  # Until the connection's next request, so that the access log has it too.
    with span(f"{method} {route}", kind=Kind.SERVER, parent=request.headers.get(HEADER, "")) as noted:
        response: web.StreamResponse | None = None
        try:
            response = await handler(request)
        finally:
            status = request.get(_BEGUN, _GONE) if response is None else response.status
            noted.set("http.response.status_code", status)
            noted.set("clearcanvas.request_id", request_id_of(request))
            metrics.count_request(method, route, status, time.perf_counter() - started_s)
        return response
