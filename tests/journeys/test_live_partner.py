"""Partners come, change and go while the hub runs, and nobody who asks notices."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest

import schema
import server
from connectors import registry
from connectors.registry import PARTNERS
from resolvers import partner as partners
from sandbox.fault import Fault, Mode
from tests import asgi
from tests.hub import eventually

RATES = "hongqiao-exchange"
FILE = (PARTNERS / f"{RATES}.yaml").read_text(encoding="utf-8")
NAME = "en: Hongqiao Exchange (sandbox)"
#: Where the exchange's system has nothing.
NOWHERE = FILE.replace(f"sandbox:bank/{RATES}", "sandbox:bank/nowhere")

OFFERS = """{ service(code: "exchange-rates") { ... on Service { offers { pages {
  partner { code name { text } } freshness nodes { id } problem { code } } } } } }"""
VERSIONS = """{ connectors { code state mistakes
  versions { version origin state goodAsks failedAsks reason changedBy } } }"""
INSTALL = """mutation Install($input: InstallPartnerInput!) { installPartner(input: $input) {
  __typename
  ... on PartnerVersion { version digest origin state changedBy }
  ... on MistakesFault { mistakes { file line path message } } } }"""
PROMOTE = """mutation Promote($input: PromotePartnerInput!) { promotePartner(input: $input) {
  __typename ... on PartnerVersion { version state } ... on UnknownCodeFault { message } } }"""
ROLL_BACK = """mutation Back($input: RollBackPartnerInput!) { rollBackPartner(input: $input) {
  __typename ... on PartnerVersion { version state reason changedBy }
  ... on UnknownCodeFault { message } } }"""
REMOVE = """mutation Remove($input: RemovePartnerInput!) { removePartner(input: $input) {
  __typename ... on PartnerVersion { version state } ... on UnknownCodeFault { message } } }"""

#: What a change has to be everywhere within.
SECONDS = 2.0
#: A hub that begins reads all files first; on a busy machine that takes longer.
BEGINNING_SECONDS = 20.0
one_database = pytest.mark.any_database


def version(number: int, text: str = FILE, rollout: str = "") -> str:
    """Return a file's text as another version, whose partner bears its number."""
    lines = f'\nversion: "{number}"\n' + (f"rollout: {{{rollout}}}\n" if rollout else "")
    return text.replace(NAME, f"en: Exchange {number}").replace("\nkind:", f"{lines}kind:", 1)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "partners"
    made.mkdir()
    return made


@pytest.fixture
def write(folder):
    def write(text: str, slug: str = RATES) -> None:
        (folder / f"{slug}.yaml").write_text(text, encoding="utf-8")

    return write


@pytest.fixture
async def live(stand, folder):
    """Start hubs over the folder, as processes that share a database."""
    async with contextlib.AsyncExitStack() as stack:

        async def live():
            one = stand(partners=folder, always_live=True)
            await stack.enter_async_context(asgi.alive(one.app))
            return one

        yield live


async def page_of(hub) -> dict:
    answer = (await hub.ask(OFFERS)).json()
    assert "errors" not in answer
    (page,) = answer["data"]["service"]["offers"]["pages"]
    return page


async def name_of(hub) -> str:
    return (await page_of(hub))["partner"]["name"]["text"]


async def versions_of(hub, slug=RATES) -> list[dict]:
    found = (await hub.ask(VERSIONS, viewer="integrator")).json()["data"]["connectors"]
    return next((one["versions"] for one in found if one["code"] == slug), [])


async def states_of(hub) -> dict[str, str]:
    return {one["version"]: one["state"] for one in await versions_of(hub)}


def shows(hub, number):
    async def shows() -> bool:
        return (await name_of(hub)).endswith(f" {number}")

    return shows


