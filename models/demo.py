"""Demo people: a plainly fictitious district, the same for the same number of people and day."""

from __future__ import annotations

import base64
import contextlib
import functools
import gc
import hashlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    base,
    booking,
    card,
    consent,
    database,
    decision,
    presentation,
    standing,
    status,
    talent,
    verifier,
    webhook,
)

# The people whom documents, tokens and journeys speak of, by number.
RETURNEE = 1  # home from abroad five months ago, master of a top-100 school, no home, a card
PILOT = 2  # foreign, HIGH, work permit, spouse, two children of school age, a card
ENGINEER = 3  # foreign, MEDIUM, residence permit B, listed lately and so without a card
INCOMPLETE = 4  # a degree of a school without a rank, and little else known
FOUNDER = 5  # foreign, HIGH, permanent residence, runs a technology enterprise
RESEARCHER = 6  # at home, at a research institute

PEOPLE = 300
CARDS = 103
AWARDS, TOP_AWARDS = 115, 10
TEAMS, OVERSEAS_TEAMS = 35, 10
FIELDS = (
    "electronic-information",
    "internet-and-mobile-internet",
    "new-energy-and-environmental-protection",
    "new-materials",
    "advanced-manufacturing",
)


def _takes(
    code: str,
    name: str,
    kind: verifier.Kind,
    tier: int,
    scopes: Sequence[verifier.Scope],
    services: Sequence[str],
) -> verifier.Profile:
    both = (verifier.Scope.VERIFY_CODE, verifier.Scope.REDEEM)
    contact = f"privacy@{code}.example"
    return verifier.Profile(
        code, f"{name} (demo)", contact, kind, tier, (*both, *scopes), tuple(services)
    )


_SCOPE = verifier.Scope
#: Partners that take cards, of the sandbox's; the first one is a till.
VERIFIERS = (
    _takes("hongqiao-cinema", "Hongqiao Cinema", verifier.Kind.CINEMA, 1,
           [_SCOPE.DISCLOSE_TIER], ["film-tickets", "concert-green-channel"]),
    _takes("jinzhong-road-hospital", "Jinzhong Road Hospital", verifier.Kind.HOSPITAL, 2,
           [_SCOPE.VERIFY_SERIAL, _SCOPE.VERIFY_OFFLINE, _SCOPE.DISCLOSE_TIER,
            _SCOPE.DISCLOSE_PATIENT], ["medical-green-channel", "physical-check"]),
    _takes("changning-school-office", "Changning School Office", verifier.Kind.SCHOOL, 3,
           [_SCOPE.VERIFY_BATCH, _SCOPE.DISCLOSE_GUARDIAN],
           ["school-enrolment-preference", "schooling-guidance"]),
    _takes("jiangsu-road-bank", "Jiangsu Road Bank", verifier.Kind.BANK, 2,
           [_SCOPE.DISCLOSE_TIER, _SCOPE.DISCLOSE_IDENTITY], ["bank-account-green-channel"]),
)  # fmt: skip

_CHUNK = 2_000
_CARD_AFTER = timedelta(days=90)
#: The demo's cards are, in the demo, real ones.
_TEST_CARD = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DISTRICTS = ("changning",) * 9 + (
    "putuo",
    "minhang",
    "jingan",
    "xuhui",
    "pudong",
    "hongkou",
    "yangpu",
    "huangpu",
    "baoshan",
    "jiading",
    "songjiang",
    "qingpu",
    "fengxian",
    "jinshan",
    "chongming",
)
_INDUSTRIES = (
    "civil-aviation",
    "internet-plus",
    "fashion-and-creativity",
    "headquarters-economy",
    "exhibitions",
    "professional-services",
    "science-and-technology",
)
_REGIONS = ("shanghai",) * 12 + ("jiangsu", "zhejiang", "anhui")
_CLASSES = (
    (talent.TalentClass.HIGH,) * 3
    + (talent.TalentClass.MEDIUM,) * 9
    + (talent.TalentClass.LOW,) * 6
    + (None,) * 2
)
_ABROAD = ("KR", "JP", "FR", "DE", "GB", "US", "FI", "BR", "NG", "IN", "SG", "AU", "CA", "IT")
_STUDIED = ("AU", "GB", "US", "FR", "DE", "JP", "SG", "CA")
_TITLES = ("Engineer", "Designer", "Lecturer", "Analyst", "Manager", "Curator", "Researcher")
_SKILLS = ("NONE",) * 7 + ("SENIOR_WORKER", "TECHNICIAN", "SENIOR_TECHNICIAN")
_FOREIGN = 0.3
_AREAS = ("movie-watching", "medical-services", "physical-check", "schooling-and-tutoring")

