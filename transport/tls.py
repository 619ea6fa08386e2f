"""Certificates on both sides: who a program says it is, and whom it believes."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc


class CertificateError(Exception):
    """The certificates cannot be used; the message is a sentence for the operator."""


@dataclass(frozen=True)
class Tls:
    """The files of one program, and the name that a server's certificate must bear."""

    cert: Path
    """Its own certificate, with those between it and the authority, as PEM."""
    key: Path
    ca: Path
    """The authority whose certificates are believed: of servers by callers, of callers by servers."""
    name: str
    """The server's name in its certificate, whatever its address: all servers have the same."""

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """For a caller. Raises CertificateError."""
        ca, key, cert = self._read()
        return grpc.ssl_channel_credentials(ca, key, cert)

    def server_credentials(self) -> grpc.ServerCredentials:
        """For a server, which lets in nobody without a certificate. Raises CertificateError."""
        ca, key, cert = self._read()
        return grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True)

    def _read(self) -> tuple[bytes, bytes, bytes]:
        # gRPC takes anything and fails at the first handshake; this says beforehand what is wrong.
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.ca))
            context.load_cert_chain(self.cert, self.key)
            return self.ca.read_bytes(), self.key.read_bytes(), self.cert.read_bytes()
        except ssl.SSLError as error:
            message = f"{self.cert}, {self.key} and {self.ca} do not belong together or are no PEM: {error.reason}"
            raise CertificateError(message) from error
        except OSError as error:
            message = f"cannot read the certificates {self.cert}, {self.key} and {self.ca}: {error.strerror}"
            raise CertificateError(message) from error