@contextlib.asynccontextmanager
async def traffic(*hubs):
    """Ask all the while; give what came, by the partner's name."""
    names: Counter[str] = Counter()
    over = asyncio.Event()

    async def ask(hub) -> None:
        while not over.is_set():
            page = await page_of(hub)
            assert page["nodes"]
            assert page["problem"] is None
            names[page["partner"]["name"]["text"].rpartition(" ")[2]] += 1
            # All hubs are in one process here, which is not to be measured at its limit.
            await asyncio.sleep(0.02)

    asking = [asyncio.create_task(ask(hub)) for hub in hubs for _ in range(4)]
    try:
        yield names
    finally:
        over.set()
        await asyncio.gather(*asking)


async def test_a_changed_file_is_in_force_within_2_s_and_no_request_fails(live, write):
    write(version(1))
    here, there = await live(), await live()
    await eventually(shows(here, 1))

    async with traffic(here, there):
        for number in (2, 3):
            write(version(number))
            for hub in (here, there):
                await eventually(shows(hub, number), SECONDS)

    assert await states_of(here) == {"1": "SUPERSEDED", "2": "SUPERSEDED", "3": "ACTIVE"}


async def test_a_canary_that_fails_is_rolled_back_by_itself_and_nobody_notices(live, write):
    write(version(1))
    here, there = await live(), await live()
    await eventually(shows(there, 1))

    async with traffic(here, there) as answered:
        write(version(2, NOWHERE, "percent: 10, failures: 3"))

        async def is_rolled_back() -> bool:
            return (await states_of(here)).get("2") == "ROLLED_BACK"

        await eventually(is_rolled_back, 10)
    taken = next(one for one in await versions_of(there) if one["version"] == "2")
    again = await live()

    assert taken["failedAsks"] >= 3
    assert "PARTNER_NOT_FOUND" in taken["reason"]
    assert answered["1"] > taken["failedAsks"]
    # The same file is not tried again, by whoever starts anew.
    assert (await name_of(again)).endswith(" 1")
    assert (await states_of(again)) == {"1": "ACTIVE", "2": "ROLLED_BACK"}


async def test_a_canary_that_does_well_is_promoted_by_itself(live, write):
    write(version(1))
    hub = await live()
    await eventually(shows(hub, 1))

    async with traffic(hub) as answered:
        write(version(2, rollout="percent: 30, asks: 20"))

        async def is_promoted() -> bool:
            return (await states_of(hub)).get("2") == "ACTIVE"

        await eventually(is_promoted, 10)

    assert min(answered["1"], answered["2"]) > 0
    assert (await states_of(hub))["1"] == "SUPERSEDED"


@one_database
async def test_what_fails_by_either_file_is_not_held_against_the_new_one(live, write, systems):
    write(version(1))
    hub = await live()
    await eventually(shows(hub, 1))
    write(version(2, rollout="percent: 99, failures: 1"))

    async def is_on_trial() -> bool:
        return (await states_of(hub)).get("2") == "CANARY"

    await eventually(is_on_trial)
    await systems["bank"].inject(Fault(Mode.ERROR), RATES)
    broken = [(await hub.ask(OFFERS)).codes for _ in range(4)]
    await hub.hub.partners.refreshed()

    assert all(codes for codes in broken)
    assert (await states_of(hub))["2"] == "CANARY"


async def test_a_file_with_a_mistake_leaves_the_last_good_one_at_work_even_after_a_restart(
    live, write
):
    write(version(1))
    hub = await live()
    await eventually(shows(hub, 1))
    write(version(2).replace("kind: bank", "kind: bnak"))

    async def is_told(of) -> bool:
        found = (await of.ask(VERSIONS, viewer="integrator")).json()["data"]["connectors"]
        told = next(one for one in found if one["code"] == RATES)
        return told["state"] == "ACTIVE" and "“bank”" in "".join(told["mistakes"])

    await eventually(lambda: is_told(hub), BEGINNING_SECONDS)
    again = await live()
    await eventually(lambda: is_told(again), BEGINNING_SECONDS)

    assert (await name_of(hub)).endswith(" 1")
    assert (await name_of(again)).endswith(" 1")
    assert await states_of(again) == {"1": "ACTIVE"}


