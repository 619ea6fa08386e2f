from decimal import Decimal
from pathlib import Path

import pytest

from cli.pay import MAX_IMAGE_BYTES, approval, parse_dollars, read_order, write_whole
from cli.payment.offer import NETWORKS, Offer, PayError

URL = "https://example.org/v1/remove-background"
PNG = b"\x89PNG\r\n\x1a\n..."


def photo(folder: Path, content: bytes = PNG) -> Path:
    file = folder / "photo"
    file.write_bytes(content)
    return file


def offer(network: str, amount: int = 50_000) -> Offer:
    return Offer(NETWORKS[network], "0x" + "11" * 20, amount, terms=None)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"RIFF....WEBPVP8 ", "image/webp")],
)
def test_the_media_type_is_that_of_the_bytes(content: bytes, media_type: str, tmp_path: Path) -> None:
    order = read_order(URL, photo(tmp_path, content), Path("out.png"))
    assert (order.url, order.content_type, order.body) == (URL, media_type, content)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (URL, f"{URL}?format=webp"),
        (f"{URL}?crop=true", f"{URL}?crop=true&format=webp"),
        (f"{URL}?format=webp", f"{URL}?format=webp"),
    ],
)
def test_a_webp_is_asked_for_by_the_name_of_the_result(url: str, asked: str, tmp_path: Path) -> None:
    assert read_order(url, photo(tmp_path), Path("out.WEBP")).url == asked


@pytest.mark.parametrize(
    ("url", "out", "words"),
    [
        ("ftp://example.org/x", "out.png", "is no address of a service"),
        ("example.org", "out.png", "is no address of a service"),
        ("https://user:secret@example.org/x", "out.png", "is no address of a service"),
        (URL, "out.jpg", "must end in .png or .webp"),
        (URL, "out", "must end in .png or .webp"),
    ],
)
def test_a_wrong_order_is_refused_in_words(url: str, out: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(PayError, match=words):
        read_order(url, photo(tmp_path), Path(out))


def test_a_wrong_photo_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(PayError, match="is no PNG, JPEG or WebP"):
        read_order(URL, photo(tmp_path, b"GIF89a"), Path("out.png"))
    with pytest.raises(PayError, match="cannot be read: No such file"):
        read_order(URL, tmp_path / "missing", Path("out.png"))
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_IMAGE_BYTES + 1)
    with pytest.raises(PayError, match="is larger than 25 MiB"):
        read_order(URL, tmp_path / "large", Path("out.png"))


@pytest.mark.parametrize(("text", "dollars"), [("0.10", "0.10"), ("$2", "2"), ("0", "0")])
def test_dollars_are_read(text: str, dollars: str) -> None:
    assert parse_dollars(text) == Decimal(dollars)


@pytest.mark.parametrize("text", ["", "much", "NaN", "inf", "-1"])
def test_what_is_no_number_of_dollars_is_refused(text: str) -> None:
    with pytest.raises(PayError, match="is no number of dollars"):
        parse_dollars(text)


@pytest.mark.parametrize("network", ["eip155:8453", "eip155:4217"])
def test_real_money_is_spent_only_after_a_yes(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return len(questions) == 1

    approve = approval(Decimal("0.05"), ask=ask)
    approve(offer(network))
    with pytest.raises(PayError, match="not paid"):
        approve(offer(network))
    assert questions == ["Pay $0.05?"] * 2
    shown = capsys.readouterr().out
    assert "$0.05 (50000 units of" in shown
    assert "REAL money" in shown
    assert "recipient  0x1111" in shown
    approval(Decimal("0.05"), ask=None)(offer(network))


@pytest.mark.parametrize("network", ["eip155:84532", "eip155:42431"])
def test_on_a_test_network_nobody_is_asked(network: str) -> None:
    approval(Decimal("0.05"), ask=pytest.fail)(offer(network))


@pytest.mark.parametrize("ask", [None, lambda question: True])
def test_what_is_dearer_than_the_limit_is_refused_even_with_a_yes(ask: None) -> None:
    with pytest.raises(PayError, match=r"\$0.050001 is more than \$0.05; allow it with --max-price"):
        approval(Decimal("0.05"), ask=ask)(offer("eip155:8453", 50_001))


def test_a_result_that_cannot_be_written_leaves_nothing_half(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "out.png", b"picture")
    assert (tmp_path / "new" / "out.png").read_bytes() == b"picture"
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PayError, match="cannot be written"):
        write_whole(tmp_path / "folder.png", b"picture")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "new"]
