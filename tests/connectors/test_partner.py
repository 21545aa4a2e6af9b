import asyncio
import contextlib
import gc
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from connectors import base, breaker, errors, manifest, memory
from connectors import partner as at_work
from models import offer
from tests import partner

DAY = datetime(2026, 11, 2, 8, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = DAY

    def __call__(self):
        return self.now


class Library(base.Connector[base.Options]):
    """Gives, for each inquiry, one pass named by what the partner says."""

    slug = "library"
    label: ClassVar = {"en": "Library", "zh": "图书馆"}
    capabilities = frozenset({offer.Capability.PASS})
    options_model = base.Options
    supplies = frozenset({"age", "employed"})

    seen: tuple = ()

    async def answer(self, inquiries):
        self.seen = inquiries
        word = (await self.partner.get("word")).json()["word"]
        return [
            [offer.Pass(id=f"{one.topic}-{word}", title=word, where="here")] for one in inquiries
        ]

    async def facts(self, subject, names):
        asked = [("of", subject), *(("fact", name) for name in sorted(names))]
        return (await self.partner.get("facts", query=asked)).json()


@contextlib.asynccontextmanager
async def at(does, *, kind=Library, always_live=False, clock=None, limits=None, **freshness):
    described = manifest.Manifest.model_validate(
        {
            "slug": "loopback-library",
            "kind": "library",
            "name": {"en": "Loopback Library"},
            "owner": "Connector team",
            "about": {"en": "A library."},
            "documentation": "docs/connecting.md",
            "district": "changning",
            "address": "sandbox:library/",
            "limits": {"deadline_seconds": 0.4, "attempts": 1, **(limits or {})},
            "freshness": {"fresh_seconds": 30, "stale_seconds": 600, **freshness},
            "examples": [
                {"name": "n", "inquiries": [INQUIRY], "replies": [], "problem": "PARTNER_BUSY"}
            ],
        }
    )
    async with partner.running(does) as loopback, partner.client() as client:
        policy = described.limits.policy()
        connector = kind(base.Options(), client.partner(described.slug, loopback.url, policy))
        one = at_work.Partner(described, connector, clock or Clock(), always_live=always_live)
        yield loopback, one


INQUIRY = {
    "capability": "pass",
    "topic": "a",
    "since": "2026-11-02T00:00:00Z",
    "until": "2026-11-03T00:00:00Z",
}


def about(topic):
    return base.Inquiry(offer.Capability.PASS, topic, DAY, DAY + timedelta(days=1))


def soon(seconds=5.0):
    return asyncio.get_running_loop().time() + seconds


def ids(answers):
    return [[one.id for one in answer.offers] for answer in answers]


WORD = partner.says('{"word": "w"}')
KEPT = partner.says('{"word": "w"}', Cache_Control="max-age=60")


class Busy(Library):
    """A library where something is done while it answers."""

    meanwhile: ClassVar = staticmethod(lambda: None)

    async def answer(self, inquiries):
        found = await super().answer(inquiries)
        self.meanwhile()
        return found


async def test_an_answer_that_was_asked_for_before_somebody_booked_is_of_the_time_before():
    async with at(KEPT, kind=Busy) as (_, one):
        await one.ask([about("a")], soon())
        one._connector.meanwhile = lambda: one._memory.forget(offer.Capability.PASS)
        (answer,) = await one.ask([about("b")], soon())

    assert answer.freshness is at_work.Freshness.CACHED
    assert answer.era.is_over


async def test_what_http_let_the_hub_keep_is_told_as_such_from_when_it_came():
    async with at(KEPT) as (loopback, one):
        await one.ask([about("a")], soon())
        (answer,) = await one.ask([about("b")], soon())

    assert ids([answer]) == [["b-w"]]
    assert answer.freshness is at_work.Freshness.CACHED
    assert answer.observed_at < DAY
    assert len(loopback.calls) == 1


@pytest.mark.parametrize("live", [{"always_live": True}, {"fresh_seconds": 0}])
async def test_where_answers_are_to_be_live_nothing_is_taken_that_was_kept(live):
    async with at(KEPT, **live) as (loopback, one):
        await one.ask([about("a")], soon())
        (answer,) = await one.ask([about("b")], soon())

    assert (answer.freshness, answer.observed_at) == (at_work.Freshness.LIVE, DAY)
    assert len(loopback.calls) == 2


async def test_all_inquiries_are_one_call_and_answered_in_order():
    async with at(WORD) as (loopback, one):
        answers = await one.ask([about("b"), about("a"), about("b")], soon())

    assert ids(answers) == [["b-w"], ["a-w"], ["b-w"]]
    assert one._connector.seen == (about("b"), about("a"))
    assert [answer.freshness for answer in answers] == [at_work.Freshness.LIVE] * 3
    assert answers[0].observed_at == DAY
    assert answers[0].problem is None
    assert len(loopback.calls) == 1


async def test_nothing_asked_is_no_call():
    async with at(WORD) as (loopback, one):
        assert await one.ask([], soon()) == []

    assert loopback.calls == []


async def test_while_fresh_an_answer_is_remembered_and_only_the_rest_is_asked():
    clock = Clock()

    async with at(WORD, clock=clock) as (loopback, one):
        await one.ask([about("a")], soon())
        clock.now += timedelta(seconds=29)
        cached, live = await one.ask([about("a"), about("b")], soon())
        clock.now += timedelta(seconds=1)
        (again,) = await one.ask([about("a")], soon())

    assert (cached.freshness, cached.observed_at) == (at_work.Freshness.CACHED, DAY)
    assert (live.freshness, live.observed_at) == (
        at_work.Freshness.LIVE,
        DAY + timedelta(seconds=29),
    )
    assert again.freshness is at_work.Freshness.LIVE
    assert len(loopback.calls) == 3


@pytest.mark.parametrize("settings", [{"always_live": True}, {"fresh_seconds": 0}])
async def test_every_query_can_be_live(settings):
    async with at(WORD, **settings) as (loopback, one):
        await one.ask([about("a")], soon())
        (answer,) = await one.ask([about("a")], soon())

    assert answer.freshness is at_work.Freshness.LIVE
    assert len(loopback.calls) == 2


async def test_a_failing_partner_is_unavailable_and_says_why_and_when_to_come_back():
    async with at(partner.says(status=429, Retry_After="7")) as (_, one):
        first, second = await one.ask([about("a"), about("b")], soon())

    assert first == second
    assert first == at_work.Answer(
        partner="loopback-library",
        freshness=at_work.Freshness.UNAVAILABLE,
        offers=offer.Offers(),
        observed_at=None,
        problem=errors.Problem.RATE_LIMITED,
        sentence=first.sentence,
        retry_after_seconds=7.0,
    )
    assert first.sentence


async def test_what_was_seen_earlier_is_served_stale_with_its_age_until_too_old():
    clock = Clock()

    async with at(WORD, clock=clock) as (loopback, one):
        await one.ask([about("a")], soon())
        loopback.does = partner.says(status=500)
        clock.now += timedelta(seconds=600)
        stale, unseen = await one.ask([about("a"), about("b")], soon())
        clock.now += timedelta(seconds=1)
        (too_old,) = await one.ask([about("a")], soon())

    assert (stale.freshness, stale.observed_at) == (at_work.Freshness.STALE, DAY)
    assert ids([stale]) == [["a-w"]]
    assert stale.problem is errors.Problem.UNWELL
    assert unseen.freshness is at_work.Freshness.UNAVAILABLE
    assert (too_old.freshness, too_old.offers) == (at_work.Freshness.UNAVAILABLE, ())


class Choosy(Library):
    """Has nothing in what is closed."""

    async def answer(self, inquiries):
        given = await super().answer(inquiries)
        failure = errors.Refused("This is closed.", errors.Problem.NOT_FOUND)
        closed = [one.topic.endswith("closed") for one in inquiries]
        return [failure if shut else some for shut, some in zip(closed, given, strict=True)]


async def test_an_inquiry_that_fails_alone_leaves_the_others_live():
    clock = Clock()
    async with at(partner.says('{"word": "a"}'), kind=Choosy, clock=clock) as (_, one):
        several = [about("open"), about("closed")]
        answers = await one.ask(several, soon())
        again = await one.ask(several, soon())

    assert [answer.freshness for answer in answers] == ["LIVE", "UNAVAILABLE"]
    assert [answer.problem for answer in answers] == [None, errors.Problem.NOT_FOUND]
    assert [answer.freshness for answer in again] == ["CACHED", "UNAVAILABLE"]


async def test_a_partner_that_recovers_is_live_again():
    async with at(partner.says(status=500)) as (loopback, one):
        await one.ask([about("a")], soon())
        loopback.does = WORD
        (answer,) = await one.ask([about("a")], soon())

    assert answer.freshness is at_work.Freshness.LIVE
    assert answer.problem is None


async def test_the_same_asked_at_the_same_time_by_many_is_one_call():
    async with at(partner.says('{"word": "w"}', after=0.1)) as (loopback, one):
        answers = await asyncio.gather(*(one.ask([about("a")], soon()) for _ in range(20)))

    assert {ids(some)[0][0] for some in answers} == {"a-w"}
    assert len(loopback.calls) == 1


async def test_an_asker_in_a_hurry_leaves_at_its_deadline_and_the_answer_is_kept():
    async with at(partner.says('{"word": "w"}', after=0.2)) as (loopback, one):
        began = time.monotonic()
        (hurried,) = await one.ask([about("a")], soon(0.05))
        took = time.monotonic() - began
        await asyncio.sleep(0.25)
        (later,) = await one.ask([about("a")], soon())

    assert hurried.problem is errors.Problem.TIMEOUT
    assert hurried.retry_after_seconds > 0
    assert took < 0.15
    assert later.freshness is at_work.Freshness.CACHED
    assert len(loopback.calls) == 1


async def test_a_failure_that_nobody_waits_for_any_more_is_no_complaint(caplog):
    async with at(partner.says(status=500, after=0.1)) as (_, one):
        await one.ask([about("a")], soon(0.02))
        await asyncio.sleep(0.2)
        gc.collect()

    assert caplog.records == []


@pytest.mark.parametrize("fault", [partner.hangs, partner.drips])
async def test_a_partner_that_hangs_costs_no_more_than_its_deadline(fault):
    async with at(fault) as (_, one):
        began = time.monotonic()
        (answer,) = await one.ask([about("a")], soon())
        took = time.monotonic() - began

    assert answer.problem is errors.Problem.TIMEOUT
    assert took < 0.5


class TwoPages(Library):
    async def answer(self, inquiries):
        await self.partner.get("1")
        await self.partner.get("2")
        return [[] for _ in inquiries]


async def test_all_pages_together_keep_the_deadline():
    async with at(partner.says(after=0.3), kind=TwoPages) as (_, one):
        began = time.monotonic()
        (answer,) = await one.ask([about("a")], soon())
        took = time.monotonic() - began

    assert answer.problem is errors.Problem.TIMEOUT
    assert took < 0.5


class TooFew(Library):
    async def answer(self, inquiries):
        return (await super().answer(inquiries))[1:]


@pytest.mark.parametrize(
    ("faulty", "does"), [(Library, partner.says('{"other": "word"}')), (TooFew, WORD)]
)
async def test_a_fault_in_a_kind_breaks_its_partner_alone_and_is_logged_once(faulty, does, caplog):
    async with at(does, kind=faulty) as (_, one):
        answers = await asyncio.gather(*(one.ask([about("a")], soon()) for _ in range(5)))

    assert {some[0].problem for some in answers} == {errors.Problem.MISCONFIGURED}
    assert {some[0].retry_after_seconds for some in answers} == {None}
    assert len(caplog.records) == 1
    assert "in _offers" in caplog.text


async def test_the_memory_of_answers_is_bounded_and_the_oldest_go_first():
    clock = Clock()

    async with at(WORD, clock=clock) as (_, one):
        await one.ask([about(str(number)) for number in range(memory.MOST)], soon())
        clock.now += timedelta(seconds=30)
        await one.ask([about("0")], soon())
        await one.ask([about("new")], soon())

    assert len(one._memory) == memory.MOST
    assert all(one._memory.get(about(topic)) for topic in ("0", "2", "new"))
    assert one._memory.get(about("1")) is None


async def test_more_is_asked_at_once_than_is_remembered():
    topics = [str(number) for number in range(memory.MOST + 10)]

    async with at(WORD) as (_, one):
        answers = await one.ask([about(topic) for topic in topics], soon())

    assert ids(answers) == [[f"{topic}-w"] for topic in topics]


# --- Facts about people -------------------------------------------------------------------------

BOTH = frozenset({"age", "employed"})


async def test_facts_come_as_rules_know_them_and_what_is_left_out_is_not_known():
    async with at(partner.says('{"age": 7}')) as (loopback, one):
        supply = await one.supply("somebody", BOTH, soon())

    assert supply == at_work.Supply("loopback-library", {"age": 7})
    (call,) = loopback.calls
    assert (call.query["of"], call.query.getall("fact")) == ("somebody", ["age", "employed"])


async def test_what_nobody_wanted_to_know_is_not_known():
    async with at(partner.says('{"age": 7, "employed": true}')) as (_, one):
        supply = await one.supply("somebody", frozenset({"employed"}), soon())

    assert supply.facts == {"employed": True}


async def test_what_is_known_of_a_person_is_not_remembered():
    async with at(partner.says('{"age": 7}')) as (loopback, one):
        await one.supply("somebody", BOTH, soon())
        loopback.does = partner.says('{"age": 8}')
        supply = await one.supply("somebody", BOTH, soon())

    assert supply.facts == {"age": 8}


async def test_nobody_waits_for_what_is_asked_about_somebody_else():
    async def echoes(request):
        await asyncio.sleep(0.05)
        return await partner.says(f'{{"age": {len(request.query["of"])}}}')(request)

    async with at(echoes) as (loopback, one):
        supplies = await asyncio.gather(*(one.supply(who, BOTH, soon()) for who in ("a", "bb")))

    assert [supply.facts for supply in supplies] == [{"age": 1}, {"age": 2}]
    assert len(loopback.calls) == 2


@pytest.mark.parametrize(
    ("does", "problem"),
    [
        (partner.hangs, errors.Problem.TIMEOUT),
        (partner.says(status=500), errors.Problem.UNWELL),
        (partner.says("<html>"), errors.Problem.UNREADABLE),
        (partner.says('{"age": "seven"}'), errors.Problem.BAD_ANSWER),
        (partner.says('{"age": 7, "employed": null}'), errors.Problem.BAD_ANSWER),
        (partner.says("[]"), errors.Problem.MISCONFIGURED),
    ],
)
async def test_a_partner_that_fails_is_silent_and_says_why(does, problem):
    async with at(does) as (_, one):
        supply = await one.supply("somebody", BOTH, soon())
        health = one.health()

    assert supply.facts == {}
    assert supply.failure.problem is problem
    assert "seven" not in supply.failure.sentence
    assert (health.asked, health.failed) == (1, 1)


async def test_who_wants_facts_in_a_hurry_leaves_at_their_deadline():
    async with at(partner.says('{"age": 7}', after=0.2)) as (_, one):
        began = time.monotonic()
        supply = await one.supply("somebody", BOTH, soon(0.05))
        took = time.monotonic() - began

    assert supply.failure.problem is errors.Problem.TIMEOUT
    assert took < 0.15


async def test_a_kind_that_supplies_nothing_breaks_its_partner_alone(caplog):
    class Silent(Library):
        facts = base.Connector.facts

    async with at(WORD, kind=Silent) as (_, one):
        supply = await one.supply("somebody", BOTH, soon())

    assert supply.failure.problem is errors.Problem.MISCONFIGURED
    assert "somebody" not in caplog.text


async def test_what_a_fault_in_a_kind_quotes_of_a_person_is_in_no_log(caplog):
    class Quoting(Library):
        async def facts(self, subject, _names):
            raise ValueError(f"somebody called {subject}")

    async with at(WORD, kind=Quoting) as (_, one):
        await one.supply("pseudonym-of-one", BOTH, soon())

    assert "ValueError" in caplog.text
    assert "pseudonym-of-one" not in caplog.text


async def test_health_tells_what_asking_has_been_like():
    clock = Clock()
    limits = {"breaker_failures": 1, "breaker_seconds": 60}

    async with at(WORD, clock=clock, limits=limits, fresh_seconds=0) as (loopback, one):
        before = one.health()
        await one.ask([about("a")], soon())
        well = one.health()
        loopback.does = partner.says(status=500)
        await one.ask([about("a")], soon())
        await one.ask([about("a")], soon())
        ill = one.health()

    assert before == at_work.Health(breaker.State.CLOSED, None, 0, None, 0, 0, None, None)
    assert (well.state, well.calls, well.asked, well.failed) == (breaker.State.CLOSED, 1, 1, 0)
    assert well.last_success == DAY
    assert 0 < well.p95_seconds < 0.4
    assert (ill.state, ill.calls, ill.asked, ill.failed) == (breaker.State.OPEN, 2, 3, 2)
    assert (well.error_rate, ill.error_rate) == (0, 2 / 3)
    assert ill.last_success == DAY
    assert DAY - timedelta(seconds=1) < ill.opened_at <= DAY


class Lender(Library):
    """Lends what it is asked for, under the key of the order."""

    books = frozenset({offer.Capability.PASS})

    async def reserve(self, order):
        return await self._told("POST", order)

    async def confirm(self, order, booked):
        return replace(await self._told("PUT", order), handle={"before": booked.reference})

    async def find(self, order):
        known = (await self.partner.get("loans", query=[("key", order.key)])).json()
        return base.Booked(base.Step.HELD, known["reference"]) if known else None

    async def _told(self, method, order):
        reply = await self.partner.send(method, f"loans/{order.key}", content=b"{}")
        return base.Booked(base.Step.HELD, reply.json()["reference"])


class Counter(Lender):
    """Cannot be asked what it lent."""

    async def reserve(self, order):
        await super().reserve(order)
        raise KeyError(order.offer)

    async def find(self, order):
        return await base.Connector.find(self, order)


ORDER = base.Order("a" * 22, "somebody", offer.Capability.PASS, "a", "a-w")
HELD = base.Booked(base.Step.HELD, "r-1")
LENT = partner.says('{"reference": "r-1"}')


async def test_each_act_reaches_the_kind_with_what_the_partner_said_last():
    async with at(LENT, kind=Lender) as (loopback, one):
        held = await one.book(base.Act.RESERVE, ORDER, None, soon())
        confirmed = await one.book(base.Act.CONFIRM, ORDER, held, soon())
        found = await one.book(base.Act.FIND, ORDER, None, soon())

    assert held == found == HELD
    assert confirmed.handle == {"before": "r-1"}
    assert [call.method for call in loopback.calls] == ["POST", "PUT", "GET"]


async def test_an_act_is_sent_once_whatever_comes_of_it():
    async with at(partner.says(status=503), kind=Lender, limits={"attempts": 3}) as (loopback, one):
        with pytest.raises(errors.PartnerError) as failed:
            await one.book(base.Act.RESERVE, ORDER, None, soon())

    assert failed.value.may_have_acted
    assert len(loopback.calls) == 1


async def test_a_booking_ends_with_the_askers_deadline():
    async with at(partner.hangs, kind=Lender, limits={"deadline_seconds": 30}) as (_, one):
        with pytest.raises(errors.Retriable) as late:
            await one.book(base.Act.RESERVE, ORDER, None, soon(0.2))

    assert (late.value.problem, late.value.may_have_acted) == (errors.Problem.TIMEOUT, True)


@pytest.mark.parametrize("status", [200, 503])
async def test_what_was_asked_before_an_act_is_not_remembered_after_it(status):
    asked, released = asyncio.Event(), asyncio.Event()
    lends = partner.says('{"reference": "r-1"}', status=status)

    async def slowly(request):
        asked.set()
        await released.wait()
        return await WORD(request)

    async with at(
        partner.one_after_another(WORD, slowly, lends, WORD),
        kind=Lender,
        limits={"deadline_seconds": 5},
    ) as (_, one):
        await one.ask([about("a")], soon())
        under_way = asyncio.create_task(one.ask([about("b")], soon()))
        await asked.wait()
        with contextlib.suppress(errors.PartnerError):
            await one.book(base.Act.RESERVE, ORDER, None, soon())
        released.set()
        await under_way
        after = await one.ask([about("a"), about("b")], soon())

    assert [answer.freshness for answer in after] == [at_work.Freshness.LIVE] * 2


async def test_a_kind_that_fails_unforeseen_may_have_booked():
    async with at(LENT, kind=Counter) as (_, one):
        with pytest.raises(errors.Misconfigured) as failed:
            await one.book(base.Act.RESERVE, ORDER, None, soon())

    assert failed.value.may_have_acted


async def test_a_kind_that_cannot_look_a_booking_up_says_that_people_must():
    async with at(LENT, kind=Counter) as (_, one):
        with pytest.raises(errors.Misconfigured) as failed:
            await one.book(base.Act.FIND, ORDER, None, soon())

    assert "its people must" in failed.value.sentence


@pytest.mark.parametrize(("status", "failed"), [(409, 0), (422, 1)])
async def test_that_something_is_taken_is_no_failure_of_the_partner(status, failed):
    async with at(partner.says(status=status), kind=Lender) as (_, one):
        with pytest.raises(errors.Refused):
            await one.book(base.Act.RESERVE, ORDER, None, soon())

        assert (one.health().asked, one.health().failed) == (1, failed)
