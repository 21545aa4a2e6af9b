"""A collector on loopback that keeps the spans of one trace."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, object]
    is_error: bool


class Collector:
    """What came of a trace; ``raw`` is all that came, as it came."""

    def __init__(self, trace: str) -> None:
        self._trace = trace
        self.url = ""
        self.spans: list[Span] = []
        self.raw = b""

    def above(self, span: Span) -> list[str]:
        """Return the names of the spans that a span is below, the nearest first."""
        by_id = {one.id: one for one in self.spans}
        names = []
        while span.parent in by_id:
            span = by_id[span.parent]
            names.append(span.name)
        return names

    def named(self, name: str) -> list[Span]:
        return [one for one in self.spans if one.name == name]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                found = map(_read, scope.spans)
                self.spans += [one for one in found if one.trace == self._trace]
        return web.Response()


def _read(span) -> Span:
    return Span(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        {
            one.key.removeprefix("greenway."): getattr(one.value, one.value.WhichOneof("value"))
            for one in span.attributes
        },
        span.status.code == span.status.STATUS_CODE_ERROR,
    )


@contextlib.asynccontextmanager
async def running(trace: str) -> AsyncIterator[Collector]:
    found = Collector(trace)
    application = web.Application()
    application.router.add_post("/v1/traces", found.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    yield found
    await runner.cleanup()
