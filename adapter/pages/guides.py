"""What the guides tell beside the facts of an installation: from the tables that the code uses."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from math import isqrt
from typing import Any

from adapter.discovery.answers import JOB_ERRORS
from adapter.fetching.policy import FetchPolicy
from adapter.jobs.orders import OPERATION
from adapter.operations import MAX_PIXELS
from adapter.options.backgrounds import MAX_URL
from adapter.options.geometry import MAX_SIDE
from adapter.options.jobs import MATTING, VIDEO_FORMAT, WEBHOOK_URL
from adapter.options.option import Option
from adapter.pages import promises
from adapter.removebg import parameters
from adapter.removebg.failures import WORDS

REMOVEBG_OPTIONS: tuple[Option[Any], ...] = tuple(
    value for value in vars(parameters).values() if isinstance(value, Option)
)
MCP_PAYMENT_REQUIRED = -32042
"""The error code of a tool call that is to be paid over MPP, as the agents' server has it: another program."""
_JOB_STATUSES = sorted({*JOB_ERRORS, int(HTTPStatus.PAYMENT_REQUIRED), int(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)})
_UNITS = ((3_600, "h"), (60, "min"), (1, "s"))


def write_duration(seconds: float) -> str:
    """In the largest unit of which it is whole."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0 or size == 1)
    return f"{seconds / size:g}\N{NO-BREAK SPACE}{unit}"


def write_durations(all_seconds: Iterable[float]) -> str:
    """One after the other."""
    return ", ".join(map(write_duration, all_seconds))


def _list_refusals() -> list[tuple[int, str, str]]:
    """Status, code and title of what remove.bg's clients are told, each once."""
    return sorted({(int(words.status), words.code, words.title) for words in WORDS.values()})


GUIDES: Mapping[str, Any] = {
    "duration": write_duration,
    "durations": write_durations,
    "fetching": FetchPolicy(),
    "form_side": isqrt(MAX_PIXELS),
    "job_errors": _JOB_STATUSES,
    "job_options": (OPERATION, WEBHOOK_URL),
    "mcp_code": MCP_PAYMENT_REQUIRED,
    "max_side": MAX_SIDE,
    "max_url": MAX_URL,
    "promises": promises,
    "removebg_options": REMOVEBG_OPTIONS,
    "removebg_pixels": {"input": parameters.MAX_INPUT_PIXELS, "png": parameters.MAX_PNG_PIXELS},
    "removebg_refusals": _list_refusals(),
    "removebg_sizes": parameters.SIZES,
    "video_options": (VIDEO_FORMAT, MATTING, WEBHOOK_URL),
}
"""What the templates know of it."""