# Things, not people: nobody is called so.
_FAMILIES = tuple(
    zip(
        "枫岚汐澜橡榛檀珀砚笛鸢荻蓼蕨橘椰霜露雾霞虹星潮溪滩礁岩砂瓷釉绸缎筝箫鼓帆桨锚灯烛",
        _words(
            "Feng Lan Xi Lan Xiang Zhen Tan Po Yan Di Yuan Di Liao Jue Ju Ye Shuang Lu Wu Xia Hong "
            "Xing Chao Xi Tan Jiao Yan Sha Ci You Chou Duan Zheng Xiao Gu Fan Jiang Mao Deng Zhu"
        ),
        strict=True,
    )
)
_GIVEN = tuple(
    zip(
        "月竹茶盏笺铃兰糖豆米麦穗莓柚橙栗菱藕荷萤蝉鹭鹤鲤鹿雀莺燕鸥风雨雪晴晨暮曦窗桥塔亭",
        _words(
            "yue zhu cha zhan jian ling lan tang dou mi mai sui mei you cheng li ling ou he ying "
            "chan lu he li lu que ying yan ou feng yu xue qing chen mu xi chuang qiao ta ting"
        ),
        strict=True,
    )
)
_HEADS = _words(
    "Quill Ember Larch Thistle Bramble Copper Lantern Marble Saffron Tinder Velvet Pebble "
    "Cinder Fennel Juniper Sorrel Teasel Harrow Sparrow O'Tallow D'Arvane Åsken Zwölf Ñandu "
    "Łuna"
)
_TAILS = _words(
    "mere wick stead hollow garth loom spire fen brook moor well crest vane strand worth "
    "berry shaw lock mast dell"
)
_FORENAMES = _words(
    "Velora Tamsil Ondrix Perrilo Quenbert Isaveth Jorvane Zoëlle Maristo Bexilda Corvin- "
    "Dell Fenwina Halmir Ilsabet Kestara Lorimund Mirelda Nevrin Ostrade Pellam Rosvita "
    "Sorrelin Tavish-Ray Ulmara Vesper Wrenna Yorick-Om Zephrine Aldamar Brisé"
)

_ORGANISATIONS = 240
_KINDS = {
    talent.OrganisationKind.UNIVERSITY: ("University", "大学"),
    talent.OrganisationKind.RESEARCH_INSTITUTE: ("Institute", "研究所"),
    talent.OrganisationKind.ENTERPRISE: ("Company", "公司"),
}
# Of each six organisations one is a university and one an institute.
_KIND_CYCLE = (*_KINDS, *(talent.OrganisationKind.ENTERPRISE,) * 3)
_A_UNIVERSITY, _AN_INSTITUTE, _AN_AIRLINE, _A_STUDIO, _A_PLANT, _A_START_UP = range(1, 7)
_NOTED = {
    _AN_AIRLINE: "civil-aviation",
    _A_STUDIO: "internet-plus",
    _A_PLANT: "professional-services",
    _A_START_UP: "science-and-technology",
}

# Those abroad are ranked, or almost all of them; (name, country, rank).
_LARKMERE = ("University of Larkmere (demo)", "AU", 33)
_UNRANKED = ("Teaselgarth College (demo)", "GB", None)
_SCHOOLS_ABROAD = (
    _LARKMERE,
    _UNRANKED,
    *(
        (f"University of {head}{tail} (demo)", country, None if rank % 7 == 0 else rank)
        for head, tail, country, rank in zip(
            _HEADS * 2, _TAILS * 2, _STUDIED * 5, range(5, 400, 10), strict=False
        )
    ),
)
_SCHOOLS_AT_HOME = tuple(
    (f"{family}{given}大学（演示）", "CN", rank)
    for (family, _), (given, _), rank in zip(_FAMILIES, _GIVEN, range(60, 900, 20), strict=False)
)
_EMPLOYERS = range(1, _ORGANISATIONS + 1)
_STAYS = (
    *(talent.PermitKind.RESIDENCE_PERMIT,) * 7,
    *(talent.PermitKind.VISA,) * 2,
    talent.PermitKind.RESIDENCE_PERMIT_B,
    talent.PermitKind.PERMANENT_RESIDENCE,
)
_STATUSES = {50: card.Status.SUSPENDED, 51: card.Status.REVOKED}

