"""What is measured, as Prometheus reads it: of this process, and of those that serve beside it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

import prometheus_client
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from models.database import Database
from resolvers.measure import Histogram, Measures
from resolvers.partner import Partners

#: So often a process writes down what it measured, for the one that is asked.
WRITE_SECONDS = 5.0
_GONE_SECONDS = 4 * WRITE_SECONDS
# Hubs of several machines, or of several parents, may share a folder: each tells its own.
_SIBLINGS = f"{platform.node()}-{os.getppid()}-"


class Metrics:
    """Answers with what is measured.

    Whoever asks reaches one of several processes, by chance. So each writes its numbers down, and
    the one that is asked tells them all, each with the label ``process``; its own as of now.

    Args:
        parts: What is told.
        folder: Where the processes of one parent write; None where there is one process.
    """

    def __init__(self, *parts: Collector, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        for one in parts:
            self._registry.register(one)
        prometheus_client.ProcessCollector(registry=self._registry)

    async def answer(self, _: Request) -> Response:
        """Answer a request."""
        body = prometheus_client.generate_latest(self._registry if self._folder is None else self)
        return Response(body, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    async def write(self) -> None:
        """Write this process's numbers down, where others serve beside it."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        whole = self._mine.with_suffix(".new")
        whole.write_bytes(prometheus_client.generate_latest(self._registry))
        whole.replace(self._mine)

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers of all processes, each family once."""
        families: dict[str, Metric] = {}
        for process, family in self._all():
            kept = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            for one in family.samples:
                kept.add_sample(one.name, {**one.labels, "process": process}, one.value)
        yield from families.values()

    def _all(self) -> Iterator[tuple[str, Metric]]:
        for family in self._registry.collect():
            yield str(os.getpid()), family
        for path in sorted(self._mine.parent.glob(f"{_SIBLINGS}*.prom")):
            if path == self._mine:
                continue
            if path.stat().st_mtime < time.time() - _GONE_SECONDS:
                path.unlink(missing_ok=True)
                continue
            process = path.stem.removeprefix(_SIBLINGS)
            for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
                yield process, family

    @property
    def _mine(self) -> Path:
        return (self._folder or Path()) / f"{_SIBLINGS}{os.getpid()}.prom"


class Work(Collector):
    """What the process does: its operations, its connections, its event loop."""

    def __init__(self, measures: Measures, database: Database) -> None:
        self._measures = measures
        self._database = database

    def collect(self) -> Iterable[Metric]:
        """Return the numbers as of now."""
        found = self._measures
        used, kept = self._database.connections()
        return [
            *self._operations(),
            _gauge("operations_under_way", "Operations under way.", found.under_way),
            _gauge("sockets", "Open sockets of clients.", found.sockets),
            _gauge("subscriptions", "Subscriptions under way.", found.subscriptions),
            _counter(
                "response_cache", "Looks into the cache of responses.", "found",
                {"yes": found.cache_hits, "no": found.cache_misses},
            ),
            _counter("limited", "Refused for being asked too often.", "limit", found.limited),
            _gauge("database_connections_used", "Connections at work.", used),
            _gauge("database_connections_kept", "Connections open.", kept),
            _histogram("loop_lag_seconds", "How late the event loop is.", {(): found.lag}),
        ]  # fmt: skip

    def _operations(self) -> Iterable[Metric]:
        found = self._measures.operations
        ended = CounterMetricFamily(
            "greenway_operations", "Operations that ended.", labels=["name", "kind", "outcome"]
        )
        for key, one in found.items():
            for outcome, count in one.outcomes.items():
                ended.add_metric([*key, outcome], count)
        return [
            ended,
            _histogram(
                "operation_seconds", "How long operations took.",
                {key: one.seconds for key, one in found.items()}, "name", "kind",
            ),
            _histogram(
                "operation_cost", "What operations cost, in points.",
                {key: one.cost for key, one in found.items()}, "name", "kind",
            ),
        ]  # fmt: skip


class Health(Collector):
    """Each partner's health."""

    def __init__(self, partners: Partners) -> None:
        self._partners = partners

    def collect(self) -> Iterable[Metric]:
        """Return the numbers as of now."""
        calls = CounterMetricFamily(
            "greenway_partner_calls", "HTTP exchanges with a partner.", labels=["partner"]
        )
        asked = CounterMetricFamily(
            "greenway_partner_asks", "Times a partner was asked.", labels=["partner"]
        )
        failed = CounterMetricFamily(
            "greenway_partner_failures", "Times a partner was asked in vain.", labels=["partner"]
        )
        breaker = GaugeMetricFamily(
            "greenway_partner_breaker", "1 for a breaker's state.", labels=["partner", "state"]
        )
        registry = self._partners.registry
        for slug, partner in registry.partners.items() if registry else ():
            health = partner.health()
            calls.add_metric([slug], health.calls)
            asked.add_metric([slug], health.asked)
            failed.add_metric([slug], health.failed)
            breaker.add_metric([slug, health.state], 1)
        set_aside = GaugeMetricFamily(
            "greenway_partners_set_aside",
            "Partner files with mistakes.",
            value=len(registry.set_aside) if registry else 0,
        )
        return [calls, asked, failed, breaker, set_aside]


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(f"greenway_{name}", said, value=value)


def _counter(name: str, said: str, label: str, counts: dict[str, int]) -> Metric:
    found = CounterMetricFamily(f"greenway_{name}", said, labels=[label])
    for one, count in counts.items():
        found.add_metric([one], count)
    return found


def _histogram(name: str, said: str, of: dict[tuple[str, ...], Histogram], *labels: str) -> Metric:
    found = HistogramMetricFamily(f"greenway_{name}", said, labels=labels)
    for values, one in of.items():
        bounds = [*(f"{bound:g}" for bound in one.bounds), "+Inf"]
        so_far = accumulate(one.counts)
        found.add_metric(values, list(zip(bounds, so_far, strict=True)), one.sum)
    return found
