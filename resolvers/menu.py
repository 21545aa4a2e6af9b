"""The published menu in memory: one immutable catalogue, replaced whole on a new revision."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

from connectors.registry import Registry
from eligibility.rulebook import Rulebook
from models import errors, menu, page, text, turns
from models.database import Database, Session
from models.once import Once

C = TypeVar("C", bound=menu.Coded | menu.Station | menu.Service)


#: Of so many days the menu is kept: today's, and what somebody asks about beside it.
_DAYS = 3
#: So many menus are kept that were in force once.
_EARLIER = 4
#: So many pages that were asked for last are kept.
_PAGES = 256


class Filter(NamedTuple):
    """Which services are wanted: those that match every field given. All fields are codes."""

    category: str | None = None
    area: str | None = None
    platform_area: str | None = None
    policy: str | None = None
    industry: str | None = None
    audience: menu.Audience | None = None
    station: str | None = None
    partner: str | None = None
    text: str | None = None
    stale: bool | None = None


#: No filter at all.
_EVERY = Filter()


@dataclass(frozen=True, slots=True)
class Day:
    """The menu of one day; ``once`` keeps what the layer above made of it."""

    services: tuple[menu.Service, ...]
    by_category: Mapping[str, tuple[menu.Service, ...]]
    once: Once = field(default_factory=Once, compare=False, repr=False)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Catalogue:
    """One revision of the menu, indexed; nothing in it changes, so everybody shares it.

    ``once`` keeps what the layer above made of this revision.
    """

    revision: int
    digest: str
    published_at: datetime
    published_by: str | None
    lists: menu.Menu
    services: Mapping[str, menu.Service]
    rulebook: Rulebook
    _places: Mapping[str, str]
    _words: Mapping[str, str]
    once: Once = field(default_factory=Once, compare=False, repr=False)
    #: What was made of it for the graph and is the same for everybody, by its id there.
    nodes: Once = field(default_factory=Once, compare=False, repr=False)
    _days: dict[date, Day] = field(default_factory=dict, compare=False, repr=False)
    _pages: dict[object, page.Page[menu.Service]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def kinds_of_document(self) -> Mapping[str, menu.DocumentKind]:
        """The kinds of documents that services ask for, by code."""
        return self.once(
            "kinds of document", lambda: {one.code: one for one in self.lists.documents}
        )

    @classmethod
    def of(cls, revision: menu.Revision, found: menu.Menu) -> Catalogue:
        """Return the catalogue of a published revision, services in the menu's order.

        Raises:
            MistakesError: a rule in it cannot be read; checked menus have none.
        """
        order = {category.code: place for place, category in enumerate(found.categories)}
        places = {one.code: f"{order[one.category]:02} {one.code}" for one in found.services}
        services = sorted(found.services, key=lambda one: places[one.code])
        return cls(
            revision=revision.id,
            digest=revision.digest,
            published_at=revision.published_at,
            published_by=revision.published_by,
            lists=found,
            services={service.code: service for service in services},
            rulebook=Rulebook.of(found),
            _places=places,
            _words={service.code: _words(service) for service in services},
        )

    def service(self, code: str) -> menu.Service:
        """Return a service by code.

        Raises:
            UnknownCodeError: there is none; it names the nearest.
        """
        if (found := self.services.get(code)) is None:
            raise errors.UnknownCodeError("service", code, self.services)
        return found

    def place(self, code: str) -> str:
        """Return what a service is sorted by in the menu's order."""
        return self._places[code]

    def version(self, code: str) -> str:
        """Return the digest of a service's rule with all that it builds on."""
        return self.once(("version", code), lambda: menu.rule_version(self.lists, code))

    def industry(self, wording: str) -> str:
        """Return the code of the key industry meant by its code or one of its wordings.

        Raises:
            BadInputError: it is longer than any.
            UnknownCodeError: no industry is called so; it names the nearest.
        """
        meant = {}
        for industry in self.lists.industries:
            for said in (industry.code, *industry.aliases):
                meant[said.casefold()] = industry.code
        words = text.bounded("industry", wording).casefold().split()
        if (found := meant.get(" ".join(words))) is None:
            raise errors.UnknownCodeError("industry", wording, meant)
        return found

    def partner(self, code: str, registry: Registry) -> str:
        """Return the code of a partner that is at work, is set aside, or is asked by a service.

        Raises:
            UnknownCodeError: no partner is called so; it names the nearest.
        """
        asked: frozenset[str] = self.once("partners", self._asked)
        if not any(code in known for known in (asked, registry.partners, registry.set_aside)):
            known = sorted({*asked, *registry.partners, *registry.set_aside})
            raise errors.UnknownCodeError("partner", code, known)
        return code

    def _asked(self) -> frozenset[str]:
        return frozenset(ask.partner for one in self.services.values() for ask in one.partners)

    def day(self, on: date) -> Day:
        """Return the menu of a day; that of the days asked about last is kept."""
        if on not in self._days:
            services = tuple(one for one in self.services.values() if valid(one, on))
            codes = (one.code for one in self.lists.categories)
            by_category = {
                code: tuple(one for one in services if one.category == code) for code in codes
            }
            while len(self._days) >= _DAYS:
                del self._days[next(iter(self._days))]
            self._days[on] = Day(services, by_category)
        return self._days[on]

    def on_menu(self, on: date, wanted: Filter = _EVERY) -> tuple[menu.Service, ...]:
        """Return the services that are on the menu on a day and match, in the menu's order.

        Raises:
            BadInputError: the text of the filter is too long, or has too many words.
            UnknownCodeError: the filter names a code that stands in no list.
        """
        self._check(wanted)
        day = self.day(on)
        services = day.by_category[wanted.category] if wanted.category else day.services
        tests = [*_tests(wanted, on)]
        if wanted.text and (sought := text.sought(wanted.text)):
            words = self._words
            tests.append(lambda one: all(word in words[one.code] for word in sought))
        if not tests:
            return services
        return tuple(service for service in services if all(test(service) for test in tests))

    def _page(
        self, on: date, wanted: Filter, first: int | None, after: str | None
    ) -> page.Page[menu.Service]:
        left: Sequence[menu.Service] = self.on_menu(on, wanted)
        scope, size = page.Scope("menu", wanted), page.size(first)
        passed = scope.key(after) if after is not None else ""
        if passed:
            left = [one for one in left if self._places[one.code] > passed]
        return scope.page(left[: size + 1], size, lambda one: self._places[one.code])

    def page(
        self, on: date, wanted: Filter, first: int | None, after: str | None
    ) -> page.Page[menu.Service]:
        """Return a page of ``on_menu``, after the service whose cursor this is.

        Those that were asked for last are kept. A cursor holds a place in the menu's order, so it
        survives services that come and go.

        Raises:
            BadCursorError: the cursor was not given out for this filter.
            BadInputError: ``first`` is out of range, or as ``on_menu``, which it else raises as.
        """
        asked = on, wanted, first, after
        found = self._pages.pop(asked, None) or self._page(*asked)
        # The last used is the last to go.
        self._pages[asked] = found
        if len(self._pages) > _PAGES:
            del self._pages[next(iter(self._pages))]
        return found

    def _check(self, wanted: Filter) -> None:
        lists: dict[str, Iterable[Any]] = {
            "category": self.lists.categories,
            "area": self.lists.areas,
            "platform_area": self.lists.platform_areas,
            "policy": self.lists.policies,
            "industry": self.lists.industries,
            "station": self.lists.stations,
        }
        for name, entries in lists.items():
            code = getattr(wanted, name)
            if code is not None and all(entry.code != code for entry in entries):
                known = [entry.code for entry in entries]
                raise errors.UnknownCodeError(name.replace("_", " "), code, known)


