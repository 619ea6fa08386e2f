"""The names under which payments travel, and what can be told from the names alone."""

from aiohttp import hdrs
from multidict import CIMultiDictProxy

X402_REQUEST = ("X-PAYMENT", "PAYMENT-SIGNATURE")
REQUEST = (*X402_REQUEST, hdrs.AUTHORIZATION, "Idempotency-Key")
RESPONSE = (
    "PAYMENT-REQUIRED",
    "PAYMENT-RESPONSE",
    "Payment-Receipt",
    hdrs.WWW_AUTHENTICATE,
    "X-PAYMENT-RESPONSE",
)


def pays(headers: CIMultiDictProxy[str]) -> bool:
    """Whether a request brings a payment, sound or not."""
    return pays_by_x402(headers) or _has_mpp(headers)


def pays_by_x402(headers: CIMultiDictProxy[str]) -> bool:
    """Whether a request brings an x402 payment."""
    return any(name in headers for name in X402_REQUEST)


def pays_by_mpp(headers: CIMultiDictProxy[str]) -> bool:
    """Whether a request brings an MPP payment and no other."""
    return _has_mpp(headers) and not pays_by_x402(headers)


def _has_mpp(headers: CIMultiDictProxy[str]) -> bool:
    return any(value.lstrip()[:8].lower() == "payment " for value in headers.getall(hdrs.AUTHORIZATION, ()))
