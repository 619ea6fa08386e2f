"""What the operations answer: the statuses of each surface with what they mean, and their descriptions for OpenAPI."""

from collections.abc import Iterable, Mapping, Sequence

from adapter.discovery.components import RECEIPTS, refer, refer_headers
from adapter.options.option import Json
from adapter.uploads.body import UploadLimits

JSON, PROBLEM = "application/json", "application/problem+json"
_MB = UploadLimits().image_bytes // 1024**2
_TWICE = "The payment, or its idempotency key, first came with another request."
_PAYMENT = "Payment required: x402 in the body and in PAYMENT-REQUIRED, MPP in WWW-Authenticate."
_EXPECT = "The Expect header asks for something else than 100-continue."

BODY_ERRORS: Mapping[int, str] = {
    400: "Invalid image: bad format, not what Content-Type says, or a side over 10,000 pixels; or a malformed payment.",
    401: "No way to pay is offered on this host.",
    403: "The payment was used up elsewhere.",
    408: "The body did not arrive in time.",
    409: _TWICE,
    410: "The payment was delivered, and its result is kept no longer.",
    413: f"The body is over {_MB} MB.",
    415: "Content-Type is none of the accepted ones.",
    417: _EXPECT,
    422: "A query parameter is malformed.",
    429: "Too many requests without payment.",
    500: "Processing failed; the same request may be sent again.",
    503: "Unavailable, or the payment's outcome is not known yet; send the same request again, with the same payment.",
}
"""Of the operation whose body is the picture."""
FORM_ERRORS: Mapping[int, str] = {
    **{status: BODY_ERRORS[status] for status in (408, 409, 410, 417, 503)},
    400: "No picture, or too large for this endpoint; one without subject or transparency, where it must have some.",
    401: "An API key is needed, and none or an unknown one came.",
    403: "The key may not use this operation, or its quota is used up; or the payment was used up elsewhere.",
    413: f"A picture is over {_MB} MB, or another limit of the body is passed.",
    415: "Not multipart/form-data, or not PNG, JPEG or WebP.",
    422: "A field is missing or malformed; `fields` says what is wrong with each.",
    429: "Too many requests a minute, by the key's limit or without payment.",
    500: "Internal server error.",
    504: "The picture was not ready in time.",
}
"""Of the operations that take a form."""
JOB_ERRORS: Mapping[int, str] = {
    **{status: FORM_ERRORS[status] for status in (401, 403, 408, 410, 417, 422, 429, 500)},
    400: "The file cannot be used, or its background; `detail` says why.",
    402: _PAYMENT,
    404: "No such job, or its result was fetched or is kept no longer.",
    409: f"Another request came with that Idempotency-Key. {_TWICE}",
    413: "A file is too large.",
    415: "Not multipart/form-data.",
    503: "Unavailable, or the payment's outcome is not known yet; try again later.",
    504: "The image service did not answer in time.",
}
"""Of jobs: their submission, their results, and what else is asked of them."""
REMOVEBG_ERRORS: Mapping[int, str] = {
    **{status: FORM_ERRORS[status] for status in (408, 417, 500, 504)},
    400: "A parameter or the picture cannot be used; `code` says which.",
    402: "The key's quota is used up.",
    403: "An API key is needed, and none or an unknown one came, or it may not be used for this.",
    413: "The body has too many parts or parameters.",
    415: "Not a form and not JSON, or compressed.",
    429: "Too many requests a minute.",
    503: "Unavailable; try again later.",
}
"""Of remove.bg's API."""
ACCOUNT_ERRORS: Mapping[int, str] = {
    400: "Two different keys came.",
    401: FORM_ERRORS[401],
    429: "Too many requests with unknown keys.",
    500: FORM_ERRORS[500],
    503: "Unavailable; try again later.",
}
"""Of a key's own facts."""

