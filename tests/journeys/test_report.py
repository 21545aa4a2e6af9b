"""What was accepted without a network is handed in, and counts as of when it was shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from joserfc.jwk import ECKey

from credentials import base64url, code, offline_pass
from models import demo, verifier
from models.card import Reason, Redemption
from models.verifier import Kind, Scope
from tests import client
from tests import till as partners

LINK = "mutation ($input: LinkDeviceInput!) { linkDevice(input: $input) { ... on Device { id } } }"
ISSUE = """mutation ($input: IssuePassInput!) { issuePass(input: $input) {
  __typename ... on OfflinePass { cwt } } }"""
TEXT = """{ disclosure(partnerCode: "ember-hospital", serviceCode: "medical-green-channel") {
  ... on DisclosureNotice { digest } } }"""
REPORT = partners.ALL.replace(
    "mutation Verify($input: VerifyCardInput!) { verifyCard(input: $input)",
    "mutation Report($passes: [String!]!, $service: ID!, $key: String!) {"
    " reportOfflineAcceptances("
    "passes: $passes, serviceCode: $service, idempotencyKey: $key)",
)
REVOKE = """mutation ($input: RevokeCardInput!) { revokeCard(input: $input) { __typename } }"""


@pytest.fixture
async def tills(hub):
    found = await partners.tills(hub)
    await partners.grant(hub, found["hospital"].code, Scope.VERIFY_OFFLINE)
    found["hospital"].service = "physical-check"
    return found


@pytest.fixture
def issued(hub):
    """Have a pass issued to a phone of the pilot's; return what the phone shows at a time."""

    async def issued(till, **more):
        async def do(document, **given):
            answer = await hub.ask(document, {"input": given}, viewer="holder", person=demo.PILOT)
            return next(iter(answer.json()["data"].values()))

        key = ECKey.generate_key("P-256")
        public = {name: key.as_dict(private=False)[name] for name in "xy"}
        phone = (await do(LINK, name="phone", publicKey=public))["id"]
        asked = {"device": phone, "partnerCode": till.code, "serviceCode": till.service, **more}
        cwt = (await do(ISSUE, **asked))["cwt"]
        return lambda at: offline_pass.show(base64url.decode(cwt), key, code.step_at(at))

    return issued


async def report(till, *passes, key="report-1"):
    given = {"passes": list(passes), "service": till.service, "key": key}
    answer = (await till.ask(REPORT, given)).json()
    assert "errors" not in answer, answer
    return answer["data"]["reportOfflineAcceptances"]


async def test_each_is_counted_once_as_of_when_it_was_shown(hub, tills, issued, clock):
    till = tills["hospital"]
    show, then = await issued(till), clock.now
    twice = show(then)
    clock.pass_seconds(3600)

    answers = await report(till, twice, twice, "GWP1:NONSENSE")
    again = await report(till, twice, twice, "GWP1:NONSENSE")
    later = await report(till, twice, key="report-2")

    assert [one["__typename"] for one in answers[1:]] == ["CodeNotUsable", "CardNotAccepted"]
    assert again == answers
    assert later[0]["codeProblem"] == "ALREADY_USED"
    assert answers[0]["__typename"] == "ConsentRequired"  # Of a patient nothing was agreed to.


async def test_what_was_used_before_a_card_was_revoked_still_counts(hub, tills, issued, clock):
    till = tills["hospital"]
    till.service = "medical-green-channel"
    digest = (await hub.ask(TEXT, viewer="holder", person=demo.PILOT)).json()
    show = await issued(till, agreedTo=digest["data"]["disclosure"]["digest"])
    before = show(clock.now)
    clock.pass_seconds(600)
    await hub.ask(
        REVOKE,
        {"input": {"card": {"holder": demo.handle(demo.PILOT)}, "reason": Reason.MISUSE}},
        viewer="officer",
    )
    clock.pass_seconds(600)
    after = show(clock.now)

    answers = await report(till, before, after)

    assert [one["__typename"] for one in answers] == ["CardAccepted", "CardNotAccepted"]


async def test_so_it_does_where_the_rule_asks_for_the_card_itself(hub, issued, clock):
    scopes = (Scope.VERIFY_CODE, Scope.VERIFY_OFFLINE, Scope.REDEEM, Scope.DISCLOSE_TIER)
    by = await client.verifier(
        hub, "star-cinema", kind=Kind.CINEMA, services=("film-tickets",), scopes=scopes
    )
    till = partners.Till(hub, "star-cinema", "film-tickets", by=by)
    show = await issued(till)
    before = show(clock.now)
    clock.pass_seconds(600)
    await hub.ask(
        REVOKE,
        {"input": {"card": {"holder": demo.handle(demo.PILOT)}, "reason": Reason.MISUSE}},
        viewer="officer",
    )
    clock.pass_seconds(600)

    answers = await report(till, before, show(clock.now))

    assert [one["__typename"] for one in answers] == ["CardAccepted", "CardNotAccepted"]
    assert answers[0]["entitlement"]["redemption"]


async def test_a_pass_that_is_reported_later_than_it_lives_counts_never(hub, tills, issued, clock):
    till = tills["hospital"]
    text = (await issued(till))(clock.now)
    clock.now += timedelta(days=9)

    answers = []
    for key in ("a", "b"):
        answers += await report(till, text, key=key)
        async with hub.hub.database.begin() as session:
            await verifier.sweep(session, clock())

    assert [one["__typename"] for one in answers] == ["CardNotAccepted"] * 2


async def test_who_may_not_report_is_refused_and_nothing_is_counted(hub, tills, issued, clock):
    cinema = tills["cinema"]

    answers = await report(cinema, "GWP1:NONSENSE")

    assert [one["refusal"] for one in answers] == ["SCOPE_MISSING"]
    async with hub.hub.database.session() as session:
        assert await session.get(Redemption, 10_000) is None
