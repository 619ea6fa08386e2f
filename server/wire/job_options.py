"""`JobOptions` of jobs.proto, and how a job is named by who asks."""

import re
from dataclasses import dataclass
from uuid import uuid4

from clearcanvas.v1 import jobs_pb2

from server.errors import InvalidParameterError
from server.ranges import check_range

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MAX_OWNER = 128  # characters


@dataclass(frozen=True)
class JobOptions:
    """What every job has."""

    id: str  # the caller's, or a new one
    owner: str
    webhook_url: str  # empty: nowhere
    validate_only: bool


def read_options(options: jobs_pb2.JobOptions) -> JobOptions:
    """The options, with an id where the caller gave none. Raises `InvalidParameterError`, which names the field.

    Whether a webhook may be told at its address is not looked at here.
    """
    if options.id and not ID.fullmatch(options.id):
        raise InvalidParameterError("options.id must be a lower-case UUID.", {"field": "options.id"})
    check_range("options.owner", len(options.owner), 1, MAX_OWNER, " characters")
    return JobOptions(options.id or str(uuid4()), options.owner, options.webhook_url, options.validate_only)


def read_owner(owner: str) -> str:
    """Who asks for a job. Raises `InvalidParameterError`."""
    check_range("owner", len(owner), 1, MAX_OWNER, " characters")
    return owner
