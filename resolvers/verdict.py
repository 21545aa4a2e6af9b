"""Judging a service for whoever asks: their facts, its rule, the verdict."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from types import MappingProxyType
from weakref import WeakKeyDictionary

from connectors.errors import PartnerError
from connectors.partner import Freshness
from eligibility import rulebook
from eligibility.condition import Value
from eligibility.fact import Kind
from eligibility.rule import Edition
from eligibility.single import Judge
from eligibility.tree import Known
from eligibility.turning import Turning
from eligibility.verdict import Alternative, Outcome, Verdict
from models import dossier, errors, menu, page, talent, text, turns
from models.once import made_once
from resolvers import access
from resolvers.context import Context
from resolvers.menu import Catalogue, Filter

#: Where in the answer a field stands: the keys and places that lead to it.
Path = Sequence[str | int]

#: How far the asker's clock may be from ours.
CLOCKS_APART = timedelta(minutes=1)
#: How many facts may be put forward at once, and how many words in one.
MOST_FACTS, MOST_WORDS = 100, 100


@dataclass(frozen=True, slots=True)
class Given:
    """A fact that the asker puts forward, its value as JSON has it; None: there is none."""

    name: str
    value: object


@dataclass(frozen=True)
class Asked:
    """What else a verdict is asked on than what is known today: facts, a day, a moment.

    ``facts`` go over what is on record. ``known_at``: what was recorded or published later does
    not count.

    Raises:
        BadInputError: there are too many facts, or one is too long.
    """

    facts: tuple[Given, ...] = ()
    as_of: date | None = None
    known_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse at once what would take long only to be looked at."""
        many = len(self.facts)
        if many > MOST_FACTS:
            raise errors.BadInputError(
                f"`facts` has {many}; at most {MOST_FACTS} may be given.",
                "Give those that the verdict depends on: `missing` names them.",
            )
        for one in self.facts:
            text.bounded("name", one.name)
            _bound(one)

    @made_once
    def key(self) -> str:
        """What tells it from others: in it, true is not 1."""
        return f"asked {self!r}"


NOTHING_ELSE = Asked()


@dataclass(frozen=True)
class Judged:
    """A verdict with what it was passed on: the service, its rule, the facts, the day.

    ``given`` are those of the facts that the asker put forward, ``supplied`` those that partners
    did; ``silent`` has the partner of each fact that one should have supplied. ``person`` is as
    they were known at ``known_at``.
    """

    verdict: Verdict
    service: menu.Service
    judge: Judge
    known: Known
    given: Known
    person: talent.Talent | None
    as_of: date
    known_at: datetime
    catalogue: Catalogue
    supplied: Known = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)

    @property
    def talent_class(self) -> menu.TalentClass | None:
        """The class of the person it is about, where it is known."""
        return self.person.talent_class if self.person else None

    @property
    def edition(self) -> Edition | None:
        """The edition of the rule that is in force on the day."""
        rule = self.catalogue.rulebook.rules[self.service.code]
        return next((one for one in rule.editions if one.span.has(self.as_of)), None)

    @cached_property
    def alternatives(self) -> list[Alternative]:
        """Return every smallest set of facts that would turn it, or make it ELIGIBLE."""
        return self.judge.alternatives(self.known)

    @cached_property
    def turning(self) -> Turning:
        """Return when the service may be had, from the day on, if nothing but time passes."""
        calendar = self.catalogue.rulebook.calendar(self.service.code)
        return calendar.turning(self.as_of, self.person, {**self.given, **self.supplied})


def on(context: Context, service: menu.Service, asked: Asked = NOTHING_ELSE) -> Judged:
    """Return the verdict on a service for the viewer, on what the hub itself knows now.

    For an asker who is no person nothing is known but what they say, so only what is for everyone
    is ELIGIBLE to one who says nothing.

    Raises:
        BadInputError: a fact or the day is out of its range.
        UnknownCodeError: there is no such fact, or no such value of it.
    """
    return _judged(context, context.catalogue, service, asked, context.person)


