"""What the server counts. Every label's values come from a fixed list, or through a `Vocabulary`: they stay few.

The names are the contract with dashboards and alerts; docs/observability.md lists them.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from telemetry.metrics import Vocabulary

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

# From a background in milliseconds to a video in minutes.
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_STAGE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

CALLS = Counter(
    "clearcanvas_server_calls", "Calls by method and outcome: ok, cancelled, or the error's reason.",
    ("method", "outcome"), registry=REGISTRY,
)  # fmt: skip
CALL_SECONDS = Histogram(
    "clearcanvas_server_call_seconds", "Time of a call, its upload included.", ("method",),
    registry=REGISTRY, buckets=_SECONDS,
)  # fmt: skip
STAGE_SECONDS = Histogram(
    "clearcanvas_server_stage_seconds", "Time of a stage of a picture; wait is for a worker.", ("stage",),
    registry=REGISTRY, buckets=_STAGE_SECONDS,
)  # fmt: skip

IN_FLIGHT = Gauge("clearcanvas_server_in_flight", "Calls that hold a part of the memory budget.", registry=REGISTRY)
MEMORY = Gauge("clearcanvas_server_memory_bytes", "Estimated memory of the calls in flight.", registry=REGISTRY)
MEMORY_BUDGET = Gauge(
    "clearcanvas_server_memory_budget_bytes", "What they may take together; more is refused.", registry=REGISTRY
)

_POOL = ("pool",)
WORKERS = Gauge("clearcanvas_server_workers", "Worker processes of a pool: calls, jobs.", _POOL, registry=REGISTRY)
WORKERS_BUSY = Gauge("clearcanvas_server_workers_busy", "Workers that hold a task.", _POOL, registry=REGISTRY)
QUEUE = Gauge("clearcanvas_server_queue", "Tasks that wait for a worker.", _POOL, registry=REGISTRY)
WORKER_DEATHS = Counter(
    "clearcanvas_server_worker_deaths",
    "Workers that ended on their own: killed from outside, crashed, or idle; memory: a task ran out of it.",
    ("cause",), registry=REGISTRY,
)  # fmt: skip

TRITON_UP = Gauge(
    "clearcanvas_server_triton_up", "1 while its canaries succeed; 0 while the breaker keeps work from it.",
    ("triton",), registry=REGISTRY,
)  # fmt: skip
RETRIES = Counter(
    "clearcanvas_server_retries", "Work to be done again on another Triton: made, or refused for want of budget.",
    ("outcome",), registry=REGISTRY,
)  # fmt: skip

_TARGET = ("model", "version")
MODEL_ANSWERS = Counter("clearcanvas_server_model_answers", "Pictures a model cut out.", _TARGET, registry=REGISTRY)
MODEL_SHARE = Gauge(
    "clearcanvas_server_model_share", "Percent of the requests for `name` that `target` is to have.",
    ("name", "target"), registry=REGISTRY,
)  # fmt: skip
MODEL_CHANGES = Counter(
    "clearcanvas_server_model_changes", "Changes of models by kind (promote, rollback, route, mirror) and outcome.",
    ("kind", "outcome"), registry=REGISTRY,
)  # fmt: skip

JOBS = Gauge("clearcanvas_server_jobs", "Jobs that are kept, of all servers.", ("kind", "state"), registry=REGISTRY)
JOBS_OLDEST_S = Gauge(
    "clearcanvas_server_jobs_oldest_queued_seconds", "How long the oldest queued job waits.", ("kind",),
    registry=REGISTRY,
)  # fmt: skip
JOB_ATTEMPTS = Counter(
    "clearcanvas_server_job_attempts", "Attempts at jobs that ended here: ok, or the error's reason.",
    ("kind", "outcome"), registry=REGISTRY,
)  # fmt: skip

_shown: Mapping[tuple[str, str], int] = {}
_METHODS = Vocabulary(64)
_OUTCOMES = Vocabulary(64)
_STAGES = Vocabulary(32)
_MODELS = Vocabulary(128)


def show_shares(shares: Mapping[tuple[str, str], int]) -> None:
    """Show what every name stands for: percent by name and target."""
    global _shown  # noqa: PLW0603 - the metrics are the process's own, and so is what they show.
    if shares == _shown:
        return
    _shown = dict(shares)
    MODEL_SHARE.clear()
    for (name, target), percent in shares.items():
        MODEL_SHARE.labels(name, target).set(percent)


def count_call(method: str, outcome: str, seconds: float) -> None:
    """Count a call that has ended."""
    method = _METHODS.word(method)
    CALLS.labels(method, _OUTCOMES.word(outcome)).inc()
    CALL_SECONDS.labels(method).observe(seconds)


def count_picture(model: str, version: int, stages: tuple[tuple[str, float], ...], waited_s: float) -> None:
    """Count a picture that was made. `model`: what has cut it out; empty where none has."""
    for stage, seconds in (("wait", waited_s), *stages):
        STAGE_SECONDS.labels(_STAGES.word(stage)).observe(seconds)
    if model:
        target = _MODELS.word(f"{model}@{version}")
        name, _, number = target.partition("@")
        MODEL_ANSWERS.labels(name, number).inc()