_Row = tuple[object, ...]
_Sheets = defaultdict[str, list[_Row]]
_Item = TypeVar("_Item")

# What is referred to comes before what refers to it.
_TABLES = [
    base.Base.metadata.tables[name]
    for name in (
        "organisation",
        "team",
        "talent",
        "name_token",
        "degree",
        "employment",
        "permit",
        "member",
        "award",
        "attestation",
        "membership",
        "card",
        "card_event",
        "redemption",
        decision.Decision.__tablename__,
        booking.Booking.__tablename__,
        presentation.Device.__tablename__,
        consent.Consent.__tablename__,
        presentation.Ticket.__tablename__,
        status.StatusEntry.__tablename__,
        webhook.Webhook.__tablename__,
        webhook.Delivery.__tablename__,
    )
]


async def build(data: database.Database, people: int, on: date) -> dict[str, int]:
    """Replace everybody by ``people`` demo ones as of a day, or, if anything fails, nobody.

    Returns how many rows went into each table.
    """
    counts = dict.fromkeys((table.name for table in _TABLES), 0)
    desk = _CardDesk(on)
    async with data.begin() as session, _uncollected():
        await _clear(session)
        await _remember(session, megabytes=64)
        await _load(session, _ground(on), counts)
        for start in range(1, people + 1, _CHUNK):
            sheets: _Sheets = defaultdict(list)
            for number in range(start, min(start + _CHUNK, people + 1)):
                desk.consider(_made(number, on, sheets))
            await _load(session, sheets, counts)
        await session.execute(sa.text("ANALYZE"))
        await _remember(session, megabytes=2)
    await data.settle("talent", "name_token")
    return counts


def handle(number: int) -> str:
    """Return the handle of a demo person, which looks like any other's."""
    digest = hashlib.sha256(f"greenway demo person {number}".encode()).digest()
    return base64.b32encode(digest[:15]).decode().lower()


def serial(number: int) -> str:
    """Return the serial of the card of a demo person who has one."""
    digest = hashlib.sha256(f"greenway demo card {number}".encode()).digest()
    return card.serial(int.from_bytes(digest[:5]))


@contextlib.asynccontextmanager
async def _uncollected() -> AsyncIterator[None]:
    # Millions of rows without one cycle: looking for cycles is a quarter of the time.
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _clear(session: AsyncSession) -> None:
    await standing.drop(session)
    # The database numbers the rows as they come, so its numbers must start anew as well.
    if session.get_bind().dialect.name == "postgresql":
        names = ", ".join(table.name for table in _TABLES)
        await session.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
        return
    for table in reversed(_TABLES):
        await session.execute(table.delete())


async def _remember(session: AsyncSession, megabytes: int) -> None:
    # A large load goes all over its indexes, which SQLite by itself keeps 2 MB of at hand.
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(sa.text(f"PRAGMA cache_size = -{megabytes * 1000}"))


async def _load(session: AsyncSession, sheets: _Sheets, counts: dict[str, int]) -> None:
    for table in _TABLES:
        if rows := sheets[table.name]:
            await database.load(session, table, rows)
            counts[table.name] += len(rows)


def _made(number: int, on: date, sheets: _Sheets) -> _Person:
    person = _Person(number, on, sheets)
    _PERSONAS.get(number, _anyone)(person)
    _honour(person)
    return person


def _ground(on: date) -> _Sheets:
    sheets: _Sheets = defaultdict(list)
    sheets["organisation"] = [_organisation(number) for number in range(1, _ORGANISATIONS + 1)]
    sheets["team"] = [_team(number, on) for number in range(1, TEAMS + 1)]
    return sheets


