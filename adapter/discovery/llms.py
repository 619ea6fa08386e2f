"""The service in one page of plain text, for language models that look for how to call it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt

from adapter.discovery.jobs import SUBMISSIONS
from adapter.discovery.listings import MEDIA_TYPES
from adapter.discovery.way import WayToPay
from adapter.jobs.failures import HD_PREFIX, JOBS_PREFIX, VIDEO_PREFIX
from adapter.jobs.orders import VIDEO
from adapter.jobs.paid_desk import HD
from adapter.operations import MAX_PIXELS, OPERATIONS, OUTPUT_OPTIONS, PAID, Operation
from adapter.options.geometry import MAX_SIDE
from adapter.pages.languages import DEFAULT
from adapter.sale.offers import Priced
from adapter.uploads.body import UploadLimits

_HOW = {
    "x402": "x402: sign the offer in the 402's body (version 1: X-PAYMENT) or header (version 2: PAYMENT-SIGNATURE).",
    "tempo": "MPP: answer the WWW-Authenticate: Payment challenge with Authorization: Payment.",
}
_GUIDES_OF = {"x402": "x402", "mpp": "tempo"}  # Guides that are of use where their way to pay is offered.


@dataclass(frozen=True)
class Guide:
    """A guide in English, as Markdown."""

    slug: str
    title: str
    summary: str
    path: str


def build_page(
    base_url: str, priced: Mapping[str, Priced], ways: Sequence[WayToPay], guides: Sequence[Guide] = ()
) -> str:
    """The page for one host. `priced`: what is sold, by the operation's name."""
    side = isqrt(MAX_PIXELS)
    lines = [
        "# ClearCanvas",
        "",
        "> Send a picture, get its subject on transparency, or on another background.",
        "",
        "## The body is the picture",
        "",
        f"POST {base_url}{PAID.path}{_price(priced[PAID.name], ways)}",
        "",
        f"- {PAID.summary}: its subject on transparency. No account.",
        f"- Body: the picture. Content-Type: {', '.join(MEDIA_TYPES)}.",
        f"- At most {UploadLimits().image_bytes // 1024**2} MB and {DEFAULT.number(MAX_SIDE)} pixels a side.",
        "- Answer: image/png, or image/webp with ?format=webp.",
        f"- Query, all optional: {_list_options(PAID)}.",
        "",
        "## Forms",
        "",
        f"Body: multipart/form-data with the picture in the field image, at most {side} × {side} pixels.",
        f"Every one takes: {', '.join(option.name for option in OUTPUT_OPTIONS)}.",
        "With an API key in X-API-Key, or paid for where payment is offered.",
        "",
    ]
    for operation in OPERATIONS:
        lines += [f"- POST {base_url}{operation.path}{_price(priced[operation.name], ways)}: {operation.summary}"]
        if own := [*list(operation.files)[1:], *(option.name for option in operation.own_options)]:
            lines += [f"  Its own fields: {', '.join(own)}."]
    lines += ["", *_tell_jobs(base_url, priced, ways)]
    lines += ["", *_tell_payment(ways), "", *_tell_tools(base_url), "", *_tell_guides(base_url, ways, guides)]
    return "\n".join([*lines, "", f"Every field: {base_url}/openapi.json", ""])


def _tell_jobs(base_url: str, priced: Mapping[str, Priced], ways: Sequence[WayToPay]) -> list[str]:
    submit = {name: f"POST {base_url}{path}{_price(priced[name], ways)}" for name, path in SUBMISSIONS.items()}
    job = f"{base_url}{JOBS_PREFIX}UUID"
    return [
        "## Jobs: large pictures and videos",
        "",
        f"- {submit[HD]}: a picture of up to {DEFAULT.number(MAX_SIDE)} pixels a side in the field image.",
        "  operation: matte, or another of the forms above, with its fields.",
        f"- {submit[VIDEO]}: a video in the field video.",
        "  Over a color (bg_color=R,G,B), a picture (bg_image_url) or any background from above; else transparent.",
        "  format: mp4, webm, webp or zip.",
        "- Both answer 202 with a uuid. The result (202 while it is at work; removed once it was fetched whole):",
        f"  GET {base_url}{HD_PREFIX}result/UUID, GET {base_url}{VIDEO_PREFIX}result/UUID",
        f"- GET {job}/events: progress as server-sent events. DELETE {job}: end it, and remove it.",
        "- webhook_url: where the end is told. Idempotency-Key: the same request again is the same job.",
    ]


def _tell_tools(base_url: str) -> list[str]:
    return [
        "## Tools of agents (MCP)",
        "",
        "- `clearcanvas mcp` is an MCP server in front of this service: tools that take and return pictures, paid for",
        "  as the calls are, or with an API key in CLEARCANVAS_API_KEY.",
        f"- Standard input and output: `clearcanvas mcp --url {base_url}`. Streamable HTTP: add `--http HOST:PORT`.",
    ]


def _tell_guides(base_url: str, ways: Sequence[WayToPay], guides: Sequence[Guide]) -> list[str]:
    offered = {way.method for way in ways}
    shown = [guide for guide in guides if _GUIDES_OF.get(guide.slug) in {None, *offered}]
    if not shown:
        return []
    return [
        "## Guides",
        "",
        *(f"- [{guide.title}]({base_url}{guide.path}): {guide.summary}" for guide in shown),
        "",
        "Also in Spanish and French: /es/ and /fr/ in place of /en/. People read them without the .md.",
    ]


def _list_options(operation: Operation) -> str:
    return ", ".join(option.name for option in operation.options)


def _price(priced: Priced, ways: Sequence[WayToPay]) -> str:
    return f" ({DEFAULT.money(priced.amount)})" if ways else ""


def _tell_payment(ways: Sequence[WayToPay]) -> list[str]:
    if not ways:
        return ["No way to pay is offered on this host."]
    return [
        "## Payment",
        "",
        "Prices are by picture. Without payment the answer is 402 and says how to pay.",
        "Send the same request again with the payment. Only an answer of 200 is charged for.",
        'After a 503 with "retryable": true, or a "Retry-After", send the same request again with the same payment.',
        "",
        *(f"- {_HOW[way.method]} {way.token} ({way.currency}) on {way.network_title} ({way.network})." for way in ways),
    ]
