from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.errors import PartnerError, Problem
from eligibility.single import Judge
from eligibility.turning import Turning
from eligibility.verdict import Outcome
from models import card, errors, menu
from resolvers import verdict
from resolvers.menu import Filter
from resolvers.verdict import Asked, Given
from resolvers.viewer import Role, Viewer
from tests import catalogue as small
from tests import factories, rules
from tests.catalogue import CARD_HOLDERS, a_service

HELD = card.Card(
    serial="GW-FWY9-9N2Q-F",
    batch=1,
    issued_on=date(2026, 1, 1),
    valid_until=date(2027, 1, 1),
    status=card.Status.ACTIVE,
    tier=menu.TalentClass.HIGH,
    source="a test",
    recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def judged(context_of, catalogue_of):
    def judged(person=None, asked=verdict.NOTHING_ELSE, **service):
        found = catalogue_of(a_service("service", **service))
        context = context_of(Viewer(Role.HOLDER, "h"), found)
        context.person = person
        return verdict.on(context, found.services["service"], asked)

    return judged


def what_if(**facts) -> Asked:
    return Asked(tuple(Given(name, value) for name, value in facts.items()))


def a_clause(fact, **condition) -> dict:
    text = {"en": "It holds", "zh": "成立"}
    return {"id": fact.replace("_", "-"), "fact": fact, **condition, "text": text} | {
        "reference": "hub"
    }


async def test_what_is_for_everyone_is_for_nobody_in_particular_too(judged):
    found = judged()

    assert found.verdict.outcome is Outcome.ELIGIBLE
    assert found.talent_class is None


async def test_of_nobody_in_particular_nothing_is_known(judged):
    found = judged(eligibility=CARD_HOLDERS)

    assert found.verdict.outcome is Outcome.NEEDS_FACTS
    assert found.verdict.missing == ("holds_card",)


@pytest.mark.parametrize(
    ("cards", "outcome"), [((HELD,), Outcome.ELIGIBLE), ((), Outcome.INELIGIBLE)]
)
async def test_a_person_is_judged_by_their_own_facts_of_today(judged, cards, outcome):
    person = factories.a_talent(cards=cards, talent_class=menu.TalentClass.HIGH)

    found = judged(person, eligibility=CARD_HOLDERS)

    assert found.verdict.outcome is outcome
    assert found.talent_class is menu.TalentClass.HIGH
    assert found.as_of == date(2026, 11, 22)


# --- What if ------------------------------------------------------------------------------------


async def test_what_is_put_forward_goes_over_what_is_on_record(judged):
    person = factories.a_talent(cards=(HELD,))

    found = judged(person, what_if(holds_card=False), eligibility=CARD_HOLDERS)

    assert found.verdict.outcome is Outcome.INELIGIBLE
    assert found.given == {"holds_card": False}


async def test_a_yes_is_no_one_even_where_both_were_asked_before(context_of, catalogue_of):
    found = catalogue_of(a_service("service", eligibility=a_clause("age", at_least=1)))
    context = context_of(found=found)
    verdict.on(context, found.services["service"], what_if(age=1))

    with pytest.raises(errors.BadInputError):
        verdict.on(context, found.services["service"], what_if(age=True))


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"holds_card": True}, {"holds_card": True}),
        ({"age": 18}, {"age": 18}),
        ({"degree_level": "MASTER"}, {"degree_level": "MASTER"}),
        ({"services_granted": ["a", "b"]}, {"services_granted": frozenset({"a", "b"})}),
        ({}, {}),
    ],
)
def test_a_fact_is_taken_in_the_form_of_its_sort(given, known):
    assert verdict.taken(what_if(**given).facts) == known


@pytest.mark.parametrize(
    ("given", "sentence", "hint"),
    [
        ({"holds_crad": True}, "There is no fact “holds_crad”.", "Did you mean “holds_card”?"),
        (
            {"degree_level": "MASTERS"},
            "There is no value of `degree_level` “MASTERS”.",
            "Did you mean “MASTER”?",
        ),
        ({"age": True}, "“true” is no value of `age`.", "It takes a whole number."),
        ({"age": None}, "“null” is no value of `age`.", "It takes a whole number."),
        ({"age": 10**16}, f"“{10**16}” is no value of `age`.", "It takes a whole number."),
        ({"holds_card": "yes"}, "“yes” is no value of `holds_card`.", "It takes yes/no."),
        ({"household": []}, "The household cannot be given here.", ""),
    ],
)
def test_a_fact_that_cannot_be_so_is_refused_with_what_can(given, sentence, hint):
    with pytest.raises(errors.AskerError) as refused:
        verdict.taken(what_if(**given).facts)

    assert (refused.value.sentence, refused.value.hint) == (sentence, hint)


