"""The tills of docs/tills at a counter: programs that partners copy, run as they stand there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from credentials import base45, base64url, code, offline_pass, token
from models import demo
from models.card import Reason, Redemption
from models.verification import Verification
from models.verifier import KeySort, Scope
from resolvers import enrolment
from tests import asgi, client, server
from tests import till as partners
from tests.till import shown

FOLDER = Path(__file__).parents[2] / "docs/tills"
CONFIRM = """query ($jws: String!) { confirmReceipt(jws: $jws) {
  __typename ... on ReceiptConfirmation { outcome service areas checkedAt rules partnerCode } } }"""


@pytest.fixture(params=["till.py", "till.mjs"])
def program(request) -> list[str]:
    """The command of a till, in each language that there is one in."""
    return server.command(FOLDER / request.param)


@pytest.fixture(params=["offline.py", "offline.mjs"])
def alone(request) -> list[str]:
    """The command of a till without a network, in each language that there is one in."""
    return server.command(FOLDER / request.param)


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
REVOKE = "mutation ($input: RevokeCardInput!) { revokeCard(input: $input) { __typename } }"
REPORT = """mutation ($passes: [String!]!, $service: ID!, $key: String!) {
  reportOfflineAcceptances(passes: $passes, serviceCode: $service, idempotencyKey: $key) {
    __typename } }"""


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


@pytest.fixture
def offline(hub, cinema, alone, tmp_path):
    """Run the till without a network, on the keys and the list that were fetched last."""

    async def offline(scanned, partner=cinema.code):
        ran = await asyncio.create_subprocess_exec(
            *(*alone, "jwks.json", "status.jwt", partner, str(hub.clock().timestamp())),
            cwd=tmp_path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, wrong = await asyncio.wait_for(ran.communicate(scanned.encode() + b"\n"), 60)
        return ran.returncode, (said + wrong).decode().strip()

    return offline


@pytest.fixture
def fetch(hub, tmp_path):
    """Fetch what the till needs, while there is a network."""

    async def fetch():
        for path, name in (("/.well-known/jwks.json", "jwks.json"), ("/status/1", "status.jwt")):
            (tmp_path / name).write_bytes((await asgi.call(hub.app, path=path)).body)

    return fetch


def tampered(scanned) -> str:
    """What was scanned, with another tier in it."""
    raw = base45.decode(scanned.removeprefix(code.PASS_PREFIX))
    changed = raw.replace(b"\x01\x61A", b"\x01\x61C")
    assert changed != raw
    return code.PASS_PREFIX + base45.encode(changed)


@pytest.fixture
async def report(hub, cinema):
    """Hand in what a till accepted, from the cinema's server; give what came of each."""
    by = client.Client(hub, cinema.code)
    public = json.dumps(by.key.as_dict(private=False))
    new = enrolment.NewKey(KeySort.JWK, live=True, public=public)
    await enrolment.add_key(hub.hub.authority.verifiers, cinema.code, new, hub.clock())
    office = partners.Till(hub, cinema.code, cinema.service, by=by)

    async def report(key, *scanned):
        given = {"passes": list(scanned), "service": office.service, "key": key}
        answer = (await office.ask(REPORT, given)).json()
        assert "errors" not in answer, answer
        return [one["__typename"] for one in answer["data"]["reportOfflineAcceptances"]]

    return report


async def test_a_till_without_a_network_reads_passes_until_the_card_is_revoked(
    hub, cinema, pass_of, clock, fetch, offline, report
):
    await fetch()
    before = pass_of(clock.now)
    good = await offline(before)
    changed = await offline(tampered(before))
    other = await offline(before, "ember-hospital")
    forged = await offline("GWP1:NONSENSE")
    clock.pass_seconds(60)
    photo = await offline(before)
    taken_in = await report("monday", before)
    card = {"holder": demo.handle(demo.PILOT)}
    await hub.ask(REVOKE, {"input": {"card": card, "reason": Reason.MISUSE}}, viewer="officer")
    clock.pass_seconds(60)
    after = pass_of(clock.now)
    unheard = await offline(after)
    await hub.hub.lists.refreshed()
    await fetch()
    revoked = await offline(after)
    late = await report("tuesday", before, after)

    assert good == (0, "YES, tier A")
    assert (changed[0], changed[1][:4]) == (1, "NO: ")
    assert other == (1, "NO: for another partner")
    assert (forged[0], forged[1][:4]) == (1, "NO: ")
    assert photo == (1, "NO: not shown now: is it a photo?")
    assert unheard == (0, "YES, tier A")
    assert revoked == (1, "NO: it does not count")
    assert taken_in == ["CardAccepted"]
    assert late == ["CodeNotUsable", "CardNotAccepted"]


@pytest.mark.parametrize("path", [*FOLDER.glob("till.*"), *FOLDER.glob("hear.*")], ids=str)
def test_what_is_to_be_copied_is_thirty_lines_at_most(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    told = ("import ", "from ", '"""', "//", "#")
    written = [line for line in lines if line.strip() and not line.strip().startswith(told)]
    assert len(written) <= 30
