from __future__ import annotations

import os
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from endpoints import metrics
from models.database import Database
from resolvers.measure import Measures

SIBLING = """# HELP greenway_operations_total Operations that ended.
# TYPE greenway_operations_total counter
greenway_operations_total{name="other",kind="query",outcome="OK"} 41.0
"""


@pytest.fixture
async def work(tmp_path):
    """What a process measured: one query, in a database that nobody asks."""
    database = Database(f"sqlite:///{tmp_path}/none.db")
    measures = Measures()
    measures.operation("query", "OK", seconds=0.002, cost=40)
    measures.limited["points"] += 1
    yield metrics.Work(measures, database)
    await database.close()


async def told(found: metrics.Metrics) -> dict[tuple[str, ...], float]:
    text = (await found.answer(None)).body.decode()
    return {
        (one.name, *(f"{name}={value}" for name, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


async def test_one_process_tells_its_own_numbers(work):
    found = await told(metrics.Metrics(work))

    said = ("kind=query", "name=other")
    assert found["greenway_operations_total", *said, "outcome=OK"] == 1
    assert found["greenway_operation_seconds_bucket", "kind=query", "le=0.0025", "name=other"] == 1
    assert found["greenway_operation_seconds_bucket", "kind=query", "le=0.001", "name=other"] == 0
    assert found["greenway_operation_cost_sum", *said] == 40
    assert found["greenway_limited_total", "limit=points"] == 1
    assert found["greenway_database_connections_used",] == 0
    assert found["greenway_loop_lag_seconds_count",] == 0
    assert found["process_resident_memory_bytes",] > 1_000_000


async def test_of_several_processes_the_one_that_is_asked_tells_all(work, tmp_path):
    asked = metrics.Metrics(work, folder=tmp_path / "metrics")
    await asked.write()
    (tmp_path / "metrics" / f"{metrics._SIBLINGS}1.prom").write_text(SIBLING)
    (tmp_path / "metrics" / "another-hub-1-2.prom").write_text(SIBLING)

    found = await told(asked)

    said = ("greenway_operations_total", "kind=query", "name=other", "outcome=OK")
    counts = {key[-1]: value for key, value in found.items() if key[:4] == said}
    assert counts == {f"process={os.getpid()}": 1, "process=1": 41}


async def test_a_process_that_writes_no_more_is_told_no_more(work, tmp_path):
    asked = metrics.Metrics(work, folder=tmp_path)
    path = tmp_path / f"{metrics._SIBLINGS}1.prom"
    path.write_text(SIBLING)
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))

    found = await told(asked)

    assert not [key for key in found if "process=1" in key]
    assert not path.exists()


async def test_one_process_writes_nothing_down(work, tmp_path):
    await metrics.Metrics(work).write()

    assert list(tmp_path.rglob("*.prom")) == []