def at_once(context: Context, service: menu.Service, asked: Asked = NOTHING_ELSE) -> Judged | None:
    """Return ``on`` where that takes no time: what is known today, by a rule that is drawn."""
    if asked is not NOTHING_ELSE:
        return None
    judge = context.rules[service.code]
    return None if judge.takes_drawing(_known_now(context)) else on(context, service)


async def passed(context: Context, service: menu.Service, asked: Asked = NOTHING_ELSE) -> Judged:
    """Return ``on``; where it takes time, others have their turns meanwhile. Raises as ``on``."""
    found = at_once(context, service, asked)
    if found is None:
        [found] = await _worked_out(context, context.catalogue, [service], asked, context.person)
    return found


async def by(judge: Judge, known: Known, silent: Mapping[str, str]) -> Verdict:
    """Return the verdict of a rule; others have their turns while it is drawn."""
    if judge.takes_drawing(known):
        await _drawn(judge)
    return judge.judge(known, silent)


async def alternatives(judged: Judged) -> list[Alternative]:
    """Return what would turn a verdict; others have their turns meanwhile."""
    await _drawn(judged.judge)
    return await turns.in_turn(lambda: judged.alternatives)


def is_eligible(context: Context, service: menu.Service) -> bool:
    """Return whether ``on`` says that the viewer may have a service, without saying why."""
    judge = context.rules[service.code]
    truth = judge.of_nobody if context.person is None else judge.truth(_known_now(context))
    return truth is True


def outstanding(context: Context, judged: Judged) -> Mapping[str, str]:
    """Return the facts that partners are still to be asked for, each with its partner.

    What may still decide is asked, and of whoever asks alone, as they are today: neither about
    others nor about other days can a partner be asked in their name.
    """
    missing = judged.verdict.missing
    if not missing or judged.person is None or judged.as_of != context.today:
        return {}
    suppliers = context.registry.suppliers
    return {name: suppliers[name] for name in missing if name in suppliers}


async def settled(context: Context, judged: Judged, path: Path) -> Judged:
    """Return a verdict of ``on`` as it is with what partners supply, all asked side by side.

    That they hear the person's pseudonym is noted before they are asked, for the person's log. A
    partner that fails is told of at ``path``, where the field that asks stands; what it should
    have supplied stays open, and no verdict turns for it.
    """
    wanted = outstanding(context, judged)
    if judged.person is None or not wanted:
        return judged
    for partner in set(wanted.values()):
        access.supplied(context, judged.person.handle, partner, judged.service.code)
    name = partial(context.pseudonyms.of, handle=judged.person.handle)
    supplies = await asyncio.gather(
        *(context.desk.supply(partner, name(partner), fact) for fact, partner in wanted.items())
    )
    supplied: dict[str, Value] = {}
    silent: dict[str, str] = {}
    for fact, supply in zip(wanted, supplies, strict=True):
        if supply.failure:
            silent[fact] = supply.partner
            _tell(context, supply.partner, supply.failure, path)
        elif fact in supply.facts:
            supplied[fact] = supply.facts[fact]
    known = {**judged.known, **supplied}
    return replace(
        judged,
        verdict=judged.judge.judge(known, silent),
        known=known,
        supplied=supplied,
        silent=silent,
    )


def _tell(context: Context, partner: str, failure: PartnerError, path: Path) -> None:
    context.tell(
        path,
        failure.code,
        failure.sentence,
        partner=partner,
        freshness=Freshness.UNAVAILABLE,
        retry_after=context.moment(failure.retry_after_seconds),
    )


def on_record(context: Context) -> frozenset[str]:
    """Return the documents, by code, that the hub has on record of the viewer today."""
    known = _known_now(context)
    return context.once(
        "on record",
        lambda: frozenset(
            code
            for code, test in context.catalogue.rulebook.documents.items()
            if (value := known.get(test.fact)) is not None and test.holds(value)
        ),
    )


