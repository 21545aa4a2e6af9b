"""The service menu as it is written and as it is published: shapes, and the revisions kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import orjson
import pydantic
import sqlalchemy as sa
from sqlalchemy import LargeBinary, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, undefer

from models.base import Base
from models.offer import Capability
from models.text import Text

#: The name of every coded thing: lower-case words joined by hyphens.
Slug = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Shape(pydantic.BaseModel):
    """What a menu file may say: unknown keys are refused, and nothing changes once read."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class TalentClass(StrEnum):
    """The classes of S2, highest first; A, B and C are the permit's own words for them."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"

    @property
    def alias(self) -> str:
        """The letter that the work permit uses: A, B or C."""
        return {"HIGH": "A", "MEDIUM": "B", "LOW": "C"}[self.value]


class Audience(StrEnum):
    """Whom a service is for (S1: foreign nationals and returnees; S4: businesses and talents)."""

    FOREIGN_NATIONAL = "FOREIGN_NATIONAL"
    RETURNEE = "RETURNEE"
    DOMESTIC_TALENT = "DOMESTIC_TALENT"
    BUSINESS = "BUSINESS"


class Channel(StrEnum):
    """Where a step is taken."""

    ONLINE = "ONLINE"
    WINDOW = "WINDOW"
    PARTNER = "PARTNER"


class StationKind(StrEnum):
    """What sort of service point it is."""

    CENTER = "CENTER"
    STATION = "STATION"


class Citation(Shape):
    """The source an entry rests on; a ``quote`` stands there word for word."""

    source: Slug
    quote: str | None = None


class Source(Shape):
    """Something that was published, and that entries may cite."""

    code: Slug
    title: str
    publisher: str
    published: date | None = None


class Coded(Shape):
    """A coded entry of a list with a name in several languages."""

    code: Slug
    name: Text
    citation: Citation


class Category(Coded):
    """One of the 14 categories of S1, in the order of S1."""


class PlatformArea(Coded):
    """One of the five menu areas of the first platform (S0)."""


class PolicyFamily(Coded):
    """One of the four policy families of the Talent Card (S3)."""


class Industry(Coded):
    """A key industry; ``aliases`` are its wordings in the articles."""

    aliases: tuple[str, ...] = ()


class Quota(Shape):
    """How often an area's benefit may be used: ``units`` each calendar ``period``."""

    units: Annotated[int, pydantic.Field(ge=1)]
    period: Literal["MONTH", "YEAR"]


class Area(Coded):
    """One of the 12 benefit areas of the card; no ``quota`` means no limit.

    S3 names four groups; the others are the hub's own and cite ``hub``.
    """

    policy: Slug
    quota: Quota | None = None


class OnRecord(Shape):
    """What shows that the hub has a document on record: a fact that is one of these values."""

    fact: str
    values: Annotated[tuple[bool | str, ...], pydantic.Field(min_length=1)]


class DocumentKind(Coded):
    """A document that services ask for; ``valid_months`` is how old it may be.

    Who has it ``on_record`` is not asked for it again.
    """

    on_record: OnRecord | None = None
    valid_months: Annotated[int, pydantic.Field(ge=1)] | None = None


class Journey(Coded):
    """A life event: the services it takes, in order."""

    services: Annotated[tuple[Slug, ...], pydantic.Field(min_length=2)]


class Figure(Shape):
    """A published figure: what was counted, when, and who said so; never computed by the hub."""

    code: Slug
    name: Text
    value: Decimal
    unit: str
    as_of: str
    part_of: Slug | None = None
    citation: Citation


class Window(Shape):
    """A window or an area inside a service point."""

    code: Slug
    name: Text
    citation: Citation


class Station(Shape):
    """A service point of the district, with its name as S0 or S4 spells it."""

    code: Slug
    kind: StationKind
    name: Text
    place: Text
    district: Slug
    windows: tuple[Window, ...] = ()
    citation: Citation


