"""What can still be done when an answer has begun and cannot be finished."""

import logging
from typing import NoReturn

from aiohttp import web

from adapter.middleware.errors import summarize
from adapter.middleware.request_id import request_id_of

logger = logging.getLogger(__name__)


def break_off(request: web.Request, error: Exception) -> NoReturn:
    """Cuts the connection: the status line is out, and there is no other way to say that the result is not whole.

    Raises:
        ConnectionAbortedError: Always.
    """
    logger.error("request %s broke off while its result was sent: %s", request_id_of(request), summarize(error))
    if request.transport is not None:
        request.transport.abort()
    message = "The result broke off."
    raise ConnectionAbortedError(message) from error
