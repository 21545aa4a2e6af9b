"""What partners offer for a service, asked only where the verdict allows it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from connectors.base import Inquiry
from connectors.errors import PartnerError
from connectors.partner import Answer
from eligibility.verdict import Outcome
from models import errors, menu, page
from models.offer import Appointment, Offer, Showing
from resolvers import verdict
from resolvers.context import ZONE, Context

#: How far ahead offers are looked for where nobody says, and at most.
AHEAD = timedelta(days=14)
MOST_AHEAD = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which offers are wanted: how many of each partner, from a day on, until a day (included)."""

    first: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One partner's offers for a service, with how true they are."""

    ask: menu.Ask
    answer: Answer
    offers: tuple[Offer, ...]
    retry_after: datetime | None


@dataclass(frozen=True, slots=True)
class Offered:
    """The offers for a service, a page a partner; or why no partner was asked."""

    withheld: Outcome | None
    pages: tuple[Page, ...]


async def for_viewer(
    context: Context, service: menu.Service, wanted: Wanted, path: verdict.Path = ()
) -> Offered:
    """Return what the service's partners offer the viewer, all asked side by side.

    ``path`` leads to the field that asks, as for ``verdict.settled``.

    Raises:
        BadInputError: ``first`` or the days are out of range.
    """
    size = page.size(wanted.first, least=1)
    since, until = _window(context, wanted)
    judged = await verdict.settled(context, verdict.on(context, service), path)
    if judged.verdict.outcome is not Outcome.ELIGIBLE:
        return Offered(judged.verdict.outcome, ())
    answers = await _answers(context, service.partners, since, until)
    pages = (
        _page(context, ask, answer, size)
        for ask, answer in zip(service.partners, answers, strict=True)
    )
    return Offered(None, tuple(pages))


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
    for ahead in (AHEAD, MOST_AHEAD):
        since, until = _window(context, Wanted(until=context.today + ahead))
        for ask, answer in zip(asks, await _answers(context, asks, since, until), strict=True):
            if answer.problem:
                failed = answer
                continue
            for one in _still_ahead(answer.offers, context.now):
                if one.id == name:
                    return ask, one
    if failed and failed.problem:
        raise PartnerError(failed.problem, failed.sentence or "", failed.retry_after_seconds)
    return None


async def _answers(
    context: Context, asks: Sequence[menu.Ask], since: datetime, until: datetime
) -> Sequence[Answer]:
    return await asyncio.gather(
        *(
            context.desk.ask(ask.partner, Inquiry(ask.capability, ask.topic, since, until))
            for ask in asks
        )
    )


def _page(context: Context, ask: menu.Ask, answer: Answer, size: int) -> Page:
    return Page(
        ask=ask,
        answer=answer,
        offers=_still_ahead(answer.offers, context.now)[:size],
        retry_after=context.moment(answer.retry_after_seconds),
    )


def _still_ahead(offers: Sequence[Offer], now: datetime) -> tuple[Offer, ...]:
    """Return the offers that have not begun yet: an answer may be remembered, or be of today."""
    return tuple(
        one for one in offers if not isinstance(one, Appointment | Showing) or one.start > now
    )


def _window(context: Context, wanted: Wanted) -> tuple[datetime, datetime]:
    """Return the whole days asked for, so that all who ask on one day ask the same."""
    since = wanted.since or context.today
    until = wanted.until or since + AHEAD
    if not since <= until <= since + MOST_AHEAD:
        raise errors.BadInputError(
            f"`until` must be from 0 to {MOST_AHEAD.days} days after `since`."
        )
    midnight = time(tzinfo=ZONE)
    return (
        datetime.combine(since, midnight),
        datetime.combine(until + timedelta(days=1), midnight),
    )