class DocumentNeed(Shape):
    """A document a service asks for, from applicants of these classes; all, where none is named."""

    document: Slug
    classes: tuple[TalentClass, ...] = tuple(TalentClass)
    note: Text | None = None


class Step(Shape):
    """A step of a service, for applicants of these classes."""

    text: Text
    channel: Channel
    classes: tuple[TalentClass, ...] = tuple(TalentClass)


class Fee(Shape):
    """What a service costs the applicant; nought is free."""

    amount: Annotated[Decimal, pydantic.Field(ge=0)]
    currency: Annotated[str, pydantic.StringConstraints(pattern="^[A-Z]{3}$")] = "CNY"
    citation: Citation


class Promise(Shape):
    """Within how many working days a service is done, by class of applicant."""

    high: Annotated[int, pydantic.Field(ge=0)]
    medium: Annotated[int, pydantic.Field(ge=0)]
    low: Annotated[int, pydantic.Field(ge=0)]
    citation: Citation

    def working_days(self, talent_class: TalentClass) -> int:
        """Return the promise to applicants of a class."""
        if talent_class is TalentClass.LOW:
            return self.low
        return self.medium if talent_class is TalentClass.MEDIUM else self.high


class Ask(Shape):
    """What a service asks of a partner: the capability, and the partner's own word for it."""

    partner: Slug
    capability: Capability
    topic: Slug


class Where(Shape):
    """Where a service is had: at service points, at their windows (``station/window``), online."""

    stations: tuple[Slug, ...] = ()
    windows: tuple[str, ...] = ()
    online: Text | None = None


class Validity(Shape):
    """The days on which an entry is on the menu, both included."""

    since: date
    until: date | None = None


class Assurance(Shape):
    """Who checked this entry, when, and after which day it counts as stale."""

    at: date
    by: str
    stale_after: date


class ServiceExample(Shape):
    """The proof an entry carries: given these facts, this verdict, for these reasons.

    It is judged ``on`` a day, or else on the day the entry was assured.
    """

    name: str
    on: date | None = None
    given: dict[str, bool | int | str | tuple[str, ...] | None]
    outcome: Literal["ELIGIBLE", "INELIGIBLE", "NEEDS_FACTS"]
    reasons: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None


class SubsidySpan(Shape):
    """So many months in a row: the amount a month by the value of the subsidy's fact.

    ``condition`` is a clause that must hold for these months, besides the service's rule; it is
    read by ``eligibility.subsidy``.
    """

    months: Annotated[int, pydantic.Field(ge=1, le=120)]
    amounts: Annotated[
        dict[str, Annotated[Decimal, pydantic.Field(ge=0)]], pydantic.Field(min_length=1)
    ]
    condition: Any = None


class Subsidy(Shape):
    """What a service pays month by month, by the value of a fact; a value not named gets none."""

    by: str
    currency: Annotated[str, pydantic.StringConstraints(pattern="^[A-Z]{3}$")] = "CNY"
    spans: Annotated[tuple[SubsidySpan, ...], pydantic.Field(min_length=1)]
    citation: Citation


class Service(Shape):
    """One service on the menu, as its file says it; ``eligibility`` is read by eligibility.rule."""

    code: Slug
    category: Slug
    areas: tuple[Slug, ...] = ()
    platform_areas: tuple[Slug, ...] = ()
    policies: tuple[Slug, ...] = ()
    industries: tuple[Slug, ...] = ()
    audience: Annotated[tuple[Audience, ...], pydantic.Field(min_length=1)]
    name: Text
    summary: Text
    description: Text
    documents: tuple[DocumentNeed, ...] = ()
    steps: Annotated[tuple[Step, ...], pydantic.Field(min_length=1)]
    fee: Fee
    promise: Promise
    where: Where
    partners: tuple[Ask, ...] = ()
    eligibility: Any
    subsidy: Subsidy | None = None
    citations: Annotated[tuple[Citation, ...], pydantic.Field(min_length=1)]
    valid: Validity
    assured: Assurance
    examples: Annotated[tuple[ServiceExample, ...], pydantic.Field(min_length=1)]