@one_database
async def test_a_partner_whose_file_is_new_or_gone_comes_and_goes(live, write, folder):
    hub = await live()
    asked = "{ partners { code } }"

    async def is_there() -> bool:
        found = (await hub.ask(asked)).json()["data"]["partners"]
        return "riverside-exchange" in {one["code"] for one in found}

    before = await is_there()
    write(FILE.replace(f"slug: {RATES}", "slug: riverside-exchange"), "riverside-exchange")
    await eventually(is_there, SECONDS)
    measured = await asgi.call(hub.app, path="/metrics")
    (folder / "riverside-exchange.yaml").unlink()

    async def is_gone() -> bool:
        return not await is_there()

    await eventually(is_gone, SECONDS)
    assert not before
    assert b'greenway_partner_asks_total{partner="riverside-exchange"}' in measured.body
    assert b"riverside-exchange" not in (await asgi.call(hub.app, path="/metrics")).body


async def test_what_an_admin_installs_every_hub_has_until_it_is_removed(live, write):
    write(version(1))
    here, there = await live(), await live()
    await eventually(shows(there, 1))

    async with traffic(here, there):
        given = {"code": RATES, "text": version(2)}
        told = (await here.ask(INSTALL, {"input": given}, viewer="admin")).json()
        for hub in (here, there):
            await eventually(shows(hub, 2), SECONDS)
        removed = (await here.ask(REMOVE, {"input": {"code": RATES}}, viewer="admin")).json()
        for hub in (here, there):
            await eventually(shows(hub, 1), SECONDS)

    installed = told["data"]["installPartner"]
    assert installed["__typename"] == "PartnerVersion"
    assert (installed["origin"], installed["state"]) == ("ENDPOINT", "ACTIVE")
    assert installed["changedBy"] == "demo-admin"
    assert removed["data"]["removePartner"]["state"] == "REMOVED"
    assert await states_of(there) == {"1": "ACTIVE", "2": "REMOVED"}


@one_database
async def test_an_admin_ends_a_trial_and_goes_back(live, write):
    write(version(1))
    hub = await live()
    await eventually(shows(hub, 1))

    async def acted(document, **given) -> dict:
        answer = await hub.ask(document, {"input": {"code": RATES, **given}}, viewer="admin")
        (outcome,) = answer.json()["data"].values()
        return outcome

    tried = await acted(INSTALL, text=version(2, rollout="percent: 1"))
    promoted = await acted(PROMOTE)
    nothing = await acted(PROMOTE)
    back = await acted(ROLL_BACK, reason="The rates are of another bank.")
    nowhere = await acted(ROLL_BACK, reason="Again.")
    again = await acted(INSTALL, text=version(2, rollout="percent: 1"))
    await eventually(shows(hub, 1), SECONDS)

    assert (tried["state"], promoted["state"]) == ("CANARY", "ACTIVE")
    assert nothing["message"] == f"There is no partner with a version on trial “{RATES}”."
    assert back == {
        "__typename": "PartnerVersion",
        "version": "2",
        "state": "ROLLED_BACK",
        "reason": "The rates are of another bank.",
        "changedBy": "demo-admin",
    }
    assert nowhere["__typename"] == "UnknownCodeFault"
    assert again["state"] == "ROLLED_BACK"


@one_database
async def test_a_text_with_mistakes_is_never_installed(stand, folder):
    hub = stand(partners=folder)
    text = version(2).replace("kind: bank", "kind: bnak").replace("serves:", "servs:")

    given = {"code": RATES, "text": text}
    told = (await hub.ask(INSTALL, {"input": given}, viewer="admin")).json()

    outcome = told["data"]["installPartner"]
    assert outcome["__typename"] == "MistakesFault"
    assert {(one["file"], one["path"]) for one in outcome["mistakes"]} >= {
        (f"{RATES}.yaml", "kind")
    }
    assert "2" not in await states_of(hub)


