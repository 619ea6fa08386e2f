"""Signed Tempo transactions: what is read from them, and which are none."""

import pytest
import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from adapter.payments.mpp.transaction import read_transaction
from tests.support.tempo import PATH_USD, TempoTransfer, recovery_id, with_recovery_id

KEY = "0x" + "11" * 32
TRANSFER = TempoTransfer("0x" + "ab" * 20, "0x" + "01" * 32)


def fields_of(signed: str) -> list[bytes | list[bytes]]:
    found: list[bytes | list[bytes]] = rlp.decode(bytes.fromhex(signed[4:]))
    return found


def from_fields(fields: list[bytes | list[bytes]]) -> str:
    return f"0x76{rlp.encode(fields).hex()}"


def test_dates_fee_and_calls_are_read() -> None:
    signed = TRANSFER.sign(
        KEY, valid_before=2_000, valid_after=1_000, gas_limit=300_000, max_fee_per_gas=20_000_000_001, fee_token=None
    )
    transaction = read_transaction(signed)
    assert (transaction.valid_before, transaction.valid_after) == (2_000, 1_000)
    assert transaction.max_fee == 6_001  # Rounded up: 300,000 gas at a little over 20 gwei are $0.006 and a fraction.
    assert transaction.fee_token is None
    assert [to for to, _ in transaction.calls] == [PATH_USD]
    assert transaction.swaps is None
    assert transaction.hash == "0x" + keccak(bytes.fromhex(signed[2:])).hex()


@pytest.mark.case("P3")
def test_recovery_ids_0_and_1_are_read_as_27_and_28() -> None:
    signed = TRANSFER.sign(KEY)
    respelled = with_recovery_id(signed, recovery_id(signed) - 27)
    assert respelled != signed
    assert read_transaction(respelled) == read_transaction(signed)


@pytest.mark.parametrize("value", [2, 29, 35, 36, 255])
def test_other_recovery_ids_are_refused(value: int) -> None:
    """A node takes some of them, and then gives the transaction another hash than that of these bytes."""
    with pytest.raises(ValueError, match="recovery id"):
        read_transaction(with_recovery_id(TRANSFER.sign(KEY), value))


@pytest.mark.parametrize("kind", [3, 4])
def test_so_they_are_inside_an_access_keys_signature(kind: int) -> None:
    fields = fields_of(TRANSFER.sign(KEY))
    inner = fields[-1]
    assert isinstance(inner, bytes)
    account = bytes((kind,)) + b"\x22" * 20
    assert read_transaction(from_fields([*fields[:-1], account + inner])).valid_before
    with pytest.raises(ValueError, match="recovery id"):
        read_transaction(from_fields([*fields[:-1], account + inner[:-1] + b"\x23"]))


def test_a_transaction_that_never_expires_is_refused() -> None:
    with pytest.raises(ValueError, match="validBefore"):
        read_transaction(TRANSFER.sign(KEY, valid_before=None))


def test_a_transaction_whose_fee_another_pays_is_refused() -> None:
    fields = fields_of(TRANSFER.sign(KEY))
    fields[11] = [b"\x01", b"\x02", b"\x03"]  # Recovery id, r and s of the sponsor.
    with pytest.raises(ValueError, match="fee"):
        read_transaction(from_fields(fields))


@pytest.mark.case("P3")
@pytest.mark.parametrize("respelled", ["8101", "b80101", "b9000101"], ids=["short", "long", "longer"])
def test_a_number_in_more_bytes_than_it_needs_is_refused(respelled: str) -> None:
    fields = fields_of(TRANSFER.sign(KEY, max_priority_fee_per_gas=1))
    items = [rlp.encode(field) for field in fields]
    assert items[1] == b"\x01"
    body = b"".join([items[0], bytes.fromhex(respelled), *items[2:]])
    with pytest.raises(ValueError, match="RLP"):
        read_transaction(f"0x76f9{len(body):04x}{body.hex()}")


def test_bytes_after_the_end_and_fields_too_many_are_refused() -> None:
    signed = TRANSFER.sign(KEY)
    with pytest.raises(ValueError, match="RLP"):
        read_transaction(signed + "00")
    with pytest.raises(ValueError, match="fields"):
        read_transaction(from_fields([*fields_of(signed), b"", b""]))


@pytest.mark.parametrize("place", [2, 3, 4, 8, 9, 10])
def test_a_field_of_another_kind_is_refused(place: int) -> None:
    fields = fields_of(TRANSFER.sign(KEY))
    fields[place] = b"\x01" if place == 4 else [b"\x01"]
    with pytest.raises(ValueError, match="fields"):
        read_transaction(from_fields(fields))
