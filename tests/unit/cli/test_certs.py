"""`clearcanvas certs` makes what the programs believe, for nobody else to read, and never over something."""

from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from cli.certs import app
from transport.tls import Tls

runner = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs") / "made"
    assert runner.invoke(app, [str(folder), "--server", "server.example", "--caller", "front"]).exit_code == 0
    return folder


def names(file: Path) -> list[str]:
    extension = x509.load_pem_x509_certificate(file.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return extension.value.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("server", ["server", "localhost", "server.example"]),
        ("adapter", ["adapter"]),
        ("operator", ["operator"]),
        ("front", ["front"]),
    ],
)
def test_each_program_has_a_certificate_of_its_name(folder: Path, program: str, expected: list[str]) -> None:
    assert names(folder / program / "cert.pem") == expected
    tls = Tls(folder / program / "cert.pem", folder / program / "key.pem", folder / "ca.pem", "server")
    assert tls.channel_credentials()
    assert tls.server_credentials()


def test_only_their_owner_reads_them_and_the_authority_s_key_is_not_there(folder: Path) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) == 9
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert all(place.stat().st_mode & 0o777 == 0o700 for place in (folder, folder / "server"))


def test_nothing_is_made_over_something(folder: Path) -> None:
    before = (folder / "ca.pem").read_bytes()
    result = runner.invoke(app, [str(folder)])
    assert result.exit_code == 2
    assert "not empty" in " ".join(result.output.replace("│", " ").split())  # Its box breaks lines where the path ends.
    assert (folder / "ca.pem").read_bytes() == before


def test_what_is_printed_is_a_file_of_settings(tmp_path: Path) -> None:
    result = runner.invoke(app, [str(tmp_path)])
    lines = [line.split("=") for line in result.output.splitlines() if not line.startswith("#")]
    assert {name for name, _ in lines} == {f"CLEARCANVAS_TLS_{word}" for word in ("CERT", "KEY", "CA")}
    assert all(Path(file).is_absolute() and Path(file).is_file() for _, file in lines)
