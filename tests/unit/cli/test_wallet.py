import json
from pathlib import Path

import pytest

from cli.wallet import WalletError, read_key

KEY = "0x" + "ab" * 32
OTHER = "0x" + "cd" * 32


def test_a_key_is_read_from_a_file_before_the_variables(tmp_path: Path) -> None:
    file, named = tmp_path / "key", tmp_path / "named"
    file.write_text(KEY.removeprefix("0x") + "\n")
    named.write_text(OTHER)
    variables = {"CLEARCANVAS_WALLET_FILE": str(named), "CLEARCANVAS_WALLET": "0x" + "ef" * 32}
    assert read_key(file, "base", variables) == KEY
    assert read_key(None, "base", variables) == OTHER
    assert read_key(None, "base", {"CLEARCANVAS_WALLET": KEY}) == KEY


def test_the_payer_of_a_devnet_is_taken_for_its_chain(tmp_path: Path) -> None:
    file = tmp_path / "devnet.json"
    file.write_text(json.dumps({"base": {"payer_key": KEY}, "tempo": {"payer_key": OTHER}}))
    assert read_key(file, "base", {}) == KEY
    assert read_key(file, "tempo", {}) == OTHER


def test_without_a_wallet_the_error_says_how_to_name_one() -> None:
    with pytest.raises(WalletError, match="--wallet or CLEARCANVAS_WALLET_FILE"):
        read_key(None, "base", {})


@pytest.mark.parametrize("text", ["0xabab", "zz" * 32, "", '{"base": {}}', "ab" * 32 + " " + "cd" * 32, "[]"])
def test_what_is_no_key_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(WalletError, match="holds no private key") as caught:
        read_key(file, "base", {})
    assert not text or text not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match=r"missing cannot be read \(FileNotFoundError\)"):
        read_key(tmp_path / "missing", "base", {})
