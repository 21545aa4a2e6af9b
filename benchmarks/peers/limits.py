"""What this machine can do at most with the same data: ready bytes over HTTP, SQL, JSON, GraphQL.

python -m benchmarks.peers.limits
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg
import graphql
import orjson

from benchmarks import machine, table
from benchmarks.peers.dataset import Dataset, serial
from benchmarks.peers.peer import FOLDER, HOME, PYTHON, Peer
from benchmarks.peers.side import Ground, Side, posted, pressed, process, running, until
from benchmarks.peers.workload import WORKLOADS

ROUNDS, SECONDS, CONNECTIONS, PEOPLE = 3, 3.0, 32, 10_000
_TASKS, _BATCH = 32, 32
_CARD = (
    "SELECT c.serial, c.status, t.name, t.category FROM cards c "
    "JOIN talents t ON t.id = c.talent_id WHERE c.serial"
)
_SERVERS = {
    "uvicorn": (
        *("-m", "uvicorn", "static_app:app", "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning", "--host", "127.0.0.1", "--port", "{port}"),
    ),
    "granian": (
        *("-m", "granian", "--interface", "asgi", "--workers", "1", "--loop", "uvloop"),
        *("--log-level", "warning", "--host", "127.0.0.1", "--port", "{port}", "static_app:app"),
    ),
}
_PATHS = {"Starlette, {}": "{}", "bare, {}": "raw/{}"}
_SCHEMA = """
type Query { categories: [Category!]! }
type Category { id: ID! name: String! services: [Service!]! }
type Service { id: ID! code: String! name: String! summary: String! slaDays: Int!
  documents: [Document!]! partners: [Partner!]! }
type Document { name: String! }
type Partner { id: ID! kind: String! name: String! }
"""

Rates = dict[str, list[float]]


def main() -> None:
    """Print how many a second of each, by the median of the rounds."""
    table.opened(f"The limits of this machine; {ROUNDS} rounds of {SECONDS:g} s, in turn.")
    found: Rates = defaultdict(list)
    with running([], PEOPLE) as ground, machine.folder() as folder:
        answer = WORKLOADS["W1"].answer(ground.data, {})
        for _ in range(ROUNDS):
            for name in _SERVERS:
                _serve(name, ground.data, folder, found)
            asyncio.run(_sql(ground, found))
            _json(answer, found)
    rows = [
        (what, table.spread(rates), f"{1000 / sorted(rates)[len(rates) // 2]:.3f}")
        for what, rates in found.items()
    ]
    table.shown("At most.", ("", "a second", "ms each"), rows)


def _serve(name: str, data: Dataset, folder: Path, found: Rates) -> None:
    """Press a server that has the answers ready."""
    ready = folder / "ready"
    ready.mkdir(exist_ok=True)
    for workload, asked in (("W1", {}), ("W3", {"serial": serial(1)})):
        said = {"data": WORKLOADS[workload].answer(data, asked)}
        ready.joinpath(f"{workload}.json").write_bytes(orjson.dumps(said))
    bodies = folder / "bodies"
    bodies.write_bytes(b'{"query": "{ __typename }"}\n')
    [port] = machine.free_ports(1)
    command = [PYTHON, *(one.format(port=port) for one in _SERVERS[name])]
    said = {"PEERS_STATIC": str(ready)}
    with process(command, FOLDER / "py", said, folder / "log") as child:
        url = f"http://127.0.0.1:{port}"
        until(lambda: posted(f"{url}/W1", b"{}", {}))
        peer = Peer(name, tuple(command), HOME)
        for workload in ("W1", "W3"):
            for what, path in _PATHS.items():
                side = Side(peer, child.pid, f"{url}/{path.format(workload)}")
                counted = pressed(side, bodies, SECONDS, CONNECTIONS)
                rate = counted["requests"] / counted["us"] * 1e6
                found[f"{name}: {what.format(workload)}"].append(rate)


async def _sql(ground: Ground, found: Rates) -> None:
    """Look cards up: one after the other, by many tasks over a pool, and many in one statement."""
    dice = random.Random(3)
    serials = [serial(dice.randint(1, PEOPLE)) for _ in range(2_000)]
    async with asyncpg.create_pool(ground.database, min_size=10, max_size=10) as pool:
        async with pool.acquire() as connection:
            one = await connection.prepare(f"{_CARD} = $1")
            rate = await _rate(lambda: one.fetchrow(dice.choice(serials)))
            found["asyncpg: a card, one connection"].append(rate)
            several = await connection.prepare(f"{_CARD} = ANY($1::text[])")
            rate = await _rate(lambda: several.fetch(serials[:_BATCH]))
            found[f"asyncpg: cards, {_BATCH} a statement"].append(rate * _BATCH)
        rate = await _rate(lambda: pool.fetchrow(f"{_CARD} = $1", dice.choice(serials)), _TASKS)
        found[f"asyncpg: a card, {_TASKS} tasks over a pool of 10"].append(rate)


async def _rate(act: Callable[[], Awaitable[object]], tasks: int = 1) -> float:
    done, began = 0, time.perf_counter()

    async def work() -> None:
        nonlocal done
        while time.perf_counter() - began < SECONDS:
            await act()
            done += 1

    await asyncio.gather(*(work() for _ in range(tasks)))
    return done / (time.perf_counter() - began)


def _json(answer: object, found: Rates) -> None:
    """Write the menu as JSON, and have graphql-core read, check and run its query in memory."""
    schema, query = graphql.build_schema(_SCHEMA), WORKLOADS["W1"].query
    document = graphql.parse(query)
    acts: Sequence[tuple[str, Callable[[], object]]] = (
        ("json, the menu", lambda: json.dumps(answer)),
        ("orjson, the menu", lambda: orjson.dumps(answer)),
        ("graphql-core: parse", lambda: graphql.parse(query)),
        ("graphql-core: validate", lambda: graphql.validate(schema, document)),
        ("graphql-core: execute", lambda: graphql.execute_sync(schema, document, answer)),
    )
    for what, act in acts:
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < 1:
            act()
            done += 1
        found[what].append(done / (time.perf_counter() - began))


if __name__ == "__main__":
    main()
