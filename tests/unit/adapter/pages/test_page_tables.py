"""The guides to paying and to the REST endpoints tell what the code does: every row, and every example."""

import json
import re
from typing import Any

import pytest

from adapter.errors import InvalidFieldsError
from adapter.middleware.errors import describe
from adapter.middleware.shapes import to_message_body
from adapter.operations import OPERATIONS, PAID, read_order
from adapter.pages import tables
from adapter.pages.catalog import DOCUMENTS
from adapter.pages.languages import LANGUAGES
from adapter.payments.charge import Charge
from adapter.payments.mpp.config import MppConfig
from adapter.payments.mpp.terms import Terms
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.networks import NETWORKS
from adapter.payments.x402.offer import Offers
from adapter.sale.settings import PRICES
from adapter.uploads.form import Form
from cli.keys import NAMES
from tests.unit.adapter.pages.conftest import build_site

ENGLISH = LANGUAGES["en"]
RECIPIENT = "0x" + "00" * 20
CHARGE = Charge(PAID.name, f"https://x402.clearcanvas.app{PAID.path}", 50_000, PAID.summary)


def read_json(slug: str) -> list[Any]:
    """The JSON that a guide shows, where both rails are offered."""
    page = next(page for page in DOCUMENTS if page.slug == slug)
    text = build_site("x402", "mpp").markdown(page, ENGLISH, ("x402", "mpp"))
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_row_is_explained_in_every_language_and_nothing_else(code: str) -> None:
    words = build_site().words[code]["pays"]
    own = [field for operation in OPERATIONS for field in tables.list_own(operation)]
    fields = {field.key for field in (*tables.COMMON, *tables.SHADOWS, *own)}
    assert set(words["options"]) == (fields if code != "en" else set())
    assert set(words["body"]) == {row.name for row in tables.BODY_REFUSALS}
    assert set(words["form"]) == {row.name for row in tables.FORM_REFUSALS}
    assert set(words["operations"]) == set(PRICES)
    assert set(words["labels"]) == set(build_site().words["en"]["pays"]["labels"])


def test_every_field_of_an_operation_is_in_one_table_of_its_guide() -> None:
    for operation in OPERATIONS:
        own = [field.name for field in tables.list_own(operation)]
        shared = [field.name for field in (*tables.SHADOWS, *tables.COMMON)]
        assert {option.name for option in operation.options} <= {*own, *shared}
        assert not {*own} & {field.name for field in tables.COMMON}


def test_the_operations_of_a_key_are_those_that_the_command_knows() -> None:
    assert tables.KEY_OPERATIONS == NAMES


def test_the_shown_offer_of_x402_is_the_one_that_is_made() -> None:
    config = X402Config(network=NETWORKS["base"], pay_to=RECIPIENT, rpc_url="http://node", key="1" * 64)
    made = json.loads(Offers(config).challenge(CHARGE, None).body)
    shown = read_json("x402")[0]
    assert shown["accepts"][0].pop("payTo") == "0x…"
    assert made["accepts"][0].pop("payTo") == RECIPIENT
    assert shown == made


async def test_the_shown_challenge_of_mpp_is_the_one_that_is_made() -> None:
    config = MppConfig(network="tempo", recipient=RECIPIENT, rpc_url="http://node", secret="s" * 32)
    made = dict((await Terms(config).issue(CHARGE)).request)
    assert read_json("mpp")[0] == {**made, "recipient": "0x…"}


def test_the_shown_answer_to_a_wrong_field_is_the_one_that_is_given() -> None:
    blur = next(operation for operation in OPERATIONS if operation.name == "blur")
    with pytest.raises(InvalidFieldsError) as refused:
        read_order(blur, Form({"image": b"picture"}, {"radius": "1000"}), "")
    assert to_message_body(describe(refused.value)).text == json.dumps(read_json("rest")[0])
