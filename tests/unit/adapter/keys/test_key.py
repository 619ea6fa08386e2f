"""What a key is: a secret of 256 random bits, and the month that its quota is for."""

from datetime import UTC, datetime

import pytest

from adapter.keys.key import Key, Month, Usage, digest_secret, draw_secret, is_secret, month_of, sort_operations


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {draw_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(is_secret(secret) and len(secret) == 3 + 43 for secret in secrets)  # 43 × 6 bits are 256 and a bit.
    assert len({digest_secret(secret) for secret in secrets}) == 100


@pytest.mark.parametrize("text", ["", "cc_", "cc_" + "a" * 42, "cc_" + "a" * 44, "CC_" + "a" * 43, "cc_" + "ä" * 43])
def test_what_cannot_be_a_secret_is_not_looked_for(text: str) -> None:
    assert not is_secret(text)


@pytest.mark.parametrize(
    ("moment", "name", "start", "end"),
    [
        ("2026-11-21T17:00:00+00:00", "2026-11", "2026-11-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00"),
        ("2026-12-31T23:59:59+00:00", "2026-12", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T00:30:00+01:00", "2026-12", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2028-02-29T12:00:00+00:00", "2028-02", "2028-02-01T00:00:00+00:00", "2028-03-01T00:00:00+00:00"),
    ],
)
def test_months_begin_and_end_by_utc(moment: str, name: str, start: str, end: str) -> None:
    month = month_of(datetime.fromisoformat(moment).timestamp())
    assert (month.name, month.start.isoformat(), month.end.isoformat()) == (name, start, end)


def test_no_operations_are_all_operations() -> None:
    assert sort_operations(()) is None
    assert sort_operations(["matte", "blur", "matte"]) == ("blur", "matte")


@pytest.mark.parametrize(("operations", "allowed"), [(None, True), (("blur",), False), (("blur", "matte"), True)])
def test_a_key_is_for_its_operations(operations: tuple[str, ...] | None, allowed: bool) -> None:  # noqa: FBT001
    assert Key("1", "a", operations, 60, None, 0.0).allows("matte") is allowed


@pytest.mark.parametrize(("monthly", "used", "remaining"), [(None, 5, None), (10, 4, 6), (10, 10, 0), (10, 11, 0)])
def test_what_remains_of_a_month(monthly: int | None, used: int, remaining: int | None) -> None:
    month = Month("2026-11", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert Usage(Key("1", "a", None, 60, monthly, 0.0), month, used).remaining == remaining