@one_database
async def test_a_text_whose_examples_do_not_hold_is_never_installed(stand, folder, live, write):
    write(version(1))
    hub = await live()
    await eventually(shows(hub, 1))
    text = version(2).replace('rate: "6.40"', 'rate: "6.41"')

    given = {"code": RATES, "text": text}
    told = (await hub.ask(INSTALL, {"input": given}, viewer="admin")).json()
    write(text)

    async def is_told() -> bool:
        found = (await hub.ask(VERSIONS, viewer="integrator")).json()["data"]["connectors"]
        return any("does not hold" in told for one in found for told in one["mistakes"])

    await eventually(is_told, SECONDS)

    (mistake, *_) = told["data"]["installPartner"]["mistakes"]
    assert mistake["path"] == "examples[0]"
    assert "does not hold" in mistake["message"]
    assert await states_of(hub) == {"1": "ACTIVE"}


@one_database
@pytest.mark.parametrize("viewer", ["anonymous", "holder", "partner", "integrator", "officer"])
async def test_nobody_but_admins_decides_whom_the_hub_asks(hub, viewer):
    given = {"code": RATES, "text": FILE}

    answer = (await hub.ask(INSTALL, {"input": given}, viewer=viewer)).json()

    assert answer["data"] == {"installPartner": None}
    code = answer["errors"][0]["extensions"]["code"]
    assert code == ("UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN")


MUSEUM = """
from datetime import date
from decimal import Decimal
from connectors import base
from models.offer import Capability, Quote

class Museum(base.Connector[base.Options]):
    slug = "museum"
    label = {"en": "Museum"}
    capabilities = frozenset({Capability.QUOTE})
    options_model = base.Options

    async def answer(self, inquiries):
        quote = Quote(
            id="m-1", title="A ticket", instrument="TICKET", currency="CNY", amount=Decimal(30),
            observed_on=date(2026, 11, 22),
        )
        return [[quote] for _ in inquiries]
"""
MUSEUM_FILE = f"""\
slug: {RATES}
kind: museum
name: {{en: Museum}}
owner: Connector team
about: {{en: Tickets.}}
documentation: docs/connecting.md
district: changning
address: https://museum.example/
examples:
  - name: one ticket
    inquiries:
      - {{capability: quote, topic: rates, since: "2026-11-22T00:00:00+08:00",
         until: "2026-11-23T00:00:00+08:00"}}
    replies: []
    offers: [[{{id: m-1, amount: "30"}}]]
"""
SHAPE = """{ __schema { types { name kind
  fields(includeDeprecated: true) { name type { name kind ofType { name kind } } }
  inputFields { name } enumValues(includeDeprecated: true) { name } } } }"""


@one_database
async def test_a_partner_of_a_kind_nobody_has_seen_answers_and_the_sdl_stays_as_it_is(
    stand, live, write, tmp_path, monkeypatch
):
    before, contract = (await stand().ask(SHAPE)).json(), schema.sdl()
    (tmp_path / "changning_museum.py").write_text(MUSEUM, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    given = metadata.EntryPoint("museum", "changning_museum", registry.FURTHER_KINDS)
    monkeypatch.setattr(registry.metadata, "entry_points", lambda **_: [given])
    hub = await live()
    write(MUSEUM_FILE)

    async def answers() -> bool:
        return [one["id"] for one in (await page_of(hub))["nodes"]] == ["m-1"]

    await eventually(answers, BEGINNING_SECONDS)

    assert (await hub.ask(SHAPE)).json() == before
    assert schema.sdl() == contract


@one_database
async def test_the_menu_may_ask_whoever_was_installed(hub):
    text = FILE.replace(f"slug: {RATES}", "slug: riverside-exchange")
    given = {"code": "riverside-exchange", "text": text}
    await hub.ask(INSTALL, {"input": given}, viewer="admin")

    files = await partners.installed(hub.hub.database)
    known = server._capabilities(hub.hub.settings, files)

    assert known["riverside-exchange"] == known[RATES]
