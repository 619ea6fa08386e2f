"""The engine's settings, read once from the environment (`CLEARCANVAS_*`) and an optional dotenv file."""

import ipaddress
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from telemetry.logs import Form


class EngineSettings(BaseSettings):
    """Where Triton listens, what it serves, and how long it may be silent before it counts as hung."""

    model_config = SettingsConfigDict(env_prefix="CLEARCANVAS_", frozen=True, extra="ignore")

    triton_allow_remote: bool = Field(
        default=False,
        description="Allow an address other than loopback. Whoever reaches Triton's port may load models and map "
        "shared memory (CVE-2025-23319 and its chain), so only on a private network.",
    )
    triton: str = Field("127.0.0.1:8400", description="HOST:PORT of Triton's gRPC service.")
    triton_config: Literal["cpu", "gpu"] = Field(
        "cpu",
        description="Which card of each model Triton takes, configs/cpu.pbtxt or configs/gpu.pbtxt. A model whose card "
        "asks for a GPU is never served by a CPU.",
    )
    triton_env: Path = Field(Path(".triton"), description="Triton's own virtual environment.")
    model_repository: Path = Field(Path("model_repository"), description="Folder of the models to serve.")
    data: Path = Field(Path("data"), description="Folder for what is made at run time: logs, caches, backend files.")
    triton_start_s: float = Field(180.0, gt=0, description="Longest time in seconds that Triton may take to start.")
    triton_hang_s: float = Field(
        20.0, gt=0, description="Seconds without any finished request, while one waits, after which a model is hung."
    )
    shm_min_mib: int = Field(
        256, ge=8, description="Free space in MiB that /dev/shm must have; a container needs --shm-size for it."
    )

    log: Form = Field(Form.TEXT, description="How log records are written: text or json.")

    @field_validator("triton")
    @classmethod
    def _check_address(cls, value: str, info: ValidationInfo) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            message = f"{value!r} is not HOST:PORT"
            raise ValueError(message)
        if not _is_loopback(host.strip("[]")) and not info.data.get("triton_allow_remote"):
            message = (
                f"{host} is not loopback, and whoever reaches Triton's port may load models and map shared memory: "
                "set CLEARCANVAS_TRITON_ALLOW_REMOTE=true if its network is private"
            )
            raise ValueError(message)
        return value

    @property
    def host(self) -> str:
        """The address that Triton binds, without brackets."""
        return self.triton.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of Triton's gRPC service."""
        return int(self.triton.rpartition(":")[2])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
