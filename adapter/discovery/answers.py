"""What the operations answer, for OpenAPI."""

from collections.abc import Mapping, Sequence

from adapter.options.option import Json

SCHEMAS: Mapping[str, Json] = {
    "Error": {
        "type": "object",
        "required": ["error", "message", "retryable", "request_id"],
        "properties": {
            "error": {"type": "string", "description": "A machine code."},
            "message": {"type": "string"},
            "retryable": {"type": "boolean"},
            "request_id": {"type": "string"},
            "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "FormError": {
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string"},
            "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}

_BODY_ERRORS: Mapping[int, str] = {
    400: "Invalid image: bad format, not what Content-Type says, or a side over 10,000 pixels; or a malformed payment.",
    401: "No way to pay is offered on this host.",
    403: "The payment was used up elsewhere.",
    408: "The body did not arrive in time.",
    409: "The payment, or its idempotency key, first came with another request.",
    410: "The payment was delivered, and its result is kept no longer.",
    413: "The body is over 25 MB.",
    415: "Content-Type is none of the accepted ones.",
    422: "A query parameter is malformed.",
    429: "Too many requests without payment.",
    500: "Processing failed; the same request may be sent again.",
    503: "Unavailable, or the payment's outcome is not known yet; send the same request again, with the same payment.",
}
_FORM_ERRORS: Mapping[int, str] = {
    **{status: _BODY_ERRORS[status] for status in (408, 409, 410, 503)},
    400: "No picture, or too large for this endpoint; one without subject or transparency, where it must have some.",
    401: "An API key is needed, and none or an unknown one came.",
    403: "The key may not use this operation, or its quota is used up; or the payment was used up elsewhere.",
    413: "A picture is over 25 MB, or another limit of the body is passed.",
    415: "Not multipart/form-data, or not PNG, JPEG or WebP.",
    422: "A field is missing or malformed; `fields` says what is wrong with each.",
    429: "Too many requests a minute, by the key's limit or without payment.",
    500: "Internal server error.",
    504: "The picture was not ready in time.",
}
_PAYMENT_REQUIRED: Json = {
    "description": "Payment required: x402 in the body and in PAYMENT-REQUIRED, MPP in WWW-Authenticate.",
    "headers": {"PAYMENT-REQUIRED": {"schema": {"type": "string"}}, "WWW-Authenticate": {"schema": {"type": "string"}}},
}
_FACTS: Mapping[str, str] = {
    "X-Width": "Width of the result in pixels.",
    "X-Height": "Height of the result in pixels.",
    "X-Model": "What made the matte; the generation model where the picture's own transparency was it.",
    "X-Model-Version": "Which version of it.",
    "X-Foreground-Top": "Of the smallest box around the subject, in pixels of the result.",
    "X-Foreground-Left": "As X-Foreground-Top.",
    "X-Foreground-Width": "As X-Foreground-Top.",
    "X-Foreground-Height": "As X-Foreground-Top.",
    "Server-Timing": "Time spent in each stage.",
}
_PAINTED: Mapping[str, str] = {
    "X-Background-Model": "What painted the background.",
    "X-Background-Method": "How: `procedural` or `diffusion`.",
    "X-Background-Seed": "The seed that brings the same background again.",
}


def describe_body_answers(media_types: Sequence[str]) -> Json:
    """Of the operation whose body is the picture."""
    return {
        "200": _pictures("The picture, paid for, with the receipt in the headers.", media_types, _FACTS),
        "402": _PAYMENT_REQUIRED,
        **_errors(_BODY_ERRORS, "Error"),
    }


def describe_form_answers(media_types: Sequence[str], *, painted: bool) -> Json:
    """Of the operations that take a form; `painted` where a generation model is asked."""
    return {
        "200": _pictures("The picture.", media_types, {**_FACTS, **(_PAINTED if painted else {})}),
        "402": _PAYMENT_REQUIRED,
        **_errors(_FORM_ERRORS, "FormError"),
    }


def describe_probe_answers() -> Json:
    """Of the health checks."""
    return {"200": _json("Yes."), "503": _json("No.")}


def describe_account_answers() -> Json:
    """Of a key's own facts."""
    told = {status: _FORM_ERRORS[status] for status in (401, 429)}
    unavailable = {400: "Two different keys came.", 503: "Unavailable; try again later."}
    return {
        "200": _json("What the key is good for, and its use this month."),
        **_errors(told | unavailable, "FormError"),
    }


def _pictures(description: str, media_types: Sequence[str], facts: Mapping[str, str]) -> Json:
    return {
        "description": description,
        "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in facts.items()},
        "content": {media_type: {"schema": {}} for media_type in media_types},
    }


def _json(description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}


def _errors(texts: Mapping[int, str], schema: str) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {str(status): {"description": text, "content": content} for status, text in sorted(texts.items())}
