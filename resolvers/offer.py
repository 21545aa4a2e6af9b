"""What partners offer for a service, asked only where the verdict allows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar

from connectors.base import Inquiry
from connectors.errors import PartnerError
from connectors.partner import Answer
from eligibility.verdict import Outcome
from models import errors, menu, page
from models.offer import Appointment, Capability, Offer, Offers, Showing
from models.once import Once
from resolvers import verdict
from resolvers.context import ZONE, Context
from resolvers.pending import Pending

T = TypeVar("T")

#: How many days offers are looked for where nobody says, and at most.
AHEAD = timedelta(days=14)
MOST_AHEAD = timedelta(days=92)
#: The first of them: it is yesterday here while it still is today further west.
_EARLIEST = timedelta(days=-1)
_LATEST = timedelta(days=365)
#: The offers that begin.
_BEGINNING = (Appointment, Showing)
#: So many inquiries that were made last are made no second time, and so many windows.
_MOST_INQUIRIES = 4096
_MOST_WINDOWS = 256


class Wanted(NamedTuple):
    """Which offers are wanted: how many of each partner, from a day on, until a day (included)."""

    first: int | None = None
    since: date | None = None
    until: date | None = None


#: What is wanted of one service is mostly wanted of others as well.
wanted = lru_cache(_MOST_WINDOWS)(Wanted)


@dataclass(frozen=True, slots=True)
class Page:
    """One partner's offers for a service, with how true they are.

    Who is given the same answer while none of its offers begins is given the same page, and what is
    offered again is the same ``offers``, so that what they are told as can be kept beside them.
    """

    ask: menu.Ask
    answer: Answer
    offers: Offers
    retry_after: datetime | None
    once: Once = field(default_factory=Once, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Offered:
    """The offers for a service, a page a partner; or why no partner was asked."""

    withheld: Outcome | None
    pages: tuple[Page, ...]
    once: Once = field(default_factory=Once, compare=False, repr=False)


async def for_viewer(
    context: Context, service: menu.Service, wanted: Wanted, path: verdict.Path = ()
) -> Offered:
    """Return what the service's partners offer the viewer, all asked side by side.

    ``path`` leads to the field that asks, as for ``verdict.settled``.

    Raises:
        BadInputError: ``first`` or the days are out of range.
    """
    at_once = for_eligible(context, service, wanted, _as_it_is)
    if at_once is not None:
        return await at_once
    judged = await verdict.settled(context, await verdict.passed(context, service), path)
    if judged.verdict.outcome is not Outcome.ELIGIBLE:
        return Offered(judged.verdict.outcome, ())
    return await _offered(context, service.partners, _window(context.today, wanted), _as_it_is)


def for_eligible(
    context: Context, service: menu.Service, wanted: Wanted, tell: Callable[[Offered], T]
) -> Pending[T] | None:
    """``tell`` the same where it takes no partner to know that the viewer is eligible; else None.

    Raises:
        BadInputError: ``first`` or the days are out of range.
    """
    window = _window(context.today, wanted)
    if not verdict.is_eligible(context, service):
        return None
    return _offered(context, service.partners, window, tell)


def _offered(
    context: Context, asks: Sequence[menu.Ask], window: _Window, tell: Callable[[Offered], T]
) -> Pending[T]:
    since, until, size = window
    desk = context.desk
    if len(asks) == 1:
        # Hardly ever is it more, and a query may ask for hundreds.
        [ask] = asks
        inquiry = _inquiry(ask.capability, ask.topic, since, until)
        return desk.ask(ask.partner, inquiry, _alone, context, ask, size, tell)
    asked = _asked(context, asks, since, until)
    comes = tuple(each for one in asked for each in one.until)
    return Pending(comes, desk.hurry, _beside, context, asks, asked, size, tell)


def _beside(
    context: Context,
    asks: Sequence[menu.Ask],
    asked: Sequence[Pending[Answer]],
    size: int,
    tell: Callable[[Offered], T],
) -> T:
    """Tell what these partners offer, each a page."""
    answers = [one.value() for one in asked]
    found = [
        _alone(answers, place, context, ask, size, _as_it_is) for place, ask in enumerate(asks)
    ]
    return tell(Offered(None, tuple(one.pages[0] for one in found)))


def _as_it_is(found: Offered) -> Offered:
    return found


async def named(
    context: Context, asks: Sequence[menu.Ask], name: str
) -> tuple[menu.Ask, Offer] | None:
    """Return the offer with this id, and for which of the asks it is one; None where for none.

    Pages ask for the nearer days, so that those are often remembered; the others come after.
    What is stale may be shown, but nothing is booked by it.

    Raises:
        PartnerError: a partner failed, and what others say now has no such offer.
    """
    failed: Answer | None = None
    today = context.today
    for ahead in (AHEAD, MOST_AHEAD):
        since, until, _ = _window(today, Wanted(until=today + ahead))
        for ask, asked in zip(asks, _asked(context, asks, since, until), strict=True):
            if (answer := await asked).problem:
                failed = answer
                continue
            for one in _still_ahead(answer.offers, context.now):
                if one.id == name:
                    return ask, one
    if failed and failed.problem:
        raise PartnerError(failed.problem, failed.sentence or "", failed.retry_after_seconds)
    return None


def _asked(
    context: Context, asks: Sequence[menu.Ask], since: date, until: date
) -> list[Pending[Answer]]:
    ask = context.desk.ask
    return [ask(one.partner, _inquiry(one.capability, one.topic, since, until)) for one in asks]


@lru_cache(_MOST_INQUIRIES)
def _inquiry(capability: Capability, topic: str, since: date, until: date) -> Inquiry:
    """Return what is asked for whole days, the last included; all who ask for them ask the same."""
    midnight, day = time(tzinfo=ZONE), timedelta(days=1)
    begin, end = (datetime.combine(one, midnight) for one in (since, until + day))
    return Inquiry(capability, topic, begin, end)


def _alone(
    answers: Sequence[Answer],
    place: int,
    context: Context,
    ask: menu.Ask,
    size: int,
    tell: Callable[[Offered], T],
) -> T:
    """Tell what is offered where one partner alone is asked, whose answer is in this place."""
    answer = answers[place]
    now = context.now
    if answer.retry_after_seconds is not None:
        context.holding.note(answer, now)
        retry_after = context.moment(answer.retry_after_seconds)
        shown = _Shown.of(answer.offers, size, now)
        return tell(Offered(None, (Page(ask, answer, shown.offers, retry_after),)))
    told: _Told | None = answer.once.get(_Told)
    if told is None or not told.shown.holds(size, now):
        shown = _Shown.of(answer.offers, size, now)
        # It is kept beside the answer, which it would keep alive in turn.
        page = Page(ask, replace(answer, once=Once()), shown.offers, None)
        told = answer.once[_Told] = _Told(shown, Offered(None, (page,)))
    context.holding.note(answer, told.shown.until)
    return tell(told.offered)


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told of an answer, and of what it showed."""

    shown: _Shown
    offered: Offered


