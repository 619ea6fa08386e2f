"""The end of a job, told by POST to whoever asked for it, signed as Standard Webhooks 1.0 has it.

https://github.com/standard-webhooks/standard-webhooks: the signature is an HMAC-SHA256 of "id.timestamp.body" with the
bytes that the secret holds; every library of it can check ours.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from egress.courier import Courier, DeliveryError
from egress.policy import EgressPolicy, RefusedError
from egress.targets import parse_target
from server.errors import InvalidParameterError, RetryableError
from server.jobs.record import Json, Record, State

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with is none.
_SECRET_BYTES = 32  # As many as the hash has; 24 to 64 are allowed.
_MAX_URL = 2048  # Characters; what databases and proxies take without a question.
_GONE = 410
_STATUSES = {State.SUCCEEDED: "success", State.FAILED: "failed", State.CANCELLED: "cancelled"}


def check_webhook_url(url: str, policy: EgressPolicy | None = None) -> None:
    """Refuse what is no http(s) URL of a public address on the web's ports, as far as that is seen without a look-up.

    The address itself is checked at each delivery. Raises InvalidParameterError.
    """
    try:
        if len(url) > _MAX_URL:
            message = "it is too long"
            raise RefusedError(message)
        parse_target(url, policy or EgressPolicy())
    except RefusedError:
        raise InvalidParameterError(
            "options.webhook_url must be an http or https URL of a public address, on port 80 or 443.",
            {"field": "options.webhook_url"},
        ) from None


def make_secret() -> str:
    """A new secret of one job's webhook."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


class WebhookErrand:
    """Posts the end of a job. Each try says the same under the same id, so that a receiver can tell it from another."""

    name = "webhook"

    def __init__(self, courier: Courier | None = None, wall: Callable[[], float] = time.time) -> None:
        """`wall`: seconds since 1970."""
        self._courier = courier or Courier()
        self._wall = wall

    def wanted(self, record: Record) -> bool:
        """Whether somebody asked to be told."""
        return bool(record.webhook_url and record.webhook_secret and record.state.ended)

    async def run(self, record: Record) -> Json:
        """Tell it once. Raises RetryableError where it was not taken; 410 means never again."""
        body = json.dumps(_describe(record), separators=(",", ":")).encode()
        try:
            status = await self._courier.post(record.webhook_url, self._sign(record, body), body)
        except DeliveryError as error:
            raise RetryableError(f"the webhook was not delivered ({error})") from None
        if not 200 <= status < 300 and status != _GONE:
            raise RetryableError(f"the webhook was answered with {status}")
        return {}

    async def withdraw(self, record: Record) -> None:
        """What was told stays told."""

    def _sign(self, record: Record, body: bytes) -> dict[str, str]:
        # The same id may be a job again after it was deleted, but not in the same millisecond.
        event, now = f"msg_{record.id}_{round(record.created.timestamp() * 1000)}", int(self._wall())
        key = base64.b64decode(record.webhook_secret.removeprefix(_SECRET_PREFIX))
        mac = hmac.digest(key, f"{event}.{now}.".encode() + body, hashlib.sha256)
        return {
            "content-type": "application/json",
            "user-agent": "clearcanvas",
            "webhook-id": event,
            "webhook-timestamp": str(now),
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }


def _describe(record: Record) -> Json:
    data = {"uuid": record.id, "kind": record.kind.value, "status": _STATUSES[record.state]}
    if record.failure:
        data |= {"reason": record.failure.reason, "message": record.failure.message}
    ended = record.ended or record.created
    return {"type": f"job.{record.state.value}", "timestamp": _iso(ended), "data": data}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