class PayLineValue(Shape):
    """The amount of a pay line, in yuan a year, on the days it was in force."""

    since: date
    until: date | None = None
    amount: Annotated[int, pydantic.Field(ge=0)]
    citation: Citation


class PayLine(Coded):
    """An amount that rules compare pay with, and that is set anew from time to time."""

    values: Annotated[tuple[PayLineValue, ...], pydantic.Field(min_length=1)]


class Band(Shape):
    """The points of a value that is so: one of the keys, or two ends of a span of numbers."""

    points: Annotated[int, pydantic.Field(ge=0, le=1000)]
    equals: bool | str | None = None
    at_least: int | None = None
    more_than: int | None = None
    at_most: int | None = None
    less_than: int | None = None


class PointsEntry(Shape):
    """One fact of a line of points; the first band that holds counts, none brings nought."""

    fact: str
    bands: Annotated[tuple[Band, ...], pydantic.Field(min_length=1)]


class PointsLine(Shape):
    """A line of a table of points: the best of its entries, and at most so many points."""

    id: Slug
    name: Text
    most: Annotated[int, pydantic.Field(ge=1, le=1000)]
    entries: Annotated[tuple[PointsEntry, ...], pydantic.Field(min_length=1)]


class PointsVersion(Shape):
    """A table of points as it was in force, and from how many points on a class is reached."""

    version: Slug
    name: Text
    since: date
    until: date | None = None
    high: Annotated[int, pydantic.Field(ge=1, le=1000)]
    medium: Annotated[int, pydantic.Field(ge=1, le=1000)]
    lines: Annotated[tuple[PointsLine, ...], pydantic.Field(min_length=1)]
    citation: Citation


class PointsTable(Coded):
    """A table of points in all its versions."""

    versions: Annotated[tuple[PointsVersion, ...], pydantic.Field(min_length=1)]


class Zone(Coded):
    """A zone in which rules may be otherwise: who is in it, by a fact, and since when it is."""

    fact: str
    values: Annotated[tuple[str, ...], pydantic.Field(min_length=1)]
    text: Text
    since: date
    until: date | None = None


class CityRule(Coded):
    """A rule of the city that the district's services build on."""

    eligibility: Any


class Menu(Shape):
    """A whole menu, as it is published: one value, replaced whole."""

    sources: tuple[Source, ...]
    categories: tuple[Category, ...]
    platform_areas: tuple[PlatformArea, ...]
    policies: tuple[PolicyFamily, ...]
    industries: tuple[Industry, ...]
    areas: tuple[Area, ...]
    documents: tuple[DocumentKind, ...]
    stations: tuple[Station, ...]
    journeys: tuple[Journey, ...]
    figures: tuple[Figure, ...]
    points: tuple[PointsTable, ...] = ()
    pay_lines: tuple[PayLine, ...] = ()
    zones: tuple[Zone, ...] = ()
    city_rules: tuple[CityRule, ...] = ()
    services: tuple[Service, ...]


#: The keys of a rule that name what it builds on, with the list that has it.
_BUILDS_ON = {
    "points": "points",
    "line": "pay_lines",
    "zone": "zones",
    "city": "city_rules",
    "requires": "services",
}


def rule_version(found: Menu, code: str) -> str:
    """Return the SHA-256 (hex) of a service's rule and of all that it builds on.

    It is another where the rule, an entry it uses, or a rule it requires is another.
    """
    entries = {
        (name, one.code): one for name in _BUILDS_ON.values() for one in getattr(found, name)
    }
    parts: dict[str, object] = {}
    waiting = [("services", code)]
    while waiting:
        name, code = waiting.pop()
        key = f"{name} {code}"
        if key not in parts and (entry := entries.get((name, code))):
            is_service = isinstance(entry, Service)
            parts[key] = entry.eligibility if is_service else entry.model_dump(mode="json")
            waiting += _built_on(parts[key])
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _built_on(document: object) -> Iterator[tuple[str, str]]:
    """Yield the list and the code of each entry that a rule, or a part of one, names."""
    if isinstance(document, dict):
        for key, inner in document.items():
            if key in _BUILDS_ON and isinstance(inner, str):
                yield _BUILDS_ON[key], inner
            yield from _built_on(inner)
    elif isinstance(document, list):
        for inner in document:
            yield from _built_on(inner)