def test_each_fact_is_given_once():
    twice = (Given("age", 18), Given("age", 18))

    with pytest.raises(errors.BadInputError, match="`age` is given twice"):
        verdict.taken(twice)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ([Given("age", 18)] * 101, "`facts` has 101; at most 100 may be given."),
        ([Given("x" * 201, 18)], "`name` has 201 characters; at most 200 may be given."),
        ([Given("subject", "x" * 201)], "`subject` has 201 characters; at most 200 may be given."),
        (
            [Given("services_granted", ["a", "x" * 201])],
            "`services_granted` has 201 characters; at most 200 may be given.",
        ),
        (
            [Given("services_granted", ["a"] * 101)],
            "`services_granted` has 101 words; at most 100 may be given.",
        ),
    ],
    ids=["facts", "name", "text", "word", "words"],
)
def test_nothing_is_asked_on_more_than_can_be_looked_at_soon(facts, sentence):
    with pytest.raises(errors.BadInputError) as refused:
        Asked(tuple(facts))

    assert refused.value.sentence == sentence


def test_what_is_asked_is_told_from_what_only_equals_it():
    yes, one = Asked((Given("age", True),)), Asked((Given("age", 1),))  # noqa: FBT003 - a value

    assert yes == one
    assert yes.key != one.key
    assert yes.key == Asked((Given("age", True),)).key  # noqa: FBT003 - a value


# --- As of a day --------------------------------------------------------------------------------


async def test_a_verdict_is_passed_as_of_the_day_asked(judged):
    person = factories.a_talent(cards=(HELD,))

    held, lapsed = (
        judged(person, Asked(as_of=day), eligibility=CARD_HOLDERS)
        for day in (HELD.valid_until, HELD.valid_until + timedelta(1))
    )

    assert held.verdict.outcome is Outcome.ELIGIBLE
    assert held.turning == Turning(HELD.valid_until, lapsed.as_of)
    assert lapsed.verdict.outcome is Outcome.INELIGIBLE
    assert lapsed.turning == Turning()


@pytest.mark.parametrize("day", ["2016-11-22", "2036-11-22"])
async def test_a_day_ten_years_away_is_answered_and_the_next_is_not(judged, day):
    beyond = timedelta(1 if day > "2026" else -1)

    found = judged(None, Asked(as_of=date.fromisoformat(day)))

    assert found.as_of == date.fromisoformat(day)
    with pytest.raises(errors.BadInputError, match="it may be 2016-11-22 to 2036-11-22"):
        judged(None, Asked(as_of=found.as_of + beyond))


async def test_however_many_days_are_asked_about_the_rules_of_today_stay_compiled(
    context_of, catalogue_of
):
    found = catalogue_of(a_service("service", eligibility=CARD_HOLDERS))
    context, service = context_of(found=found), found.services["service"]
    before = verdict.on(context, service).judge

    for number in range(20):
        verdict.on(context, service, Asked(as_of=context.today + timedelta(1 + number)))

    assert verdict.on(context, service).judge is before


class CountedJudge(Judge):
    """A rule that counts how often it is drawn."""

    times = 0

    @property
    def diagram(self):
        self.times += not self.is_drawn
        return super().diagram


async def test_a_rule_that_many_want_at_the_same_time_is_drawn_once():
    words = [a_clause("services_granted", includes=f"a{n}") for n in range(30)]
    parts = [{**one, "id": f"a{n}"} for n, one in enumerate(words)]
    judge = CountedJudge(rules.read({"of": parts, "at_least": 15}).on(date(2026, 6, 30)))

    found = await asyncio.gather(*(verdict.by(judge, {}, {}) for _ in range(5)))

    assert judge.times == 1
    assert {one.missing for one in found} == {("services_granted",)}


async def test_what_is_worked_out_piecemeal_is_what_comes_at_once(context_of, catalogue_of):
    found = catalogue_of(a_service("service", eligibility=CARD_HOLDERS))
    context, service = context_of(found=found), found.services["service"]
    asked = Asked(as_of=date(2027, 1, 1))

    assert verdict.at_once(context, service, asked) is None
    assert await verdict.passed(context, service, asked) == verdict.on(context, service, asked)
    assert await verdict.passed(context, service) == verdict.at_once(context, service)


# --- As known at a moment -----------------------------------------------------------------------

MORNING = small.NOW.astimezone(UTC) - timedelta(hours=2)


