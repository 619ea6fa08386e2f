"""What surrounds every call of our services: a request id, who may call, one log line, the mapping of errors."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio

from server import metrics
from server.errors import DeadlineExceededError, InvalidParameterError, ServiceError
from server.rpc.access import Access
from server.rpc.errors import to_status
from telemetry.request import SOUND_ID, request_id
from telemetry.traces import HEADER, Kind, span

logger = logging.getLogger(__name__)

REQUEST_ID_KEY = "x-request-id"
OURS = "/clearcanvas."

ABORT_S = 1.0  # A status waits behind what the caller has not read; the request's memory must not.

# Generic in their type stubs alone, hence the quotes.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"  # None: no such method
# A method takes the caller's message, or all of them one by one, writes its own to the context and returns nothing.
Method = Callable[[Any, Context], Awaitable[None]]


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps the methods of our own services; health and reflection stay as their libraries made them."""

    def __init__(self, access: Access, receive_s: float, upload_s: float) -> None:
        """Seconds in which a message must have arrived, and all the messages of a call that takes many."""
        self._access = access
        self._receive_s = receive_s
        self._upload_s = upload_s

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the method's handler, wrapped where it is ours."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(OURS):
            return handler
        path, _, name = handler_call_details.method.rpartition("/")
        service = path.rpartition(".")[2]
        # On the wire one message is a stream of one. As a stream it is read by us, and so within a time; and every
        # method writes to its context, be it one answer or many.
        if handler.request_streaming:
            method = self._with_messages(cast("Method", handler.stream_stream or handler.stream_unary))
        else:
            method = self._with_message(cast("Method", handler.unary_stream or handler.unary_unary))
        return grpc.stream_stream_rpc_method_handler(
            cast("Any", _guarded(name, self._allowed(service, method))),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _allowed(self, service: str, method: Method) -> Method:
        async def call(request: object, context: Context) -> None:
            self._access.check(context.auth_context(), service)
            await method(request, context)

        return call

    def _with_message(self, method: Method) -> Method:
        async def call(_: object, context: Context) -> None:
            request = await _receive(context, time.monotonic() + self._receive_s)
            if request is grpc.aio.EOF:
                raise InvalidParameterError("The request is missing.", {"field": "request"})
            await method(request, context)

        return call

    def _with_messages(self, method: Method) -> Method:
        async def call(_: object, context: Context) -> None:
            async with aclosing(_receive_all(context, self._receive_s, self._upload_s)) as requests:
                await method(requests, context)

        return call


def read_request_id(context: Context) -> str:
    """The caller's `x-request-id` where it is a plain word, else a new one: it goes into the log."""
    sent = _read_word(context, REQUEST_ID_KEY)
    return sent if SOUND_ID.fullmatch(sent) else secrets.token_hex(8)


def _read_word(context: Context, name: str) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == name and isinstance(value, str):
            return value
    return ""


def _guarded(name: str, method: Method) -> Method:
    async def call(request: object, context: Context) -> None:
        request_id.set(read_request_id(context))
        with span(name, kind=Kind.SERVER, parent=_read_word(context, HEADER)) as noted:
            started = time.monotonic()
            outcome = "cancelled"
            try:
                await method(request, context)
                outcome = "ok"
            except ServiceError as error:
                outcome = error.reason
                await _fail(context, *to_status(error))
            except Exception:  # The edge: what nobody expected is logged, and does not leave with its text.
                outcome = "INTERNAL"
                logger.exception("unexpected error in %s", name)
                await _fail(context, grpc.StatusCode.INTERNAL, "Internal error", ())
            finally:
                taken_s = time.monotonic() - started
                noted.set("clearcanvas.outcome", outcome)
                metrics.count_call(name, outcome, taken_s)
                logger.info("%s %s in %.3f s", name, outcome, taken_s)

    return call


async def _receive(context: Context, deadline: float) -> Any:  # noqa: ANN401 - any method's message
    """The caller's next message, or EOF. One that is begun and never ended must not be held for ever."""
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            return await context.read()
    except TimeoutError:
        raise DeadlineExceededError("The request did not arrive in time.") from None


async def _receive_all(context: Context, each_s: float, all_s: float) -> AsyncGenerator[Any, None]:
    """The caller's messages to the last: each within its time, all of them within theirs."""
    end = time.monotonic() + all_s
    while (message := await _receive(context, min(end, time.monotonic() + each_s))) is not grpc.aio.EOF:
        yield message


async def _fail(
    context: Context, code: grpc.StatusCode, details: str, trailing: tuple[tuple[str, str | bytes], ...]
) -> None:
    # In the trailing metadata: a failure sends no initial ones, so that the client's retry policy may act on it.
    try:
        async with asyncio.timeout(ABORT_S):
            await context.abort(code, details, ((REQUEST_ID_KEY, request_id.get()), *trailing))
    except TimeoutError:
        logger.warning("the caller does not read; left it")
