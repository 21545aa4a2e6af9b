"""People: the rows that say what is known of them, and the SQL that finds them."""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, card, errors, menu
from models import page as paging
from models.line import Rows

TalentClass = menu.TalentClass

# More matches than this are walked in the list's order instead of being sorted.
RARE = 2000
LONGEST_TEXT = 100
_TOKEN_LENGTH = 16
_LAST = "\U0010ffff"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
HANDLE = re.compile(r"[a-z0-9]{1,40}")
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ`´"))


class OrganisationKind(enum.StrEnum):
    """Where talent comes from, in the words of the seeds."""

    UNIVERSITY = "UNIVERSITY"
    RESEARCH_INSTITUTE = "RESEARCH_INSTITUTE"
    ENTERPRISE = "ENTERPRISE"


class DegreeLevel(enum.StrEnum):
    """Levels of degree, lowest first."""

    BACHELOR = "BACHELOR"
    MASTER = "MASTER"
    DOCTOR = "DOCTOR"


class PermitKind(enum.StrEnum):
    """Papers that carry a number of one person, domestic and foreign, old and new."""

    WORK_PERMIT = "WORK_PERMIT"
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT"
    RESIDENCE_PERMIT_B = "RESIDENCE_PERMIT_B"
    PERMANENT_RESIDENCE = "PERMANENT_RESIDENCE"
    FOREIGN_EXPERT_CERTIFICATE = "FOREIGN_EXPERT_CERTIFICATE"
    EMPLOYMENT_LICENCE = "EMPLOYMENT_LICENCE"
    VISA = "VISA"
    DOMESTIC_ID = "DOMESTIC_ID"


class Relation(enum.StrEnum):
    """What a member of the household is to the holder."""

    SPOUSE = "SPOUSE"
    CHILD = "CHILD"


class AwardLevel(enum.StrEnum):
    """The level of an award; the top ones are among the excellent, never beside them."""

    TOP = "TOP"
    EXCELLENT = "EXCELLENT"


class TeamResult(enum.StrEnum):
    """How a team fared in its edition of the competition."""

    ENTRANT = "ENTRANT"
    FINALIST = "FINALIST"
    WINNER = "WINNER"


class Organisation(base.Base):
    """Where people work: a university, a research institute or an enterprise."""

    __tablename__ = "organisation"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    slug: orm.Mapped[str] = orm.mapped_column(unique=True)
    name_en: orm.Mapped[str]
    name_zh: orm.Mapped[str]
    kind: orm.Mapped[OrganisationKind]
    district: orm.Mapped[str]
    region: orm.Mapped[str]
    industry: orm.Mapped[str | None]


class _Fact(base.Sourced):
    """A dated row about one person."""

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, sort_order=-2)
    talent_id: orm.Mapped[int] = orm.mapped_column(
        sa.ForeignKey("talent.id"), index=True, sort_order=-1
    )


class Degree(_Fact, base.Base):
    """A degree; a rank is that of the school or the subject in ``rank_source``."""

    __tablename__ = "degree"

    level: orm.Mapped[DegreeLevel]
    school: orm.Mapped[str]
    country: orm.Mapped[str]
    awarded_on: orm.Mapped[date]
    school_rank: orm.Mapped[int | None]
    subject_rank: orm.Mapped[int | None]
    rank_source: orm.Mapped[str | None]


class Employment(_Fact, base.Base):
    """A post held from one day until another, or until now; the salary is in yuan a year."""

    __tablename__ = "employment"

    organisation_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("organisation.id"))
    organisation: orm.Mapped[Organisation] = orm.relationship(lazy="raise")
    title: orm.Mapped[str]
    valid_from: orm.Mapped[date]
    valid_until: orm.Mapped[date | None]
    annual_salary: orm.Mapped[Decimal | None]


class Permit(_Fact, base.Base):
    """A paper with a number; every number leads to the same person."""

    __tablename__ = "permit"

    kind: orm.Mapped[PermitKind]
    number: orm.Mapped[str] = orm.mapped_column(index=True)
    authority: orm.Mapped[str]
    valid_from: orm.Mapped[date]
    valid_until: orm.Mapped[date | None]


class Member(_Fact, base.Base):
    """A member of a person's household; null is unknown, not no."""

    __tablename__ = "member"

    relation: orm.Mapped[Relation]
    name: orm.Mapped[str]
    birth_date: orm.Mapped[date | None]
    nationality: orm.Mapped[str | None]
    owns_home: orm.Mapped[bool | None]
    had_housing_benefit: orm.Mapped[bool | None]


class Award(_Fact, base.Base):
    """A person's award of one year."""

    __tablename__ = "award"

    level: orm.Mapped[AwardLevel]
    year: orm.Mapped[int]


class Attestation(_Fact, base.Base):
    """A named fact that has no column of its own, true between its dates."""

    __tablename__ = "attestation"

    name: orm.Mapped[str]
    value: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    valid_from: orm.Mapped[date]
    valid_until: orm.Mapped[date | None]


class Team(base.Sourced, base.Base):
    """A team in one edition of the competition; ``overseas`` ones count inside the total."""

    __tablename__ = "team"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    edition: orm.Mapped[int]
    name: orm.Mapped[str]
    field: orm.Mapped[str]
    overseas: orm.Mapped[bool]
    result: orm.Mapped[TeamResult | None]


membership = sa.Table(
    "membership",
    base.Base.metadata,
    sa.Column("talent_id", sa.ForeignKey("talent.id"), primary_key=True),
    sa.Column("team_id", sa.ForeignKey("team.id"), primary_key=True),
)

_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# The start of every word of a name, so that a search is a range of this table's key.
name_token = sa.Table(
    "name_token",
    base.Base.metadata,
    sa.Column("token", _BYTES, primary_key=True),
    sa.Column("talent_id", sa.ForeignKey("talent.id"), primary_key=True),
    sqlite_with_rowid=False,
)


class Talent(base.Sourced, base.Base):
    """A person in the talent database; ``handle`` is the only name outsiders see it by."""

    __tablename__ = "talent"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    name: orm.Mapped[str]
    name_latin: orm.Mapped[str | None]
    name_key: orm.Mapped[str]
    birth_date: orm.Mapped[date | None]
    nationality: orm.Mapped[str | None]
    district: orm.Mapped[str]
    talent_class: orm.Mapped[TalentClass | None]
    industry: orm.Mapped[str | None]
    listed_on: orm.Mapped[date | None]

    degrees: orm.Mapped[list[Degree]] = orm.relationship(lazy="raise", order_by=Degree.id)
    employments: orm.Mapped[list[Employment]] = orm.relationship(
        lazy="raise", order_by=Employment.id
    )
    permits: orm.Mapped[list[Permit]] = orm.relationship(lazy="raise", order_by=Permit.id)
    household: orm.Mapped[list[Member]] = orm.relationship(lazy="raise", order_by=Member.id)
    awards: orm.Mapped[list[Award]] = orm.relationship(lazy="raise", order_by=Award.id)
    attestations: orm.Mapped[list[Attestation]] = orm.relationship(
        lazy="raise", order_by=Attestation.id
    )
    teams: orm.Mapped[list[Team]] = orm.relationship(
        lazy="raise", secondary=membership, order_by=Team.id
    )
    cards: orm.Mapped[list[card.Card]] = orm.relationship(lazy="raise", order_by=card.Card.id)


FILTERS = (Talent.talent_class, Talent.industry, Talent.district)

# Pages are found in these alone: each holds the people of one filter's value in the order of the
# list, with all that the other filters ask about, so that passing a person by costs no row.
for _lead in (Talent.id, *FILTERS):
    _rest = (column for column in (Talent.id, *FILTERS, Talent.name_key) if column is not _lead)
    sa.Index(f"ix_talent_by_{_lead.key}", _lead, *_rest)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which people are looked for; what is None does not matter."""

    talent_class: TalentClass | None = None
    industry: str | None = None
    district: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        """Refuse at once what can stand in no row."""
        for name, slug in (("industry", self.industry), ("district", self.district)):
            if slug is not None and not _SLUG.fullmatch(slug):
                raise errors.BadInputError(f"`{name}` is no slug: “{errors.shown(slug)}”.")
        if self.text is not None and len(self.text) > LONGEST_TEXT:
            raise errors.BadInputError(f"`text` is longer than {LONGEST_TEXT} characters.")

    @property
    def is_of_names(self) -> bool:
        """Whether people are looked for by their names."""
        return bool(self.text and self.text.strip())


async def page(
    session: AsyncSession, wanted: Filter, first: int | None = None, after: str | None = None
) -> paging.Page[Talent]:
    """Return a page of bare people (no relationships) by id; ``dossier`` has the whole."""
    many = paging.size(first)
    scope = paging.Scope("talents", wanted)
    beyond = int(scope.key(after)) if after is not None else 0
    found = sa.select(Talent.id).where(*await _matches(session, wanted, beyond))
    found = found.order_by(Talent.id).limit(many + 1)
    rows = await session.scalars(sa.select(Talent).where(Talent.id.in_(found)).order_by(Talent.id))
    return scope.page(rows.all(), many, lambda talent: talent.id)


async def count(session: AsyncSession, wanted: Filter) -> int:
    """Return how many people the filter lets through."""
    rows = sa.select(sa.func.count()).select_from(Talent)
    return await session.scalar(rows.where(*await _matches(session, wanted, 0))) or 0


async def bare(session: AsyncSession, handles: Sequence[str]) -> dict[str, Talent]:
    """Return those of these people whom there are, without relationships, by handle."""
    found = await session.scalars(sa.select(Talent).where(Talent.handle.in_(set(handles))))
    return {one.handle: one for one in found}


#: Cards, each with its bare holder, by printed serial.
HELD_BY_SERIAL = Rows(
    sa.select(*card.Card.__table__.columns, *Talent.__table__.columns).join_from(
        card.Card, Talent, Talent.id == card.Card.talent_id
    ),
    (card.Card, Talent),
    card.Card.serial,
)


async def handle_of(session: AsyncSession, talent_id: int) -> str:
    """Return the handle of a person that there is."""
    found = await session.scalars(sa.select(Talent.handle).where(Talent.id == talent_id))
    return found.one()


async def _matches(
    session: AsyncSession, wanted: Filter, after: int
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a filter on people beyond an id."""
    equal = [
        column == getattr(wanted, column.key)
        for column in FILTERS
        if getattr(wanted, column.key) is not None
    ]
    if not wanted.is_of_names:
        return [Talent.id > after, *equal]
    words = fold(wanted.text or "")
    if not words:
        return [sa.false()]
    named = [Talent.name_key.contains(_start(word)) for word in words]
    ids = await _rare(session, sorted(words, key=len, reverse=True))
    if ids is not None:
        return [Talent.id.in_([id_ for id_ in ids if id_ > after]), *equal, *named]
    return [Talent.id > after, *equal, *named]


async def _rare(session: AsyncSession, words: Sequence[str]) -> set[int] | None:
    """Return the people with one of the words, or with two at once, or None if all are many."""
    choices: list[sa.Select[int] | sa.CompoundSelect[int]] = [_bearers(word) for word in words[:3]]
    telling = [word for word in words if len(word) > 1 or _IS_CJK.match(word)]
    if len(telling) > 1:
        choices.append(sa.intersect(*map(_bearers, telling[:2])))
    for choice in choices:
        ids = (await session.scalars(choice.limit(RARE + 1))).all()
        if len(ids) <= RARE:
            return set(ids)
    return None


def _bearers(word: str) -> sa.Select[int]:
    token, found = word[:_TOKEN_LENGTH], name_token.c
    return sa.select(found.talent_id).where(found.token >= token, found.token < token + _LAST)


def name_key(*names: str | None) -> str:
    """Return what searches look into: every folded word of the names after a space.

    >>> name_key("云杉", "Yún Shān")
    ' 云杉 yun shan'
    """
    return "".join(f" {word}" for name in names if name for word in fold(name))


def tokens(key: str) -> set[str]:
    """Return every start that a search may have: of a Latin word, and of any part of a CJK one.

    >>> sorted(tokens(" 云杉 yun"))
    ['yun', '云杉', '杉']
    """
    return {
        word[start : start + _TOKEN_LENGTH]
        for word in key.split()
        for start in range(len(word) if _IS_CJK.match(word) else 1)
    }


def _start(word: str) -> str:
    # A CJK name is written without spaces, so a search may begin anywhere in it.
    return word if _IS_CJK.match(word) else f" {word}"


def fold(text: str) -> list[str]:
    """Return the words of a text as searches compare them: no case, width, accent or apostrophe.

    >>> fold("Zoë D’Arvane-ＬＩ 云杉")
    ['zoe', 'darvane', 'li', '云杉']
    """
    bare = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    marks = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return _WORD.findall(unicodedata.normalize("NFKC", marks.casefold()))


def talent_class(text: str) -> TalentClass | None:
    """Return the class meant by a seed word or its letter, in any case, or None.

    >>> talent_class("a"), talent_class("medium"), talent_class("D")
    (<TalentClass.HIGH: 'HIGH'>, <TalentClass.MEDIUM: 'MEDIUM'>, None)
    """
    word = text.strip().upper()
    return next((one for one in TalentClass if word in (one.value, one.alias)), None)