@pytest.fixture
async def two_revisions(database, catalogue_of):
    """A menu published in the morning, for everyone; and one of now, for holders of a card."""
    newest = small.a_menu(a_service("service", eligibility=CARD_HOLDERS), a_service("new"))
    async with database.begin() as session:
        menu.publish(session, small.a_menu(a_service("service")), "1", MORNING)
        await session.flush()
        menu.publish(session, newest, "2", MORNING + timedelta(hours=1))
    return catalogue_of(
        a_service("service", eligibility=CARD_HOLDERS), a_service("new"), revision=2
    )


@pytest.fixture
def then(context_of, two_revisions, database):
    async def then(moment, code="service", person=None):
        context = context_of(Viewer(Role.HOLDER, "h"), two_revisions, database)
        context.person = person
        service = two_revisions.services[code]
        return await verdict.known_at(context, service, Asked(known_at=moment))

    return then


async def test_the_rule_is_the_newest_that_was_published_by_then(then):
    first, second = [await then(MORNING + timedelta(minutes=minutes)) for minutes in (0, 60)]

    assert (first.verdict.outcome, first.catalogue.revision) == (Outcome.ELIGIBLE, 1)
    assert (second.verdict.outcome, second.catalogue.revision) == (Outcome.NEEDS_FACTS, 2)


async def test_an_earlier_menu_is_read_once_and_the_one_in_force_not_at_all(
    context_of, two_revisions, database
):
    context = context_of(Viewer(Role.HOLDER, "h"), two_revisions, database)
    service = two_revisions.services["service"]

    async def asked(minutes):
        moment = MORNING + timedelta(minutes=minutes)
        return (await verdict.known_at(context, service, Asked(known_at=moment))).catalogue

    first, *others = await asyncio.gather(*map(asked, (0, 10, 20)))
    again, now = await asked(5), await asked(60)

    assert all(one is first for one in (*others, again))
    assert now is two_revisions


async def test_a_row_counts_from_the_moment_it_was_recorded(then):
    recorded = MORNING + timedelta(minutes=90)
    person = factories.a_talent(cards=[factories.a_card(recorded_at=recorded)])

    before, since = [await then(recorded + timedelta(seconds=s), person=person) for s in (-1, 0)]

    assert before.verdict.outcome is Outcome.INELIGIBLE
    assert since.verdict.outcome is Outcome.ELIGIBLE


async def test_of_a_person_who_was_not_on_record_yet_nothing_was_known(then):
    person = factories.a_talent(recorded_at=MORNING + timedelta(minutes=90), cards=[HELD])

    found = await then(MORNING + timedelta(minutes=80), person=person)

    assert found.verdict.outcome is Outcome.NEEDS_FACTS
    assert found.person is None


@pytest.mark.parametrize(
    ("moment", "code", "sentence"),
    [
        (MORNING - timedelta(seconds=1), "service", "had not been published by"),
        (MORNING, "new", "had not been published by"),
        (small.NOW + timedelta(seconds=61), "service", "`knownAt` is ahead of now."),
    ],
)
async def test_what_could_not_be_known_then_is_refused(then, moment, code, sentence):
    with pytest.raises(errors.BadInputError, match=sentence):
        await then(moment, code)


# --- What partners supply -----------------------------------------------------------------------

ME = factories.a_talent(handle="h4ndle", cards=(HELD,))
BOTH = {"all": [CARD_HOLDERS, a_clause("age", at_least=18), a_clause("employed", **{"is": True})]}


def late(partner: str) -> errors.GreenwayError:
    return PartnerError(Problem.TIMEOUT, f"{partner} is late.", 1.0)


@pytest.fixture
def supplying(context_of, catalogue_of, registry):
    """Make a context in which the first partner supplies the age, the second the employment."""

    def supplying(person=ME, eligibility=BOTH):
        registry.suppliers |= {"age": "first", "employed": "second"}
        found = catalogue_of(a_service("service", eligibility=eligibility))
        context = context_of(Viewer(Role.HOLDER, "h4ndle"), found)
        context.person = person
        return context, found.services["service"]

    return supplying


async def test_partners_are_asked_side_by_side_each_by_its_own_name_of_the_person(
    supplying, partners
):
    context, service = supplying()
    together = asyncio.Barrier(2)
    partners["first"].together = partners["second"].together = together
    partners["first"].knows, partners["second"].knows = {"age": 30}, {"employed": True}

    async with asyncio.timeout(1):
        found = await verdict.settled(context, verdict.on(context, service), ())

    assert found.verdict.outcome is Outcome.ELIGIBLE
    assert found.supplied == {"age": 30, "employed": True}
    assert found.known["age"] == 30
    assert found.turning.holds_from == found.as_of
    names = {slug: context.pseudonyms.of(slug, "h4ndle") for slug in partners}
    assert partners["first"].supplied == [(names["first"], {"age"})]
    assert partners["second"].supplied == [(names["second"], {"employed"})]
    assert "h4ndle" not in names.values()
    assert context.problems == []


