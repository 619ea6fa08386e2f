"""`clearcanvas pay` over x402 against a service of our own, so that it can refuse, lose answers and come back."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.pay import pay

app = typer.Typer()
app.command()(pay)

KEY = "0x" + "5e" * 32
PHOTO = b"\x89PNG\r\n\x1a\n a photo"
RECIPIENT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
TRANSACTION = "0x" + "ab" * 32
BASE = ("eip155:8453", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USD Coin")
SEPOLIA = ("eip155:84532", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC")
CREDENTIAL = "PAYMENT-SIGNATURE"


@dataclass(frozen=True)
class Reply:
    """One answer; status 0 hangs up instead."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, message: str, **headers: str) -> Reply:
    return Reply(status, json.dumps({"error": "code", "message": message}).encode(), headers)


def encode(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


PICTURE = Reply(
    200,
    b"the picture",
    {"PAYMENT-RESPONSE": encode({"success": True, "transaction": TRANSACTION, "network": SEPOLIA[0]})},
)


def asks(network: tuple[str, str, str] = SEPOLIA, amount: str = "50000", error: str = "Payment required") -> Reply:
    caip2, token, name = network
    entry = {
        "scheme": "exact",
        "network": caip2,
        "asset": token,
        "amount": amount,
        "payTo": RECIPIENT,
        "maxTimeoutSeconds": 180,
        "extra": {"name": name, "version": "2"},
    }
    resource = {"url": "https://example.org/x", "description": "one picture", "mimeType": "image/png"}
    required = {"x402Version": 2, "error": error, "resource": resource, "accepts": [entry]}
    return Reply(
        402,
        json.dumps({"x402Version": 1, "error": error, "accepts": []}).encode(),
        {"PAYMENT-REQUIRED": encode(required)},
    )


class Service:
    """Asks `unpaid` of requests without a payment, and answers those with one from `paid`, the last for ever."""

    def __init__(self) -> None:
        self.unpaid = asks()
        self.paid = [PICTURE]
        self.asked = 0
        self.credentials: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.rfile.read(int(self.headers["Content-Length"])) == PHOTO
                assert self.headers["Content-Type"] == "image/png"
                reply = service.reply(self.headers.get(CREDENTIAL))
                if reply.status == 0:
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/remove-background"

    def reply(self, credential: str | None) -> Reply:
        if credential is None:
            self.asked += 1
            return self.unpaid
        self.credentials.append(credential)
        return self.paid[min(len(self.credentials), len(self.paid)) - 1]


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    thread = threading.Thread(target=service.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield service
    service.server.shutdown()
    service.server.server_close()
    thread.join()


Run = Callable[..., Result]


@pytest.fixture
def run(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Pays for a photo from a wallet in a variable; what it says never holds the key or a credential."""
    monkeypatch.setenv("CLEARCANVAS_WALLET", KEY)
    monkeypatch.setenv("CLEARCANVAS_DATA", str(tmp_path / "data"))
    (tmp_path / "photo").write_bytes(PHOTO)

    def invoke(*options: str, answer: str = "", url: str = service.url) -> Result:
        command = [url, str(tmp_path / "photo"), "-o", str(tmp_path / "out.png"), *options]
        result = CliRunner().invoke(app, command, input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        for secret in (KEY.removeprefix("0x"), *service.credentials):
            assert secret not in result.output
        return result

    return invoke


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "photo")


def test_the_price_is_shown_the_payment_made_and_the_receipt_printed(
    service: Service, run: Run, tmp_path: Path
) -> None:
    result = run()
    assert result.exit_code == 0
    assert "price      $0.05 (50000 units of USDC)" in result.output
    assert f"recipient  {RECIPIENT}" in result.output
    assert f"receipt    {TRANSACTION}" in result.output
    assert (tmp_path / "out.png").read_bytes() == b"the picture"
    assert left(tmp_path) == ["out.png"]
    assert (service.asked, len(service.credentials)) == (1, 1)


@pytest.mark.parametrize(
    "trouble",
    [refusal(503, "busy", Retry_After="1"), refusal(500, "processing failed"), refusal(429, "slow down"), Reply(0)],
    ids=["503", "500", "429", "lost"],
)
def test_the_same_payment_is_sent_again_never_a_new_one(
    trouble: Reply, service: Service, run: Run, tmp_path: Path
) -> None:
    service.paid = [trouble, trouble, PICTURE]
    result = run()
    assert result.exit_code == 0
    assert result.output.count("sending the same payment again in 1 s") == 2
    assert service.asked == 1
    assert len(service.credentials) == 3
    assert len(set(service.credentials)) == 1
    assert left(tmp_path) == ["out.png"]


def test_a_payment_without_an_answer_is_gone_on_with_by_the_next_run(
    service: Service, run: Run, tmp_path: Path
) -> None:
    service.paid = [refusal(503, "outcome unknown", Retry_After="60")]
    result = run("--timeout", "1")
    assert result.exit_code == 1
    assert "outcome unknown. Whether it was paid is not known: the same command goes on with" in result.output
    assert len(left(tmp_path)) == 1
    service.paid = [PICTURE]
    result = run()
    assert result.exit_code == 0
    assert "going on with the payment" in result.output
    assert service.asked == 1
    assert len(set(service.credentials)) == 1
    assert left(tmp_path) == ["out.png"]


def test_a_result_that_cannot_be_written_is_fetched_again_without_paying(
    service: Service, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "out.png").mkdir()
    assert "cannot be written" in run().output
    (tmp_path / "out.png").rmdir()
    assert run().exit_code == 0
    assert service.asked == 1
    assert len(set(service.credentials)) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (asks(error="insufficient_funds"), "answered 402: insufficient_funds"),
        (refusal(403, "The payment was spent elsewhere."), "answered 403: The payment was spent elsewhere."),
        (refusal(409, "first came with another request"), "answered 409: first came with another request"),
        (refusal(410, "no longer kept"), "answered 410: no longer kept"),
    ],
    ids=["402", "403", "409", "410"],
)
def test_a_payment_that_is_refused_for_good_is_told_and_not_repeated(
    reply: Reply, words: str, service: Service, run: Run, tmp_path: Path
) -> None:
    service.paid = [reply]
    result = run()
    assert result.exit_code == 1
    assert words in result.output
    assert len(service.credentials) == 1
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refusal(400, "not an image"), "answered 400: not an image; nothing was paid"),
        (refusal(401, "no payment is offered here"), "answered 401: no payment is offered here; nothing was paid"),
        (refusal(413, "over 25 MB"), "answered 413: over 25 MB; nothing was paid"),
        (refusal(429, "30 a minute"), "answered 429: 30 a minute; nothing was paid"),
        (Reply(302, b"<html>", {"Location": "https://example.org"}), "answered 302; nothing was paid"),
        (Reply(0), "does not answer (RemoteProtocolError); nothing was paid"),
        (Reply(402, b"{}"), "the service does not offer x402"),
        (asks(("eip155:1", "0x" + "22" * 20, "Other")), "but no token"),
        (asks(amount="100001"), "$0.100001 is more than $0.10"),
    ],
    ids=["400", "401", "413", "429", "302", "silent", "no x402", "other money", "dear"],
)
def test_without_an_offer_that_fits_nothing_is_signed(
    reply: Reply, words: str, service: Service, run: Run, tmp_path: Path
) -> None:
    service.unpaid = reply
    result = run()
    assert result.exit_code == 1
    assert words in result.output
    assert service.credentials == []
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "answer", "paid"),
    [((), "y\n", 1), ((), "n\n", 0), ((), "", 0), (("--yes",), "", 1)],
    ids=["yes", "no", "no terminal", "--yes"],
)
def test_real_money_is_spent_only_when_its_owner_says_so(
    options: tuple[str, ...], answer: str, paid: int, service: Service, run: Run
) -> None:
    service.unpaid = asks(BASE)
    result = run(*options, answer=answer)
    assert len(service.credentials) == paid
    assert result.exit_code == (0 if paid else 1)
    assert "REAL money" in result.output


def test_mpp_is_said_not_to_be_offered(service: Service, run: Run) -> None:
    result = run("--rail", "mpp")
    assert "error: the service does not offer MPP on Tempo" in result.output
    assert service.credentials == []


def test_what_is_free_is_taken(service: Service, run: Run, tmp_path: Path) -> None:
    service.unpaid = Reply(200, b"free")
    assert "receipt    none" in run().output
    assert (tmp_path / "out.png").read_bytes() == b"free"
