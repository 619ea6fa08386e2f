"""The settings of certificates, which all programs share."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from transport.tls import Tls


class TlsSettings(BaseSettings):
    """CLEARCANVAS_TLS_CERT, _TLS_KEY and _TLS_CA: all of them, or none for plain text."""

    tls_cert: Path | None = Field(None, description="This program's certificate, as PEM; for gRPC with certificates.")
    tls_key: Path | None = Field(None, description="The key of that certificate, as PEM.")
    tls_ca: Path | None = Field(None, description="The authority whose certificates are believed, as PEM.")
    tls_name: str = Field("server", min_length=1, description="The name in the certificate of every gRPC server.")

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [value is not None for value in (self.tls_cert, self.tls_key, self.tls_ca)]
        if any(given) and not all(given):
            raise ValueError("CLEARCANVAS_TLS_CERT, CLEARCANVAS_TLS_KEY and CLEARCANVAS_TLS_CA belong together")
        return self

    @property
    def tls(self) -> Tls | None:
        """The certificates; None for plain text."""
        if self.tls_cert is None or self.tls_key is None or self.tls_ca is None:
            return None
        return Tls(self.tls_cert, self.tls_key, self.tls_ca, self.tls_name)
