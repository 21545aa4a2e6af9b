"""An integrator connects a partner nobody here has seen: begun, checked, recorded, live."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from typer.testing import CliRunner

import schema
from connectors import (
    command,
    drift,
    egress,
    manifest,
    proof,
    recording,
    registry,
    scaffold,
    transport,
)
from tests import asgi, partner
from tests.hub import eventually

pytestmark = pytest.mark.any_database

SLUG = "hongqiao-exchange"
SECRET = "S3cret/S3cret+S3cret"  # noqa: S105 - nobody's
RATE = {"id": "usd", "name": "US dollar", "pair": "USD/CNY", "currency": "CNY", "rate": "6.7900"}
OFFERS = """{ service(code: "exchange-rates") { ... on Service { offers { pages {
  freshness nodes { id title ... on Quote { instrument rate } } problem { code } } } } } }"""


@pytest.fixture
async def desk():
    """A partner of a kind of its own, which demands a key and gives it back wherever it can."""

    async def does(request):
        shown = request.headers.get("X-Api-Key")
        body = json.dumps({"quotes": [{**RATE, "echo": shown}]})
        return await partner.says(body, status=200 if shown == SECRET else 401, ETag=shown or "")(
            request
        )

    async with partner.running(does) as loopback:
        yield loopback


@pytest.fixture
async def sockets():
    one = transport.Sockets(egress.LOOPBACK)
    yield one
    await one.close()


@pytest.fixture
async def begun(desk, sockets):
    """Begin the partner's file from a `curl` line; return its text."""
    line = f"curl -s '{desk.url}/v2/quotes?limit=50' -H 'X-Api-Key: {SECRET}'"
    return await scaffold.file(SLUG, scaffold.from_curl(line, SLUG), sockets.send, registry.kinds())


async def test_from_a_curl_line_to_an_answer_of_the_hub_without_a_restart(begun, stand, tmp_path):
    folder = tmp_path / "partners"
    folder.mkdir()
    hub = stand(
        partners=folder,
        always_live=True,
        secrets={f"{SLUG}-key": SECRET},
    )
    before = schema.build_schema().as_str()
    async with asgi.alive(hub.app):

        async def answered() -> bool:
            (page,) = (await hub.ask(OFFERS)).json()["data"]["service"]["offers"]["pages"]
            return page == {
                "freshness": "LIVE",
                "nodes": [
                    {"id": "usd", "title": "US dollar", "instrument": "USD/CNY", "rate": "6.7900"}
                ],
                "problem": None,
            }

        assert not await answered()
        (folder / f"{SLUG}.yaml").write_text(begun, encoding="utf-8")
        await eventually(answered, 3.0)

    assert schema.build_schema().as_str() == before


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("path: quotes", "path: quote", "quotes was expected"),
        ("rate: rate", "rte: rate", "did you mean “rate”?"),
        ("", "", "No example shows what becomes of a failure."),
    ],
    ids=["a wrong path", "an unknown field", "no failure shown"],
)
async def test_a_mistake_is_caught_before_anybody_asks(begun, tmp_path, good, bad, told):
    (tmp_path / f"{SLUG}.yaml").write_text(begun.replace(good, bad, 1), encoding="utf-8")

    check = ["check", "--strict", str(tmp_path)]
    checked = await asyncio.to_thread(CliRunner().invoke, command.app, check)

    assert checked.exit_code == 1
    [line] = [line for line in checked.output.splitlines() if told in line]
    assert re.search(rf"{SLUG}\.yaml:\d+: (options|examples)", line)


async def test_a_recording_holds_no_key_and_stays_true_when_the_partner_changes(
    begun, desk, sockets, tmp_path
):
    path = tmp_path / f"{SLUG}.yaml"
    path.write_text(begun, encoding="utf-8")
    entry = manifest.load(path, registry.kinds())
    secrets = {f"{SLUG}-key": SECRET}
    asked = entry.manifest.examples[0].played().inquiries

    example = await recording.record(
        entry, asked, "again", entry.manifest.address, secrets, sockets.send
    )
    recording.append(path, example, registry.kinds())
    renamed = {("symbol" if name == "pair" else name): one for name, one in RATE.items()}
    desk.does = partner.says(json.dumps({"quotes": [renamed]}))
    drifted = await drift.drifted(entry, entry.manifest.address, secrets, sockets.send)

    assert SECRET not in path.read_text(encoding="utf-8")
    assert "quotes: $.quotes[].pair: This is missing. It may be “symbol” now." in [
        str(one) for several in drifted.values() for one in several
    ]
    assert await proof.prove(manifest.load(path, registry.kinds())) == [[], []]
