"""Whose a job is, and what it is called."""

import re
import uuid

from aiohttp import web

from adapter.errors import JobNotFoundError, MalformedKeyError
from adapter.jobs.service import Ref
from adapter.keys.key import Key

IDEMPOTENCY_KEY = "Idempotency-Key"

OPEN = "open"
"""The owner of all that was submitted without a key, where that is possible: on a loopback address."""

_NAMES = uuid.UUID("6b0c2a0e-3f4d-4b0f-9d0e-5b8f0c7f4a11")  # Of ours: the names that callers give to their requests.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_NAME = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")


def owner_of(key: Key | None) -> str:
    """The owner that a key stands for; None is nobody's."""
    return OPEN if key is None else key_owner(key.id)


def key_owner(key_id: str) -> str:
    """The owner that the key with this id stands for."""
    return f"key:{key_id}"


def read_ref(request: web.Request, owner: str) -> Ref:
    """The job that a path names.

    Raises:
        JobNotFoundError: It is no id. The service is not asked, and the answer is as for one that is nobody's.
    """
    name = request.match_info["uuid"].lower()
    if not _UUID.fullmatch(name):
        raise JobNotFoundError
    return Ref(name, owner)


def choose_ref(request: web.Request, owner: str) -> Ref:
    """A new id, or the one that belongs to the caller's own name for the request: then a retry is the same job.

    Raises:
        MalformedKeyError: There are several names, or what is no name.
    """
    names = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not names:
        return Ref(str(uuid.uuid4()), owner)
    if len(set(names)) > 1 or not _NAME.fullmatch(names[0]):
        message = f"{IDEMPOTENCY_KEY} must be one name of 1 to 255 printable ASCII characters."
        raise MalformedKeyError(message)
    # By owner: a name is no secret, and what others call theirs is no concern of anybody's.
    return Ref(str(uuid.uuid5(_NAMES, f"{owner}\n{names[0]}")), owner)
