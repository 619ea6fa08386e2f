"""The server's settings: read once in `__main__`, frozen, handed on by constructor."""

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024
ADDRESS = r"^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$"


def default_workers() -> int:
    """One worker a processor, and two at least: while one waits for the model, another decodes and encodes."""
    return max(2, len(os.sched_getaffinity(0)))


class Settings(BaseSettings):
    """Every setting is an environment variable `CLEARCANVAS_<NAME>`, or a line of the file `CLEARCANVAS_ENV_FILE`."""

    model_config = SettingsConfigDict(env_prefix="CLEARCANVAS_", frozen=True, extra="ignore")

    grpc: str = Field("127.0.0.1:8401", pattern=ADDRESS, description="Address the service binds; port 0 takes any.")
    triton: str = Field("127.0.0.1:8400", pattern=ADDRESS, description="Triton's gRPC address.")
    model: str = Field("isnet", description="Matting model used when a request names none.")
    generation_model: str = Field(
        "backdrop", description="Generation model that paints a background when a request names none."
    )
    triton_shared_memory: bool = Field(
        default=True, description="Hand pictures to Triton by shared memory; false where it runs on another machine."
    )
    triton_timeout_s: float = Field(30.0, gt=0, description="Longest one inference may take, in seconds.")
    require_device: Literal["any", "cpu", "gpu"] = Field(
        "any", description="Device the default model must run on; any other is NOT_SERVING and an error in the log."
    )
    workers: int = Field(default_factory=default_workers, ge=1, description="Worker processes; one a processor.")
    worker_memory_mib: int = Field(4096, ge=512, description="Address space of one worker, in MiB.")
    worker_file_mib: int = Field(1024, ge=1, description="Largest file a worker may write, in MiB.")
    worker_cpu_s: int = Field(60, ge=1, description="Processor time one picture may take, in seconds.")
    memory_budget_mib: int = Field(
        1024, ge=1, description="Estimated memory of all requests in flight, in MiB; more is refused at once."
    )
    max_pixels: int = Field(100_000_000, ge=1, description="Most pixels of one picture.")
    timeout_s: float = Field(
        60.0, gt=0, description="Longest one call may take, in seconds; a shorter deadline of the caller wins."
    )
    receive_s: float = Field(
        20.0, gt=0, description="Longest a call's message may take to arrive, in seconds; 25 MiB need 10 Mbit/s."
    )
    drain_s: float = Field(8.0, ge=0, description="How long calls in flight may go on after SIGTERM, in seconds.")


def load_settings() -> Settings:
    """Read the environment and, where `CLEARCANVAS_ENV_FILE` names one, the file; the environment wins."""
    return Settings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"))
