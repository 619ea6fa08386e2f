"""Challenges: what they ask, and that nobody else's, and no bent one, is taken for ours."""

from dataclasses import replace
from typing import Any

import mpp
import pytest

from adapter.payments.charge import Charge
from adapter.payments.errors import PaymentRequiredError
from adapter.payments.mpp.config import MppConfig
from adapter.payments.mpp.credential import MppCredential
from adapter.payments.mpp.terms import Terms, expiry, write_header

CHARGE = Charge("remove-background", "https://x/v1/remove-background", 50_000, "Remove a background", body=b"picture")
CONFIG = MppConfig("tempo", "0x" + "Ab" * 20, "http://127.0.0.1:9", "s" * 32)


def answer(challenge: mpp.Challenge) -> MppCredential:
    """A credential that echoes `challenge`, as it comes over the wire."""
    header = challenge.to_www_authenticate(challenge.realm)
    echo = mpp.Challenge.from_www_authenticate(header).to_echo()
    return MppCredential(mpp.Credential(echo, {}), echo.id, "0x" + "ab" * 32, None, "")


async def test_a_challenge_asks_for_the_price_in_path_usd_on_our_network() -> None:
    challenge = await Terms(CONFIG).issue(CHARGE)
    assert challenge.request == {
        "amount": "50000",
        "currency": "0x20c0000000000000000000000000000000000000",
        "recipient": CONFIG.recipient,
        "methodDetails": {"chainId": 4217},
    }
    assert (challenge.method, challenge.intent, challenge.realm) == ("tempo", "charge", "clearcanvas")
    assert challenge.digest == mpp.BodyDigest.compute(b"picture")
    assert challenge.description == "Remove a background"


async def test_a_challenge_comes_back_and_is_known() -> None:
    terms = Terms(CONFIG)
    challenge = await terms.issue(CHARGE)
    known = Terms(CONFIG).recognise(answer(challenge))
    assert known.id == challenge.id
    assert expiry(known) == expiry(challenge)
    await terms.match(known, CHARGE)


@pytest.mark.parametrize("body", [b"", b"picture"])
@pytest.mark.parametrize("text", ["Remove a background", 'Quitar "fondos" \\ año 🖼', ""])
@pytest.mark.parametrize("realm", ["clearcanvas", 'a "realm"'])
async def test_the_header_is_what_the_sdk_would_write(body: bytes, text: str, realm: str) -> None:
    terms = Terms(replace(CONFIG, realm=realm))
    challenge = await terms.issue(replace(CHARGE, body=body, description=text))
    assert write_header(challenge) == challenge.to_www_authenticate(realm)


async def test_equal_charges_get_different_challenges() -> None:
    terms = Terms(CONFIG)
    assert (await terms.issue(CHARGE)).id != (await terms.issue(CHARGE)).id


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    "changes",
    [
        {"request": "eyJhbW91bnQiOiIxIn0"},
        {"expires": "2999-01-01T00:00:00Z"},
        {"digest": "sha-256=xyz"},
        {"digest": None},
        {"opaque": None},
        {"opaque": "W10"},
        {"opaque": "!"},
        {"request": ""},
        {"request": "eyJhIjoxZTk5OX0"},
        {"realm": "elsewhere"},
        {"id": "A" * 43},
        {"header": "Payment-Authorization"},
    ],
    ids=str,
)
async def test_a_bent_challenge_is_not_ours(changes: dict[str, Any]) -> None:
    credential = answer(await Terms(CONFIG).issue(CHARGE))
    bent = replace(credential.echo, challenge=replace(credential.echo.challenge, **changes))
    with pytest.raises(PaymentRequiredError) as refused:
        Terms(CONFIG).recognise(replace(credential, echo=bent))
    assert refused.value.reason == "invalid_challenge"


async def test_another_secret_or_realm_makes_another_challenge() -> None:
    credential = answer(await Terms(CONFIG).issue(CHARGE))
    for other in (replace(CONFIG, secret="t" * 32), replace(CONFIG, realm="other")):
        with pytest.raises(PaymentRequiredError):
            Terms(other).recognise(credential)


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    "other",
    [
        replace(CHARGE, amount=50_001),
        replace(CHARGE, operation="blur"),
        replace(CHARGE, body=b"another"),
        replace(CHARGE, body=b"x" * (2 << 20)),
    ],
    ids=["price", "operation", "body", "large body"],
)
async def test_a_challenge_for_one_charge_matches_no_other(other: Charge) -> None:
    terms = Terms(CONFIG)
    with pytest.raises(PaymentRequiredError):
        await terms.match(await terms.issue(CHARGE), other)
    await terms.match(await terms.issue(other), other)


async def test_a_challenge_asked_for_without_a_body_matches_any() -> None:
    terms = Terms(CONFIG)
    await terms.match(await terms.issue(replace(CHARGE, body=b"")), CHARGE)
