"""What every program is told of its own telling: settings that `Settings` of the programs have among theirs."""

from pydantic import Field
from pydantic_settings import BaseSettings

from telemetry.logs import Form

METRICS = r"^$|^(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):\d{1,5}$"


class TelemetrySettings(BaseSettings):
    """Logs, metrics and traces."""

    metrics: str = Field(
        "127.0.0.1:0",
        pattern=METRICS,
        description="HOST:PORT where metrics are read: of this machine or a private network; empty serves none.",
    )
    log: Form = Field(Form.TEXT, description="How log records are written: text or json.")
    traces: str = Field(
        "", pattern=r"^$|^https?://\S+$", description="Collector that OpenTelemetry sends spans to: http://HOST:4317."
    )
