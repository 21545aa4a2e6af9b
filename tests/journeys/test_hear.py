"""The receivers of docs/tills hear of changes: programs that partners copy, run as they stand."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from credentials import webhook
from models import demo
from tests import partner, port, server, till
from tests.hub import eventually

FOLDER = Path(__file__).parents[2] / "docs/tills"
REGISTER = """mutation ($input: RegisterWebhookInput!) { registerWebhook(input: $input) {
  ... on WebhookSecret { secret } } }"""
SUSPEND = "mutation ($input: SuspendCardInput!) { suspendCard(input: $input) { __typename } }"
MESSAGE = b'{"type": "card.revoked", "data": {"holder": "somebody", "areas": ["movie-watching"]}}'
TOLD = "card.revoked somebody movie-watching\n"


class Receiver:
    """A receiver that runs: ``url`` is where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, number: int) -> None:
        self._process = process
        self._number = number
        self.url = f"http://127.0.0.1:{number}/hooks"

    async def listens(self) -> bool:
        assert self._process.returncode is None, "it ended before it listened"
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._number)
            writer.close()
            return True
        return False

    async def line(self) -> str:
        """What it says next."""
        return (await asyncio.wait_for(self._process.stdout.readline(), 5)).decode()

    async def end(self) -> str:
        """End it; return what it said that nobody read."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        rest = await self._process.stdout.read()
        await self._process.wait()
        return rest.decode()


class Line:
    """What lies between the hub and a receiver: it loses messages there, or answers back."""

    def __init__(self) -> None:
        self.to = ""
        self.loses: list[str] = []
        self.answers: list[int] = []

    async def does(self, request: web.Request) -> web.Response:
        lost = self.loses.pop(0) if self.loses else None
        status = (
            500 if lost == "there" else await post(self.to, request.headers, await request.read())
        )
        self.answers.append(500 if lost else status)
        return web.Response(status=self.answers[-1])


async def post(url, headers, body) -> int:
    sent = {name: value for name, value in headers.items() if name.lower().startswith("webhook-")}
    async with aiohttp.ClientSession() as client, client.post(url, headers=sent, data=body) as came:
        return came.status


@pytest.fixture
def hub(stand):
    # A hub that is reached in the clear may send so.
    return stand(public_url="http://greenway.example")


@pytest.fixture
async def cinema(hub):
    return (await till.tills(hub))["cinema"]


@pytest.fixture(params=["hear.py", "hear.mjs"])
def program(request) -> list[str]:
    """The command of a receiver, in each language that there is one in."""
    return server.command(FOLDER / request.param)


@pytest.fixture
async def receiver(program, clock):
    """Run a receiver that knows a secret, by the hub's clock."""
    async with contextlib.AsyncExitStack() as stack:

        async def run(secret, number):
            process = await asyncio.create_subprocess_exec(
                *(*program, str(number), str(clock().timestamp())),
                env={**os.environ, "SECRET": secret},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            found = Receiver(process, number)
            stack.push_async_callback(found.end)
            await eventually(found.listens, 60)
            return found

        yield run


async def register(cinema, url) -> str:
    """Have changes sent to an address; return the secret."""
    answer = (await cinema.ask(REGISTER, {"input": {"url": url}})).json()
    return answer["data"]["registerWebhook"]["secret"]


async def accepted(cinema, clock) -> str:
    """Have the pilot's card accepted; return what the cinema calls them."""
    answer = await cinema.verify(await till.shown(cinema))
    assert answer["__typename"] == "CardAccepted"
    clock.pass_seconds(1)
    return answer["holder"]


async def suspend(hub) -> None:
    given = {"card": {"holder": demo.handle(demo.PILOT)}, "reason": "MISUSE"}
    answer = (await hub.ask(SUSPEND, {"input": given}, viewer="officer")).json()
    assert "Fault" not in answer["data"]["suspendCard"]["__typename"]


async def test_a_suspension_is_heard_within_five_seconds_under_the_partners_own_name(
    hub, cinema, receiver, clock
):
    holder = await accepted(cinema, clock)
    [number] = port.free(1)
    ear = await receiver(await register(cinema, f"http://127.0.0.1:{number}/hooks"), number)
    following = asyncio.create_task(hub.hub.follow())

    await suspend(hub)
    heard = await ear.line()

    hub.hub.stop_following()
    await following
    await hub.hub.courier.settled()
    assert heard == f"card.suspended {holder} movie-watching\n"
    assert await ear.end() == ""


async def test_what_was_not_taken_comes_again_later_and_a_double_counts_once(
    hub, cinema, receiver, clock
):
    holder, line = await accepted(cinema, clock), Line()
    async with partner.running(line.does) as loopback:
        ear = await receiver(await register(cinema, f"{loopback.url}/hooks"), *port.free(1))
        # One is lost on its way there, the next one's answer on its way back.
        line.to, line.loses = ear.url, ["there", "back"]
        await suspend(hub)
        for pause in (0, 4, 1, 29, 1, 60):
            clock.pass_seconds(pause)
            await hub.hub.courier.refreshed()
            await hub.hub.courier.settled()

    assert line.answers == [500, 500, 204]
    assert len({call.headers["webhook-id"] for call in loopback.calls}) == 1
    assert await ear.end() == f"card.suspended {holder} movie-watching\n"


@pytest.mark.any_database
async def test_a_message_of_nobody_who_has_the_secret_just_now_is_refused(receiver, clock):
    secret, other, now = webhook.new_secret(), webhook.new_secret(), clock()
    ear = await receiver(secret, *port.free(1))
    good = webhook.headers("msg-1", now, MESSAGE, [secret])
    late, early = (
        webhook.headers("msg-1", now + timedelta(seconds=off), MESSAGE, [secret])
        for off in (-301, 301)
    )

    refused = [
        await post(ear.url, headers, body)
        for headers, body in (
            (webhook.headers("msg-1", now, MESSAGE, [other]), MESSAGE),
            (good, MESSAGE.replace(b"somebody", b"anybody!")),
            ({**good, webhook.ID: "msg-2"}, MESSAGE),
            ({**good, webhook.TIMESTAMP: late[webhook.TIMESTAMP]}, MESSAGE),
            ({**good, webhook.TIMESTAMP: "soon"}, MESSAGE),
            ({**good, webhook.SIGNATURE: good[webhook.SIGNATURE].replace("v1,", "v2,")}, MESSAGE),
            ({**good, webhook.SIGNATURE: good[webhook.SIGNATURE][:-1]}, MESSAGE),
            ({**good, webhook.SIGNATURE: ""}, MESSAGE),
            ({}, MESSAGE),
            (good, MESSAGE + bytes(100_000)),
            (late, MESSAGE),
            (early, MESSAGE),
        )
    ]
    # While a secret is changed, messages are signed with both; whoever has one of them hears it.
    both = webhook.headers("msg-1", now, MESSAGE, [other, secret])
    taken = [await post(ear.url, headers, MESSAGE) for headers in (both, good)]

    assert refused == [401] * 12
    assert taken == [204, 204]
    assert await ear.end() == TOLD
