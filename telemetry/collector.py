"""Spans by OpenTelemetry, sent in batches from a thread: a collector that is away costs spans, and no request time."""

from collections.abc import Mapping
from threading import Thread

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry.traces import HEADER, Kind, Value

_SEND_S = 5.0  # For one batch; what cannot be sent by then is dropped.
_EVERY_MS = 1000
_CLOSE_S = 2.0
_QUEUE = 2048  # Spans that wait, about 2 MB; more are dropped.

_W3C = TraceContextTextMapPropagator()


class CollectedSpan:
    """A `telemetry.traces.Span`."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """As W3C Trace Context writes it."""
        place = self._span.get_span_context()
        return f"00-{format_trace_id(place.trace_id)}-{format_span_id(place.span_id)}-{place.trace_flags:02x}"

    def set(self, name: str, value: Value) -> None:
        """Note a fact."""
        self._span.set_attribute(name, value)

    def end(self, error: str = "", at_ns: int | None = None) -> None:
        """End it."""
        if error:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end(at_ns)


class CollectedSpans:
    """`telemetry.traces.Spans` that go to a collector."""

    def __init__(self, program: str, endpoint: str) -> None:
        """`endpoint`: http://HOST:PORT of a collector in the private network, or https://."""
        exporter = OTLPSpanExporter(endpoint, insecure=endpoint.startswith("http://"), timeout=_SEND_S)
        # At a stop the spans are sent by `close`, and no longer than that allows.
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": f"clearcanvas-{program}"}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=_QUEUE, schedule_delay_millis=_EVERY_MS)
        )
        self._tracer = self._provider.get_tracer("clearcanvas")

    def begin(
        self, name: str, parent: str, kind: Kind, facts: Mapping[str, Value], at_ns: int | None = None
    ) -> CollectedSpan:
        """Begin a span."""
        context = _W3C.extract({HEADER: parent})
        return CollectedSpan(self._tracer.start_span(name, context, SpanKind[kind], dict(facts), start_time=at_ns))

    def close(self) -> None:
        """Send what is left. A collector that is away is not waited for."""
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSE_S)
