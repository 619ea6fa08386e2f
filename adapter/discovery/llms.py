"""The service in one page of plain text, for language models that look for how to call it."""

from collections.abc import Sequence

from adapter.discovery.listings import MEDIA_TYPES
from adapter.discovery.way import WayToPay
from adapter.sale.offers import Priced
from adapter.uploads.body import UploadLimits

_HOW = {
    "x402": "x402: sign the offer in the 402's body (version 1: X-PAYMENT) or header (version 2: PAYMENT-SIGNATURE).",
    "tempo": "MPP: answer the WWW-Authenticate: Payment challenge with Authorization: Payment.",
}


def build_page(base_url: str, priced: Priced, ways: Sequence[WayToPay]) -> str:
    """The page for one host."""
    dollars = f"{priced.amount / 1_000_000:.6f}".rstrip("0").rstrip(".")
    lines = [
        "# ClearCanvas",
        "",
        f"> {priced.description}: send a picture, get its subject on transparency. No account.",
        "",
        f"POST {base_url}{priced.path}",
        "",
        f"- Body: the picture. Content-Type: {', '.join(MEDIA_TYPES)}.",
        f"- At most {UploadLimits().image_bytes // 1024**2} MB and 10,000 pixels a side.",
        "- Answer: image/png, or image/webp with ?format=webp.",
        "",
    ]
    if ways:
        lines += [
            f"Price: ${dollars} a picture. Without payment the answer is 402 and says how to pay.",
            "Send the same request again with the payment. Only an answer of 200 is charged for.",
            'After a 503 with "retryable": true, send the same request again with the same payment.',
            "",
            *(f"- {_HOW[way.method]} Token {way.currency} on {way.network}." for way in ways),
        ]
    else:
        lines.append("No way to pay is offered on this host.")
    return "\n".join([*lines, "", f"All operations: {base_url}/openapi.json", ""])
