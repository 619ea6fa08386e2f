"""Settings of the local chains, read once in `devnet.__main__` from CLEARCANVAS_* variables and an optional file."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DevnetSettings(BaseSettings):
    """Every setting of the local chains; each is the environment variable CLEARCANVAS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CLEARCANVAS_", frozen=True, extra="ignore")

    data: Path = Field(Path("data"), description="Folder that devnet.json and devnet.env are written to.")
    devnet_env: Path = Field(Path(".devnet"), description="Folder that holds the chains' program.")
