"""How the paid operation is called, for the directories of x402 (`bazaar`) and for OpenAPI: one table for both."""

from collections.abc import Mapping

from adapter.operations import REMOVE_BACKGROUND
from adapter.payments.x402.config import Listing

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")

QUERY: Mapping[str, Mapping[str, object]] = {
    "format": {
        "type": "string",
        "enum": ["png", "webp", "jpg"],
        "default": "png",
        "description": "Encoding of the result; without it, the Accept header decides. jpg for a mask only.",
    },
    "output": {
        "type": "string",
        "enum": ["rgba", "mask"],
        "default": "rgba",
        "description": "The cut-out, or the subject's alpha alone as one grey channel.",
    },
    "model": {"type": "string", "description": "Name of the matting model; the service's own choice without it."},
}

LISTINGS: Mapping[str, Listing] = {
    REMOVE_BACKGROUND: Listing(
        input={
            "headers": {"Content-Type": "image/png"},
            "queryParams": {"format": "png"},
            "bodyType": "text",  # The extension knows json, form-data and text; this is the one that means: as it is.
            "body": "(the bytes of the picture)",
        },
        input_schema={
            "headers": {
                "type": "object",
                "properties": {"Content-Type": {"enum": list(MEDIA_TYPES)}},
                "required": ["Content-Type"],
            },
            # Without the descriptions: a client sends all of this back with its payment, in one header.
            "queryParams": {
                "type": "object",
                "properties": {
                    name: {key: value for key, value in schema.items() if key != "description"}
                    for name, schema in QUERY.items()
                },
            },
            "bodyType": {"const": "text"},
            "body": {"type": "string"},
        },
        output={"type": "image/png"},
    )
}
