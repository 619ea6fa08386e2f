"""What the adapter counts. Every label's values come from a fixed list, or through a `Vocabulary`: they stay few.

The names are the contract with dashboards and alerts; docs/observability.md lists them.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from telemetry.metrics import Vocabulary

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

REQUESTS = Counter(
    "clearcanvas_adapter_requests", "Requests by route and status; the route is the pattern, not the path.",
    ("method", "route", "status"), registry=REGISTRY,
)  # fmt: skip
REQUEST_SECONDS = Histogram(
    "clearcanvas_adapter_request_seconds", "Time from the headers to the end of the answer.", ("route",),
    registry=REGISTRY, buckets=_SECONDS,
)  # fmt: skip
REJECTIONS = Counter(
    "clearcanvas_adapter_rejections", "Failures that were answered, by the code of the answer.", ("code",),
    registry=REGISTRY,
)  # fmt: skip
IN_FLIGHT = Gauge("clearcanvas_adapter_in_flight", "Requests that are being worked on.", registry=REGISTRY)
UPLOADS = Gauge(
    "clearcanvas_adapter_upload_bytes", "Bytes of uploads in flight, in memory or on the disk.", ("where",),
    registry=REGISTRY,
)  # fmt: skip
RATE_LIMITED = Counter(
    "clearcanvas_adapter_rate_limit", "Requests that a limit was asked about: unpaid, keys, free; allowed, refused.",
    ("limit", "outcome"), registry=REGISTRY,
)  # fmt: skip
RATE_LIMIT_UP = Gauge(
    "clearcanvas_adapter_rate_limit_store_up", "0 while the shared counters are away and each process counts alone.",
    ("limit",), registry=REGISTRY,
)  # fmt: skip

PAYMENTS = Gauge("clearcanvas_payments", "Payments in the ledger by state.", ("state",), registry=REGISTRY)
PAYMENTS_AGE_S = Gauge(
    "clearcanvas_payments_oldest_seconds",
    "How long ago the payment changed that stands longest in a state: settling, unknown, settled (not delivered).",
    ("state",), registry=REGISTRY,
)  # fmt: skip
BOOKED = Gauge(
    "clearcanvas_payments_booked_micros", "Millionths of a dollar in the journal: settlement, delivery.", ("kind",),
    registry=REGISTRY,
)  # fmt: skip
CLAIMED = Gauge(
    "clearcanvas_payments_claimed_micros",
    "Millionths of a dollar by the claims' own states, that the journal must agree with: settlement, delivery.",
    ("kind",), registry=REGISTRY,
)  # fmt: skip
BROKEN_RULES = Gauge(
    "clearcanvas_payments_broken_rules", "Rules of the money that the last audit found broken.", registry=REGISTRY
)
LEDGER_UP = Gauge("clearcanvas_payments_ledger_up", "0 while the ledger does not answer.", registry=REGISTRY)

_CODES = Vocabulary(128)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that has ended; `route`: its pattern, or `other`."""
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def count_rejection(code: str) -> None:
    """Count a failure. Codes are ours, but for the reasons of a facilitator, which may be anything."""
    REJECTIONS.labels(_CODES.word(code)).inc()
