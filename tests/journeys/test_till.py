"""The tills of docs/tills at a counter: programs that partners copy, run as they stand there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from datetime import UTC, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from credentials import base64url, code, offline_pass, token
from models import demo
from models.card import Redemption
from models.status import StatusEntry
from models.verification import Verification
from models.verifier import Scope
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


async def run(program, url, cinema, scanned):
    """Run a till on what was scanned; give its exit code and what it says, line by line."""
    ran = await asyncio.create_subprocess_exec(
        *program,
        scanned,
        env={**os.environ, "HUB": url, "KEY": cinema.key, "SERVICE": cinema.service},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await asyncio.wait_for(ran.communicate(), 60)
    assert wrong == b""
    return ran.returncode, said.decode().splitlines()


async def message(reader) -> bytes:
    """A request or an answer, whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    return head + await reader.readexactly(int(length[1]))


@contextlib.asynccontextmanager
async def losing(url, answers):
    """A line to the hub on which the first answers are lost, after the hub has given them."""
    host, _, port = url.removeprefix("http://").partition(":")
    lost = iter(range(answers))

    async def carry(reader, writer):
        back, forth = await asyncio.open_connection(host, port)
        forth.write(await message(reader))
        answer = await message(back)
        if next(lost, None) is None:
            writer.write(answer)
        for end in (writer, forth):
            end.close()

    line = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with line:
        yield f"http://127.0.0.1:{line.sockets[0].getsockname()[1]}"


async def test_a_till_says_yes_with_what_is_left_and_keeps_a_receipt(hub, cinema, program):
    async with asgi.served(hub.app) as url:
        ended, lines = await run(program, url, cinema, await shown(cinema))

    assert ended == 0
    assert re.fullmatch("YES, [0-9]+ left", lines[0])
    confirmed = (await hub.ask(CONFIRM, {"jws": lines[1]})).json()["data"]["confirmReceipt"]
    assert confirmed["__typename"] == "ReceiptConfirmation"
    assert (confirmed["outcome"], confirmed["service"]) == ("CardAccepted", "film-tickets")
    assert confirmed["partnerCode"] == cinema.code
    assert all(confirmed[name] for name in ("areas", "rules", "checkedAt"))


async def test_a_till_says_no_and_why(hub, cinema, program):
    scanned = await shown(cinema)

    async with asgi.served(hub.app) as url:
        await run(program, url, cinema, scanned)
        again = await run(program, url, cinema, scanned)
        forged = await run(program, url, cinema, "HTTPS://GREENWAY.EXAMPLE/T/" + "0" * 26)
        nonsense = await run(program, url, cinema, "nonsense")
        cinema.key = cinema.key[:-1] + ("a" if cinema.key[-1] != "a" else "b")
        unknown = await run(program, url, cinema, scanned)

    assert [ended for ended, _ in (again, forged, nonsense, unknown)] == [1, 1, 1, 1]
    assert again[1][0] == "NO: ALREADY_USED, ASK_HOLDER_TO_REFRESH"
    assert forged[1][0] == "NO: CALL_SERVICE_DESK"
    assert nonsense[1] == ["NO: MALFORMED", "no receipt"]
    assert unknown[1] == ["NO: This credential is not accepted.", "no receipt"]


async def test_an_answer_that_is_lost_on_the_way_is_given_again_and_uses_one_unit(
    hub, cinema, program, counts
):
    async with asgi.served(hub.app) as url, losing(url, 2) as line:
        ended, lines = await run(program, line, cinema, await shown(cinema))

    assert ended == 0
    assert lines[0].startswith("YES, ")
    assert await counts(cinema) == [1, 1]


async def test_a_till_without_a_hub_says_so_and_grants_nothing(cinema, program):
    ended, lines = await run(program, "http://127.0.0.1:9", cinema, await shown(cinema))

    assert (ended, lines) == (1, ["NO: RETRY_LATER", "no receipt"])


async def test_a_till_counts_down_what_is_left_and_then_says_no(hub, cinema, program):
    before = (await cinema.verify(await shown(cinema)))["entitlement"]["unitsLeft"]

    async with asgi.served(hub.app) as url:
        said = [
            (await run(program, url, cinema, await shown(cinema)))[1][0] for _ in range(before + 1)
        ]

    assert said[:-1] == [f"YES, {left} left" for left in reversed(range(before))]
    assert said[-1] == "NO: QUOTA_USED"


LINK = """mutation ($input: LinkDeviceInput!) { linkDevice(input: $input) {
  ... on Device { id } } }"""
ISSUE = """mutation ($input: IssuePassInput!) { issuePass(input: $input) {
  ... on OfflinePass { cwt } } }"""


@pytest.fixture
async def pass_of(hub, cinema):
    """Issue an offline pass to a phone of the pilot's, and show it as that phone would."""
    await partners.grant(hub, cinema.code, Scope.VERIFY_OFFLINE)
    key, me = token.new_key(), {"viewer": "holder", "person": demo.PILOT}

    async def done(document, **given):
        answer = await hub.ask(document, {"input": given}, **me)
        return next(iter(answer.json()["data"].values()))

    public = {name: key.as_dict(private=False)[name] for name in ("x", "y")}
    phone = await done(LINK, name="blue phone", publicKey=public)
    wanted = {"partnerCode": cinema.code, "serviceCode": cinema.service}
    cwt = base64url.decode((await done(ISSUE, device=phone["id"], **wanted))["cwt"])
    return lambda now: offline_pass.show(cwt, key, code.step_at(now))


async def offline(hub, tmp_path, partner, scanned):
    """Run the till without a network, on what it fetched when it still had one."""
    for path, name in (("/.well-known/jwks.json", "jwks.json"), ("/status/1", "status.jwt")):
        (tmp_path / name).write_bytes((await asgi.call(hub.app, path=path)).body)
    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, str(FOLDER / "offline.py"), "jwks.json", "status.jwt", partner),
        str(hub.clock().timestamp()),
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await asyncio.wait_for(ran.communicate(scanned.encode() + b"\n"), 60)
    return ran.returncode, (said + wrong).decode().strip()


async def test_a_till_without_a_network_reads_passes_until_the_card_is_revoked(
    hub, cinema, pass_of, clock, tmp_path
):
    good = await offline(hub, tmp_path, cinema.code, pass_of(clock.now))
    other = await offline(hub, tmp_path, "ember-hospital", pass_of(clock.now))
    photo = await offline(hub, tmp_path, cinema.code, pass_of(clock.now - timedelta(minutes=5)))
    async with hub.hub.database.begin() as session:
        await session.execute(sa.update(StatusEntry).values(ended_at=clock.now.astimezone(UTC)))
    await hub.hub.lists.refreshed()
    revoked = await offline(hub, tmp_path, cinema.code, pass_of(clock.now))
    forged = await offline(hub, tmp_path, cinema.code, "GWP1:NONSENSE")

    assert good == (0, "YES, tier A")
    assert other == (1, "NO: for another partner")
    assert photo == (1, "NO: not shown now: is it a photo?")
    assert revoked == (1, "NO: it does not count")
    assert (forged[0], forged[1][:4]) == (1, "NO: ")


def test_a_till_is_thirty_lines_at_most():
    for path in FOLDER.glob("till.*"):
        lines = path.read_text(encoding="utf-8").splitlines()
        told = ("import ", '"""', "//")
        code = [line for line in lines if line.strip() and not line.startswith(told)]
        assert len(code) <= 30