def _organisation(number: int) -> _Row:
    kind = _KIND_CYCLE[(number - 1) % len(_KIND_CYCLE)]
    english, chinese = _KINDS[kind]
    (family, latin), (given, _) = _at(_FAMILIES, number), _at(_GIVEN, number // len(_FAMILIES))
    working = kind is talent.OrganisationKind.ENTERPRISE
    near = number in (_A_UNIVERSITY, _AN_INSTITUTE, *_NOTED)
    return (
        f"{latin}-{english}-{number}".lower(),
        f"{_at(_HEADS, number % 18)}{_at(_TAILS, number * 7)} {english} (demo)",
        f"{family}{given}{chinese}（演示）",
        kind,
        "changning" if near else _at(_DISTRICTS, number),
        "shanghai" if near else _at(_REGIONS, number),
        _NOTED.get(number, _at(_INDUSTRIES, number)) if working else None,
    )


def _team(number: int, on: date) -> _Row:
    winners, finalists = 3, 10
    result = talent.TeamResult.ENTRANT
    if number <= finalists:
        result = talent.TeamResult.WINNER if number <= winners else talent.TeamResult.FINALIST
    return (
        on.year,
        f"Team {_at(_HEADS, number % 18)} {_at(_TAILS, number * 3)}",
        _at(FIELDS, number),
        number * OVERSEAS_TEAMS % TEAMS < OVERSEAS_TEAMS,
        result,
        "competition office (demo)",
        _noon(on.replace(month=1, day=1)),
    )


class _Person:
    """One person in the making: dice of their own, and the sheets their rows go to."""

    def __init__(self, number: int, on: date, sheets: _Sheets) -> None:
        self.number = number
        self.on = on
        self.dice = random.Random(number)  # noqa: S311 demo data, no secret
        self.talent_class: talent.TalentClass | None = None
        self.listed_on: date | None = None
        self.sheets = sheets

    def pick(self, items: Sequence[_Item]) -> _Item:
        return items[int(self.dice.random() * len(items))]

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def maybe(self, value: _Item, share: float = 0.92) -> _Item | None:
        return value if self.dice.random() < share else None

    def ago(self, least: int, most: int) -> date:
        """Return a day so many days back."""
        return self.on - timedelta(least + int(self.dice.random() * (most - least)))

    def profile(
        self,
        names: tuple[str, str | None],
        born: date | None,
        nationality: str | None,
        district: str,
        talent_class: talent.TalentClass | None,
        industry: str | None,
        listed_on: date | None,
    ) -> None:
        """Note the person's own row and the starts of their names."""
        self.talent_class, self.listed_on = talent_class, listed_on
        key = talent.name_key(*names)
        self.add("talent", handle(self.number), *names, key, born, nationality, district,
                 talent_class, industry, listed_on, "talent office (demo)",
                 _noon(listed_on or self.on - timedelta(30)))  # fmt: skip
        for token in sorted(talent.tokens(key)):
            self.add("name_token", token, self.number)

    def fact(self, table: str, since: date, source: str, *values: object) -> None:
        """Note a dated row about the person."""
        self.add(table, self.number, *values, f"{source} (demo)", _noon(min(since, self.on)))

    def attest(self, since: date, source: str, **facts: object) -> None:
        for name, value in facts.items():
            self.fact("attestation", since, source, name, value, since, None)

    def degree(
        self, level: talent.DegreeLevel, school: tuple[str, str, int | None], awarded_on: date,
        subject_rank: int | None = None,
    ) -> None:  # fmt: skip
        name, country, rank = school
        ranked = None if rank is None and subject_rank is None else "Fictitious World Ranking"
        self.fact("degree", awarded_on, "degree certificate", level, name, country, awarded_on,
                  rank, subject_rank, ranked)  # fmt: skip

    def employ(
        self, organisation: int, title: str, since: date, until: date | None, salary: int | None
    ) -> None:
        yuan = None if salary is None else Decimal(salary)
        self.fact("employment", since, "employer", organisation, title, since, until, yuan)

    def permit(self, kind: talent.PermitKind, since: date, days: int | None) -> None:
        until = None if days is None else since + timedelta(days)
        number = f"{''.join(word[0] for word in kind.split('_'))}{self.number:09}"
        domestic = kind is talent.PermitKind.DOMESTIC_ID
        authority = "public security" if domestic else "Changning foreign expert bureau"
        self.fact("permit", since, authority, kind, number, f"{authority} (demo)", since, until)

    def member(
        self, relation: talent.Relation, name: str, born: date | None, nationality: str | None,
        *, owns_home: bool | None = None, had_housing_benefit: bool | None = None,
    ) -> None:  # fmt: skip
        self.fact("member", self.on - timedelta(40), "household register", relation, name, born,
                  nationality, owns_home, had_housing_benefit)  # fmt: skip

    def add(self, table: str, *values: object) -> None:
        self.sheets[table].append(values)


class _CardDesk:
    """Issues the first batch to the first who are entitled, and notes what they used of it."""

    def __init__(self, on: date) -> None:
        self._on = on
        self._issued = 0

    def consider(self, person: _Person) -> None:
        entitled = person.talent_class in (talent.TalentClass.HIGH, talent.TalentClass.MEDIUM)
        waited = person.listed_on and person.listed_on <= self._on - _CARD_AFTER
        if not (entitled and waited) or self._issued == CARDS:
            return
        self._issued += 1
        issued_on = self._on - timedelta(60)
        person.add("card", serial(person.number), person.number, 1, issued_on,
                   issued_on + timedelta(730), _STATUSES.get(self._issued, card.Status.ACTIVE),
                   person.talent_class, _TEST_CARD, "card office (demo)",
                   _noon(issued_on))  # fmt: skip
        person.add("card_event", self._issued, card.Change.ISSUED, card.Reason.ENTITLED,
                   _noon(issued_on), "card office (demo)")  # fmt: skip
        for use in range(self._issued % 3):
            day = self._on.replace(day=1 + (self._on.day - 1) * use // 2)
            person.add("redemption", handle(person.number), _at(_AREAS, self._issued + use), 1,
                       _noon(day), f"demo-{person.number}-{use}", card.Use.USED, None, None, None,
                       "partner (demo)", _noon(day))  # fmt: skip


def _honour(person: _Person) -> None:
    """Give an award to every second of the first people, and seats in teams to some."""
    turn, rest = divmod(person.number, 2)
    if not rest and 1 <= turn <= AWARDS:
        top = turn % 12 == 1
        level = talent.AwardLevel.TOP if top else talent.AwardLevel.EXCELLENT
        given_on = person.on - timedelta(100)
        person.fact("award", given_on, "district government", level, given_on.year)
    team, seat = divmod(person.number - 3, 8)
    if 1 <= team <= TEAMS and seat in (0, 2, 3):
        person.add("membership", person.number, team)


# --- Anyone -----------------------------------------------------------------------------------


def _anyone(person: _Person) -> None:
    names, foreign = _names(person)
    nationality = person.pick(_ABROAD) if foreign else "CN"
    born = _born(person)
    person.profile(
        names,
        person.maybe(born),
        person.maybe(nationality, 0.97),
        person.pick(_DISTRICTS),
        person.pick(_CLASSES),
        person.maybe(person.pick(_INDUSTRIES), 0.85),
        person.maybe(person.ago(1, 1500), 0.94),
    )
    returned = not foreign and person.chance(0.4)
    _studies(person, born, abroad=foreign or returned)
    _work(person)
    if foreign:
        _arrival(person)
    else:
        person.permit(talent.PermitKind.DOMESTIC_ID, person.ago(300, 3000), 7300)
    if returned and person.chance(0.9):
        day = person.ago(20, 1400)
        person.attest(day, "border office", returned_on=day.isoformat())
    _circumstances(person)
    if person.chance(0.5):
        _family(person, nationality)
    if foreign and person.chance(0.5):
        _merits(person)


def _names(person: _Person) -> tuple[tuple[str, str | None], bool]:
    """Return a name, its Latin form if it has another, and whether it is foreign."""
    shared = person.number - (person.number % 50 == 0)
    if shared != person.number:  # every fiftieth is a namesake of the one before
        person = _Person(shared, person.on, person.sheets)
    long = shared % 89 == 0
    if person.chance(_FOREIGN):
        words = [person.pick(_FORENAMES)]
        words += [person.pick(_HEADS) + person.pick(_TAILS) for _ in range(7 if long else 1)]
        return (" ".join(words), None), True
    written, spoken = zip(
        person.pick(_FAMILIES),
        *(person.pick(_GIVEN) for _ in range(9 if long else person.pick((1, 2, 2)))),
        strict=True,
    )
    latin = f"{spoken[0]} {''.join(spoken[1:]).capitalize()}"
    return ("".join(written), person.maybe(latin)), False


def _born(person: _Person) -> date:
    day = person.ago(22 * 366, 64 * 365)
    if person.number % 101 == 0:
        return date(day.year - day.year % 4, 2, 29)
    return day


def _studies(person: _Person, born: date, *, abroad: bool) -> None:
    school = person.pick(_SCHOOLS_ABROAD if abroad else _SCHOOLS_AT_HOME)
    last = person.on - timedelta(15)
    first = min(born + timedelta(22 * 365), last)
    person.degree(talent.DegreeLevel.BACHELOR, person.pick(_SCHOOLS_AT_HOME), first)
    if person.chance(0.6):
        rank = person.pick((None, None, None, 8, 15, 40, 120))
        person.degree(talent.DegreeLevel.MASTER, school, min(first + timedelta(730), last), rank)
    if person.chance(0.2):
        person.degree(talent.DegreeLevel.DOCTOR, school, min(first + timedelta(2200), last))


def _work(person: _Person) -> None:
    since = person.ago(30, 3000)
    salary = person.maybe(100_000 + 10_000 * int(person.dice.random() * 90), 0.85)
    if person.chance(0.25):
        before = since - timedelta(900)
        person.employ(person.pick(_EMPLOYERS), person.pick(_TITLES), before, since, None)
    person.employ(person.pick(_EMPLOYERS), person.pick(_TITLES), since, None, salary)
    if person.chance(0.8):
        person.attest(since, "social insurance office", insured_in_shanghai=person.chance(0.8))


def _arrival(person: _Person) -> None:
    arrived = person.ago(5, 2500)
    days = person.pick((365, 730, 1825))
    if person.chance(0.8):
        person.permit(talent.PermitKind.WORK_PERMIT, arrived, days)
    if person.number % 5 == 0:  # the former certificates, beside the new one for a while
        person.permit(talent.PermitKind.FOREIGN_EXPERT_CERTIFICATE, arrived, 365)
        person.permit(talent.PermitKind.EMPLOYMENT_LICENCE, arrived, 365)
    stay = person.pick(_STAYS)
    person.permit(stay, arrived, None if stay is talent.PermitKind.PERMANENT_RESIDENCE else days)
    person.attest(arrived, "border office", arrived_on=arrived.isoformat())
    if person.chance(0.8):
        registered = min(arrived + timedelta(int(person.dice.random() * 4)), person.on)
        person.attest(
            registered, "public security", accommodation_registered_on=registered.isoformat()
        )
    if person.chance(0.7):
        person.attest(arrived, "language test", chinese_level=int(person.dice.random() * 7))


def _circumstances(person: _Person) -> None:
    day = person.ago(10, 300)
    if person.chance(0.85):
        person.attest(day, "housing register", owns_home=person.chance(0.4))
    if person.chance(0.8):
        person.attest(day, "housing office", had_housing_benefit=person.chance(0.1))
    if person.chance(0.8):
        person.attest(day, "employer", work_years=int(person.dice.random() * 30))


def _family(person: _Person, nationality: str) -> None:
    (family, given), (other, _) = person.pick(_FAMILIES), person.pick(_GIVEN)
    name = f"{family}{other}" if nationality == "CN" else f"{person.pick(_FORENAMES)} {given}"
    if person.chance(0.8):
        person.member(
            talent.Relation.SPOUSE,
            name,
            person.maybe(person.ago(23 * 366, 60 * 365)),
            person.maybe(nationality),
            owns_home=person.maybe(person.chance(0.3), 0.8),
            had_housing_benefit=person.maybe(person.chance(0.1), 0.8),
        )
    for child in range(person.pick((0, 1, 1, 2, 3))):
        born = person.maybe(person.ago(0, 20 * 365), 0.95)
        person.member(talent.Relation.CHILD, f"{name} {child + 1}", born, nationality)


def _merits(person: _Person) -> None:
    """Attest what points are counted by; of everything something stays unknown."""
    day = person.ago(10, 300)
    if person.chance(0.8):
        person.attest(day, "employer", months_worked_in_china=3 + int(person.dice.random() * 10))
    if person.chance(0.7):
        since = person.ago(100, 4000).isoformat()
        person.attest(day, "employer", working_in_china_since=since)
    if person.chance(0.6):
        person.attest(
            day,
            "employer",
            fortune_500_experience=person.chance(0.2),
            skill_level=person.pick(_SKILLS),
            work_location="ELSEWHERE",
        )
    if person.chance(0.6):
        person.attest(
            day,
            "foreign expert bureau",
            degree_taught_in_chinese=person.chance(0.1),
            former_chinese_national=person.chance(0.05),
            high_level_foreign_university=person.chance(0.3),
            holds_intellectual_property=person.chance(0.15),
        )
    if person.chance(0.6):
        person.attest(day, "foreign expert bureau", local_points=person.pick((0, 0, 0, 3, 5, 10)))


# --- The personas -----------------------------------------------------------------------------


def _returnee(person: _Person) -> None:
    home = person.on - timedelta(152)
    person.profile(("檀灯月", "Tan Dengyue"), person.on - timedelta(26 * 366), "CN", "changning",
                   talent.TalentClass.MEDIUM, "internet-plus",
                   person.on - timedelta(120))  # fmt: skip
    person.degree(talent.DegreeLevel.BACHELOR, _SCHOOLS_AT_HOME[0], person.on - timedelta(1100), 90)
    person.degree(talent.DegreeLevel.MASTER, _LARKMERE, home - timedelta(60), 41)
    person.employ(_A_STUDIO, "Product designer", home + timedelta(30), None, 260_000)
    person.permit(talent.PermitKind.DOMESTIC_ID, home - timedelta(2000), 7300)
    person.attest(home, "border office", returned_on=home.isoformat())
    person.attest(home, "housing register", owns_home=False)
    person.attest(home, "housing office", had_housing_benefit=False)
    person.attest(home + timedelta(30), "employer", work_years=1, insured_in_shanghai=True)


def _pilot(person: _Person) -> None:
    came = person.on - timedelta(800)
    person.profile(("Ondrix O'Tallowmere", None), person.on - timedelta(41 * 366), "KR",
                   "changning", talent.TalentClass.HIGH, "civil-aviation", came)  # fmt: skip
    person.degree(talent.DegreeLevel.BACHELOR, _SCHOOLS_ABROAD[3], person.on - timedelta(6500))
    person.employ(_AN_AIRLINE, "Captain", came, None, 980_000)
    for former in (
        talent.PermitKind.FOREIGN_EXPERT_CERTIFICATE,
        talent.PermitKind.EMPLOYMENT_LICENCE,
    ):
        person.permit(former, came - timedelta(400), 420)
    person.permit(talent.PermitKind.WORK_PERMIT, came, 1825)
    person.permit(talent.PermitKind.RESIDENCE_PERMIT, came, 1825)
    person.member(talent.Relation.SPOUSE, "Isaveth O'Tallowmere", person.on - timedelta(39 * 366),
                  "KR", owns_home=False, had_housing_benefit=False)  # fmt: skip
    for name, years in (("Wrenna O'Tallowmere", 8), ("Nevrin O'Tallowmere", 11)):
        born = person.on - timedelta(years * 366)
        person.member(talent.Relation.CHILD, name, born, "KR")
    person.attest(came, "border office", arrived_on=came.isoformat())
    person.attest(came, "public security", accommodation_registered_on=came.isoformat())
    person.attest(came, "housing register", owns_home=False)
    person.attest(came, "housing office", had_housing_benefit=False)
    person.attest(came, "employer", work_years=16, insured_in_shanghai=True)
    person.attest(came, "language test", chinese_level=2)
    _attest_merits(person, came, skill_level="NONE", fortune_500_experience=False)


def _engineer(person: _Person) -> None:
    came = person.on - timedelta(420)
    person.profile(("Zoëlle D'Arvanebrook", None), person.on - timedelta(33 * 366), "FR",
                   "minhang", talent.TalentClass.MEDIUM, "professional-services",
                   person.on - timedelta(30))  # fmt: skip
    person.degree(talent.DegreeLevel.MASTER, _SCHOOLS_ABROAD[5], person.on - timedelta(3000), 60)
    person.employ(_A_PLANT, "Engineer", came, None, 420_000)
    person.permit(talent.PermitKind.WORK_PERMIT, came, 730)
    person.permit(talent.PermitKind.RESIDENCE_PERMIT_B, came, 730)
    person.attest(came, "border office", arrived_on=came.isoformat())
    person.attest(came, "housing register", owns_home=False)
    person.attest(came, "housing office", had_housing_benefit=False)
    person.attest(came, "employer", work_years=8, insured_in_shanghai=True)
    _attest_merits(person, came, skill_level="NONE", fortune_500_experience=True, local_points=0)


def _attest_merits(person: _Person, came: date, **own: object) -> None:
    """Attest what points are counted by of a persona who has worked here since they came."""
    person.attest(came, "employer", months_worked_in_china=11,
                  working_in_china_since=came.isoformat())  # fmt: skip
    merits = {
        "degree_taught_in_chinese": False,
        "former_chinese_national": False,
        "high_level_foreign_university": False,
        "holds_intellectual_property": False,
    }
    person.attest(came, "foreign expert bureau", **{**merits, **own})


def _incomplete(person: _Person) -> None:
    home = person.on - timedelta(200)
    person.profile(("榛莓", None), None, "CN", "changning", None, None, person.on - timedelta(150))
    person.degree(talent.DegreeLevel.MASTER, _UNRANKED, home - timedelta(90))
    person.employ(_A_STUDIO, "Analyst", home + timedelta(40), None, None)
    person.attest(home, "border office", returned_on=home.isoformat())


def _founder(person: _Person) -> None:
    came = person.on - timedelta(4000)
    person.profile(("Halmir Sparrowcrest", None), person.on - timedelta(52 * 366), "FI",
                   "changning", talent.TalentClass.HIGH, "science-and-technology",
                   person.on - timedelta(1000))  # fmt: skip
    person.degree(talent.DegreeLevel.DOCTOR, _LARKMERE, person.on - timedelta(8000), 12)
    person.employ(_A_START_UP, "Founder", person.on - timedelta(900), None, 1_200_000)
    person.permit(talent.PermitKind.WORK_PERMIT, came, 1825)
    person.permit(talent.PermitKind.PERMANENT_RESIDENCE, person.on - timedelta(1500), 3650)
    person.attest(came, "border office", arrived_on=came.isoformat())
    person.attest(came, "housing register", owns_home=True)
    person.attest(came, "housing office", had_housing_benefit=False)
    person.attest(came, "employer", work_years=25, insured_in_shanghai=True)
    person.attest(came, "language test", chinese_level=5)
    _attest_merits(person, came, holds_intellectual_property=True)


def _researcher(person: _Person) -> None:
    since = person.on - timedelta(1400)
    person.profile(("砚竹笺", "Yan Zhujian"), person.on - timedelta(37 * 366), "CN", "changning",
                   None, "science-and-technology", person.on - timedelta(700))  # fmt: skip
    person.degree(talent.DegreeLevel.DOCTOR, _SCHOOLS_AT_HOME[1], since - timedelta(60))
    person.employ(_AN_INSTITUTE, "Researcher", since, None, 380_000)
    person.permit(talent.PermitKind.DOMESTIC_ID, since, 7300)
    person.attest(since, "housing register", owns_home=True)
    person.attest(since, "employer", work_years=9, insured_in_shanghai=True)


_PERSONAS: dict[int, Callable[[_Person], None]] = {
    RETURNEE: _returnee,
    PILOT: _pilot,
    ENGINEER: _engineer,
    INCOMPLETE: _incomplete,
    FOUNDER: _founder,
    RESEARCHER: _researcher,
}


def _at(items: Sequence[_Item], number: int) -> _Item:
    return items[number % len(items)]


@functools.cache
def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)  # noon in Shanghai
