"""What all sides serve: made by dice, so that so many people are always the same people.

Everything is invented; no real person, company or service is described.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

#: In their order; a category's id is its place, from 1 on.
CATEGORIES = (
    ("CUS", "Customs clearance", "通关"),
    ("EMP", "Employment", "就业"),
    ("ENT", "Entrepreneurship", "创业"),
    ("LIV", "People's livelihoods", "民生"),
    ("COM", "Enterprises", "企业"),
    ("ACC", "Accommodation", "住宿"),
    ("MED", "Medical care", "医疗"),
    ("EDU", "Education", "教育"),
    ("FIN", "Finance", "金融"),
    ("INS", "Insurance", "保险"),
    ("TRA", "Translation", "翻译"),
    ("TRV", "Travel", "出行"),
    ("TRN", "Training", "培训"),
    ("LAW", "Legal consultation", "法律咨询"),
)
SERVICES = (
    ("registration", "登记"),
    ("advance booking", "预约"),
    ("fast lane", "快速通道"),
    ("subsidy", "补贴"),
    ("certificate issue", "发证"),
    ("renewal", "续期"),
    ("on-site advice", "现场咨询"),
    ("document pre-check", "材料预审"),
    ("family service", "家属服务"),
    ("complaint handling", "投诉处理"),
    ("fee waiver", "费用减免"),
    ("one-stop desk", "一站式窗口"),
)
DOCUMENTS = (
    "Passport copy",
    "Work permit",
    "Residence permit",
    "Employment contract",
    "Degree certificate",
    "Tax statement",
    "Bank statement",
    "Health certificate",
    "Application form",
    "Recent photo",
    "Marriage certificate",
    "Business licence",
)
#: Ten partners of each, one kind after the other.
KINDS = ("bank", "hospital", "school", "cinema")
PARTNERS_A_KIND = 10

_LEVELS = ("district", "city", "province")
_DAYS = (1, 3, 5, 7, 10, 15, 20)
_STREETS = ("Harbour Road", "Canal Street", "Maple Avenue", "Station Square", "University Lane")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_NATIONALITIES = _words("CN US DE FR GB JP KR IN SG CA AU BR PK RU")
_DEGREES = ("bachelor", "master", "doctor", "diploma")
_DISTRICTS = _words("North South East West Central Harbour Airport University")
_INDUSTRIES = _words("biotech finance software manufacturing education logistics culture")
_GIVEN = _words(
    "Ada Bo Chen Dana Eli Fang Gita Hugo Isla Jun Kira Liu Mei Nils Olga Ping Qi Rosa Sven Tao Uma "
    "Vera Wei Xin Yan Zoe"
)
_FAMILY = _words(
    "Almeida Bauer Cao Dubois Eriksen Feng Garcia Hoffmann Ito Jansen Kim Lin Moreau Novak Okafor "
    "Park Qian Rossi Singh Tang Ueda Wang"
)
_STATUSES = ("valid",) * 17 + ("expired", "revoked", "suspended")
_SEED = 20240117

_TABLES = {
    "categories": "id integer PRIMARY KEY, code text NOT NULL, name text NOT NULL, "
    "name_zh text NOT NULL",
    "services": "id integer PRIMARY KEY, category_id integer NOT NULL REFERENCES categories(id), "
    "code text NOT NULL UNIQUE, name_en text NOT NULL, name_zh text NOT NULL, "
    "summary text NOT NULL, level text NOT NULL, sla_days integer NOT NULL",
    "documents": "id integer PRIMARY KEY, service_id integer NOT NULL REFERENCES services(id), "
    "name text NOT NULL",
    "partners": "id integer PRIMARY KEY, kind text NOT NULL, name text NOT NULL, "
    "address text NOT NULL",
    "service_partners": "service_id integer NOT NULL REFERENCES services(id), "
    "partner_id integer NOT NULL REFERENCES partners(id), PRIMARY KEY (service_id, partner_id)",
    "talents": "id integer PRIMARY KEY, name text NOT NULL, nationality text NOT NULL, "
    "degree text NOT NULL, category text NOT NULL, employer_id integer NOT NULL, "
    "district text NOT NULL, industry text NOT NULL, years_experience integer NOT NULL, "
    "annual_salary integer NOT NULL, honours integer NOT NULL, card_serial text NOT NULL UNIQUE",
    "cards": "serial text PRIMARY KEY, talent_id integer NOT NULL REFERENCES talents(id), "
    "status text NOT NULL",
}
_INDEXES = """
CREATE INDEX ON services(category_id);
CREATE INDEX ON documents(service_id);
CREATE INDEX ON service_partners(partner_id);
CREATE INDEX ON partners(kind);
CREATE INDEX ON cards(talent_id);
CREATE INDEX ON talents(employer_id);
"""
# As the hub has it of who looked at whose record; only those who note it write in it.
_LOOKS = """
CREATE TABLE looks (id bigserial PRIMARY KEY, talent_id integer NOT NULL, who text NOT NULL,
  what text NOT NULL, purpose text NOT NULL, at timestamptz NOT NULL);
CREATE INDEX ON looks(talent_id);
"""
# A database that is itself the schema has what is no column of it as functions.
_FUNCTIONS = """
CREATE FUNCTION services_partners(s services) RETURNS SETOF partners LANGUAGE sql STABLE AS $$
  SELECT p.* FROM partners p JOIN service_partners sp ON sp.partner_id = p.id
  WHERE sp.service_id = s.id ORDER BY p.id $$;
CREATE FUNCTION services_page(category_ids integer[], n integer) RETURNS SETOF services
  LANGUAGE sql STABLE AS $$
  SELECT * FROM services WHERE category_id = ANY(category_ids) ORDER BY id LIMIT n $$;
