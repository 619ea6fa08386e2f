"""What pages say of other programs, and of names in the code, is held against those programs and that code."""

import inspect
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from clearcanvas.v1.errors_pb2 import ErrorReason
from google.rpc import code_pb2
from mpp.extensions.mcp.constants import CODE_PAYMENT_REQUIRED

from adapter.config import Settings as AdapterSettings
from adapter.pages import promises
from adapter.pages.examples import ENDED, SECRET, UUID
from adapter.pages.guides import GUIDES, MCP_PAYMENT_REQUIRED, REMOVEBG_OPTIONS
from adapter.pages.languages import LANGUAGES
from adapter.removebg.bodies import ENCODED
from adapter.sale.settings import PaymentSettings
from agent.tools import ROWS
from egress.courier import Courier
from server.config import Settings as ServerSettings
from server.errors import RetryableError, ServiceError
from server.jobs.record import Kind, Record, State
from server.jobs.settings import Periods
from server.jobs.webhooks import WebhookErrand
from server.rpc import images, uploads
from server.rpc.errors import code_of
from server.video.task import VideoLimits
from tests.unit.adapter.pages.conftest import build_site

TOLD: Mapping[str, Mapping[str, Any]] = {code: build_site().words[code]["builds"] for code in LANGUAGES}
EVERY_LANGUAGE = pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
OF_OPERATORS = {"MODEL_REFUSED", "MODEL_BUSY"}


def every_error() -> dict[str, type[ServiceError]]:
    found: dict[str, type[ServiceError]] = {}
    waiting = [ServiceError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if isinstance(getattr(error, "reason", None), str):
            found[error.reason] = error
    return found


def test_reasons_are_those_of_the_service_with_their_codes() -> None:
    errors = every_error()
    assert {f"ERROR_REASON_{name}" for name in errors} == {*ErrorReason.keys()} - {"ERROR_REASON_UNSPECIFIED"}
    told = {name: code_pb2.Code.Name(code_of(error)) for name, error in errors.items() if name not in OF_OPERATORS}
    assert told == promises.REASONS
    retryable = {name for name, error in errors.items() if issubclass(error, RetryableError)}
    assert retryable - OF_OPERATORS == promises.RETRYABLE


def test_limits_are_those_of_the_service() -> None:
    limits = VideoLimits()
    width, height = promises.VIDEO_PIXELS
    assert (limits.side, limits.pixels, limits.frame_rate) == (
        promises.VIDEO_SIDE,
        width * height,
        promises.VIDEO_FRAME_RATE,
    )
    fields = ServerSettings.model_fields
    assert fields["max_pixels"].default == promises.MAX_EDIT_PIXELS
    assert images.CHUNK_BYTES == uploads.MAX_CHUNK_BYTES == promises.CHUNK_MIB * 1024**2
    for name in ("video_mib", "video_duration_s"):
        assert AdapterSettings.model_fields[name].default == fields[name].default
    assert PaymentSettings.model_fields["retention_h"].default == fields["retention_h"].default


class Listener(Courier):
    """Takes what is posted."""

    posted: tuple[Mapping[str, str], bytes]

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.posted = headers, body
        return 204


async def test_a_webhook_says_what_the_page_shows() -> None:
    ended = datetime.fromisoformat(str(ENDED["timestamp"]))
    record = Record(
        id=UUID,
        owner="a reader",
        kind=Kind.IMAGE,
        spec={},
        digest="",
        state=State.SUCCEEDED,
        attempt=1,
        done=1,
        total=1,
        created=ended,
        ended=ended,
        webhook_url="https://example.com/hook",
        webhook_secret=SECRET,
    )
    listener = Listener()
    await WebhookErrand(listener).run(record)
    headers, body = listener.posted
    assert json.loads(body) == ENDED
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} < set(headers)


def test_webhooks_are_tried_as_the_page_says() -> None:
    assert Periods().errand == promises.WEBHOOK_PAUSES_S
    assert inspect.signature(Courier).parameters["timeout_s"].default == promises.WEBHOOK_TIMEOUT_S


def test_tools_are_paid_for_by_the_error_that_the_page_names() -> None:
    assert MCP_PAYMENT_REQUIRED == CODE_PAYMENT_REQUIRED


@EVERY_LANGUAGE
def test_every_name_is_told_and_none_that_is_not_there(told: Mapping[str, Any]) -> None:
    assert set(told["job_errors"]) == {str(status) for status in GUIDES["job_errors"]}
    assert set(told["job_options"]) == {option.name for option in GUIDES["job_options"]}
    assert set(told["video_options"]) == {option.name for option in GUIDES["video_options"]}
    assert set(told["reasons"]) == set(promises.REASONS)
    assert set(told["tools"]) == {row.name for row in ROWS}
    assert set(told["removebg_options"]) == {option.name for option in REMOVEBG_OPTIONS}
    written = {option.name for option in REMOVEBG_OPTIONS if not {"enum", "minimum"} & set(option.schema)}
    assert set(told["removebg_values"]) == written
    assert ENCODED in told["removebg_sources"]
    assert {name: set(rows) for name, rows in told.items() if isinstance(rows, dict)} == {
        name: set(rows) for name, rows in TOLD["en"].items() if isinstance(rows, dict)
    }


@EVERY_LANGUAGE
def test_every_setting_that_is_named_is_one(told: Mapping[str, Any]) -> None:
    settings = {
        name.upper() for kind in (AdapterSettings, ServerSettings, PaymentSettings) for name in kind.model_fields
    }
    assert set(told["settings"]) <= settings
