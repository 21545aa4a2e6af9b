"""An officer publishes a service through the endpoint; every hub has it, and nothing is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import server
from connectors.registry import PARTNERS
from models import errors, offer
from resolvers import publication
from settings import Settings
from tests import asgi
from tests.hub import eventually

MENU = Path(__file__).parents[2] / "menu"
KNOWN = {path.stem: frozenset(offer.Capability) for path in PARTNERS.glob("*.yaml")}
APARTMENT = (MENU / "services" / "talent-apartment.yaml").read_text(encoding="utf-8")
CHANGED = "# A comment that is kept.\n" + APARTMENT.replace("less_than: 12", "less_than: 24")

PUBLISH = """mutation Publish($input: PublishServiceInput!) {
  publishService(input: $input) {
    __typename
    ... on Publication { edition { revision digest publishedBy } code kind keys }
    ... on MistakesFault { code message mistakes { file line path message hint } }
    ... on ConflictFault { code message hint revision }
  }
}"""
WITHDRAW = """mutation Withdraw($input: WithdrawServiceInput!) {
  withdrawService(input: $input) {
    __typename
    ... on Publication { edition { revision } code kind keys }
    ... on MistakesFault { mistakes { file path message } }
    ... on ConflictFault { revision }
    ... on UnknownCodeFault { message nearest }
  }
}"""
SEEN = """query Seen($facts: [FactInput!]) { edition { revision }
  service(code: "talent-apartment") { ... on Service { verdict(facts: $facts) { outcome } } } }"""
#: Returned thirteen months ago: too long by the rule as it is.
FACTS = [
    {"name": "degree_level", "value": "MASTER"},
    {"name": "school_rank", "value": 33},
    {"name": "months_since_return", "value": 13},
    *(
        {"name": name, "value": False}
        for name in (
            "owns_home_in_city",
            "spouse_owns_home_in_city",
            "had_housing_benefit",
            "spouse_had_housing_benefit",
        )
    ),
]

officer = pytest.mark.viewer("officer")
one_database = pytest.mark.any_database


@pytest.fixture
def publish(ask):
    async def publish(text: str, expected: int, code: str = "talent-apartment", **who) -> dict:
        given = {"code": code, "text": text, "expectedRevision": expected}
        return (await ask(PUBLISH, {"input": given}, **who)).json()["data"]["publishService"]

    return publish


@pytest.fixture
def withdraw(ask):
    async def withdraw(code: str, expected: int) -> dict:
        given = {"code": code, "expectedRevision": expected}
        return (await ask(WITHDRAW, {"input": given})).json()["data"]["withdrawService"]

    return withdraw


@pytest.fixture
async def in_force(ask):
    return (await ask("{ edition { revision } }")).json()["data"]["edition"]["revision"]


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(MENU, tmp_path / "menu"))


@officer
async def test_what_an_officer_publishes_every_hub_has_without_a_restart(stand, publish, in_force):
    here, there = stand(), stand()
    async with (
        asgi.alive(here.app),
        asgi.alive(there.app),
    ):
        told = await publish(CHANGED, in_force)

        async def both() -> bool:
            seen = [(await one.ask(SEEN, {"facts": FACTS})).json()["data"] for one in (here, there)]
            return [one["edition"]["revision"] for one in seen] == [in_force + 1] * 2

        await eventually(both)
        after = (await there.ask(SEEN, {"facts": FACTS})).json()["data"]

    assert told["__typename"] == "Publication"
    assert told["edition"]["revision"] == in_force + 1
    assert told["edition"]["publishedBy"] == "demo-officer"
    assert (told["kind"], told["keys"]) == ("CHANGED", ["eligibility"])
    assert after["service"]["verdict"]["outcome"] == "ELIGIBLE"


@officer
async def test_the_same_again_changes_nothing_whatever_was_expected(publish, in_force):
    first = await publish(CHANGED, in_force)
    again = await publish(CHANGED, in_force)

    assert again == first | {"kind": None, "keys": []}


@officer
async def test_who_expects_another_menu_is_told_so_and_publishes_nothing(publish, in_force):
    await publish(CHANGED, in_force)

    refused = await publish(APARTMENT, in_force)
    mended = await publish(APARTMENT, refused["revision"])

    assert refused["__typename"] == "ConflictFault"
    assert refused["code"] == "CONFLICT"
    assert refused["revision"] == in_force + 1
    assert mended["edition"]["revision"] == in_force + 2


@officer
@one_database
async def test_every_mistake_is_told_with_its_line_and_nothing_is_published(publish, in_force, ask):
    spoilt = CHANGED.replace("fact: degree_level", "fact: degree_levle").replace(
        "category: accommodation", "category: acommodation"
    )

    told = await publish(spoilt, in_force)

    assert told["__typename"] == "MistakesFault"
    assert [(one["file"], one["path"]) for one in told["mistakes"]] == [
        ("menu/services/talent-apartment.yaml", "category"),
        ("menu/services/talent-apartment.yaml", "eligibility.all[0].fact"),
    ]
    assert told["mistakes"][0]["line"] == 3
    assert "“degree_level”" in told["mistakes"][1]["hint"]
    after = (await ask("{ edition { revision } }")).json()
    assert after["data"]["edition"]["revision"] == in_force


@officer
@one_database
async def test_a_service_may_be_new_and_withdrawn_again(publish, withdraw, in_force):
    text = APARTMENT.replace("code: talent-apartment", "code: new-apartment")

    added = await publish(text, in_force, "new-apartment")
    gone = await withdraw("new-apartment", in_force + 1)
    unknown = await withdraw("new-apartment", in_force + 2)

    assert (added["kind"], gone["kind"]) == ("ADDED", "REMOVED")
    assert unknown["__typename"] == "UnknownCodeFault"


@officer
@one_database
async def test_what_others_name_is_not_withdrawn(publish, withdraw, in_force):
    clause = {
        "id": "apartment",
        "requires": "talent-apartment",
        "text": {"en": "May have the apartment", "zh": "符合公寓条件"},
        "reference": "hub",
    }
    new = APARTMENT.replace("code: talent-apartment", "code: new-apartment")
    before, _, rest = new.partition("eligibility:\n")
    after = "citations:" + rest.partition("\ncitations:")[2].replace("[spouse-home]", "[apartment]")
    added = await publish(
        f"{before}eligibility: {json.dumps(clause)}\n{after}", in_force, "new-apartment"
    )

    refused = await withdraw("talent-apartment", in_force + 1)

    named = {(one["file"], one["path"]) for one in refused["mistakes"]}
    assert added["kind"] == "ADDED"
    assert ("menu/services/new-apartment.yaml", "eligibility.requires") in named
    assert "menu/journeys.yaml" in {file for file, _ in named}


@one_database
@pytest.mark.parametrize("viewer", ["anonymous", "holder", "partner", "integrator"])
async def test_nobody_but_officers_publishes(ask, viewer):
    given = {"code": "talent-apartment", "text": CHANGED, "expectedRevision": 1}

    answer = (await ask(PUBLISH, {"input": given}, viewer=viewer)).json()

    assert answer["data"] == {"publishService": None}
    code = answer["errors"][0]["extensions"]["code"]
    assert code == ("UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN")


@one_database
async def test_who_published_is_for_officers_alone(ask):
    asked = "{ edition { revision publishedBy } }"

    holder = (await ask(asked, viewer="holder")).json()
    officers = (await ask(asked, viewer="officer")).json()

    assert holder["data"]["edition"]["publishedBy"] is None
    assert holder["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "errors" not in officers


@officer
@one_database
async def test_nothing_is_published_by_get(hub, in_force):
    who = hub.bearer("officer")

    answer = await asgi.call(
        hub.app,
        query={
            "query": 'mutation { withdrawService(input: {code: "a", expectedRevision: 1}) '
            "{ __typename } }"
        },
        headers=who,
    )

    assert answer.status == 405


@officer
@one_database
@pytest.mark.parametrize("code", ["../../etc/passwd", "Talent", "a" * 81, "a--b", "", "o'b; --"])
async def test_what_can_be_no_code_is_refused(ask, code):
    given = {"code": code, "text": APARTMENT, "expectedRevision": 1}

    answer = (await ask(PUBLISH, {"input": given})).json()

    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"


@officer
async def test_the_folder_does_not_undo_it_unless_told_to(hub, publish, in_force, folder, clock):
    database = hub.hub.database
    await publish(CHANGED, in_force)

    async def folder_published(**how) -> tuple[int, bool]:
        return await publication.publish(database, folder, lambda: KNOWN, clock(), **how)

    unchanged = await folder_published()
    rename(folder / "services" / "film-tickets.yaml")
    with pytest.raises(errors.MenuAheadError, match="talent-apartment"):
        await folder_published()
    replaced = await folder_published(replace=True)

    assert unchanged == (in_force + 1, False)
    assert replaced == (in_force + 2, True)


@officer
async def test_it_can_be_taken_into_the_folder_to_the_letter(
    hub, publish, withdraw, in_force, folder, clock
):
    database = hub.hub.database
    added = APARTMENT.replace("code: talent-apartment", "code: new-apartment")
    await publish(CHANGED, in_force)
    await publish(added, in_force + 1, "new-apartment")
    await withdraw("new-apartment", in_force + 2)

    pulled = await publication.pull(database, folder)
    published = await publication.publish(database, folder, lambda: KNOWN, clock())

    assert pulled == ["new-apartment", "talent-apartment"]
    assert (folder / "services" / "talent-apartment.yaml").read_text("utf-8") == CHANGED
    assert not (folder / "services" / "new-apartment.yaml").exists()
    assert published == (in_force + 3, False)


@one_database
async def test_a_hub_starts_with_what_was_published_though_the_folder_is_another(
    hub, stand, publish, in_force, folder, clock, caplog
):
    await publish(CHANGED, in_force, viewer="officer")
    rename(folder / "services" / "film-tickets.yaml")
    url = hub.hub.settings.database_url

    await server.prepare(
        Settings(data=folder.parent, database_url=url, menu=folder, demo=True), clock=clock
    )

    edition = (await stand().ask("{ edition { revision } }")).json()["data"]["edition"]
    assert edition["revision"] == in_force + 1
    assert "talent-apartment" in caplog.text


def rename(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("en: ", "en: New ", 1), encoding="utf-8")
