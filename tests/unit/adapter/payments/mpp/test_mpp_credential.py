"""What is a credential, what is none, and under which names a payment is known."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.payments.charge import Charge
from adapter.payments.errors import MalformedPaymentError, RequestMismatchError
from adapter.payments.mpp import MppConfig, MppRail
from adapter.payments.mpp.credential import read_credential
from adapter.payments.payment import Payment
from tests.support.tempo import TempoTransfer, memo_for, pull, push, read_challenge

CHARGE = Charge("remove-background", "https://example.com/v1/remove-background", 50_000, "Remove the background")
RECIPIENT = "0x" + "Ab" * 20
KEY = "0x" + "11" * 32
PAYER = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
HASH = "0x" + "ab" * 32


@pytest_asyncio.fixture(scope="module")
async def rail() -> AsyncIterator[MppRail]:
    """Its node does not exist: nothing here asks one."""
    rail = MppRail(MppConfig("moderato", RECIPIENT, "http://127.0.0.1:9", "s" * 32))
    yield rail
    await rail.close()


async def challenge(rail: MppRail) -> Any:
    return read_challenge(dict((await rail.challenge(CHARGE)).headers)["WWW-Authenticate"])


async def signed(rail: MppRail, **changes: Any) -> str:
    own = await challenge(rail)
    return pull(own, TempoTransfer(RECIPIENT, memo_for(own)).sign(KEY, **changes), f"did:pkh:eip155:42431:{PAYER}")


async def read(rail: MppRail, value: str, *more: tuple[str, str]) -> Payment | None:
    return await rail.parse([("Authorization", value), *more], CHARGE)


def contents(value: str) -> dict[str, Any]:
    token = value.split()[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return found


def encoded(value: object) -> str:
    return "Payment " + base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_pull_is_known_by_its_challenge_and_the_hash_of_what_will_be_broadcast(rail: MppRail) -> None:
    value = await signed(rail)
    payment = await read(rail, value)
    assert payment is not None
    facts = payment.facts
    assert facts.keys[0] == f"mpp:42431:{contents(value)['challenge']['id']}"
    assert facts.keys[1] == f"tempo:42431:{facts.evidence['transaction'][2:]}"
    assert (facts.payer, facts.recipient, facts.amount) == (PAYER, RECIPIENT.lower(), 50_000)
    assert str(facts.expires_at) == facts.evidence["valid_before"]


async def test_push_is_known_by_its_challenge_and_its_hash_and_does_not_expire(rail: MppRail) -> None:
    payment = await read(rail, push(await challenge(rail), HASH))
    assert payment is not None
    assert payment.facts.keys[1] == f"tempo:42431:{HASH[2:]}"
    assert payment.facts.expires_at is None


@pytest.mark.case("P3")
async def test_spellings_of_one_credential_have_the_same_facts(rail: MppRail) -> None:
    value = await signed(rail)
    spaced = encoded(contents(value))  # JSON with spaces and another order than the SDK's.
    capitals = contents(value)
    capitals["payload"]["signature"] = "0X" + capitals["payload"]["signature"][2:].upper()
    spellings = [value, value.replace("Payment", "pAYMENT"), f"  {value}==", spaced, encoded(capitals)]
    facts = [payment.facts for spelling in spellings if (payment := await read(rail, spelling)) is not None]
    assert facts == [facts[0]] * len(spellings)


@pytest.mark.case("P3")
@pytest.mark.parametrize("character", [".", "!", " ", "+", "/", "é"])
async def test_characters_that_the_sdk_would_skip_are_no_spelling(rail: MppRail, character: str) -> None:
    value = await signed(rail)
    with pytest.raises(MalformedPaymentError):
        await read(rail, value[:60] + character + value[60:])


@pytest.mark.parametrize("headers", [[], [("Authorization", "Bearer abc")], [("Authorization", "Paymentx abc")]])
async def test_no_credential_of_this_scheme_is_none(rail: MppRail, headers: list[tuple[str, str]]) -> None:
    assert await rail.parse(headers, CHARGE) is None


@pytest.mark.case("P15")
async def test_two_credentials_are_malformed(rail: MppRail) -> None:
    value = await signed(rail)
    with pytest.raises(MalformedPaymentError) as refused:
        await read(rail, value, ("authorization", value))
    assert refused.value.reason == "duplicate_payment"


@pytest.mark.parametrize(
    "value",
    [
        "Payment",
        "Payment !!!",
        "Payment a,b",
        "Payment " + "A" * 70_000,
        "Payment " + base64.urlsafe_b64encode(b"[" * 40_000).decode(),
        encoded([]),
        encoded({"challenge": {}}),
        encoded({"challenge": {"id": "x", "method": "tempo", "intent": "charge"}, "payload": {}}),
    ],
    ids=["nothing", "alphabet", "two", "long", "deep", "list", "no payload", "foreign id"],
)
async def test_what_cannot_be_read_is_malformed(rail: MppRail, value: str) -> None:
    with pytest.raises(MalformedPaymentError) as refused:
        await read(rail, value)
    assert refused.value.reason == "malformed_credential"


@pytest.mark.parametrize(("name", "value"), [("method", "stripe"), ("intent", "session")])
async def test_another_method_or_intent_is_not_supported(rail: MppRail, name: str, value: str) -> None:
    credential = contents(await signed(rail))
    credential["challenge"][name] = value
    with pytest.raises(MalformedPaymentError) as refused:
        await read(rail, encoded(credential))
    assert refused.value.reason == "method_unsupported"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        "0x76",
        {"type": "proof"},
        {"type": "hash", "hash": "0x1234"},
        {"type": "hash", "hash": "ab" * 32},
        {"type": "hash", "hash": 7},
        {"type": "transaction", "signature": "0x7"},
        {"type": "transaction", "signature": "0x78c0"},
        {"type": "transaction", "signature": "0x02c0"},
        {"type": "transaction", "signature": "0x76c0"},
        {"type": "transaction", "signature": "0x76" + "c1" * 9_000},
        {"type": "transaction", "signature": "0x76" + "f9ffff"},
        {"type": "transaction", "signature": ["0x76"]},
    ],
    ids=str,
)
async def test_a_payload_of_another_form_is_refused(rail: MppRail, payload: object) -> None:
    credential = contents(await signed(rail))
    credential["payload"] = payload
    with pytest.raises(MalformedPaymentError) as refused:
        await read(rail, encoded(credential))
    assert refused.value.reason == "invalid_payload"


@pytest.mark.parametrize("source", ["0x" + "ab" * 20, "did:pkh:solana:x", "did:pkh:eip155:1:0x12"])
async def test_a_source_that_names_no_account_is_refused(rail: MppRail, source: str) -> None:
    credential = contents(await signed(rail)) | {"source": source}
    with pytest.raises(MalformedPaymentError) as refused:
        await read(rail, encoded(credential))
    assert refused.value.reason == "invalid_payload"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


_MODEL = {
    "challenge": {"id": "A" * 43, "method": "tempo", "intent": "charge", "request": "e30", "realm": "r"},
    "payload": {"type": "transaction", "signature": TempoTransfer(RECIPIENT, "0x" + "01" * 32).sign(KEY)},
    "source": f"did:pkh:eip155:42431:{PAYER}",
}
_PLACES = [(part, name) for part, inner in _MODEL.items() for name in (inner if isinstance(inner, dict) else [""])]


def test_the_model_of_these_two_tests_can_be_read() -> None:
    assert read_credential([("Authorization", encoded(_MODEL))]) is not None


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(_PLACES), _JSON)
def test_no_value_anywhere_is_more_than_malformed(place: tuple[str, str], value: object) -> None:
    part, name = place
    model: Any = _MODEL
    bent = {**model, part: {**model[part], name: value} if name else value}
    with suppress(MalformedPaymentError):
        assert read_credential([("Authorization", encoded(bent))]) is not None


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60))
def test_no_header_is_more_than_malformed(text: str) -> None:
    with pytest.raises(MalformedPaymentError):
        read_credential([("Authorization", f"Payment {text}")])


async def test_the_payers_own_name_for_the_request_is_kept(rail: MppRail) -> None:
    payment = await read(rail, await signed(rail), ("idempotency-key", "order 7".replace(" ", "-")))
    assert payment is not None
    assert payment.facts.idempotency_key == "order-7"


@pytest.mark.parametrize("keys", [[""], ["two words"], ["a" * 256], ["é"], ["a", "a"]], ids=str)
async def test_an_unusable_name_is_a_mismatch_and_no_reason_to_pay_again(rail: MppRail, keys: list[str]) -> None:
    with pytest.raises(RequestMismatchError):
        await read(rail, await signed(rail), *(("Idempotency-Key", key) for key in keys))


async def test_a_credential_does_not_show_itself(rail: MppRail) -> None:
    value = await signed(rail)
    payment = await read(rail, value)
    assert contents(value)["payload"]["signature"][2:60] not in repr(payment) + repr(getattr(payment, "credential", ""))
