"""A hub in a process of its own, as strangers meet it: asked, attacked, and measured."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import hub as standing
from tests import pace, process

JSON = {"content-type": "application/json", "accept": "application/graphql-response+json"}
CHEAP = json.dumps({"query": "{ __typename }"}).encode()
_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def errors(self) -> list[dict]:
        return json.loads(self.body)["errors"]

    @property
    def codes(self) -> set[str]:
        return {one["extensions"]["code"] for one in self.errors}


@dataclass(frozen=True)
class Cost:
    """What an attack took of the hub's time, and of whoever asked beside, in the best of some.

    What else a machine is busy with only adds to a time: a hub that is held up always is. And
    where the hub has but a share of the machine, whoever asks it waits longer by that. The same
    machine is at times several times slower, with both of its processors: by ``pace``, what each
    attempt took is told as it would be at the pace for which the bars are.
    """

    cpu_seconds: float
    beside_seconds: float
    share: float
    grown_bytes: int
    pace: float


class Target:
    """The hub; ``port`` is where it listens."""

    def __init__(self, running: process.Running) -> None:
        self._pid = running.pid
        self.port = urlsplit(running.url).port

    def send(self, method="POST", path="/graphql", body=b"", headers=JSON) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            return _answer(connection)

    def ask(self, document: str, variables=None) -> Answer:
        return self.send(body=json.dumps({"query": document, "variables": variables}).encode())

    def raw(self, request: bytes) -> Answer:
        """Send bytes that a client would not, and return the answer, if there is one: else 0."""
        with socket.create_connection(("127.0.0.1", self.port), _PATIENCE_SECONDS) as one:
            with contextlib.suppress(ConnectionError):
                one.sendall(request)
            with contextlib.suppress(ConnectionError, http.client.HTTPException):
                found = http.client.HTTPResponse(one)
                found.begin()
                return Answer(found.status, dict(found.getheaders()), found.read())
        return Answer(0, {}, b"")

    def cost(self, attack, times: int = 5) -> Cost:
        """Return what an attack costs; ``attack`` is called with a number, never the same."""
        grown, began = self.resident(), time.perf_counter()
        spent = [self._spent(attack, number) for number in range(times)]
        share = min(1.0, sum(spent) / (time.perf_counter() - began))
        slowness = pace.now(times)
        beside = min(self._beside(attack, times + number) for number in range(times))
        grown = self.resident() - grown
        return Cost(min(spent) / slowness, beside * share / slowness, share, grown, slowness)

    def resident(self) -> int:
        """Return the bytes of memory that the hub has."""
        [line] = [one for one in self._told("status").splitlines() if one.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024

    def _spent(self, attack, number: int) -> float:
        before = self._cpu()
        attack(number)
        return self._cpu() - before

    def _cpu(self) -> float:
        """Return the seconds for which the hub's loop has been at work."""
        return int(self._told("schedstat").split()[0]) / 1e9

    def _cheap(self) -> float:
        began = time.perf_counter()
        assert self.send(body=CHEAP).status == 200
        return time.perf_counter() - began

    def _beside(self, attack, number: int) -> float:
        """Return how long a cheap query takes that comes just after an attack has."""

        async def both() -> float:
            attacking = asyncio.create_task(asyncio.to_thread(attack, number))
            await asyncio.sleep(0.001)
            took = await asyncio.to_thread(self._cheap)
            await attacking
            return took

        return asyncio.run(both())

    def _told(self, what: str) -> str:
        return Path(f"/proc/{self._pid}/{what}").read_text(encoding="ascii")


def _answer(connection: http.client.HTTPConnection) -> Answer:
    found = connection.getresponse()
    headers = {name.lower(): value for name, value in found.getheaders()}
    return Answer(found.status, headers, found.read())


@pytest.fixture(scope="session")
def attacked(furnished, tmp_path_factory):
    """The hub with the settings of a hub at work, for all attacks one after another."""
    folder = tmp_path_factory.mktemp("attacked")
    # Whoever attacks is soon told to wait; here each attack is to be met by itself.
    said = {"INTROSPECTION": "0", "IDE": "0", "POINTS_PER_SECOND": "0"}
    with asyncio.Runner() as runner:

        @contextlib.asynccontextmanager
        async def running():
            async with standing.copied(furnished, folder) as url:
                one = await process.serve(folder, url, **said)
                yield one
                await one.kill()

        manager = running()
        target = Target(runner.run(manager.__aenter__()))
        for _ in range(20):
            target.ask("{ menu(first: 5) { nodes { code } } }")
        yield target
        runner.run(manager.__aexit__(None, None, None))
