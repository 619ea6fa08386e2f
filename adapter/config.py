"""Settings of the adapter, read once in `adapter.__main__` from CLEARCANVAS_* variables and an optional file."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic.types import StringConstraints
from pydantic_settings import SettingsConfigDict

from telemetry.settings import METRICS, TelemetrySettings
from transport.addresses import ServerAddress, is_loopback
from transport.settings import TlsSettings

Address = Annotated[str, StringConstraints(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):[0-9]{1,5}$")]


class Settings(TlsSettings, TelemetrySettings):
    """Every setting of the adapter; each is the environment variable CLEARCANVAS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CLEARCANVAS_", frozen=True, extra="ignore")

    http: Address = Field("127.0.0.1:8402", description="HOST:PORT to serve HTTP on; port 0 chooses a free one.")
    grpc: ServerAddress = Field(
        "127.0.0.1:8401",
        description="The image service: HOST:PORT, a list IP:PORT,IP:PORT, or dns:///NAME:PORT for all behind a name.",
    )
    data: Path = Field(Path("data"), description="Folder of the API keys, where `keys` names no other place.")
    keys: str = Field("", repr=False, description="SQLAlchemy URL of the API keys; by default SQLite in `data`.")
    request_timeout_s: PositiveFloat = Field(
        60.0, description="Seconds for one edit and the sending of its result; passed on to the image service."
    )
    upload_timeout_s: PositiveFloat = Field(120.0, description="Seconds for the whole body of a request to arrive.")
    upload_idle_timeout_s: PositiveFloat = Field(10.0, description="Seconds without a byte that end an upload.")
    upload_budget_mib: PositiveInt = Field(
        256, description="MiB that all uploads in flight may hold together; the process takes about twice that."
    )
    video_mib: PositiveInt = Field(100, description="MiB that one video may have; the image service reads it too.")
    video_duration_s: PositiveFloat = Field(
        4.0, description="Seconds of a video that are processed, as the pages tell it; the image service reads it too."
    )
    video_upload_timeout_s: PositiveFloat = Field(600.0, description="Seconds for the whole form of a video to arrive.")
    spool: Path | None = Field(
        None, description="Folder on a disk where videos are while they arrive; by default one in `data`."
    )
    spool_budget_mib: PositiveInt = Field(2048, description="MiB that videos in arrival may have on the disk together.")
    job_submit_timeout_s: PositiveFloat = Field(
        120.0, description="Seconds for the image service to take a job with its upload, and to accept it."
    )
    header_timeout_s: PositiveFloat = Field(
        10.0, description="Seconds for the headers of a connection's first request."
    )
    keepalive_timeout_s: PositiveFloat = Field(
        30.0, description="Seconds that a connection may wait for its next request."
    )
    max_connections: PositiveInt = Field(4096, description="Connections open at a time; more are closed at once.")
    unpaid_per_minute: PositiveInt = Field(
        30, description="Requests without a valid payment or API key, a client and minute."
    )
    rate_limit_storage: Annotated[str, StringConstraints(pattern=r"^(memory://|rediss?://\S+)$")] = Field(
        "memory://", repr=False, description="Where requests are counted; redis:// for all replicas together."
    )
    free_per_day: NonNegativeInt = Field(
        0, description="Pictures a day, from midnight UTC, that the playground's visitors get for nothing; 0 is off."
    )
    free_per_client: PositiveInt = Field(5, description="How many of them one visitor gets.")
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = Field(
        (), description='Networks whose X-Forwarded-For and X-Forwarded-Proto are believed, as JSON: ["10.0.0.0/8"].'
    )
    metrics: str = Field(
        "127.0.0.1:8412", pattern=METRICS, description="HOST:PORT of the metrics, never a public one; empty for none."
    )
    drain_timeout_s: PositiveFloat = Field(6.0, description="Seconds that a stop waits for the requests in flight.")

    @property
    def host(self) -> str:
        """The host part of `http`, without the brackets of IPv6."""
        return self.http.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `http`."""
        return int(self.http.rpartition(":")[2])

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach `http`."""
        return is_loopback(self.host)

    @property
    def spool_folder(self) -> Path:
        """Where videos are kept while they arrive."""
        return self.spool or self.data / "uploads"

    @property
    def keys_url(self) -> str:
        """Where the API keys are."""
        return self.keys or f"sqlite:///{self.data.absolute()}/keys.sqlite"


def load_settings() -> Settings:
    """Reads the environment and the file that CLEARCANVAS_ENV_FILE names, if any.

    Raises:
        pydantic.ValidationError: A setting is malformed.
    """
    return Settings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"))
