"""Partners check cards: yes or no, for their service, now, and nothing else is learned."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from credentials import evidence
from credentials.keyring import Purpose
from models import card, demo
from models import verification as rows
from models.card import Redemption, Status
from models.verification import AccessEntry, Category
from models.verifier import Scope
from tests import till as partners
from tests.till import shown

#: What is for verifiers alone: all of them refuse the others alike.
_INPUT = 'presented: {serial: "x"}, serviceCode: "film-tickets", idempotencyKey: "k"'
VERIFIERS_ALONE = [
    '{ verification(id: "x") { __typename } }',
    "{ cardChanges { nodes { __typename } } }",
    "{ webhooks { id } }",
    f"mutation {{ verifyCard(input: {{{_INPUT}}}) {{ __typename }} }}",
    f"mutation {{ verifyCards(inputs: [{{{_INPUT}}}]) {{ __typename }} }}",
    'mutation { createChallenge(serviceCode: "film-tickets") { nonce } }',
    'mutation { confirmRedemption(input: {id: "x"}) { __typename } }',
    'mutation { registerWebhook(input: {url: "https://x.example"}) { __typename } }',
]
NEVER = "HTTPS://GREENWAY.EXAMPLE/T/" + "0" * 26


@pytest.fixture
async def tills(hub):
    return await partners.tills(hub)


@pytest.fixture
async def cinema(tills):
    return tills["cinema"]


@pytest.fixture
def change(hub):
    """Change the pilot's card behind the hub's back."""

    async def change(**values):
        async with hub.hub.database.begin() as session:
            await session.execute(
                sa.update(card.Card).where(card.Card.talent_id == demo.PILOT).values(**values)
            )

    return change


@pytest.fixture
def all_rows(hub):
    async def all_rows(table):
        async with hub.hub.database.session() as session:
            return (await session.scalars(sa.select(table).order_by(table.id))).all()

    return all_rows


async def test_a_cinema_learns_that_the_card_is_good_and_its_tier_and_no_more(cinema):
    answer = await cinema.verify(await shown(cinema), terminal="till 2")

    assert answer["__typename"] == "CardAccepted"
    assert (answer["evidence"], answer["recognition"]) == ("LIVE_CODE", "LOCAL")
    assert answer["disclosed"] == {
        "__typename": "TierDisclosure",
        "policy": "tier-1",
        "tier": "A",
    }
    assert answer["entitlement"]["unitsLeft"] >= 0
    assert answer["entitlement"]["redemption"] is None
    text = str(answer)
    assert not [word for word in ("Ondrix", "GW-", demo.handle(demo.PILOT)) if word in text]


async def test_the_receipt_says_what_was_answered_and_is_signed_by_the_hub(hub, cinema):
    answer = await cinema.verify(await shown(cinema))

    ring, now = hub.hub.authority.keys.ring, hub.clock()
    receipt = evidence.read(
        answer["receipt"]["jws"], lambda kid: ring.verifying(Purpose.RECEIPT, kid, now)
    )
    assert receipt.id == answer["receipt"]["id"]
    assert (receipt.partner, receipt.service) == (cinema.code, "film-tickets")
    assert (receipt.outcome, receipt.holder) == ("CardAccepted", answer["holder"])
    assert receipt.claims == ("TIER",)


async def test_a_live_code_is_used_once_and_whoever_scans_it_first_has_it(cinema):
    code = await shown(cinema)

    first, second = await cinema.verify(code), await cinema.verify(code)

    assert first["__typename"] == "CardAccepted"
    assert (second["__typename"], second["codeProblem"]) == ("CodeNotUsable", "ALREADY_USED")


async def test_fifty_tills_that_scan_one_code_at_once_accept_it_once(cinema):
    code = await shown(cinema)

    answers = await asyncio.gather(*(cinema.verify(code) for _ in range(40)))

    accepted = [one for one in answers if one["__typename"] == "CardAccepted"]
    assert len(accepted) == 1
    assert {one.get("codeProblem") for one in answers if one not in accepted} == {"ALREADY_USED"}


async def test_a_code_that_is_old_or_for_somebody_else_says_so(hub, tills, cinema):
    code, other = await shown(cinema), tills["hospital"]

    elsewhere = await other.verify(code)
    hub.clock.pass_seconds(61)
    late = await cinema.verify(code)

    assert elsewhere["codeProblem"] == "FOR_ANOTHER_PARTNER"
    assert elsewhere["fix"] == "ASK_HOLDER_TO_CHOOSE_YOU"
    assert (late["codeProblem"], late["fix"]) == ("STALE", "ASK_HOLDER_TO_REFRESH")


def _alike(answer: dict) -> dict:
    """An answer without what is another each time, and how long its receipt is."""
    kept = {
        name: value for name, value in answer.items() if name not in ("checkedAt", "statusAsOf")
    }
    receipt = kept.pop("receipt")
    return {**kept, "length": len(receipt["jws"])}


async def test_unknown_revoked_suspended_and_expired_are_one_no(cinema, change):
    answers = [await cinema.verify(NEVER)]
    for values in (
        {"status": Status.REVOKED},
        {"status": Status.SUSPENDED},
        {"status": Status.ACTIVE, "valid_until": demo_day(-1)},
    ):
        await change(status=Status.ACTIVE, valid_until=demo_day(400))
        code = await shown(cinema)
        await change(**values)
        answers.append(await cinema.verify(code))

    assert {one["__typename"] for one in answers} == {"CardNotAccepted"}
    assert all(_alike(one) == _alike(answers[0]) for one in answers)


def demo_day(days: int):
    return (partners.hub.NOW + timedelta(days=days)).date()


async def test_a_test_key_never_sees_a_real_card(tills, cinema):
    answer = await tills["sandbox"].verify(await shown(cinema))

    assert answer["__typename"] == "CardNotAccepted"


async def test_who_may_not_ask_is_refused_before_anything_is_looked_up(
    hub, tills, cinema, all_rows
):
    code = await shown(cinema)

    refused = [
        await cinema.verify(code, serviceCode="physical-check"),
        await cinema.verify(code, serviceCode="no-such-service"),
        await cinema.verify(presented={"serial": "GW-FWY9-9N2Q-F"}),
        await cinema.verify("nonsense"),
        await cinema.verify("x" * 5000),
        await cinema.verify(code, redeem=True, hold=True),
        await cinema.verify(code, idempotencyKey="\n"),
    ]

    assert [one["refusal"] for one in refused] == [
        "SERVICE_NOT_YOURS",
        "SERVICE_NOT_YOURS",
        "SCOPE_MISSING",
        "MALFORMED",
        "TOO_LARGE",
        "MALFORMED",
        "MALFORMED",
    ]
    assert await all_rows(rows.Verification) == []
    assert (await cinema.verify(code))["__typename"] == "CardAccepted"


async def test_two_tickets_a_month_are_two_and_the_third_says_when(cinema, all_rows):
    before = (await cinema.verify(await shown(cinema)))["entitlement"]["unitsLeft"]
    answers = [await cinema.verify(await shown(cinema), redeem=True) for _ in range(before + 1)]

    assert [one["__typename"] for one in answers] == ["CardAccepted"] * before + ["NotEntitled"]
    assert answers[-1]["entitlementProblem"] == "QUOTA_USED"
    assert answers[-1]["current"]["unitsLeft"] == 0
    assert answers[-1]["current"]["resetsAt"] == "2026-12-01T00:00:00+08:00"
    assert len({one["holder"] for one in answers[:-1]}) == 1


async def test_the_same_key_gives_the_same_answer_and_another_input_a_conflict(cinema, all_rows):
    code = await shown(cinema)
    given = cinema.input(code, redeem=True)

    first = (await cinema.ask(partners.ALL, {"input": given})).json()["data"]["verifyCard"]
    again = (await cinema.ask(partners.ALL, {"input": given})).json()["data"]["verifyCard"]
    other = await cinema.verify(**{**given, "terminal": "till 3"})

    assert first == again
    assert other["refusal"] == "IDEMPOTENCY_CONFLICT"
    used = [one for one in await all_rows(Redemption) if one.verifier == cinema.code]
    assert len(used) == 1


async def test_one_key_sent_many_times_at_once_is_one_check(cinema, all_rows):
    given = cinema.input(await shown(cinema), redeem=True)

    answers = await asyncio.gather(*(cinema.ask(partners.ALL, {"input": given}) for _ in range(12)))

    told = [one.json()["data"]["verifyCard"] for one in answers]
    assert all(one == told[0] for one in told)
    assert told[0]["__typename"] == "CardAccepted"
    assert len(await all_rows(rows.Verification)) == 1


SETTLE = """mutation ($id: ID!) {{ {act}(input: {{id: $id}}) {{ __typename
  ... on Redemption {{ id state areas expiresAt }}
  ... on RedemptionStateFault {{ redemptionState }} }} }}"""


async def settle(cinema, act, id_):
    answer = await cinema.ask(SETTLE.format(act=act), {"id": id_})
    return answer.json()["data"][act]


async def test_what_is_held_is_confirmed_or_given_back(hub, cinema):
    whole = (await cinema.verify(await shown(cinema)))["entitlement"]["unitsLeft"]
    held = (await cinema.verify(await shown(cinema), hold=True))["entitlement"]
    released = await settle(cinema, "releaseRedemption", held["redemption"])
    after = (await cinema.verify(await shown(cinema)))["entitlement"]["unitsLeft"]
    too_late = await settle(cinema, "confirmRedemption", held["redemption"])
    second = (await cinema.verify(await shown(cinema), hold=True))["entitlement"]
    confirmed = await settle(cinema, "confirmRedemption", second["redemption"])
    again = await settle(cinema, "confirmRedemption", second["redemption"])
    third = (await cinema.verify(await shown(cinema), hold=True))["entitlement"]
    hub.clock.pass_seconds(16 * 60)
    lapsed = await settle(cinema, "confirmRedemption", third["redemption"])

    assert held["unitsLeft"] == whole - 1
    assert (released["state"], after) == ("RELEASED", whole)
    assert (too_late["__typename"], too_late["redemptionState"]) == (
        "RedemptionStateFault",
        "RELEASED",
    )
    assert (confirmed["state"], confirmed) == ("USED", again)
    assert (lapsed["__typename"], lapsed["redemptionState"]) == ("RedemptionStateFault", "RELEASED")


async def test_another_partner_cannot_settle_what_it_has_not_held(tills, cinema):
    held = (await cinema.verify(await shown(cinema), hold=True))["entitlement"]

    found = await settle(tills["hospital"], "confirmRedemption", held["redemption"])

    assert found == {"__typename": "UnknownRedemptionFault"}


async def test_each_piece_of_data_that_left_is_on_the_holders_own_log(cinema, all_rows):
    answer = await cinema.verify(await shown(cinema), redeem=True)

    left = [one for one in await all_rows(AccessEntry) if one.verification]
    assert {one.category for one in left} == {Category.TIER, Category.PSEUDONYM}
    assert {one.verification for one in left} == {answer["receipt"]["id"]}
    assert {one.subject for one in left} == {demo.handle(demo.PILOT)}


async def test_a_check_over_plain_http_is_the_same_check(cinema):
    given = cinema.input(await shown(cinema), redeem=True)

    posted = await cinema.post(given)
    asked = (await cinema.ask(partners.ALL, {"input": given})).json()["data"]["verifyCard"]

    assert posted.status == 200
    assert posted.json() == asked
    assert posted.headers["cache-control"] == "no-store"


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("body", "status", "refusal"),
    [
        (b"", 400, "MALFORMED"),
        (b"[]", 400, "MALFORMED"),
        (b"{", 400, "MALFORMED"),
        (b"{}", 400, "MALFORMED"),
        (b'{"presented":{"code":1},"serviceCode":"x","idempotencyKey":"k"}', 400, "MALFORMED"),
        (b'{"presented":{},"serviceCode":"x","idempotencyKey":"k"}', 400, "MALFORMED"),
        (
            b'{"presented":{"code":"a","serial":"b"},"serviceCode":"x","idempotencyKey":"k"}',
            400,
            "MALFORMED",
        ),
        (
            b'{"presented":{"code":"a"},"serviceCode":"x","idempotencyKey":"k","who":"me"}',
            400,
            "MALFORMED",
        ),
        (b" " * 300_000, 413, "TOO_LARGE"),
    ],
)
async def test_bad_input_over_plain_http_is_a_typed_refusal(cinema, body, status, refusal):
    answer = await cinema.post(body)

    assert (answer.status, answer.json()["refusal"]) == (status, refusal)


@pytest.mark.any_database
async def test_who_has_spent_their_points_is_told_when_to_check_again(stand):
    till = (await partners.tills(stand(points_per_second=1, points_burst=4_000)))["cinema"]
    given = till.input(NEVER)

    answers = [await till.post(given) for _ in range(5)]

    statuses = [one.status for one in answers]
    said = answers[-1].json()
    wait = said.pop("retryAfterSeconds")
    assert (sorted(statuses), set(statuses)) == (statuses, {200, 429})
    assert said == {"__typename": "VerificationRefused", "refusal": "RATE_LIMITED"}
    assert wait > 0
    assert answers[-1].headers["retry-after"] == str(wait)


@pytest.mark.any_database
async def test_faults_that_there_are_not_are_the_askers_over_plain_http_too(tills):
    till = tills["sandbox"]

    answer = await till.post(till.input(NEVER), **{"x-greenway-fault": "nonsense"})

    assert (answer.status, answer.json()["code"]) == (400, "BAD_INPUT")


async def test_nobody_checks_without_a_key(hub, cinema):
    given = cinema.input(await shown(cinema))

    asked = await hub.ask(partners.ALL, {"input": given})
    holder = await hub.ask(partners.ALL, {"input": given}, viewer="holder")
    cinema.key = cinema.key[:-1] + ("a" if cinema.key[-1] != "a" else "b")
    posted = await cinema.post(given)

    assert (asked.codes, holder.codes) == (["UNAUTHENTICATED"], ["FORBIDDEN"])
    assert posted.status == 401


@pytest.mark.any_database
@pytest.mark.parametrize("document", VERIFIERS_ALONE)
@pytest.mark.parametrize(
    ("viewer", "code"),
    [("anonymous", "UNAUTHENTICATED"), ("partner", "FORBIDDEN"), ("officer", "FORBIDDEN")],
)
async def test_whoever_comes_without_a_verifiers_key_is_refused_alike(hub, document, viewer, code):
    answer = await hub.ask(document, viewer=viewer)

    assert answer.codes == [code]


async def test_limits_count_fields_and_not_requests(cinema):
    def document(request: int) -> str:
        fields = " ".join(
            f'a{n}: verifyCard(input: {{presented: {{code: "{NEVER}"}},'
            f' serviceCode: "film-tickets",'
            f' idempotencyKey: "alias-{request}-{n}"}})'
            " { __typename ... on VerificationRefused { refusal retryAfterSeconds } }"
            for n in range(50)
        )
        return f"mutation {{ {fields} }}"

    began = time.monotonic()
    answers = await asyncio.gather(*(cinema.ask(document(n), {}) for n in range(4)))
    seconds = time.monotonic() - began

    told = [one for answer in answers for one in answer.json()["data"].values()]
    checked = [one for one in told if one["__typename"] == "CardNotAccepted"]
    refused = [one for one in told if one not in checked]
    assert 50 <= len(checked) <= 51 + 10 * seconds
    assert {one["refusal"] for one in refused} == {"RATE_LIMITED"}
    assert {one["retryAfterSeconds"] for one in refused} == {1}


async def test_a_batch_is_answered_in_order_each_on_its_own(hub, tills):
    hospital = tills["hospital"]
    await partners.grant(hub, hospital.code, Scope.VERIFY_BATCH)
    code = await shown(hospital)

    answers = await hospital.ask(
        partners.SEVERAL, {"inputs": [hospital.input(one) for one in (NEVER, code, code)]}
    )

    told = answers.json()["data"]["verifyCards"]
    assert [one["__typename"] for one in told] == [
        "CardNotAccepted",
        "ConsentRequired",
        "CodeNotUsable",
    ]
