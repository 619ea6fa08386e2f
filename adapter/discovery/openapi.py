"""The OpenAPI 3.1 document, written from the tables that the code itself uses."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from adapter.discovery.components import HEADERS, KEYS, PARAMETERS
from adapter.discovery.examples import show_examples
from adapter.discovery.images import describe_body, describe_form
from adapter.discovery.jobs import SUBMISSIONS, describe_jobs
from adapter.discovery.payment import describe_payment
from adapter.discovery.removebg import describe_removebg
from adapter.discovery.schemas import SCHEMAS
from adapter.discovery.service import describe_service
from adapter.discovery.way import WayToPay
from adapter.operations import OPERATIONS, PAID
from adapter.options.option import Json
from adapter.sale.offers import Priced


def build_document(base_url: str, priced: Mapping[str, Priced], ways: Sequence[WayToPay]) -> Json:
    """The document for one host. `priced`: what is sold, by the operation's name."""
    payments = {name: describe_payment(row, ways) for name, row in priced.items()}
    paths: dict[str, Mapping[str, Json]] = {
        PAID.path: {"post": describe_body() | payments[PAID.name]},
        **{row.path: {"post": describe_form(row) | payments[row.name]} for row in OPERATIONS},
        **describe_jobs({name: payments[name] for name in SUBMISSIONS}),
        **describe_removebg(),
        **describe_service(),
    }
    llms = f"{base_url}/llms.txt"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClearCanvas",
            "version": version("clearcanvas"),
            "summary": "Background removal and editing, with an API key or paid by call.",
            "x-guidance": f"Read {llms} first: it is short, and says how to call and how to pay.",
        },
        "servers": [{"url": base_url}],
        "externalDocs": {"description": "The same in words.", "url": llms},
        "paths": show_examples(paths, base_url, priced, ways),
        "components": {
            "schemas": SCHEMAS,
            "headers": HEADERS,
            "parameters": PARAMETERS,
            "securitySchemes": KEYS,
        },
        "x-service-info": {
            "categories": ["image", "background-removal"],
            "docs": {"homepage": f"{base_url}/", "apiReference": f"{base_url}/openapi.json", "llms": llms},
        },
        "x-agentcash-guidance": {"llmsTxtUrl": llms},
    }
