"""The exchanges of docs/verifying.md, played at a hub in their order: none is made up."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from joserfc.jwk import ECKey

from credentials import base64url, code, offline_pass
from eligibility import disclosure
from models import card, demo
from models.answer import CodeProblem, EntitlementProblem, Fix, Recognition, Refusal
from models.verification import Outcome
from models.verifier import Scope
from resolvers import ledger, limit
from tests import asgi, client
from tests import till as partners
from tests.till import shown

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "verifying.md").read_text(encoding="utf-8")
SDL = (DOCS.parent / "schema/schema.graphql").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^(?:<!-- (?P<act>[a-z ]+) -->|```(?P<sort>\w+) ?(?P<who>\w*)\n(?P<said>.*?)^```)$",
    re.MULTILINE | re.DOTALL,
)
DOCUMENTS = [one["said"] for one in BLOCK.finditer(TEXT) if one["sort"] == "graphql"]
#: What stands for something that is another each time.
ANY = "…"


@dataclass
class Play:
    """The hub, those who ask it, and what was shown and answered so far."""

    hub: object
    tills: dict
    phone: ECKey
    seen: dict
    last: dict

    async def filled(self, said: str, who: str) -> str:
        """Put what it stands for in the place of each `$NAME`."""
        for name in re.findall(r"\$([A-Z][A-Z0-9]*)", said):
            if name not in self.seen:
                self.seen[name] = await self.made(name, self.tills[who])
            said = said.replace(f"${name}", self.seen[name], 1)
        return said

    async def made(self, name: str, till: partners.Till) -> str:
        if name.startswith("CODE"):
            return await shown(till)
        if name.startswith("PASS"):
            return await self.passed(till)
        if name == "SERIAL":
            return await serial(self.hub)
        if name == "ASSERTION":
            return till.by.assertion()
        if name == "CINEMA":
            return till.key
        path = {"VERIFICATION": ["verificationId"], "REDEMPTION": ["entitlement", "redemption"]}
        found = self.last
        for step in path.get(name, ["receipt", name.lower()]):
            found = found[step]
        return found

    async def passed(self, till: partners.Till) -> str:
        async def act(name, given, answer):
            document = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{"
            document += f" {name}(input: $input) {{ {answer} }} }}"
            who = {"viewer": "holder", "person": demo.PILOT}
            return (await self.hub.ask(document, {"input": given}, **who)).json()["data"][name]

        public = {name: self.phone.as_dict(private=False)[name] for name in ("x", "y")}
        linked = await act(
            "linkDevice", {"name": "phone", "publicKey": public}, "... on Device { id }"
        )
        wanted = {"partnerCode": till.code, "serviceCode": till.service}
        agreed = {**wanted, "agreedTo": await self.text()}
        await act("giveConsent", agreed, "__typename")
        wanted["device"] = linked["id"]
        cwt = (await act("issuePass", wanted, "... on OfflinePass { cwt }"))["cwt"]
        return offline_pass.show(base64url.decode(cwt), self.phone, code.step_at(self.hub.clock()))

    async def holder(self, document: str) -> dict:
        return (await self.hub.ask(document, viewer="holder", person=demo.PILOT)).json()["data"]

    async def text(self) -> str:
        """The digest of what the holder reads and agrees to."""
        found = await self.holder(
            """{ disclosure(partnerCode: "ember-hospital", serviceCode: "medical-green-channel") {
            ... on DisclosureNotice { digest } } }"""
        )
        return found["disclosure"]["digest"]

    async def act(self, act: str) -> None:
        """What happens between two exchanges."""
        match act:
            case "the holder agrees":
                await self.answered(f'agreedTo: "{await self.text()}"')
            case "the log is signed":
                await ledger.sequence(self.hub.hub.authority)
            case _:
                pytest.fail(f"Nobody knows what “{act}” is.")

    async def answered(self, more: str) -> None:
        id_ = self.last["verificationId"]
        answer = await self.holder(
            f"""mutation {{ answerPrompt(input: {{verification: "{id_}", accept: true {more}}}) {{
            __typename }} }}"""
        )
        assert "Fault" not in answer["answerPrompt"]["__typename"], answer

    async def exchange(self, sort: str, who: str, said: str) -> dict:
        """Ask what the document asks, and return what comes."""
        if sort == "graphql":
            till = self.tills[who]
            answer = await till.ask(await self.filled(said, who), {})
            found = answer.json()
            assert "data" in found, found
            answered = next(iter(found["data"].values()))
            self.last = answered[0] if isinstance(answered, list) else answered
            del found["extensions"]  # what it cost is not what the page is about
            return found
        head, _, body = (await self.filled(said, who or "cinema")).partition("\n\n")
        (method, path), *headers = (line.split(" ", 1) for line in head.split("\n"))
        if path == client.TOKEN_PATH:
            form = dict(line.split("=", 1) for line in body.strip().split("\n&"))
            return (await self.tills[who].by.ask_token(form)).json()
        answer = await asgi.call(
            self.hub.app,
            method,
            path=path.partition("?")[0],
            query=dict(one.split("=") for one in path.partition("?")[2].split("&") if one),
            headers={name.rstrip(":").lower(): value for name, value in headers},
            body=body.strip().encode(),
        )
        self.last = answer.json()
        return self.last


async def serial(hub) -> str:
    async with hub.hub.database.session() as session:
        found = await session.get(card.Card, 1)
        while found.talent_id != demo.PILOT:
            found = await session.get(card.Card, found.id + 1)
        return found.serial


def same(told: object, found: object) -> bool:
    """Return whether an answer is what the document shows, where it shows anything."""
    if isinstance(told, dict) and isinstance(found, dict):
        return told.keys() == found.keys() and all(same(told[one], found[one]) for one in told)
    if isinstance(told, list) and isinstance(found, list):
        if told == [ANY]:
            return bool(found)
        return len(told) == len(found) and all(map(same, told, found))
    if isinstance(told, str) and ANY in told:
        start, _, end = told.partition(ANY)
        return isinstance(found, str) and found.startswith(start) and found.endswith(end)
    return told == found


@pytest.fixture
async def play(hub):
    tills = await partners.tills(hub)
    await partners.grant(hub, tills["hospital"].code, *(Scope.VERIFY_SERIAL, Scope.VERIFY_OFFLINE))
    return Play(hub, tills, ECKey.generate_key("P-256"), {}, {})


async def test_every_exchange_is_as_it_happens(play):
    blocks = list(BLOCK.finditer(TEXT))
    played = 0

    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block["act"]:
            await play.act(block["act"])
        elif following and following["sort"] == "json" and block["sort"] in ("http", "graphql"):
            found = await play.exchange(block["sort"], block["who"], block["said"])
            told = json.loads(following["said"])
            assert same(told, found), json.dumps(found, ensure_ascii=False, indent=1)
            played += 1

    assert played >= 12


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_is_one_of_the_graph(document):
    assert validate(build_schema(SDL, assume_valid_sdl=True), parse(document)) == []


@pytest.mark.parametrize("word", [*CodeProblem, *EntitlementProblem, *Fix, *Recognition, *Refusal])
def test_every_word_of_an_answer_is_explained(word):
    assert f"`{word}`" in TEXT or f'"{word}"' in TEXT


@pytest.mark.parametrize("outcome", Outcome)
def test_every_answer_has_its_line_with_what_to_do(outcome):
    assert re.search(rf"^\| `{outcome}` \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize("policy", disclosure.POLICIES.values(), ids=disclosure.POLICIES)
def test_every_policy_has_its_type_in_the_table(policy):
    kind = policy.code.rpartition("-")[0]
    name = "NothingDisclosed" if kind == "nothing" else f"{kind.title()}Disclosure"

    assert re.search(rf"^\| [^|]+ \| `{name}` \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (limit.CHECKS, "10 a second, 50 at once"),
        (limit.NOES, "20 an hour"),
        (limit.CARD, "30 an hour"),
        (limit.PROMPTS, "3 in 10 minutes"),
        (limit.TOKENS, "20 at once, then 1 a second"),
    ],
)
def test_every_limit_is_told_as_it_is(limit, told):
    numbers = {"a second": 1, "an hour": 3600, "in 10 minutes": 600}
    span = next((seconds for words, seconds in numbers.items() if words in told), None)

    assert told in TEXT
    assert str(limit.burst) in told
    assert span is None or str(round(limit.per_second * span)) in told
