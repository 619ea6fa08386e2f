"""The server's settings: read once in `__main__`, frozen, handed on by constructor."""

import os
import tempfile
from pathlib import Path
from typing import Literal

import psutil
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from telemetry.settings import METRICS, TelemetrySettings
from transport.settings import TlsSettings

MIB = 1024 * 1024
GIB = 1024 * MIB
_ADDRESS = r"([^\s:,]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5})"
ADDRESS = rf"^{_ADDRESS}$"
ADDRESSES = rf"^{_ADDRESS}(,{_ADDRESS})*$"


def default_workers() -> int:
    """One worker a processor, and two at least: while one waits for the model, another decodes and encodes."""
    return max(2, len(os.sched_getaffinity(0)))


def default_job_workers() -> int:
    """One job a processor and two at least, as far as the memory goes: 2 GiB hold all but the largest WebP."""
    return max(1, min(default_workers(), psutil.virtual_memory().total // (2 * GIB)))


class Settings(TlsSettings, TelemetrySettings):
    """Every setting is an environment variable `CLEARCANVAS_<NAME>`, or a line of the file `CLEARCANVAS_ENV_FILE`."""

    model_config = SettingsConfigDict(env_prefix="CLEARCANVAS_", frozen=True, extra="ignore")

    grpc: str = Field("127.0.0.1:8401", pattern=ADDRESS, description="Address the service binds; port 0 takes any.")
    callers: dict[str, tuple[Literal["ImageService", "JobService", "ModelService", "*"], ...]] = Field(
        {"adapter": ("ImageService", "JobService"), "operator": ("*",)},
        description="What callers may use, by the name in their certificate, as JSON.",
    )
    allow_plaintext: bool = Field(
        default=False, description="Serve without certificates on an address that others reach: in a private network."
    )
    triton: str = Field(
        "127.0.0.1:8400",
        pattern=ADDRESSES,
        description="Triton's gRPC address, or several with commas between: each has the same repository.",
    )
    model: str = Field("isnet", description="Matting model used when a request names none.")
    generation_model: str = Field(
        "backdrop", description="Generation model that paints a background when a request names none."
    )
    model_repository: Path = Field(
        Path("model_repository"), description="Folder of the models that Triton serves, for reading: cards and hashes."
    )
    golden: Path = Field(
        Path("golden"), description="Folder of pictures with true masks, by which a promoted model is judged."
    )
    max_latency_ratio: float = Field(
        1.5, gt=0, description="Most time of an inference of a promoted model, as a multiple of the one before it."
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
    data: Path = Field(Path("data"), description="Folder for what the service keeps: by default its jobs and results.")
    jobs: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy URL of the database of jobs; by default SQLite in the data folder. Servers that share "
        "the work share a PostgreSQL: postgresql+psycopg://…",
    )
    store: SecretStr = Field(
        SecretStr(""),
        description="Where inputs and results of jobs lie: file://, s3://, gs:// or az:// with a bucket; by default a "
        "folder in the data folder. Servers that share jobs share it.",
    )
    uploads: Literal["none", "cloudinary"] = Field("none", description="Where finished videos are uploaded to.")
    cloudinary_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("CLEARCANVAS_CLOUDINARY_URL", "CLOUDINARY_URL"),
        description="The account at Cloudinary: cloudinary://KEY:SECRET@NAME.",
    )
    scratch: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()),
        description="Folder on a disk for the files of jobs at work and of uploads; its size bounds them.",
    )
    job_workers: int = Field(
        default_factory=default_job_workers,
        ge=1,
        description="Worker processes for jobs, beside those for calls; one of them is never taken by a video.",
    )
    job_memory_mib: int = Field(4096, ge=512, description="Address space of one job's worker, in MiB.")
    job_file_mib: int = Field(2048, ge=1, description="Largest file a job's worker may write, in MiB.")
    job_cpu_s: int = Field(3600, ge=1, description="Processor time one attempt at a job may take, in seconds.")
    job_timeout_s: float = Field(300.0, gt=0, description="Longest one attempt at a picture may take, in seconds.")
    video_timeout_s: float = Field(900.0, gt=0, description="Longest one attempt at a video may take, in seconds.")
    retention_h: float = Field(24.0, gt=0, description="How long a result is kept that nobody fetches, in hours.")
    video_duration_s: float = Field(4.0, gt=0, description="How much of a video is processed, in seconds.")
    video_mib: int = Field(100, ge=1, description="Largest video, in MiB.")
    fast_model: str = Field("selfie", description="Matting model of the `fast` way with videos: small, for people.")
    transfer_s: float = Field(
        600.0, gt=0, description="Longest the upload of a video, and one download of a result, may take, in seconds."
    )
    metrics: str = Field(
        "127.0.0.1:8411", pattern=METRICS, description="HOST:PORT of the metrics, never a public one; empty for none."
    )
    drain_s: float = Field(8.0, ge=0, description="How long calls in flight may go on after SIGTERM, in seconds.")

    @property
    def tritons(self) -> tuple[str, ...]:
        """The addresses of all Tritons, each once."""
        return tuple(dict.fromkeys(self.triton.split(",")))

    @property
    def jobs_url(self) -> str:
        """The database of jobs, with its password."""
        return self.jobs.get_secret_value() or f"sqlite:///{self.data.absolute() / 'jobs.sqlite'}"

    @property
    def store_url(self) -> str:
        """The store of inputs and results."""
        return self.store.get_secret_value() or (self.data.absolute() / "jobs").as_uri()


def load_settings() -> Settings:
    """Read the environment and, where `CLEARCANVAS_ENV_FILE` names one, the file; the environment wins."""
    return Settings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"))