class ChangeKind(StrEnum):
    """What became of a service between two revisions."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class Change:
    """A service that is not as it was."""

    code: str
    kind: ChangeKind


async def newest(database: Database) -> Catalogue:
    """Return the newest published menu.

    Raises:
        MenuMissingError: nothing has been published yet.
    """
    async with database.session() as session:
        revision = await menu.newest(session)
        if revision is None:
            raise errors.MenuMissingError
        found = await menu.of_revision(session, revision)
    # Others have their turns while its rules are read.
    return await turns.in_turn(partial(Catalogue.of, revision, found))


class Earlier:
    """The menus that were in force once; those asked for last are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[int, Catalogue] = {}
        self._one = asyncio.Lock()

    async def of(self, number: int) -> Catalogue | None:
        """Return the menu of a revision, or None where there was none of this number."""
        async with self._one:
            found = self._kept.pop(number, None) or await self._found(number)
            if found is not None:
                # The last used is the last to go.
                self._kept[number] = found
            if len(self._kept) > _EARLIER:
                del self._kept[next(iter(self._kept))]
        return found

    async def _found(self, number: int) -> Catalogue | None:
        async with self._database.session() as session:
            revision = await menu.revision(session, number)
            if revision is None:
                return None
            found = await menu.of_revision(session, revision)
        return await turns.in_turn(partial(Catalogue.of, revision, found))


