"""The shapes of answers in JSON, for OpenAPI."""

from collections.abc import Mapping

from adapter.options.colors import COLOR_SCHEMAS
from adapter.options.option import Json

_TEXT: Json = {"type": "string"}
_FLAG: Json = {"type": "boolean"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_OPEN_END: Json = {"type": ["integer", "null"], "minimum": 0}
_TIME: Json = {"type": "string", "format": "date-time"}
_UUID: Json = {"type": "string", "format": "uuid"}
_ADDRESS: Json = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}
_AMOUNT: Json = {"type": "string", "pattern": "^[0-9]+$", "description": "In the token's smallest unit."}
_FIELDS: Json = {
    "type": "object",
    "additionalProperties": _TEXT,
    "description": "What is wrong with each field, to be read after its name.",
}


def _object(properties: Mapping[str, Json], *optional: str, text: str = "") -> Json:
    required = [name for name in properties if name not in optional]
    described = {"description": text} if text else {}
    return {"type": "object", **described, "required": required, "properties": dict(properties)}


def _word(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


_ERROR: Mapping[str, Json] = {
    "error": {"type": "string", "description": "A machine's word for it."},
    "message": _TEXT,
    "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
    "request_id": _TEXT,
    "fields": _FIELDS,
}
_PROBLEM: Mapping[str, Json] = {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT}
_MESSAGE: Mapping[str, Json] = {"message": _TEXT, "fields": _FIELDS}
_STATUS = _word("processing", "success", "failed", "cancelled", "not_found")

_PAYMENT: Mapping[str, Json] = {
    "PaymentOption": _object(
        {
            "scheme": {"const": "exact"},
            "network": {"type": "string", "description": "Name of the chain in version 1 of x402."},
            "maxAmountRequired": _AMOUNT,
            "resource": {"type": "string", "format": "uri"},
            "description": _TEXT,
            "mimeType": _TEXT,
            "payTo": _ADDRESS,
            "maxTimeoutSeconds": {"type": "integer"},
            "asset": _ADDRESS,
            "extra": _object({"name": _TEXT, "version": _TEXT}, text="Of the token's EIP-712 domain."),
        },
    ),
    "PaymentRequired": _object(
        {
            "x402Version": {"const": 1},
            "error": _TEXT,
            "accepts": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/PaymentOption"}},
        },
        text="What x402 asks for, in its version 1; the header PAYMENT-REQUIRED has version 2 of it.",
    ),
    "PaymentProblem": _object(
        {**_PROBLEM, "challengeId": _TEXT, **_ERROR},
        "detail",
        "challengeId",
        *_ERROR,
        text="What is wrong with an MPP payment (RFC 9457); the challenge is in WWW-Authenticate.",
    ),
}
_JOBS: Mapping[str, Json] = {
    "JobAccepted": _object(
        {
            "message": _TEXT,
            "uuid": _UUID,
            "status": {"const": "processing"},
            "duration": {"type": "string", "description": "Of a video."},
            "warning": {"type": "string", "description": "Where only the beginning of a video is processed."},
            "processed_duration": {"type": "string", "description": "How much of a video is processed."},
            "webhook_secret": {"type": "string", "description": "Signs the call to webhook_url."},
        },
        "duration",
        "warning",
        "processed_duration",
        "webhook_secret",
    ),
    "JobAtWork": _object(
        {
            "message": _TEXT,
            "uuid": _UUID,
            "status": {"const": "processing"},
            "progress_percentage": {"type": "number", "minimum": 0, "maximum": 100},
            "current_frame": _COUNT,
            "total_frames": _COUNT,
        },
        "progress_percentage",
        "current_frame",
        "total_frames",
    ),
    "VideoUploaded": _object(
        {
            "message": _TEXT,
            "uuid": _UUID,
            "status": {"const": "success"},
            "upload_link": {"type": "string", "format": "uri"},
            "warning": _TEXT,
            "original_duration": _TEXT,
            "processed_duration": _TEXT,
        },
        "warning",
        "original_duration",
        "processed_duration",
    ),
    "JobFailure": {
        "description": "In the words of the route: `detail` or `message`.",
        "anyOf": [
            _object({"detail": _TEXT}),
            _object({**_MESSAGE, "uuid": _UUID, "status": _STATUS}, "fields", "uuid", "status"),
        ],
    },
}
_REMOVEBG: Mapping[str, Json] = {
    "RemovebgErrors": _object(
        {
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": _object({"title": _TEXT, "code": _TEXT, "detail": _TEXT}, "detail"),
            }
        }
    ),
    "RemovebgResult": _object(
        {
            "data": _object(
                {
                    "result_b64": {"type": "string", "contentEncoding": "base64"},
                    **{f"foreground_{side}": _COUNT for side in ("top", "left", "width", "height")},
                }
            )
        }
    ),
    "RemovebgAccount": _object(
        {
            "data": _object(
                {
                    "attributes": _object(
                        {
                            "credits": _object(
                                {
                                    "total": _OPEN_END,
                                    "subscription": _OPEN_END,
                                    "payg": _COUNT,
                                    "enterprise": _COUNT,
                                }
                            ),
                            "api": _object({"free_calls": _COUNT, "sizes": _TEXT}),
                        }
                    )
                }
            )
        }
    ),
}
_SERVICE: Mapping[str, Json] = {
    "Account": _object(
        {
            "name": _TEXT,
            "operations": {"type": ["array", "null"], "items": _TEXT, "description": "null: all of them."},
            "per_minute": _COUNT,
            "monthly_quota": {**_OPEN_END, "description": "Results in a calendar month; null: no end."},
            "used": _COUNT,
            "remaining": _OPEN_END,
            "period_start": _TIME,
            "period_end": _TIME,
        }
    ),
    "Health": _object({"status": {"const": "alive"}}),
    "Ready": _object(
        {
            "status": {"const": "ready"},
            "model": {"type": "string", "description": "What finds the subject, where nothing else is asked for."},
            "device": {"type": "string", "description": "What the models run on."},
            "rails": {"type": "array", "items": _TEXT, "description": "Ways to pay."},
        }
    ),
    "Unavailable": _object(
        {"status": {"const": "unavailable"}, "message": _TEXT, "model": _TEXT, "device": _TEXT}, "model", "device"
    ),
    "Leave": _object(
        {
            "open": {"type": "boolean", "description": "Whether the image operations need neither key nor payment."},
            "free": {
                "description": "What the operator gives away; null: nothing.",
                "anyOf": [
                    _object(dict.fromkeys(("per_day", "left", "per_client", "left_for_you"), _COUNT)),
                    {"type": "null"},
                ],
            },
        }
    ),
    "PaidResources": _object(
        {
            "version": {"const": 1},
            "resources": {"type": "array", "items": {"type": "string", "format": "uri"}},
        },
        text="What can be bought with x402 here.",
    ),
}

SCHEMAS: Mapping[str, Json] = {
    "Error": _object(_ERROR, "fields"),
    "FormError": _object(_MESSAGE, "fields"),
    **_PAYMENT,
    **_JOBS,
    **_REMOVEBG,
    **_SERVICE,
    **COLOR_SCHEMAS,
}