"""


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner of the menu: a bank, a hospital, a school or a cinema."""

    id: int
    kind: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service, with the documents it asks for and the partners it is had from."""

    id: int
    category: int
    code: str
    name: str
    name_zh: str
    summary: str
    level: str
    days: int
    documents: tuple[str, ...]
    partners: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a card; ``number`` is their id, and the number in the card's serial."""

    number: int
    name: str
    nationality: str
    degree: str
    category: str
    employer: int
    district: str
    industry: str
    years: int
    salary: int
    honours: int
    status: str

    @property
    def serial(self) -> str:
        """The serial of their card."""
        return serial(self.number)


@dataclass(frozen=True, slots=True)
class Dataset:
    """All of it."""

    services: Mapping[int, Service]
    partners: Mapping[int, Partner]
    people: tuple[Person, ...]

    @classmethod
    def of(cls, people: int) -> Dataset:
        """Return the data with so many people."""
        dice = random.Random(_SEED)
        partners = {
            number: _partner(number, dice) for number in range(1, len(KINDS) * PARTNERS_A_KIND + 1)
        }
        services = {
            one.id: one
            for category, row in enumerate(CATEGORIES, 1)
            for place, kind in enumerate(SERVICES, 1)
            for one in [_service(category, row, place, kind, dice)]
        }
        return cls(
            services, partners, tuple(_person(n, people, dice) for n in range(1, people + 1))
        )

    def served(self, kind: str, first: int) -> list[tuple[Service, Partner]]:
        """Return services with their partner of a kind, the first ones."""
        pairs = (
            (service, self.partners[number])
            for service in self.services.values()
            for number in service.partners
            if self.partners[number].kind == kind
        )
        return [pair for pair, _ in zip(pairs, range(first), strict=False)]


def serial(number: int) -> str:
    """Return the serial of the card of the person with this number."""
    return f"TC{number:08d}"


def _partner(number: int, dice: random.Random) -> Partner:
    kind = KINDS[(number - 1) // PARTNERS_A_KIND]
    name = f"{kind.title()} {(number - 1) % PARTNERS_A_KIND + 1:02d}"
    return Partner(number, kind, name, f"{dice.randint(1, 300)} {_STREETS[number % 5]}")


def _service(
    category: int, row: tuple[str, str, str], place: int, kind: tuple[str, str], dice: random.Random
) -> Service:
    (code, english, chinese), (what, what_zh) = row, kind
    number = (category - 1) * len(SERVICES) + place
    level, days = _LEVELS[dice.randrange(3)], dice.choice(_DAYS)
    documents = tuple(dice.sample(DOCUMENTS, 3))
    # Seven of each kind's ten partners serve the first half of the menu, so that ten services
    # share some: whoever asks for each of them anew pays for it.
    shared = 7 if category <= len(CATEGORIES) // 2 else PARTNERS_A_KIND
    kinds = sorted(dice.sample(range(len(KINDS)), 2))
    partners = tuple(one * PARTNERS_A_KIND + 1 + dice.randrange(shared) for one in kinds)
    return Service(
        id=number,
        category=category,
        code=f"{code}-{place:02d}",
        name=f"{english}: {what}",
        name_zh=f"{chinese}{what_zh}",
        summary=f"Help for holders of a talent card with {what} in the field of {english.lower()}; "
        "apply online, at the district desk or through a partner.",
        level=level,
        days=days,
        documents=documents,
        partners=partners,
    )


def _person(number: int, people: int, dice: random.Random) -> Person:
    return Person(
        number=number,
        name=f"{dice.choice(_GIVEN)} {dice.choice(_FAMILY)}",
        nationality=dice.choice(_NATIONALITIES),
        degree=dice.choice(_DEGREES),
        category="ABC"[min(2, int(dice.random() * 3.6))],
        employer=1 + dice.randrange(max(1, people // 20)),
        district=dice.choice(_DISTRICTS),
        industry=dice.choice(_INDUSTRIES),
        years=dice.randrange(41),
        salary=dice.randrange(60, 2000) * 1000,
        honours=dice.randrange(6),
        status=dice.choice(_STATUSES),
    )


async def load(address: str, data: Dataset) -> None:
    """Put the data into an empty PostgreSQL database, as the peers keep it."""
    database = await asyncpg.connect(address)
    for table, columns in _TABLES.items():
        await database.execute(f"CREATE TABLE {table} ({columns})")
    for table, rows in _rows(data).items():
        await database.copy_records_to_table(table, records=rows)
    await database.execute(_INDEXES + _LOOKS)
    await database.execute(_FUNCTIONS)
    await database.execute("VACUUM ANALYZE")
    await database.close()


def _rows(data: Dataset) -> dict[str, list[tuple[object, ...]]]:
    services = data.services.values()
    named = [(one.id, name) for one in services for name in one.documents]
    return {
        "categories": [(place, *row) for place, row in enumerate(CATEGORIES, 1)],
        "services": [
            (
                one.id,
                one.category,
                one.code,
                one.name,
                one.name_zh,
                one.summary,
                one.level,
                one.days,
            )
            for one in services
        ],
        "documents": [(place, *row) for place, row in enumerate(named, 1)],
        "partners": [(one.id, one.kind, one.name, one.address) for one in data.partners.values()],
        "service_partners": [(one.id, number) for one in services for number in one.partners],
        "talents": [
            (
                *(one.number, one.name, one.nationality, one.degree, one.category, one.employer),
                *(one.district, one.industry, one.years, one.salary, one.honours, one.serial),
            )
            for one in data.people
        ],
        "cards": [(one.serial, one.number, one.status) for one in data.people],
    }
