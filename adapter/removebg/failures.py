"""Failures in remove.bg's words: `{"errors": [{"title": …, "code": …, "detail": …}]}`, and its statuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from adapter.middleware.failure import Failure


@dataclass(frozen=True)
class Words:
    """What is answered for one of our codes."""

    status: HTTPStatus
    code: str
    title: str
    has_detail: bool = True
    """Whether our own sentence says more than the title."""


_BAD, _TOO_HIGH = HTTPStatus.BAD_REQUEST, "Image resolution too high"
WORDS: Mapping[str, Words] = {
    "invalid_image": Words(_BAD, "failed_to_read_image", "There was an error reading the image."),
    "unsupported_format": Words(_BAD, "invalid_file_type", "Invalid file type"),
    "payload_too_large": Words(_BAD, "file_too_large", "File too large"),
    "dimension_exceeded": Words(_BAD, "resolution_too_high", _TOO_HIGH),
    "pixels_exceeded": Words(_BAD, "resolution_too_high", _TOO_HIGH, has_detail=False),
    "no_subject": Words(_BAD, "unknown_foreground", "Could not identify foreground in image.", has_detail=False),
    "key_required": Words(HTTPStatus.FORBIDDEN, "auth_failed", "Missing API Key"),
    "unknown_key": Words(HTTPStatus.FORBIDDEN, "auth_failed", "API Key invalid", has_detail=False),
    "ambiguous_key": Words(HTTPStatus.FORBIDDEN, "auth_failed", "API Key invalid"),
    "operation_forbidden": Words(HTTPStatus.FORBIDDEN, "auth_failed", "API Key invalid"),
    "quota_used_up": Words(HTTPStatus.PAYMENT_REQUIRED, "insufficient_credits", "Insufficient credits"),
    "rate_limited": Words(HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_exceeded", "Rate limit exceeded"),
}
# The service's names of fields, by their beginnings → the parameter that they come from.
_PARAMETERS = {
    "region.": "roi",
    "output.crop.": "crop_margin",
    "output.placement.": "scale",
    "output.": "size",
    "color.": "bg_color",
    "drop_shadow.": "shadow_type",
    "contact_shadow.": "shadow_type",
}
# Two of the titles are not made as the others are.
_TITLES = {name: f"Invalid value for parameter '{name}'" for name in ("size", "channels")}


def describe_errors(failure: Failure) -> tuple[HTTPStatus, list[dict[str, str]]]:
    """The status and the errors of an answer."""
    if failure.fields:
        return HTTPStatus.BAD_REQUEST, [_describe_parameter(name, reason) for name, reason in failure.fields.items()]
    words = WORDS.get(failure.code)
    if words is None:
        return failure.status, [_write(failure.message, failure.code, failure.detail)]
    return words.status, [_write(words.title, words.code, failure.message if words.has_detail else "")]


def _describe_parameter(name: str, reason: str) -> dict[str, str]:
    if name == "region":  # As a whole: its sides are sound.
        return _write("ROI region is empty", "roi_region_empty", reason)
    parameter = next((theirs for ours, theirs in _PARAMETERS.items() if name.startswith(ours)), name)
    title = _TITLES.get(parameter, f"Invalid {parameter} parameter given")
    return _write(title, f"invalid_{parameter}", f"{parameter} {reason}")


def _write(title: str, code: str, detail: str) -> dict[str, str]:
    return {"title": title, "code": code} | ({"detail": detail} if detail else {})
