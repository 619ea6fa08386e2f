"""What surrounds every call of our services: a request id, one log line, the mapping of errors."""

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio

from server.errors import ServiceError
from server.rpc.errors import to_status

logger = logging.getLogger(__name__)

REQUEST_ID_KEY = "x-request-id"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
OURS = "/clearcanvas."

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# Generic in their type stubs alone, hence the quotes.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"  # None: no such method
# A method writes its messages to the context and returns nothing.
Method = Callable[[Any, Context], Awaitable[None]]


class RequestIdFilter(logging.Filter):
    """Gives each log record the id of the request that it belongs to, `-` outside of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always keep the record."""
        record.request_id = request_id.get()
        return True


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps the methods of our own services; health and reflection stay as their libraries made them."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the method's handler, wrapped where it is ours."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(OURS):
            return handler
        name = handler_call_details.method.rpartition("/")[2]
        return grpc.unary_stream_rpc_method_handler(
            _guarded(name, cast("Method", handler.unary_stream)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def read_request_id(context: Context) -> str:
    """The caller's `x-request-id` where it is a plain word, else a new one: it goes into the log."""
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and REQUEST_ID.fullmatch(value):
            return value
    return secrets.token_hex(8)


def _guarded(name: str, method: Method) -> Method:
    async def call(request: Any, context: Context) -> None:  # noqa: ANN401 - any method's message
        request_id.set(read_request_id(context))
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
            logger.info("%s %s in %.3f s", name, outcome, time.monotonic() - started)

    return call


async def _fail(
    context: Context, code: grpc.StatusCode, details: str, trailing: tuple[tuple[str, str | bytes], ...]
) -> None:
    # In the trailing metadata: a failure sends no initial ones, so that the client's retry policy may act on it.
    await context.abort(code, details, ((REQUEST_ID_KEY, request_id.get()), *trailing))