async def test_who_is_silent_is_told_once_a_query_at_the_first_place(supplying, partners):
    context, service = supplying()
    partners["first"].failure, partners["second"].knows = late("first"), {"employed": True}

    found = await verdict.settled(context, verdict.on(context, service), ("one",))
    await verdict.settled(context, verdict.on(context, service), ("two",))

    assert found.verdict.outcome is Outcome.UNDETERMINED
    assert (found.verdict.missing, found.verdict.silent) == ((), ("first",))
    assert found.silent == {"age": "first"}
    [problem] = context.problems
    assert (problem.path, problem.code, problem.message) == (
        ("one",),
        "PARTNER_TIMEOUT",
        "first is late.",
    )
    assert problem.extensions == {
        "partner": "first",
        "freshness": "UNAVAILABLE",
        "retryAfter": (small.NOW + timedelta(seconds=1)).isoformat(),
    }


async def test_what_one_partner_says_may_settle_it_whatever_the_other_would(supplying, partners):
    context, service = supplying()
    partners["first"].failure, partners["second"].knows = late("first"), {"employed": False}

    found = await verdict.settled(context, verdict.on(context, service), ())

    assert found.verdict.outcome is Outcome.INELIGIBLE
    assert found.verdict.silent == ()


async def test_a_silent_partner_beside_a_missing_fact_leaves_that_to_be_asked(supplying, partners):
    context, service = supplying()
    partners["first"].failure = late("first")

    found = await verdict.settled(context, verdict.on(context, service), ())

    assert found.verdict.outcome is Outcome.NEEDS_FACTS
    assert (found.verdict.missing, found.verdict.silent) == (("employed",), ("first",))


@pytest.mark.parametrize(
    ("person", "asked", "outstanding"),
    [
        (ME, verdict.NOTHING_ELSE, {"age", "employed"}),
        (ME, what_if(age=30), {"employed"}),
        (ME, Asked(as_of=small.NOW.date()), {"age", "employed"}),
        (ME, Asked(as_of=small.NOW.date() + timedelta(1)), set()),
        (ME, what_if(holds_card=False), set()),
        (factories.a_talent(), verdict.NOTHING_ELSE, set()),
        (None, verdict.NOTHING_ELSE, set()),
    ],
)
async def test_only_what_can_still_decide_is_asked_and_only_of_who_asks_today(
    supplying, partners, person, asked, outstanding
):
    context, service = supplying(person)

    judged = verdict.on(context, service, asked)
    found = await verdict.settled(context, judged, ())

    assert verdict.outstanding(context, judged).keys() == outstanding
    told = {name for one in partners.values() for _, names in one.supplied for name in names}
    assert told == outstanding
    assert outstanding or found is judged


async def test_services_are_ranked_by_the_settled_verdict(supplying, partners):
    context, _ = supplying()
    partners["first"].knows, partners["second"].knows = {"age": 30}, {"employed": True}

    found, _ = await verdict.ranked(context, Filter(), verdict.NOTHING_ELSE, None, None)

    assert [one.verdict.outcome for one in found.items] == [Outcome.ELIGIBLE]


# --- All services by how near they are ----------------------------------------------------------


@pytest.fixture
async def ranked(context_of, catalogue_of):
    found = catalogue_of(
        a_service("two", eligibility={"all": [a_clause("age", at_least=18), CARD_HOLDERS]}),
        a_service("never", eligibility=a_clause("employed", **{"is": False})),
        a_service("one", eligibility=CARD_HOLDERS),
        a_service("everyone"),
        a_service("film", category="leisure"),
        a_service("later", valid={"since": "2027-01-01"}),
    )
    context = context_of(found=found)

    async def ranked(first=None, after=None, **asked):
        wanted = Asked(what_if(employed=True).facts, **asked)
        return await verdict.ranked(context, Filter(), wanted, first, after)

    return ranked


async def test_services_come_by_what_they_still_need(ranked):
    found, total = await ranked()

    assert [one.service.code for one in found.items] == ["everyone", "film", "one", "two", "never"]
    assert total == 5


async def test_services_are_those_on_the_menu_of_the_day(ranked):
    found, _ = await ranked(as_of=date(2027, 1, 1))

    assert "later" in [one.service.code for one in found.items]


async def test_ranked_services_come_page_by_page(ranked):
    first, _ = await ranked(2)
    second, total = await ranked(2, first.cursors[-1])

    assert [one.service.code for one in second.items] == ["one", "two"]
    assert (first.has_next, second.has_next, total) == (True, True, 5)
    with pytest.raises(errors.BadCursorError):
        await ranked(2, first.cursors[-1], as_of=date(2027, 1, 1))