async def known_at(context: Context, service: menu.Service, asked: Asked) -> Judged:
    """Return the verdict on a service on what was known at a moment; raises as ``on``.

    Raises:
        BadInputError: the moment is ahead, or no menu with this service was published by then.
    """
    moment = asked.known_at or context.now
    if moment > context.now + CLOCKS_APART:
        raise errors.BadInputError(
            "`knownAt` is ahead of now.", "Leave it out to ask on what is known now."
        )
    moment = min(moment, context.now)
    asked = replace(asked, known_at=moment)
    then = await _menu_of(context, await context.loaders.revisions_by_moment.load(moment))
    if then is None or service.code not in then.services:
        raise errors.BadInputError(
            f"“{service.code}” had not been published by {moment.isoformat()}.",
            "Ask with a later `knownAt`.",
        )
    person = context.person and dossier.known_at(context.person, moment)
    [found] = await _worked_out(context, then, [then.services[service.code]], asked, person)
    return found


async def _menu_of(context: Context, revision: int | None) -> Catalogue | None:
    if revision is None:
        return None
    if revision == context.catalogue.revision:
        return context.catalogue
    async with context.reads.one():
        return await context.shared.earlier.of(revision)


async def ranked(
    context: Context,
    wanted: Filter,
    asked: Asked,
    first: int | None,
    after: str | None,
    path: Path = (),
) -> tuple[page.Page[Judged], int]:
    """Return a page of the services on the menu of the day that match, and how many match.

    First come those that are ELIGIBLE, then those that need facts, fewest first, then those that
    are UNDETERMINED, then the others; each group in the menu's order. ``path`` leads to the field
    that asks, as for ``settled``. Raises as ``on``.

    Raises:
        BadCursorError: the cursor was not given out for this list.
        BadInputError: ``first`` is out of range.
        UnknownCodeError: the filter names a code that stands in no list.
    """
    scope, size = page.Scope("eligible", (wanted, asked)), page.size(first)
    passed = scope.key(after) if after is not None else ""
    services = context.catalogue.on_menu(context.day(asked.as_of), wanted)
    judged = await _worked_out(context, context.catalogue, services, asked, context.person)
    waiting = [place for place, one in enumerate(judged) if outstanding(context, one)]
    settling = (settled(context, judged[place], path) for place in waiting)
    for place, one in zip(waiting, await asyncio.gather(*settling), strict=True):
        judged[place] = one
    judged.sort(key=_rank)
    left = [one for one in judged if _rank(one) > passed]
    return scope.page(left[: size + 1], size, _rank), len(judged)


_RANKS = (Outcome.ELIGIBLE, Outcome.NEEDS_FACTS, Outcome.UNDETERMINED, Outcome.INELIGIBLE)


def _rank(judged: Judged) -> str:
    found = judged.verdict
    place = judged.catalogue.place(judged.service.code)
    return f"{_RANKS.index(found.outcome)} {len(found.missing):03} {place}"


#: By rule that is being drawn, what those wait for who want it too.
_drawing: WeakKeyDictionary[Judge, asyncio.Lock] = WeakKeyDictionary()


async def _drawn(judge: Judge) -> None:
    """Have a rule drawn, once however many want it; others have their turns meanwhile."""
    async with _drawing.setdefault(judge, asyncio.Lock()):
        if not judge.is_drawn:
            await turns.in_turn(lambda: judge.diagram)


async def _worked_out(
    context: Context,
    catalogue: Catalogue,
    services: Sequence[menu.Service],
    asked: Asked,
    person: talent.Talent | None,
) -> list[Judged]:
    """Return the verdicts on services; others have their turns meanwhile."""

    def undrawn() -> list[Judge]:
        _, known, day = _basis(context, asked, person)
        judges = (_judge(catalogue, service.code, day) for service in services)
        return [judge for judge in judges if judge.takes_drawing(known)]

    # What is asked of partners because of them waits for it as for what is read.
    async with context.reads.one():
        for judge in await turns.in_turn(undrawn):
            await _drawn(judge)
        return await turns.piecemeal(
            lambda: [_judged(context, catalogue, service, asked, person) for service in services]
        )


