"""All sides as they run: each peer's process, over one database and one set of partner systems."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

import settings as configuration
from benchmarks import machine
from benchmarks.peers import hub
from benchmarks.peers.dataset import Dataset, load
from benchmarks.peers.peer import FOLDER, HOME, PEERS, Peer
from benchmarks.peers.workload import WORKLOADS

HUBS = ("hub", "hub-cache")

_READY_SECONDS = 40.0
_STOP_SECONDS = 5.0
_QUIET_SECONDS = 15.0
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
#: More connections than the pools of all sides have together; and as the hub has it by itself:
#: compiling a plan takes longer than any of these queries.
_DATABASE = {"max_connections": "300", "jit": "off"}


@dataclass(frozen=True, slots=True)
class Side:
    """A peer that runs."""

    peer: Peer
    pid: int
    url: str

    def asked(self, workload: str, body: bytes) -> Reply:
        """Return its answer."""
        return posted(self.url, body, self.peer.headers.get(workload, {}))

    def cpu_seconds(self) -> float:
        """Return the processor time it has used, its workers' included."""
        return machine.cpu_seconds(self.pid)

    def peak_megabytes(self) -> float:
        """Return the most memory it has held, its workers' added."""
        return machine.peak_megabytes(self.pid)

    def settle(self) -> None:
        """Wait until what was under way is done, so that it does not disturb the next one."""
        ends = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < ends:
            before = self.cpu_seconds()
            time.sleep(0.25)
            if self.cpu_seconds() - before < 0.03:
                return


@dataclass(frozen=True, slots=True)
class Ground:
    """What all sides stand on: the data, and the partner systems; and the sides."""

    data: Dataset
    database: str
    systems: str
    sides: tuple[Side, ...]

    def calls(self) -> int:
        """Return how often a partner was called so far."""
        counted: dict[str, int] = json.loads(machine.exchanged(f"{self.systems}/calls"))
        return sum(counted.values())


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers; ``wire`` is how many bytes of it are on the way, its head included."""

    status: int
    body: bytes
    wire: int


def posted(url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """Return what a server answers."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", where.path, body, {**_JSON, **headers})
        response = connection.getresponse()
        answer = response.read()
        head = len(f"HTTP/1.1 {response.status} {response.reason}\r\n\r\n")
        head += sum(len(f"{name}: {value}\r\n") for name, value in response.getheaders())
        return Reply(response.status, answer, head + len(answer))


@contextlib.contextmanager
def running(names: Sequence[str], people: int) -> Iterator[Ground]:
    """Run these of the peers and of the hub's two sorts; who does not start is left out, aloud."""
    data = Dataset.of(people)
    ports = machine.free_ports(len(names) + 1)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(machine.folder())
        server = stack.enter_context(machine.postgresql(**_DATABASE))
        database = asyncio.run(_loaded(server, data))
        systems = stack.enter_context(_systems(ports[0], folder))
        places = {
            "PEERS_DSN": database,
            "PEERS_PARTNERS": systems,
            "PEERS_STATIC": str(constants(folder, data)),
        }
        _copied()
        peers = {**PEERS, **_hubs(folder, server, systems, data, names)}
        sides = [
            stack.enter_context(_started(peers[name], port, places, folder / f"{name}.log"))
            for name, port in zip(names, ports[1:], strict=True)
        ]
        yield Ground(data, database, systems, tuple(one for one in sides if one))


async def _loaded(server: machine.PostgreSQL, data: Dataset) -> str:
    """Make a database for the peers, with the data, and an empty one for the hub."""
    whole = await asyncpg.connect(server.url)
    for name in ("peers", "hub"):
        await whole.execute(f"CREATE DATABASE {name}")
    await whole.close()
    address = server.of("peers")
    await load(address, data)
    return address


def _hubs(
    folder: Path, server: machine.PostgreSQL, systems: str, data: Dataset, names: Sequence[str]
) -> dict[str, Peer]:
    if not set(HUBS).intersection(names):
        return {}
    hub.write_menu(folder / "menu", data)
    hub.write_partners(folder / "partners", data, systems)
    said = hub.environment(folder, server.of("hub"))
    settings = configuration.read(said)
    asyncio.run(hub.load(settings, data))
    return {one.name: one for one in hub.peers(settings, said, data)}


def constants(folder: Path, data: Dataset) -> Path:
    """Write answers that are served as they are into a folder, and return it."""
    for name, asked in (("W1", {}), ("W3", {"serial": data.people[0].serial})):
        said = {"data": WORKLOADS[name].answer(data, asked)}
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        folder.joinpath(f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def _copied() -> None:
    """Put the Node peers beside their packages, where modules look for these."""
    for path in FOLDER.glob("node/*/*.mjs"):
        there = HOME / path.relative_to(FOLDER)
        if there.parent.is_dir():
            shutil.copy(path, there)


@contextlib.contextmanager
def _systems(port: int, folder: Path) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "benchmarks.peers.partners", str(port))
    with process(command, configuration.HOME, {}, folder / "partners.log"):
        until(lambda: machine.exchanged(f"{url}/calls"))
        yield url


@contextlib.contextmanager
def _started(peer: Peer, port: int, places: Mapping[str, str], log: Path) -> Iterator[Side | None]:
    url = f"http://127.0.0.1:{port}/graphql"
    said = {
        "PORT": str(port),
        f"{configuration.PREFIX}PORT": str(port),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        **places,
        **peer.environment,
    }
    with contextlib.ExitStack() as stack:
        found = None
        try:
            if peer.prepare:
                with process(peer.prepare, peer.folder, said, log) as preparing:
                    preparing.wait()
            command = [one.format(port=port) for one in peer.command]
            running = stack.enter_context(process(command, peer.folder, said, log))
            until(lambda: posted(url, b'{"query": "{ __typename }"}', {}))
            found = Side(peer, running.pid, url)
        except OSError as wrong:
            last = log.read_text(encoding="utf-8", errors="replace")[-400:] if log.exists() else ""
            print(f"{peer.name} is left out: {wrong}\n{last}", file=sys.stderr)
        yield found


@contextlib.contextmanager
def process(
    command: Sequence[str], folder: Path, said: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that knows of no setting of ours but these; end it, and all it started."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(configuration.PREFIX)
    }
    with log.open("ab") as out:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, **said},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGTERM)
        try:
            running.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def until(answers: Callable[[], object]) -> None:
    """Wait until it does.

    Raises:
        TimeoutError: it takes too long.
    """
    ends = time.monotonic() + _READY_SECONDS
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            answers()
            return
        if time.monotonic() > ends:
            raise TimeoutError("it does not answer")
        time.sleep(0.1)


NOTHING: Mapping[str, str] = {}
_WRK = re.compile(r"^JSON (.*)$", re.MULTILINE)


def pressed(
    side: Side, bodies: Path, seconds: float, connections: int, said: Mapping[str, str] = NOTHING
) -> dict[str, float]:
    """Have so many connections ask a side over and over, and return what wrk counted."""
    headers = [part for pair in said.items() for part in pair]
    found = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s"),
            *("-s", str(FOLDER / "lua" / "post.lua"), side.url, "--", str(bodies), *headers),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    counted: dict[str, float] = json.loads(_WRK.findall(found.stdout)[0])
    return counted
