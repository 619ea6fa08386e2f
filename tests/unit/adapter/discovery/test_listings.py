"""What directories of x402 are told is what their own code takes: the checks are those of the official SDK."""

import pytest
from x402.extensions.bazaar import validate_discovery_extension
from x402.extensions.bazaar.facilitator import _is_valid_service_name, _sanitize_tags
from x402.extensions.bazaar.types import parse_discovery_extension

from adapter.discovery.listings import LISTINGS, SERVICE_NAME, SERVICE_TAGS
from adapter.payments.x402.extensions import declare_listing
from adapter.sale.settings import PRICES


def test_everything_with_a_price_is_listed() -> None:
    assert set(LISTINGS) == set(PRICES)


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_is_taken(name: str) -> None:
    result = validate_discovery_extension(parse_discovery_extension(declare_listing(LISTINGS[name])))
    assert result.valid, result.errors


def test_the_service_is_named_as_directories_allow() -> None:
    assert _is_valid_service_name(SERVICE_NAME)
    assert _sanitize_tags(list(SERVICE_TAGS)) == list(SERVICE_TAGS)
