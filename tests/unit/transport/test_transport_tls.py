"""Certificates that cannot work are refused when a program starts, and not at the first call."""

from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from tests.support.certificates import write_certificate
from transport.settings import TlsSettings
from transport.tls import CertificateError, Tls


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return write_certificate(tmp_path_factory.mktemp("tls"), trustme.CA(), "adapter")


def test_good_files_make_credentials_of_both_kinds(tls: Tls) -> None:
    assert tls.channel_credentials()
    assert tls.server_credentials()


def test_another_key_is_refused_by_name(tls: Tls, tmp_path: Path) -> None:
    other = write_certificate(tmp_path, trustme.CA(), "adapter")
    with pytest.raises(CertificateError, match="do not belong together") as refused:
        Tls(tls.cert, other.key, tls.ca, "server").channel_credentials()
    assert str(other.key) in str(refused.value)


def test_what_is_no_certificate_is_refused(tls: Tls, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(CertificateError, match="no PEM"):
        Tls(tls.cert, tls.key, tmp_path / "ca.pem", "server").server_credentials()


def test_a_file_that_is_not_there_is_refused(tls: Tls, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="cannot read"):
        Tls(tmp_path / "missing.pem", tls.key, tls.ca, "server").channel_credentials()


def test_settings_have_all_three_or_none(tls: Tls) -> None:
    assert TlsSettings().tls is None
    given = TlsSettings(tls_cert=tls.cert, tls_key=tls.key, tls_ca=tls.ca).tls
    assert given == tls
    with pytest.raises(ValidationError, match="belong together"):
        TlsSettings(tls_cert=tls.cert, tls_key=tls.key)
