"""The asking side: a process that sends one request over and over, so many at a time."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from benchmarks import machine


@dataclass(frozen=True, slots=True)
class Job:
    """What is sent: one POST, by so many who each wait for their answer, for so long."""

    url: str
    body: str
    headers: dict[str, str]
    seconds: float
    at_once: int = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job; every answer was a 200 without errors, or it is in ``failed``."""

    seconds: float
    milliseconds: list[float]
    failed: int

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which this share was answered."""
        ordered = sorted(self.milliseconds)
        return ordered[math.ceil(share * len(ordered)) - 1]


class Asker:
    """The asking process."""

    def __init__(self) -> None:
        self._child = machine.Child("-m", "benchmarks.load")

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._child.stop()

    def run(self, job: Job) -> Outcome:
        """Have a job done."""
        self._child.told.write(json.dumps(asdict(job)) + "\n")
        self._child.told.flush()
        return Outcome(**json.loads(self._child.said.readline()))


async def _done(job: Job) -> Outcome:
    took: list[float] = []
    failed = 0
    began = time.perf_counter()
    ends = began + job.seconds
    body = job.body.encode()

    async def ask(session: aiohttp.ClientSession) -> None:
        nonlocal failed
        while (sent := time.perf_counter()) < ends:
            async with session.post(job.url, data=body, headers=job.headers) as response:
                answer = await response.read()
            took.append((time.perf_counter() - sent) * 1000)
            failed += response.status != 200 or b'"errors"' in answer

    connector = aiohttp.TCPConnector(limit=job.at_once)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(ask(session) for _ in range(job.at_once)))
    return Outcome(time.perf_counter() - began, took, failed)


def main() -> None:
    """Do each job that a line of the input describes; answer with a line."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        sys.stdout.write(json.dumps(asdict(asyncio.run(_done(Job(**asked))))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