async def revisions_at(session: Session, moments: Sequence[datetime]) -> list[int | None]:
    """Return the numbers of the menus in force at these moments; None before the first."""
    found = [await menu.newest_at(session, moment) for moment in moments]
    return [None if revision is None else revision.id for revision in found]


async def changes(database: Database, catalogue: Catalogue, since: int) -> list[Change]:
    """Return the services that are not as they were in an earlier revision, by code.

    Raises:
        BadInputError: there was no such revision.
    """
    content = None
    if 1 <= since <= catalogue.revision:
        async with database.session() as session:
            content = await menu.content_of(session, since)
    if content is None:
        raise errors.BadInputError(
            f"There was no revision {since}: they are numbered 1 to {catalogue.revision}.",
            "`edition.revision` is the one in force.",
        )
    before = {service.code: service for service in menu.unpacked(content).services}
    after = catalogue.services
    kinds = {
        **dict.fromkeys(before.keys() - after.keys(), ChangeKind.REMOVED),
        **dict.fromkeys(after.keys() - before.keys(), ChangeKind.ADDED),
        **{
            code: ChangeKind.CHANGED
            for code in before.keys() & after.keys()
            if before[code] != after[code]
        },
    }
    return [Change(code, kind) for code, kind in sorted(kinds.items())]


async def refreshed(database: Database, catalogue: Catalogue) -> Catalogue:
    """Return this catalogue while it is the newest, else the newest."""
    async with database.session() as session:
        revision = await menu.newest(session)
    if revision is None or revision.id == catalogue.revision:
        return catalogue
    return await newest(database)


def find(entries: Iterable[C], noun: str, code: str) -> C:
    """Return the entry of a list with this code.

    Raises:
        UnknownCodeError: there is none; it names the nearest.
    """
    by_code = {entry.code: entry for entry in entries}
    if code not in by_code:
        raise errors.UnknownCodeError(noun, code, by_code)
    return by_code[code]


def _words(service: menu.Service) -> str:
    texts = (service.name, service.summary, service.description)
    return " ".join(
        [service.code, *(word for one in texts for word in one.root.values())]
    ).casefold()


def valid(service: menu.Service, on: date) -> bool:
    """Return whether a service is on the menu on a day."""
    until = service.valid.until
    return service.valid.since <= on and (until is None or on <= until)


def _tests(wanted: Filter, on: date) -> Iterable[Callable[[menu.Service], bool]]:
    """Yield one test for each field of the filter that is given, but the category and the text."""
    for name, key in (
        ("area", "areas"),
        ("platform_area", "platform_areas"),
        ("policy", "policies"),
        ("industry", "industries"),
        ("audience", "audience"),
    ):
        if (code := getattr(wanted, name)) is not None:
            yield lambda one, code=code, key=key: code in getattr(one, key)  # type: ignore[misc]  # bound per turn
    if wanted.station is not None:
        yield lambda one: wanted.station in stations_of(one)
    if wanted.partner is not None:
        yield lambda one: any(ask.partner == wanted.partner for ask in one.partners)
    if wanted.stale is not None:
        yield lambda one: is_stale(one, on) == wanted.stale


def stations_of(service: menu.Service) -> tuple[str, ...]:
    """Return the codes of the service points where a service is had, windows' included."""
    by_window = (window.partition("/")[0] for window in service.where.windows)
    return tuple(dict.fromkeys((*service.where.stations, *by_window)))


def is_stale(service: menu.Service, on: date) -> bool:
    """Return whether nobody has checked this entry for longer than it was promised."""
    return on > service.assured.stale_after
