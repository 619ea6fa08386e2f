import json
from pathlib import Path

from dotenv import dotenv_values

from devnet.files import ChainFacts, Files

BASE = ChainFacts("http://127.0.0.1:1", 84532, "0xusdc", "0xbasekey", "0xpayer", "0xrecipient")
TEMPO = ChainFacts("http://127.0.0.1:2", 42431, "0xpathusd", "0xtempokey", "0xpayer", "0xother")


def test_payers_and_the_adapter_are_told_and_the_files_go_with_the_chains(tmp_path: Path) -> None:
    with Files(tmp_path / "data") as files:
        assert not files.json.exists()
        files.write(BASE, TEMPO, "0xfacilitator")
        found = json.loads(files.json.read_text())
        assert found["base"] == {
            "rpc_url": "http://127.0.0.1:1",
            "chain_id": 84532,
            "token": "0xusdc",
            "payer_key": "0xbasekey",
            "payer": "0xpayer",
            "recipient": "0xrecipient",
        }
        assert found["tempo"]["rpc_url"] == "http://127.0.0.1:2"
        told = dotenv_values(files.env)
        assert told["CLEARCANVAS_X402_KEY"] == "0xfacilitator"
        assert told["CLEARCANVAS_MPP_RECIPIENT"] == "0xother"
        assert "0xbasekey" not in told.values()
        assert files.env.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "data").iterdir()) == []


def test_each_run_has_its_own_secret(tmp_path: Path) -> None:
    secrets = set()
    for _ in range(2):
        with Files(tmp_path) as files:
            files.write(BASE, TEMPO, "0xfacilitator")
            secret = dotenv_values(files.env)["CLEARCANVAS_MPP_SECRET"]
            assert secret is not None
            assert len(secret) >= 32
            secrets.add(secret)
    assert len(secrets) == 2


def test_what_a_killed_run_left_is_gone_before_the_next_is_ready(tmp_path: Path) -> None:
    (tmp_path / "devnet.json").write_text("{}")
    (tmp_path / "devnet.env").write_text("")
    with Files(tmp_path):
        assert list(tmp_path.iterdir()) == []
