"""Certificates for tests, of an authority that lives as long as the test."""

from datetime import datetime
from pathlib import Path

import trustme

from transport.tls import Tls

SERVER = "server"


def write_certificate(
    folder: Path, authority: trustme.CA, *names: str, believed: trustme.CA | None = None, until: datetime | None = None
) -> Tls:
    """A certificate of those names by `authority`; its owner believes `believed`, by default the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    made = authority.issue_cert(*names, not_after=until)
    files = Tls(folder / "cert.pem", folder / "key.pem", folder / "ca.pem", SERVER)
    files.cert.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    files.key.write_bytes(made.private_key_pem.bytes())
    (believed or authority).cert_pem.write_to_path(files.ca)
    return files


def tls_settings(files: Tls) -> dict[str, str]:
    """The settings that tell a program of them, in lower case without the prefix."""
    return {"tls_cert": str(files.cert), "tls_key": str(files.key), "tls_ca": str(files.ca)}
