"""The asking side of requests that differ: a process that sends each once, as fast or as asked."""

from __future__ import annotations

import asyncio
import collections
import itertools
import json
import math
import re
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import machine

_SIZE = struct.Struct(">I")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_KIND = re.compile(rb'"__typename": ?"(\w+)"')
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Job:
    """A file of requests, sent in order over so many connections; so many a second, if said."""

    host: str
    port: int
    path: str
    at_once: int
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: the time each request took, in order, and how often each answer came.

    Of requests that are sent at a pace the time counts from when each was due.
    """

    seconds: float
    milliseconds: list[float]
    answers: dict[str, int]
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which this share was answered."""
        ordered = sorted(self.milliseconds)
        return ordered[math.ceil(share * len(ordered)) - 1]


class Asker:
    """The asking process, and the file that its requests are in."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "requests"
        self._child = machine.Child("-m", "benchmarks.burst")

    def run(
        self,
        server: machine.Server,
        requests: Iterable[bytes],
        at_once: int = 16,
        per_second: float | None = None,
    ) -> Outcome:
        """Have requests sent."""
        self._path.write_bytes(b"".join(_SIZE.pack(len(one)) + one for one in requests))
        host, _, port = server.url.removeprefix("http://").partition(":")
        job = Job(host, int(port), str(self._path), at_once, per_second)
        self._child.told.write(json.dumps(asdict(job)) + "\n")
        self._child.told.flush()
        return Outcome(**json.loads(self._child.said.readline()))

    def stop(self) -> None:
        """End the process."""
        self._child.stop()


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return a request as it goes over the line."""
    said = {"host": "greenway.example", "content-length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return "\r\n".join(lines).encode() + _END + body


class _Line(asyncio.Protocol):
    """One connection: a request is sent, and its answer waited for."""

    def __init__(self) -> None:
        self._there = b""
        self._transport: Any = None
        self._answered: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._there += data
        head, end, body = self._there.partition(_END)
        length = _LENGTH.search(head)
        if end and length and len(body) >= int(length[1]) and self._answered:
            self._there, answered = b"", self._answered
            answered.set_result(head[9:12] + body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError())

    async def ask(self, said: bytes) -> bytes:
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(said)
        return await self._answered

    def close(self) -> None:
        self._transport.close()


async def _done(job: Job, requests: Sequence[bytes]) -> Outcome:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(_Line, job.host, job.port) for _ in range(job.at_once)]
    lines = [line for _, line in made]
    took = [0.0] * len(requests)
    answers: collections.Counter[str] = collections.Counter()
    began, cpu = time.perf_counter(), time.process_time()

    async def one(line: _Line, place: int, due: float) -> None:
        answer = await line.ask(requests[place])
        took[place] = (time.perf_counter() - due) * 1000
        kind = _KIND.search(answer)
        answers[kind[1].decode() if kind else answer[:3].decode()] += 1

    if job.per_second is None:
        await _as_fast(lines, len(requests), one)
    else:
        await _at_pace(lines, len(requests), one, began, job.per_second)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    for line in lines:
        line.close()
    return Outcome(seconds, took, dict(answers), cpu)


async def _as_fast(lines: Sequence[_Line], many: int, one: Any) -> None:
    places = itertools.count()

    async def each(line: _Line) -> None:
        while (place := next(places)) < many:
            await one(line, place, time.perf_counter())

    await asyncio.gather(*map(each, lines))


async def _at_pace(
    lines: Sequence[_Line], many: int, one: Any, began: float, per_second: float
) -> None:
    free: asyncio.Queue[_Line] = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)

    async def each(place: int, due: float) -> None:
        line = await free.get()
        await one(line, place, due)
        free.put_nowait(line)

    async with asyncio.TaskGroup() as group:
        for place in range(many):
            due = began + place / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(each(place, due))


def _read(raw: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(raw):
        (size,) = _SIZE.unpack_from(raw, place)
        place += _SIZE.size + size
        yield raw[place - size : place]


def main() -> None:
    """Do each job that a line of the input describes; answer with a line."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            job = Job(**json.loads(line))
            outcome = runner.run(_done(job, list(_read(Path(job.path).read_bytes()))))
            sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
