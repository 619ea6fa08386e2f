"""The OpenAPI 3.1 document, written from the tables that the code itself uses."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from adapter.discovery.answers import (
    SCHEMAS,
    describe_account_answers,
    describe_body_answers,
    describe_form_answers,
    describe_probe_answers,
)
from adapter.discovery.jobs import SUBMISSIONS, describe_jobs
from adapter.discovery.listings import MEDIA_TYPES
from adapter.discovery.way import WayToPay
from adapter.operations import IMAGE, OPERATIONS, PAID, Operation
from adapter.options.generation import GENERATION
from adapter.options.option import Json, Option
from adapter.sale.offers import Priced
from adapter.uploads.body import UploadLimits

_KEYS: Mapping[str, Json] = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same keys."},
}
_ANY_KEY: list[Json] = [{name: []} for name in _KEYS]
_BINARY: Json = {"type": "string", "contentMediaType": "application/octet-stream"}


def build_document(base_url: str, priced: Mapping[str, Priced], ways: Sequence[WayToPay]) -> Json:
    """The document for one host. `priced`: what is sold, by the operation's name."""
    paths: dict[str, Json] = {
        operation.path: {"post": _describe_form(operation) | _describe_payment(priced[operation.name], ways)}
        for operation in OPERATIONS
    }
    paths |= describe_jobs(_ANY_KEY, {name: _describe_payment(priced[name], ways) for name in SUBMISSIONS})
    paths[PAID.path] = {"post": _describe_body() | _describe_payment(priced[PAID.name], ways)}
    paths["/account"] = {"get": _describe_account()}
    paths["/health"] = {"get": _describe_probe("Whether the service is alive.")}
    paths["/ready"] = {"get": _describe_probe("Whether the service can serve, with what model, and how it is paid.")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClearCanvas",
            "version": version("clearcanvas"),
            "summary": "Background removal and editing, with an API key or paid by call.",
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": _KEYS},
        "x-service-info": {"categories": ["image", "background-removal"]},
    }


def _describe_body() -> dict[str, object]:
    return {
        "operationId": PAID.name,
        "summary": PAID.summary,
        "parameters": [
            {"name": option.name, "in": "query", "required": False, "schema": _describe_option(option)}
            for option in PAID.options
        ],
        "requestBody": {"required": True, "content": {media_type: {"schema": {}} for media_type in MEDIA_TYPES}},
        "responses": describe_body_answers(MEDIA_TYPES),
    }


def _describe_form(operation: Operation) -> dict[str, object]:
    properties: dict[str, Json] = {name: {**_BINARY, "description": text} for name, text in operation.files.items()}
    properties |= {option.name: _describe_option(option) for option in operation.options}
    required = [IMAGE, *(option.name for option in operation.options if option.required)]
    schema = {"type": "object", "required": required, "properties": properties}
    limits = UploadLimits()
    return {
        "operationId": operation.path.strip("/").replace("/", "-"),
        "summary": operation.summary,
        "description": f"At most {limits.image_bytes} bytes a picture, {operation.max_pixels} pixels before and after.",
        "security": [*_ANY_KEY, {}],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}},
        "responses": describe_form_answers(MEDIA_TYPES, painted=GENERATION[0] in operation.options),
    }


def _describe_option(option: Option[Any]) -> Json:
    aliases = f" Also: {', '.join(option.names[1:])}." if option.names[1:] else ""
    return {**option.schema, "description": f"{option.schema['description']}{aliases}"}


def _describe_payment(priced: Priced, ways: Sequence[WayToPay]) -> dict[str, object]:
    if not ways:
        return {}
    offers = [
        {
            "intent": way.intent,
            "method": way.method,
            "amount": str(priced.amount),
            "currency": way.currency,
            "network": way.network,
            "description": priced.description,
        }
        for way in ways
    ]
    return {"x-payment-info": {"offers": offers}}


def _describe_account() -> Json:
    return {"summary": "What a key is good for.", "security": _ANY_KEY, "responses": describe_account_answers()}


def _describe_probe(summary: str) -> Json:
    return {"summary": summary, "responses": describe_probe_answers()}