class Revision(Base):
    """A menu as it was published once; never changed, never removed.

    ``source`` is the digest of the folder's files that it, or the one it builds on, was read from.
    What came through the endpoint says who published it, and the one ``service`` that is not as it
    was, with its ``text``, which is None where it was withdrawn.
    """

    __tablename__ = "menu_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    published_at: Mapped[datetime]
    published_by: Mapped[str | None]
    service: Mapped[str | None]
    text: Mapped[str | None] = mapped_column(deferred=True)


def packed(menu: Menu) -> tuple[str, bytes]:
    """Return a menu's digest (SHA-256, hex) and its bytes; equal menus have equal bytes."""
    content = orjson.dumps(menu.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest(), content


def unpacked(content: bytes) -> Menu:
    """Return the menu that was packed into these bytes."""
    return Menu.model_validate(orjson.loads(content))


async def newest(session: AsyncSession) -> Revision | None:
    """Return the newest revision without its content, or None before the first."""
    found = await session.execute(select(Revision).order_by(Revision.id.desc()).limit(1))
    return found.scalar_one_or_none()


async def newest_at(session: AsyncSession, moment: datetime) -> Revision | None:
    """Return the newest revision of a moment without its content, or None before the first."""
    then = select(Revision).where(Revision.published_at <= moment)
    found = await session.execute(then.order_by(Revision.id.desc()).limit(1))
    return found.scalar_one_or_none()


async def revision(session: AsyncSession, number: int) -> Revision | None:
    """Return a revision without its content, or None where there is none of this number."""
    return await session.get(Revision, number)


async def of_revision(session: AsyncSession, revision: Revision) -> Menu:
    """Return the menu that was published as a revision."""
    found = await session.execute(select(Revision.content).where(Revision.id == revision.id))
    return unpacked(found.scalar_one())


async def content_of(session: AsyncSession, revision_id: int) -> bytes | None:
    """Return the bytes of a revision, or None where there is none of this number."""
    found = await session.execute(select(Revision.content).where(Revision.id == revision_id))
    return found.scalar_one_or_none()


async def alone(session: AsyncSession) -> None:
    """Let nobody else publish until this transaction ends; SQLite's writers are alone anyway."""
    if (await session.connection()).dialect.name == "postgresql":
        await session.execute(sa.text("LOCK TABLE menu_revision IN SHARE ROW EXCLUSIVE MODE"))


async def since_folder(session: AsyncSession) -> list[Revision]:
    """Return what was published through the endpoint since the folder was, oldest first."""
    folder = select(sa.func.max(Revision.id)).where(Revision.published_by.is_(None))
    later = select(Revision).where(Revision.id > sa.func.coalesce(folder.scalar_subquery(), 0))
    found = await session.scalars(later.order_by(Revision.id).options(undefer(Revision.text)))
    return list(found)


def publish(
    session: AsyncSession,
    menu: Menu,
    source: str,
    at: datetime,
    *,
    by: str | None = None,
    service: str | None = None,
    text: str | None = None,
) -> Revision:
    """Add a menu as the newest revision; the caller has checked that it is not the newest yet.

    ``by``, ``service`` and ``text`` are of what comes through the endpoint; see ``Revision``.
    """
    digest, content = packed(menu)
    revision = Revision(
        digest=digest,
        source=source,
        content=content,
        published_at=at,
        published_by=by,
        service=service,
        text=text,
    )
    session.add(revision)
    return revision
