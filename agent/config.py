"""Settings of the MCP server, read once in `agent.__main__` from CLEARCANVAS_* variables and an optional file."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr
from pydantic.types import StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from telemetry.logs import Form
from transport.addresses import is_loopback


class Settings(BaseSettings):
    """Every setting; each is the environment variable CLEARCANVAS_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix="CLEARCANVAS_", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+/?$")] = Field(
        "http://127.0.0.1:8402", description="Scheme and host of the service that does the work."
    )
    api_key: SecretStr | None = Field(None, description="API key of the service; without one, calls are paid for.")
    mcp_http: Annotated[str, StringConstraints(pattern=r"^$|^(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):[0-9]{1,5}$")] = Field(
        "", description="HOST:PORT to serve streamable HTTP on; empty serves standard input and output."
    )
    mcp_hosts: tuple[str, ...] = Field(
        (),
        description='Host names that callers may use where that is no loopback address, as JSON: ["mcp.example.com"].',
    )
    mcp_folder: Path | None = Field(
        None, description="Folder that files are read from and written to, on standard input and output; else any."
    )
    mcp_calls: PositiveInt = Field(32, description="Connections at a time, over HTTP; more are answered 503.")
    mcp_patience_s: PositiveFloat = Field(
        300.0, description="Seconds that one call may take, with all the waiting for a job or a payment."
    )
    log: Form = Field(Form.TEXT, description="How log records are written: text or json.")

    @property
    def host(self) -> str:
        """The host part of `mcp_http`, without the brackets of IPv6."""
        return self.mcp_http.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `mcp_http`."""
        return int(self.mcp_http.rpartition(":")[2])

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can call."""
        return not self.mcp_http or is_loopback(self.host)


def load_settings(**given: object) -> Settings:
    """Reads the environment and the file that CLEARCANVAS_ENV_FILE names; what is `given` stands above both.

    Raises:
        pydantic.ValidationError: A setting is malformed.
    """
    chosen: dict[str, Any] = dict(given)
    return Settings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"), **chosen)
