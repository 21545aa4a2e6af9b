"""The tills of docs/tills at a counter: programs that partners copy, run as they stand there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.card import Redemption
from models.verification import Verification
from tests import asgi, server
from tests import till as partners
from tests.till import shown

FOLDER = Path(__file__).parents[2] / "docs/tills"
CONFIRM = """query ($jws: String!) { confirmReceipt(jws: $jws) {
  __typename ... on ReceiptConfirmation { outcome service areas checkedAt rules partnerCode } } }"""


@pytest.fixture(params=["till.py", "till.mjs"])
def program(request) -> list[str]:
    """The command of a till, in each language that there is one in."""
    path = str(FOLDER / request.param)
    if request.param.endswith(".py"):
        return [sys.executable, path]
    if shutil.which("node") is None or server._node() < server._NODE:
        pytest.skip(f"Node.js {server._NODE} is not installed: its till does not run")
    return ["node", path]


@pytest.fixture
async def cinema(hub):
    return (await partners.tills(hub))["cinema"]


@pytest.fixture
def counts(hub):
    """How many checks and redemptions the hub has of the cinema."""

    async def counts(cinema):
        async with hub.hub.database.session() as session:
            return [
                await session.scalar(
                    sa.select(sa.func.count()).where(table.verifier == cinema.code)
                )
                for table in (Verification, Redemption)
            ]

    return counts


async def run(program, url, cinema, code):
    """Run a till on what was scanned; give its exit code and what it says, line by line."""
    ran = await asyncio.create_subprocess_exec(
        *program,
        code,
        env={**os.environ, "HUB": url, "KEY": cinema.key, "SERVICE": cinema.service},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await asyncio.wait_for(ran.communicate(), 60)
    assert wrong == b""
    return ran.returncode, said.decode().splitlines()


@contextlib.asynccontextmanager
async def losing(url, answers):
    """A line to the hub on which the first answers are lost, after the hub has given them."""
    host, _, port = url.removeprefix("http://").partition(":")
    lost = iter(range(answers))

    async def carry(reader, writer):
        ours, theirs = await asyncio.open_connection(host, port)
        sent = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in sent.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        # The hub closes after its answer, so that all of it has come when there is no more.
        sent = sent.replace(b"\r\nConnection: keep-alive", b"").replace(
            b"\r\nconnection: keep-alive", b""
        )
        sent = sent[:-2] + b"x-till: 1\r\n\r\n" if b"onnection: close" in sent else (
            sent[:-2] + b"connection: close\r\n\r\n"
        )
        theirs.write(sent + await reader.readexactly(length))
        answer = await ours.read()
        assert answer
        if next(lost, None) is None:
            writer.write(answer)
        writer.close()
        theirs.close()

    line = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with line:
        yield f"http://127.0.0.1:{line.sockets[0].getsockname()[1]}"


async def test_a_till_says_yes_with_what_is_left_and_keeps_a_receipt(hub, cinema, program):
    async with asgi.served(hub.app) as url:
        code, lines = await run(program, url, cinema, await shown(cinema))

    assert code == 0
    assert lines[0].startswith("YES, ") and lines[0].endswith(" left")
    confirmed = (await hub.ask(CONFIRM, {"jws": lines[1]})).json()["data"]["confirmReceipt"]
    assert confirmed["__typename"] == "ReceiptConfirmation"
    assert (confirmed["outcome"], confirmed["service"]) == ("CardAccepted", "film-tickets")
    assert confirmed["partnerCode"] == cinema.code
    assert confirmed["areas"] and confirmed["rules"] and confirmed["checkedAt"]


async def test_a_till_says_no_and_why(hub, cinema, program):
    code = await shown(cinema)

    async with asgi.served(hub.app) as url:
        await run(program, url, cinema, code)
        again = await run(program, url, cinema, code)
        forged = await run(program, url, cinema, "HTTPS://GREENWAY.EXAMPLE/T/" + "0" * 26)
        nonsense = await run(program, url, cinema, "nonsense")
        cinema.key = cinema.key[:-1] + ("a" if cinema.key[-1] != "a" else "b")
        unknown = await run(program, url, cinema, code)

    assert [code for code, _ in (again, forged, nonsense, unknown)] == [1, 1, 1, 1]
    assert again[1][0] == "NO: ALREADY_USED, ASK_HOLDER_TO_REFRESH"
    assert forged[1][0] == "NO: CALL_SERVICE_DESK"
    assert nonsense[1] == ["NO: MALFORMED", "no receipt"]
    assert unknown[1][0].startswith("NO: ") and unknown[1][1] == "no receipt"


async def test_an_answer_that_is_lost_on_the_way_is_given_again_and_uses_one_unit(
    hub, cinema, program, counts
):
    async with asgi.served(hub.app) as url, losing(url, 2) as line:
        code, lines = await run(program, line, cinema, await shown(cinema))

    assert code == 0
    assert lines[0].startswith("YES, ")
    assert await counts(cinema) == [1, 1]


async def test_a_till_without_a_hub_says_so_and_grants_nothing(cinema, program):
    code, lines = await run(program, "http://127.0.0.1:9", cinema, await shown(cinema))

    assert (code, lines) == (1, ["NO: RETRY_LATER", "no receipt"])


async def test_a_till_counts_down_what_is_left_and_then_says_no(hub, cinema, program):
    before = (await cinema.verify(await shown(cinema)))["entitlement"]["unitsLeft"]

    async with asgi.served(hub.app) as url:
        said = [
            (await run(program, url, cinema, await shown(cinema)))[1][0] for _ in range(before + 1)
        ]

    assert said[:-1] == [f"YES, {left} left" for left in reversed(range(before))]
    assert said[-1] == "NO: QUOTA_USED"


def test_a_till_is_thirty_lines_at_most():
    for path in FOLDER.glob("till.*"):
        lines = path.read_text(encoding="utf-8").splitlines()
        told = ("import ", '"""', "//")
        code = [line for line in lines if line.strip() and not line.startswith(told)]
        assert len(code) <= 30