_FACTS: Mapping[str, tuple[str, str]] = {
    "X-Width": ("integer", "Width of the result in pixels."),
    "X-Height": ("integer", "Height of the result in pixels."),
    "X-Model": ("string", "What made the matte; the generation model where the picture's own transparency was it."),
    "X-Model-Version": ("string", "Which version of it."),
    "X-Foreground-Top": ("integer", "Of the smallest box around the subject, in pixels of the result."),
    "X-Foreground-Left": ("integer", "As X-Foreground-Top."),
    "X-Foreground-Width": ("integer", "As X-Foreground-Top."),
    "X-Foreground-Height": ("integer", "As X-Foreground-Top."),
}
_TIMES: Mapping[str, tuple[str, str]] = {"Server-Timing": ("string", "Milliseconds spent in each stage.")}
_PAINTED: Mapping[str, tuple[str, str]] = {
    "X-Background-Model": ("string", "What painted the background."),
    "X-Background-Method": ("string", "How: `procedural` or `diffusion`."),
    "X-Background-Seed": ("string", "The seed that brings the same background again."),
}


def describe_picture_headers(*, timed: bool = True, painted: bool = False) -> dict[str, Json]:
    """Headers that come with a picture; `painted` where a generation model is asked."""
    facts = {**_FACTS, **(_TIMES if timed else {}), **(_PAINTED if painted else {})}
    return {name: {"description": text, "schema": {"type": kind}} for name, (kind, text) in facts.items()}


def describe_body_answers(media_types: Sequence[str]) -> dict[str, Json]:
    """Of the operation whose body is the picture."""
    headers = describe_picture_headers() | refer_headers(*RECEIPTS)
    return {
        "200": describe_file("The picture, paid for, with the receipt in the headers.", media_types, headers),
        "402": _ask_for_payment(),
        **describe_errors(BODY_ERRORS, "Error", problems={400, 403, 409, 410}),
    }


def describe_form_answers(media_types: Sequence[str], *, painted: bool) -> dict[str, Json]:
    """Of the operations that take a form; `painted` where a generation model is asked."""
    headers = describe_picture_headers(painted=painted) | refer_headers(*RECEIPTS)
    return {
        "200": describe_file("The picture.", media_types, headers),
        "402": _ask_for_payment(),
        **describe_errors(FORM_ERRORS, "FormError"),
    }


def describe_job_errors(*statuses: int) -> dict[str, Json]:
    """Those of JOB_ERRORS, and 402, that an operation answers."""
    told = {status: JOB_ERRORS[status] for status in statuses if status != 402}
    payment = {"402": _ask_for_payment()} if 402 in statuses else {}
    return payment | describe_errors(told, "JobFailure")


def describe_file(description: str, media_types: Iterable[str], headers: Mapping[str, Json], or_json: str = "") -> Json:
    """An answer whose body is a file, or JSON of the schema `or_json`."""
    told = {JSON: {"schema": refer("schemas", or_json)}} if or_json else {}
    return {
        "description": description,
        "headers": {**refer_headers("X-Request-ID"), **headers},
        "content": {media_type: {} for media_type in media_types} | told,
    }


def describe_nothing(description: str) -> Json:
    """An answer without a body."""
    return {"description": description, "headers": refer_headers("X-Request-ID")}


def describe_json(description: str, schema: str, *others: str) -> Json:
    """An answer in JSON of a named schema, or of one of several."""
    schemas = [refer("schemas", name) for name in (schema, *others)]
    shape = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {
        "description": description,
        "headers": refer_headers("X-Request-ID"),
        "content": {JSON: {"schema": shape}},
    }


def describe_errors(texts: Mapping[int, str], schema: str, problems: Iterable[int] = ()) -> dict[str, Json]:
    """Refusals in the schema of their surface; `problems`: those that may be of an MPP payment."""
    described: dict[str, Json] = {}
    for status, text in sorted(texts.items()):
        answer = dict(describe_json(text, schema))
        answer["headers"] = refer_headers("X-Request-ID", *_HEADERS_OF.get(status, ()))
        if status in problems:
            problem = {PROBLEM: {"schema": refer("schemas", "PaymentProblem")}}
            answer["content"] = {JSON: {"schema": refer("schemas", schema)}, **problem}
        described[str(status)] = answer
    return described


_LIMITS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_HEADERS_OF: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", *_LIMITS),
    503: ("Retry-After",),
}


def _ask_for_payment() -> Json:
    """One answer for both protocols: a client reads what it knows of it."""
    return {
        "description": _PAYMENT,
        "headers": refer_headers("X-Request-ID", "PAYMENT-REQUIRED", "WWW-Authenticate", *_LIMITS),
        "content": {
            JSON: {"schema": refer("schemas", "PaymentRequired")},
            PROBLEM: {"schema": refer("schemas", "PaymentProblem")},
        },
    }
