"""People and their cards, for those who may see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from models import card, menu, page, talent
from models.database import Session
from models.verifier import Verifier
from resolvers import access
from resolvers.context import ZONE, Context
from resolvers.menu import Filter
from resolvers.viewer import HOLDERS, OFFICERS, Role

#: Of so few people at most something is told by their being found, or not, without being shown.
FEW = 10
#: What of people is told by their being found, or not, by the parts of a filter.
_TOLD = {
    "text": "name",
    "talent_class": "talentClass",
    "industry": "industry",
    "district": "district",
}


@dataclass(frozen=True, slots=True)
class AreaUse:
    """What is left of one area on one card; None where the area has no limit."""

    area: menu.Area
    units_left: int | None
    renews_on: date | None


async def read_viewer(context: Context, *, with_units: bool) -> None:
    """Read the person asking, with their card, once and for all of this query.

    ``with_units``: what is left on the card is asked too, of all areas at once.
    """
    if context.viewer.role is not Role.HOLDER:
        return
    loaders = context.loaders
    async with context.reads.one():
        person = await context.shared.people_by_handle.ask(context.viewer.subject)
    context.person = person
    if person is None:
        return
    held = card.best(person.cards)
    loaders.people_by_id.prime(person.id, person)
    loaders.cards_by_holder.prime(person.id, held)
    if held and with_units:
        await loaders.units_by_spell.load_many(_spells(context, person.handle))


def me(context: Context) -> talent.Talent | None:
    """Return the person asking; None where the token's person is not in the database.

    Raises:
        UnauthenticatedError: nobody in particular is asking.
        ForbiddenError: a role that is no person is asking.
    """
    context.viewer.require(HOLDERS)
    return context.person


async def by_handle(context: Context, handle: str) -> talent.Talent | None:
    """Return a person, or None where there is none or the viewer may not know."""
    if not context.viewer.sees(handle):
        return None
    return await context.loaders.people_by_handle.load(handle)


async def listed(
    context: Context, wanted: talent.Filter, first: int | None, after: str | None
) -> page.Page[talent.Talent]:
    """Return a page of people, in the order they were recorded.

    Of whom a search by name tells, shown or not, it is noted.

    Raises:
        UnauthenticatedError: nobody in particular is asking.
        ForbiddenError: the viewer is no officer.
        BadCursorError: the cursor was not given out for this filter.
        BadInputError: an argument is out of range.
    """
    context.viewer.require(OFFICERS)
    async with context.reads.one(), context.database.session() as session:
        found = await talent.page(session, wanted, first, after)
        if wanted.is_of_names:
            told = [field for part, field in _TOLD.items() if getattr(wanted, part) is not None]
            is_whole = after is None and not found.has_next
            sought = found.items, *await _sought(session, wanted, is_whole=is_whole)
            access.looked(context, {one.handle for some in sought for one in some}, told)
    return found


async def _sought(
    session: Session, wanted: talent.Filter, *, is_whole: bool
) -> list[tuple[talent.Talent, ...]]:
    """Return of whom a filter tells beside its page: those so named, and those it means.

    They are a few: what is told of more tells of nobody. ``is_whole``: the page has all that the
    filter means.
    """
    telling = {talent.Filter(text=wanted.text), wanted} - ({wanted} if is_whole else set())
    found = [await talent.page(session, one, FEW) for one in telling]
    return [one.items for one in found if not one.has_next]


async def counted(context: Context, wanted: talent.Filter) -> int:
    """Return how many people match; raises as ``listed``."""
    context.viewer.require(OFFICERS)
    async with context.reads.one(), context.database.session() as session:
        return await talent.count(session, wanted)


async def whole(context: Context, person: talent.Talent) -> talent.Talent:
    """Return the person with all that is known of them, where only the name was loaded."""
    loaded = await context.loaders.people_by_id.load(person.id)
    return loaded or person


async def card_of(context: Context, person: talent.Talent) -> card.Card | None:
    """Return the person's card: the newest active one, else the newest."""
    return await context.loaders.cards_by_holder.load(person.id)


async def card_by_serial(context: Context, serial: str) -> tuple[card.Card, talent.Talent] | None:
    """Return a card and its bare holder; None of no card, or where the viewer may not know."""
    if context.viewer.role not in HOLDERS | OFFICERS:
        return None
    async with context.reads.one():
        found = await context.shared.cards_by_serial.ask(serial)
    return found if found and context.viewer.sees(found[1].handle) else None


async def areas_of(context: Context, holder: str) -> list[AreaUse]:
    """Return each area of the card with what its holder has left of it in the present period."""
    spells = _spells(context, holder)
    units = await context.loaders.units_by_spell.load_many(spells)
    used = dict(zip((spell.area for spell in spells), units, strict=True))
    areas = context.catalogue.lists.areas
    return [_use(area, used.get(area.code, 0), context.today) for area in areas]


def services_in(context: Context, area: str) -> tuple[menu.Service, ...]:
    """Return the services that an area opens today, in the menu's order."""
    return context.catalogue.on_menu(context.today, Filter(area=area))


def takers_in(context: Context, area: str) -> list[Verifier]:
    """Return the partners that take cards for a service of an area, by code."""
    codes = {one.code for one in services_in(context, area)}
    return [
        one
        for one in context.authority.verifiers.by_code.values()
        if one.suspended_at is None and not codes.isdisjoint(one.services)
    ]


def _spells(context: Context, holder: str) -> list[card.Spell]:
    """Return what is counted of a holder's use: each area with a limit, since its period began."""
    return [
        card.Spell(holder, area.code, period(area.quota, context.today)[0], context.now)
        for area in context.catalogue.lists.areas
        if area.quota
    ]


def _use(area: menu.Area, used: int, today: date) -> AreaUse:
    if area.quota is None:
        return AreaUse(area, None, None)
    return AreaUse(area, max(0, area.quota.units - used), period(area.quota, today)[1])


def period(quota: menu.Quota, today: date) -> tuple[datetime, date]:
    """Return when the calendar period of a quota began, and the day the next one begins."""
    if quota.period == "YEAR":
        start, following = today.replace(month=1, day=1), date(today.year + 1, 1, 1)
    else:
        start = today.replace(day=1)
        following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    return datetime.combine(start, time(tzinfo=ZONE)), following
