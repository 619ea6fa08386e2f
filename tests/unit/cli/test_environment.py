from pathlib import Path

from cli.environment import for_adapter, for_others, for_server, paid_on_devnet

SHARED = {"PATH": "/bin", "CLEARCANVAS_DATA": "data", "CLEARCANVAS_MODEL": "isnet", "CLEARCANVAS_HOSTS": "{}"}
MONEY = {
    "CLEARCANVAS_X402_KEY": "0x1",
    "CLEARCANVAS_X402_KEY_FILE": "/key",
    "CLEARCANVAS_X402_RPC_URL": "https://node/with-a-key",
    "CLEARCANVAS_MPP_SECRET": "s",
    "CLEARCANVAS_MPP_SECRET_FILE": "/secret",
    "CLEARCANVAS_LEDGER": "postgresql+psycopg://user:password@host/ledger",
    "CLEARCANVAS_RESULTS": "s3://bucket",
    "CLEARCANVAS_KEYS": "postgresql+psycopg://user:password@host/keys",
    "CLEARCANVAS_RATE_LIMIT_STORAGE": "redis://:password@host",
}
JOBS = {
    "CLEARCANVAS_JOBS": "postgresql+psycopg://user:password@host/jobs",
    "CLEARCANVAS_STORE": "az://container?key=password",
    "CLOUDINARY_URL": "cloudinary://key:secret@name",
}
CLOUD = {"AWS_SECRET_ACCESS_KEY": "a", "GOOGLE_APPLICATION_CREDENTIALS": "/file", "AZURE_STORAGE_ACCOUNT_KEY": "b"}
WALLET = {"CLEARCANVAS_WALLET": "0x2", "CLEARCANVAS_WALLET_FILE": "/wallet"}


def test_money_is_for_the_adapter_alone_and_the_wallet_for_nobody() -> None:
    assert for_adapter(SHARED | MONEY | WALLET) == SHARED | MONEY
    assert for_server(SHARED | MONEY | WALLET) == SHARED
    assert for_others(SHARED | MONEY | WALLET) == SHARED


def test_jobs_are_for_the_server_alone_and_keys_of_stores_for_who_has_one() -> None:
    told = SHARED | JOBS | CLOUD
    assert for_server(told) == told
    assert for_adapter(told) == SHARED | CLOUD
    assert for_others(told) == SHARED


def test_what_is_named_as_a_secret_is_kept_from_the_others_though_it_is_not_known() -> None:
    assert for_others(SHARED | {"CLEARCANVAS_API_KEYS": "a", "CLEARCANVAS_WEBHOOK_SECRET": "b"}) == SHARED


def test_a_devnet_replaces_the_rails_and_the_ledger_that_were_configured(tmp_path: Path) -> None:
    file = tmp_path / "devnet.env"
    file.write_text("CLEARCANVAS_X402_NETWORK=base-sepolia\nCLEARCANVAS_MPP_SECRET=a$b#c\n")
    told = paid_on_devnet(SHARED | MONEY | {"CLEARCANVAS_X402_FACILITATOR_URL": "https://example.org"}, file)
    assert told == SHARED | {
        "CLEARCANVAS_KEYS": MONEY["CLEARCANVAS_KEYS"],
        "CLEARCANVAS_RATE_LIMIT_STORAGE": MONEY["CLEARCANVAS_RATE_LIMIT_STORAGE"],
        "CLEARCANVAS_X402_NETWORK": "base-sepolia",
        "CLEARCANVAS_MPP_SECRET": "a$b#c",
    }