def _judged(
    context: Context,
    catalogue: Catalogue,
    service: menu.Service,
    asked: Asked,
    person: talent.Talent | None,
) -> Judged:
    given, known, day = _basis(context, asked, person)
    judge = _judge(catalogue, service.code, day)
    return Judged(
        verdict=judge.judge(known),
        service=service,
        judge=judge,
        known=known,
        given=given,
        person=person,
        as_of=day,
        known_at=asked.known_at or context.now,
        catalogue=catalogue,
    )


_NOTHING: Known = MappingProxyType({})


def _known_now(context: Context) -> Known:
    """Return what is known of whoever asks today, where they say nothing."""
    person = context.person
    if person is None:
        return _NOTHING
    known: Known = context.once("facts", lambda: _facts_of(person, context.today))
    return known


def _basis(
    context: Context, asked: Asked, person: talent.Talent | None
) -> tuple[Known, Known, date]:
    """Return what the asker says, what is known, and the day: today where they say nothing."""
    if asked is NOTHING_ELSE:
        return _NOTHING, _known_now(context), context.today
    # The same facts are put forward to every service of a query.
    found: tuple[Known, Known, date] = context.once(
        asked.key, lambda: _of_then(context, asked, person)
    )
    return found


def _of_then(
    context: Context, asked: Asked, person: talent.Talent | None
) -> tuple[Known, Known, date]:
    """Return what the asker says, what is known then, and the day."""
    day = context.day(asked.as_of)
    given = taken(asked.facts)
    return given, {**(_facts_of(person, day) if person else {}), **given}, day


def _facts_of(person: talent.Talent, on: date) -> Known:
    return rulebook.facts_of(person, on, rulebook.known_facts().values())


def _judge(catalogue: Catalogue, code: str, day: date) -> Judge:
    turns.breathe()
    return catalogue.rulebook.judge(code, day)


def taken(facts: Sequence[Given]) -> dict[str, Value | None]:
    """Return facts that are put forward as rules know them.

    Raises:
        BadInputError: one stands twice, or a value is not of its sort.
        UnknownCodeError: there is no such fact, or no such value of it.
    """
    known = rulebook.known_facts()
    found: dict[str, Value | None] = {}
    for one in facts:
        if one.name not in known:
            raise errors.UnknownCodeError("fact", one.name, known)
        if one.name in found:
            raise errors.BadInputError(f"`{one.name}` is given twice.", "Give each fact once.")
        found[one.name] = _value(one)
    return found


def _bound(given: Given) -> None:
    words = given.value if isinstance(given.value, list) else [given.value]
    if len(words) > MOST_WORDS:
        raise errors.BadInputError(
            f"`{given.name}` has {len(words)} words; at most {MOST_WORDS} may be given."
        )
    for one in words:
        if isinstance(one, str):
            text.bounded(given.name, one)


def _value(given: Given) -> Value:
    fact = rulebook.known_facts()[given.name]
    value = fact.taken(given.value)
    if value is not None:
        return value
    if fact.kind is Kind.CHOICE and fact.choices and isinstance(given.value, str):
        raise errors.UnknownCodeError(f"value of `{fact.name}`", given.value, fact.choices)
    if fact.kind is Kind.HOUSEHOLD:
        raise errors.BadInputError("The household cannot be given here.")
    shown = given.value if isinstance(given.value, str) else json.dumps(given.value)
    raise errors.BadInputError(
        f"“{errors.shown(shown)}” is no value of `{fact.name}`.", f"It takes {fact.shape()}."
    )