@dataclass(frozen=True, slots=True)
class _Shown:
    """Of some offers those that are shown, and from when until when they are the same."""

    offers: Offers
    size: int
    since: datetime
    until: datetime

    def holds(self, size: int, now: datetime) -> bool:
        """Say whether they are what so many are."""
        return self.size == size and self.since <= now < self.until

    @classmethod
    def of(cls, offers: Offers, size: int, now: datetime) -> _Shown:
        """Return what is shown of some offers now; the same, as long as it holds."""
        known: _Shown | None = offers.once.get(_Shown)
        if known is None or not known.holds(size, now):
            known = offers.once[_Shown] = cls._made(offers, size, now)
        return known

    @classmethod
    def _made(cls, offers: Offers, size: int, now: datetime) -> _Shown:
        begins = [one.start for one in offers if isinstance(one, _BEGINNING)]
        return cls(
            Offers(_still_ahead(offers, now)[:size]),
            size,
            # In the zone in which they are compared with what time it is: that is quick.
            max((one for one in begins if one <= now), default=_ALWAYS).astimezone(UTC),
            min((one for one in begins if one > now), default=_NEVER).astimezone(UTC),
        )


_ALWAYS, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _still_ahead(offers: Offers, now: datetime) -> list[Offer]:
    """Return the offers that have not begun yet: an answer may be remembered, or be of today."""
    return [one for one in offers if not isinstance(one, _BEGINNING) or one.start > now]


#: The first and the last of the days asked for, and of each partner how many offers.
_Window = tuple[date, date, int]


@lru_cache(_MOST_WINDOWS)
def _window(today: date, wanted: Wanted) -> _Window:
    """Return what is wanted where this day is today.

    What is over is not looked for: the first day is today, if not later.
    """
    size = page.size(wanted.first, 1, "There are no further pages: ask for other days by `since`.")
    since = today
    if wanted.since is not None:
        since = max(since, _within("since", wanted.since, today + _EARLIEST, today + _LATEST))
    until = _within("until", wanted.until or since + AHEAD, since, since + MOST_AHEAD)
    return since, until, size


def _within(name: str, day: date, earliest: date, latest: date) -> date:
    if not earliest <= day <= latest:
        raise errors.BadInputError(
            f"`{name}` is {day}; it may be {earliest} to {latest}.",
            "Offers are looked for from today on; days begin and end in Shanghai.",
        )
    return day
