"""What is asked of the service itself, for OpenAPI: whether it serves, what a key is good for, its own documents."""

from adapter.discovery.answers import ACCOUNT_ERRORS, describe_errors, describe_file, describe_json
from adapter.discovery.components import ANY_KEY, refer
from adapter.options.option import Json

_TAG = "Service"
_HOST_ERRORS = {400: "The Host header is no host's name.", 500: "Internal server error."}


def describe_service() -> dict[str, dict[str, Json]]:
    """The paths."""
    alive = {"200": describe_json("It is.", "Health")}
    ready = {"200": describe_json("It can.", "Ready"), "503": describe_json("It cannot.", "Unavailable")}
    account = {
        "200": describe_json("What the key is good for, and its use this month.", "Account"),
        **describe_errors(ACCOUNT_ERRORS, "FormError"),
    }
    leave = {
        "200": describe_json("What a visitor may do now without key and payment.", "Leave"),
        **describe_errors({400: _HOST_ERRORS[400], 500: _HOST_ERRORS[500], 503: ACCOUNT_ERRORS[503]}, "FormError"),
    }
    document = {"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}}
    page = {"200": describe_file("Plain text.", ("text/plain",), {})}
    sold = {"200": describe_json("Addresses, for directories of x402.", "PaidResources")}
    host = describe_errors(_HOST_ERRORS, "FormError")
    return {
        "/account": {"get": {**_describe("account", "What a key is good for.", account), "security": list(ANY_KEY)}},
        "/health": {"get": _describe("health", "Whether the service is alive.", alive)},
        "/ready": {
            "get": _describe("ready", "Whether the service can serve, with what model, and how it is paid.", ready)
        },
        "/playground/access": {"get": _describe("playground-access", "What is free here, for the playground.", leave)},
        "/openapi.json": {"get": _describe("openapi", "This document, for the host that is asked.", document | host)},
        "/llms.txt": {"get": _describe("llms", "The service in one page, for language models.", page | host)},
        "/.well-known/x402": {"get": _describe("well-known-x402", "What is sold here over x402.", sold | host)},
    }


def _describe(name: str, summary: str, responses: dict[str, Json]) -> dict[str, object]:
    return {
        "operationId": name,
        "tags": [_TAG],
        "summary": summary,
        "security": [],
        "parameters": [refer("parameters", "RequestId")],
        "responses": responses,
    }
