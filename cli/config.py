"""What the commands need to know about a stack: addresses and folders."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from transport.settings import TlsSettings


class Settings(TlsSettings):
    """Settings from `CLEARCANVAS_*` variables, and from the file that `CLEARCANVAS_ENV_FILE` names."""

    model_config = SettingsConfigDict(env_prefix="CLEARCANVAS_", frozen=True, extra="ignore", protected_namespaces=())

    http: str = Field("127.0.0.1:8402", description="Address of the HTTP adapter, HOST:PORT.")
    grpc: str = Field("127.0.0.1:8401", description="The gRPC server: HOST:PORT, IP:PORT,IP:PORT or dns:///NAME:PORT.")
    server_metrics: str = Field("127.0.0.1:0", description="Where `up` shows the server's metrics; port 0 picks one.")
    adapter_metrics: str = Field("127.0.0.1:0", description="The same of the adapter.")
    data: Path = Field(Path("data"), description="Folder for what the programs keep while they run.")
    model_repository: Path = Field(Path("model_repository"), description="Folder of the models that Triton serves.")
    model: str = Field("isnet", description="Name of the matting model that is used when a request names none.")
    triton_env: Path = Field(Path(".triton"), description="Virtual environment that holds the Triton binary.")
    devnet_env: Path = Field(Path(".devnet"), description="Folder that holds the program of the local chains.")


def read_settings(**given: object) -> Settings:
    """Reads the settings; whatever is given (and not None) stands above environment and file."""
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return Settings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"), **chosen)


def split_address(address: str) -> tuple[str, int]:
    """Splits `HOST:PORT` (`[::1]:PORT` for IPv6). Raises ValueError with a sentence for the user."""
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{address!r} is not an address; write HOST:PORT, for example 127.0.0.1:8402")
    return host.removeprefix("[").removesuffix("]"), int(port)


def join_address(host: str, port: int) -> str:
    """Joins what `split_address` splits."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
