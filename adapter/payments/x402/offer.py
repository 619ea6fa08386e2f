"""Offers a charge to x402 clients of both versions at once: version 1 reads the body, version 2 a header."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

from x402.http.utils import encode_payment_required_header
from x402.schemas import PaymentRequired, PaymentRequirements, ResourceInfo
from x402.schemas.v1 import PaymentRequiredV1, PaymentRequirementsV1

from adapter.payments.charge import LONGEST_LIFE_S, UPLOAD_SLACK, Charge
from adapter.payments.rail import Challenge
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.extensions import BAZAAR, PAYMENT_IDENTIFIER, declare_identifier, declare_listing

_SCHEME = "exact"


class Offers:
    """Makes requirements and challenges for charges."""

    def __init__(self, config: X402Config) -> None:
        self._config = config
        self._listings = {operation: declare_listing(listing) for operation, listing in config.listings.items()}
        # Most answers of an unpaid surface are this one, word for word.
        self._write = lru_cache(maxsize=256)(self._write_challenge)

    def require(self, charge: Charge) -> PaymentRequirements:
        """Return what a payment for `charge` has to fulfil, as version 2 says it."""
        network = self._config.network
        return PaymentRequirements(
            scheme=_SCHEME,
            network=network.caip2,
            asset=network.token,
            amount=str(charge.amount),
            pay_to=self._config.pay_to,
            max_timeout_seconds=self._life_s(charge),
            extra={"name": network.token_name, "version": network.token_version},
        )

    def challenge(self, charge: Charge, refusal: tuple[str, str] | None) -> Challenge:
        """Return the header and the body of a 402. `refusal`: (reason, message) of a payment just refused."""
        bare = replace(charge, body=b"", digest=b"")
        return self._write(bare, refusal[0] if refusal else "Payment required")

    def _write_challenge(self, charge: Charge, error: str) -> Challenge:
        extensions: dict[str, Any] = {PAYMENT_IDENTIFIER: declare_identifier()}
        if listing := self._listings.get(charge.operation):
            extensions[BAZAAR] = listing
        header = PaymentRequired(
            error=error,
            resource=ResourceInfo(
                url=charge.resource,
                description=charge.description,
                mime_type=charge.content_type,
                service_name=self._config.service_name or None,
                tags=list(self._config.service_tags) or None,
            ),
            accepts=[self.require(charge)],
            extensions=extensions,
        )
        body = PaymentRequiredV1(error=error, accepts=[self._require_v1(charge)])
        return Challenge(
            headers=(("PAYMENT-REQUIRED", encode_payment_required_header(header)),),
            body=body.model_dump_json(by_alias=True, exclude_none=True).encode(),
            content_type="application/json",
        )

    def _require_v1(self, charge: Charge) -> PaymentRequirementsV1:
        network = self._config.network
        return PaymentRequirementsV1(
            scheme=_SCHEME,
            network=network.name,
            max_amount_required=str(charge.amount),
            resource=charge.resource,
            description=charge.description,
            mime_type=charge.content_type,
            pay_to=self._config.pay_to,
            max_timeout_seconds=self._life_s(charge),
            asset=network.token,
            extra={"name": network.token_name, "version": network.token_version},
        )

    def _life_s(self, charge: Charge) -> int:
        asked_s = self._config.validity_s + math.ceil(UPLOAD_SLACK * charge.work_s)
        return max(self._config.validity_s, min(asked_s, LONGEST_LIFE_S))
