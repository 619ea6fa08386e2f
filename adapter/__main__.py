"""`python -m adapter`: serves the HTTP surface until SIGTERM or Ctrl-C."""

import asyncio
import ctypes
import logging
import resource
import signal
import sys

from pydantic import ValidationError

from adapter.app import serve
from adapter.config import Settings, load_settings
from adapter.errors import InvalidSettingsError, KeysUnavailableError
from adapter.metrics import REGISTRY
from adapter.payments.errors import StoreUnavailableError
from adapter.sale.settings import PaymentSettings, load_payment_settings
from telemetry.errors import TelemetryError
from telemetry.logs import Form, set_up
from telemetry.metrics import exposed
from telemetry.traces import tracing

logger = logging.getLogger("adapter")

# At INFO they write every URL they call, and the URL of a node may hold its key.
_TALKATIVE = ("httpx", "httpcore", "urllib3", "web3", "x402")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_MALLOC_THRESHOLD = 128 * 1024  # glibc's own first choice, which it raises with every large block that is freed.


def main() -> int:
    """Runs the adapter; returns the exit code: 0 stopped, 1 could not serve, 2 bad settings."""
    try:
        settings, payments = load_settings(), load_payment_settings()
    except ValidationError as error:
        set_up(Form.TEXT)
        for mistake in error.errors():
            name = (
                "CLEARCANVAS_" + "_".join(str(part) for part in mistake["loc"]).upper()
                if mistake["loc"]
                else "settings"
            )
            logger.error("%s: %s", name, mistake["msg"])
        return 2
    set_up(settings.log)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    _raise_file_limit()
    _give_freed_memory_back()
    try:
        with exposed(REGISTRY, settings.metrics) as address, tracing("adapter", settings.traces):
            if address:
                logger.info("metrics at http://%s/metrics", address)
            asyncio.run(_serve_until_signalled(settings, payments))
    except (InvalidSettingsError, TelemetryError) as error:
        logger.error("settings: %s", error)
        return 2
    except StoreUnavailableError as error:
        logger.error("cannot take payments: %s", error.message)
        return 1
    except KeysUnavailableError:
        logger.error("cannot serve: the store of the API keys does not answer")
        return 1
    except OSError as error:
        logger.error("cannot serve on %s: %s", settings.http, error.strerror)
        return 1
    return 0


async def _serve_until_signalled(settings: Settings, payments: PaymentSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, payments, stop)


def _raise_file_limit() -> None:
    """Each connection is a file; the soft limit is often 1,024, fewer than the connections we mean to hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _give_freed_memory_back() -> None:
    """Uploads and results of many megabytes pass through; what they leave must not stay with the process."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's; musl has none and keeps nothing.
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_TRIM_THRESHOLD, _MALLOC_THRESHOLD)
        libc.mallopt(_M_MMAP_THRESHOLD, _MALLOC_THRESHOLD)


if __name__ == "__main__":
    sys.exit(main())
