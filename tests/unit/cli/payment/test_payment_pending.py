from pathlib import Path

import pytest

from cli.payment.offer import PayError
from cli.payment.pending import Pending

HEADERS = {"PAYMENT-SIGNATURE": "abc"}


def test_a_payment_is_kept_for_its_own_request_and_its_owner_alone(tmp_path: Path) -> None:
    pending = Pending(tmp_path / "new" / "out.png", "https://example.org/x", b"photo")
    assert pending.load() is None
    pending.save(HEADERS)
    assert pending.path.stat().st_mode & 0o777 == 0o600
    assert Pending(tmp_path / "new" / "out.png", "https://example.org/x", b"photo").load() == HEADERS
    assert Pending(tmp_path / "new" / "out.png", "https://example.org/x", b"other").load() is None
    assert Pending(tmp_path / "new" / "out.png", "https://example.org/y", b"photo").load() is None
    pending.remove()
    assert pending.load() is None
    pending.remove()


def test_a_payment_is_never_written_over_another(tmp_path: Path) -> None:
    pending = Pending(tmp_path / "out.png", "https://example.org/x", b"photo")
    pending.save(HEADERS)
    with pytest.raises(PayError, match="so nothing was paid: File exists"):
        pending.save({"PAYMENT-SIGNATURE": "other"})
    assert pending.load() == HEADERS


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_a_damaged_file_stops_the_payment(text: str, tmp_path: Path) -> None:
    pending = Pending(tmp_path / "out.png", "https://example.org/x", b"photo")
    pending.path.write_bytes(text.encode("latin-1"))
    with pytest.raises(PayError, match="holds a payment that may have been made"):
        pending.load()
