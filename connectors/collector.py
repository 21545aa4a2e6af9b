"""Sends spans to a collector, over OTLP and HTTP: the only place that knows OpenTelemetry.

It is an optional part of the hub (``pip install greenway[traces]``), so nobody imports it by name:
the composition root loads it where spans have somewhere to go.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from models import trace
from models.trace import Value

_KINDS = {
    trace.OPERATION: api.SpanKind.SERVER,
    "call": api.SpanKind.CLIENT,
    "statement": api.SpanKind.CLIENT,
}
_PREFIX = "greenway."
#: A collector that takes longer for a batch is away; the end of the process waits as long for it.
_SECONDS = 2.0


class Collector:
    """Takes this process's spans, and sends them from a thread of its own, a batch at a time.

    While the collector is away, the newest are dropped once 2,048 wait: no operation waits.

    Args:
        url: Where it listens: ``http://collector:4318/v1/traces``.
        share: Of the traces that begin here, how many are sent; one that began elsewhere is sent
            if it is there.
    """

    def __init__(self, url: str, share: float) -> None:
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": "greenway"}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(url, timeout=_SECONDS))
        )
        self._share = share
        self._tracer = self._provider.get_tracer("greenway")
        self._propagator = TraceContextTextMapPropagator()

    def span(
        self, name: str, attributes: Mapping[str, Value], parent: str | None
    ) -> AbstractContextManager[trace.Span]:
        """Return a span: an operation's, below a ``traceparent`` (W3C); else below one of these."""
        above = self._propagator.extract({"traceparent": parent}) if parent else None
        if name == trace.OPERATION:
            before = api.get_current_span(above).get_span_context()
            told = before.trace_flags.sampled if before.is_valid else random.random() < self._share  # noqa: S311 - no secret
        else:
            told = api.get_current_span().is_recording()
        # OpenTelemetry has spans that are not sent, too; they cost half of one that is.
        return self._told(name, attributes, above) if told else trace.UNTOLD

    @contextmanager
    def _told(
        self, name: str, attributes: Mapping[str, Value], above: Context | None
    ) -> Iterator[_Span]:
        with self._tracer.start_as_current_span(
            name,
            above,
            _KINDS.get(name, api.SpanKind.INTERNAL),
            _named(attributes),
            # An error's words may be a person's; its type is told below.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Span(span)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(api.StatusCode.ERROR)
                raise

    def id(self) -> str:
        """Return the id of the trace under way; nothing, where there is none."""
        found = api.get_current_span().get_span_context()
        return api.format_trace_id(found.trace_id) if found.is_valid else ""

    def close(self) -> None:
        """Send what waits, and end the thread; it blocks meanwhile."""
        self._provider.shutdown()


class _Span:
    """A span under way, under our names of attributes."""

    __slots__ = ("_span",)

    def __init__(self, span: api.Span) -> None:
        self._span = span

    def tell(self, **attributes: Value) -> None:
        """Add what is known only by now."""
        self._span.set_attributes(_named(attributes))


def _named(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {f"{_PREFIX}{name}": value for name, value in attributes.items()}
