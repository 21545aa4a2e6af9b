from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from connectors.partner import Answer, Freshness
from eligibility.verdict import Outcome
from models import errors
from models.offer import Appointment, Offers, Quote
from resolvers import offer
from resolvers.offer import Wanted
from tests.catalogue import CARD_HOLDERS, NOW, a_service

ASKS = [
    {"partner": "first", "capability": "appointment", "topic": "dental"},
    {"partner": "first", "capability": "appointment", "topic": "check"},
    {"partner": "second", "capability": "appointment", "topic": "dental"},
]
EVERYTHING = Wanted()


@pytest.fixture
def asked(context_of, catalogue_of):
    """Ask for the offers of a service with three asks."""

    async def asked(wanted=EVERYTHING, **service):
        found = catalogue_of(a_service("dentist", partners=ASKS, **service))
        return await offer.for_viewer(context_of(found=found), found.services["dentist"], wanted)

    return asked


def at(start: datetime, number: int = 1) -> Appointment:
    return Appointment(id=str(number), title="Dental care", start=start, end=start, where="Here")


async def test_a_service_has_a_page_for_each_thing_it_asks_in_the_menus_order(asked, partners):
    found = await asked()

    assert found.withheld is None
    assert [(page.ask.partner, page.ask.topic) for page in found.pages] == [
        ("first", "dental"),
        ("first", "check"),
        ("second", "dental"),
    ]
    assert [len(partner.asked) for partner in partners.values()] == [1, 1]


async def test_partners_are_not_asked_for_what_may_not_be_had(asked, partners):
    found = await asked(eligibility=CARD_HOLDERS)

    assert found == offer.Offered(Outcome.NEEDS_FACTS, ())
    assert [partner.asked for partner in partners.values()] == [[], []]


async def test_whole_days_of_shanghai_are_asked_for_so_that_answers_can_be_shared(asked, partners):
    await asked()
    await asked(Wanted(since=date(2026, 12, 1), until=date(2026, 12, 1)))

    (today, *_), (one_day, *_) = partners["first"].asked
    assert (today.since.isoformat(), today.until.isoformat()) == (
        "2026-11-22T00:00:00+08:00",
        "2026-12-07T00:00:00+08:00",
    )
    assert one_day.until - one_day.since == timedelta(days=1)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(since=date(2026, 12, 2), until=date(2026, 12, 1)),
        Wanted(until=date(2026, 11, 21)),
        Wanted(until=date(2027, 2, 23)),
        Wanted(since=date(2026, 11, 20)),
        Wanted(since=date(2026, 11, 21), until=date(2026, 11, 21)),
        Wanted(since=date(2027, 11, 23)),
        Wanted(since=date(2027, 11, 22), until=date(2028, 2, 23)),
        Wanted(since=date.min),
        Wanted(since=date.max),
        Wanted(until=date.min),
        Wanted(until=date.max),
        Wanted(first=0),
        Wanted(first=101),
    ],
    ids=str,
)
async def test_a_window_or_a_number_out_of_range_is_refused(asked, partners, wanted):
    with pytest.raises(errors.BadInputError):
        await asked(wanted)
    assert partners["first"].asked == []


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        (Wanted(since=date(2026, 11, 21)), "2026-11-22", "2026-12-06"),
        (Wanted(since=date(2026, 11, 21), until=date(2026, 11, 22)), "2026-11-22", "2026-11-22"),
        (Wanted(until=date(2027, 2, 22)), "2026-11-22", "2027-02-22"),
        (Wanted(since=date(2027, 11, 22)), "2027-11-22", "2027-12-06"),
        (Wanted(since=date(2027, 11, 22), until=date(2028, 2, 22)), "2027-11-22", "2028-02-22"),
    ],
    ids=str,
)
async def test_partners_are_asked_for_no_day_before_today(asked, partners, wanted, first, last):
    await asked(wanted)

    inquiry, *_ = partners["first"].asked[0]
    assert inquiry.since.date().isoformat() == first
    assert (inquiry.until - timedelta(days=1)).date().isoformat() == last


async def test_a_day_out_of_range_is_told_the_range(asked):
    with pytest.raises(errors.BadInputError) as refused:
        await asked(Wanted(since=date.max))

    assert str(refused.value) == "`since` is 9999-12-31; it may be 2026-11-21 to 2027-11-22."


async def test_a_page_of_offers_is_told_to_go_on_by_days_and_not_by_cursors(asked):
    with pytest.raises(errors.BadInputError) as refused:
        await asked(Wanted(first=0))

    assert "`since`" in refused.value.hint
    assert "`after`" not in refused.value.hint


async def test_what_has_begun_is_left_out_before_the_first_are_taken(asked, partners):
    partners["first"].offers = (
        at(NOW - timedelta(minutes=1), 1),
        at(NOW, 2),
        at(NOW + timedelta(minutes=1), 3),
        at(NOW + timedelta(minutes=2), 4),
    )

    found = await asked(Wanted(first=1))

    assert [one.id for one in found.pages[0].offers] == ["3"]


@pytest.mark.parametrize(("minutes", "ids"), [(0, ["1"]), (4, ["1"]), (5, ["2"]), (-9, ["0"])])
async def test_an_answer_has_one_page_until_an_offer_begins(
    context_of, catalogue_of, partners, minutes, ids
):
    found = catalogue_of(a_service("dentist", partners=ASKS[:1]))
    starts = (at(NOW + timedelta(minutes=one), place) for place, one in enumerate((-5, 5, 9)))
    partners["first"].answer = Answer("first", Freshness.LIVE, Offers(starts), NOW)

    async def told(minutes):
        context = context_of(found=found)
        context.now += timedelta(minutes=minutes)
        service = found.services["dentist"]
        [page] = (await offer.for_viewer(context, service, Wanted(first=1))).pages
        return page

    first, later, again = await told(0), await told(minutes), await told(minutes)

    assert [one.id for one in later.offers] == ids
    assert (later is first) is (ids == ["1"])
    assert again is later


async def test_offers_that_are_given_again_are_shown_as_the_same_in_a_page_of_their_own(
    context_of, catalogue_of, partners
):
    found = catalogue_of(a_service("dentist", partners=ASKS[:1]))
    offers = Offers([at(NOW + timedelta(minutes=5))])

    async def told(observed_at, size=None):
        partners["first"].answer = Answer("first", Freshness.LIVE, offers, observed_at)
        service = found.services["dentist"]
        [page] = (await offer.for_viewer(context_of(found=found), service, Wanted(size))).pages
        return page

    first, later = await told(NOW), await told(NOW + timedelta(seconds=1))

    assert later is not first
    assert later.answer.observed_at == NOW + timedelta(seconds=1)
    assert later.offers is first.offers
    assert (await told(NOW, size=1)).offers is not first.offers


async def test_what_has_no_start_is_never_over(asked, partners):
    quote = Quote(id="q", title="A rate", instrument="USD/CNY", currency="CNY")
    partners["second"].offers = (quote,)

    found = await asked()

    assert found.pages[2].offers == (quote,)


@pytest.mark.parametrize("seconds", [None, 0.0, 90.0])
async def test_when_to_ask_again_is_told_as_a_time(asked, partners, seconds):
    partners["second"].retry_after_seconds = seconds

    found = await asked()

    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert found.pages[2].retry_after == expected
